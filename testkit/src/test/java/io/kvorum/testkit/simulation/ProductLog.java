package io.kvorum.testkit.simulation;

import java.lang.reflect.Method;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Turns the product's log off for a test class: runs by the thousand would fill it. By reflection, since the module of
 * these tests reads no {@code java.logging}.
 */
final class ProductLog implements BeforeAllCallback, AfterAllCallback {
    private final Object logger; // held, or else its level would be forgotten with it
    private final Method setLevel;
    private final Object off;

    ProductLog() throws ReflectiveOperationException {
        Class<?> type = Class.forName("java.util.logging.Logger");
        Class<?> level = Class.forName("java.util.logging.Level");
        logger = type.getMethod("getLogger", String.class).invoke(null, "io.kvorum");
        setLevel = type.getMethod("setLevel", level);
        off = level.getField("OFF").get(null);
    }

    /** Turns the log off for good. */
    void off() throws ReflectiveOperationException {
        setLevel.invoke(logger, off);
    }

    @Override
    public void beforeAll(ExtensionContext context) throws ReflectiveOperationException {
        off();
    }

    @Override
    public void afterAll(ExtensionContext context) throws ReflectiveOperationException {
        setLevel.invoke(logger, (Object) null);
    }
}
