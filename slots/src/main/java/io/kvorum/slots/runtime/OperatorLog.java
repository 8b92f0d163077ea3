package io.kvorum.slots.runtime;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A logger whose own failures harm nobody: a line that a handler of the application fails to take is lost.
 *
 * <p>Safe for use by any number of threads.
 */
public final class OperatorLog {
    private static final LongAdder lost = new LongAdder();

    private final Logger logger;

    private OperatorLog(Logger logger) {
        this.logger = logger;
    }

    /**
     * Creates the log of a class.
     *
     * @param owner the class
     * @return its log
     */
    public static OperatorLog of(Class<?> owner) {
        return to(System.getLogger(owner.getName()));
    }

    /**
     * Creates a log over a logger.
     *
     * @param logger the logger
     * @return its log
     */
    public static OperatorLog to(Logger logger) {
        return new OperatorLog(logger);
    }

    /**
     * Writes a line, if the level is enabled.
     *
     * @param level the level
     * @param line makes the line
     */
    public void log(Level level, Supplier<String> line) {
        log(level, line, null);
    }

    /**
     * Writes a line and a stack trace, if the level is enabled.
     *
     * @param level the level
     * @param line makes the line
     * @param cause the failure that the line is about
     */
    public void log(Level level, Supplier<String> line, @Nullable Throwable cause) {
        try {
            if (cause == null) {
                logger.log(level, line);
            } else {
                logger.log(level, line, cause);
            }
        } catch (Throwable e) {
            lost.increment();
        }
    }

    /** {@return how many lines were lost in this JVM} */
    public static long lostLines() {
        return lost.sum();
    }
}
