package io.kvorum.slots.runtime;

import static java.util.Objects.requireNonNull;

import java.lang.System.Logger.Level;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Takes note of what user code throws. Each failure is counted; of those of one kind the first is logged and reported,
 * and then at most one in {@link #PAUSE_NANOS}, so that a transport that always throws does not flood the log.
 *
 * <p>Safe for use by any number of threads.
 */
public final class Faults {
    /** How long after a failure was reported the next one of its kind is reported at the earliest: a second. */
    public static final long PAUSE_NANOS = 1_000_000_000;

    /** Takes a failure that is to be told as an event. */
    @FunctionalInterface
    public interface Report {
        /**
         * Takes a failure.
         *
         * @param call what was called
         * @param cause what it threw
         */
        void accept(String call, Throwable cause);
    }

    /** The failures of one kind. Guarded by itself. */
    private static final class Kind {
        private boolean seen;
        private long reportedAt;
        private long unreported;
    }

    private final OperatorLog logger;
    private final String owner;
    private final LongSupplier nanoTime;
    private final Report report;
    private final AtomicLong count = new AtomicLong();
    private final Map<String, Kind> kinds = new ConcurrentHashMap<>();

    /**
     * Creates a note of nothing.
     *
     * @param logger logs the failures, as warnings
     * @param owner what is served by the user code, for the log
     * @param nanoTime the time
     * @param report takes the failures that are to be told
     */
    public Faults(OperatorLog logger, String owner, LongSupplier nanoTime, Report report) {
        this.logger = requireNonNull(logger, "logger");
        this.owner = requireNonNull(owner, "owner");
        this.nanoTime = requireNonNull(nanoTime, "nanoTime");
        this.report = requireNonNull(report, "report");
    }

    /**
     * Takes note of a failure. Never throws.
     *
     * @param call what was called; one of a few
     * @param cause what it threw
     */
    public void note(String call, Throwable cause) {
        count.incrementAndGet();
        long unreported;
        Kind kind = kinds.computeIfAbsent(call, name -> new Kind());
        synchronized (kind) {
            long now = nanoTime.getAsLong();
            if (kind.seen && now - kind.reportedAt < PAUSE_NANOS) {
                kind.unreported++;
                return;
            }
            kind.seen = true;
            kind.reportedAt = now;
            unreported = kind.unreported;
            kind.unreported = 0;
        }
        logger.log(
                Level.WARNING,
                () -> owner + ": " + call + " failed"
                        + (unreported == 0 ? "" : ", and " + unreported + " times more since this was last reported"),
                cause);
        report.accept(call, cause);
    }

    /**
     * {@return the message of a failure, which may be null; the name of its class if user code fails to tell it}
     *
     * @param cause the failure
     */
    public static @Nullable String message(Throwable cause) {
        try {
            return cause.getMessage();
        } catch (Throwable e) {
            return cause.getClass().getName();
        }
    }

    /** {@return how many failures there were} */
    public long count() {
        return count.get();
    }
}
