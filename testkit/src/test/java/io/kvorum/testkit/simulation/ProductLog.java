package io.kvorum.testkit.simulation;

import java.lang.reflect.Method;

/**
 * Turns the product's log off: runs by the thousand would fill it. By reflection, since the module of these tests reads
 * no {@code java.logging}.
 */
final class ProductLog {
    private final Object logger; // held, or else its level would be forgotten with it
    private final Method setLevel;
    private final Class<?> level;

    private ProductLog() throws ReflectiveOperationException {
        Class<?> type = Class.forName("java.util.logging.Logger");
        level = Class.forName("java.util.logging.Level");
        logger = type.getMethod("getLogger", String.class).invoke(null, "io.kvorum");
        setLevel = type.getMethod("setLevel", level);
    }

    /** {@return the log, turned off} */
    static ProductLog off() throws ReflectiveOperationException {
        ProductLog log = new ProductLog();
        log.setLevel.invoke(log.logger, log.level.getField("OFF").get(null));
        return log;
    }

    /** Turns the log on again. */
    void on() throws ReflectiveOperationException {
        setLevel.invoke(logger, (Object) null);
    }
}
