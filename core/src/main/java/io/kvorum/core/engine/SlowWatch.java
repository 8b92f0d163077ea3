package io.kvorum.core.engine;

import io.kvorum.core.engine.StoreEvents.SlowOperationEvent;
import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Measures operations for those who listen for slow ones. Safe for use by any number of threads. */
public final class SlowWatch {
    /** What can take long. */
    public enum Operation {
        GET,
        SET,
        READ,
        TRANSACT,
        SCAN,
        DROP_SLOT,
        EXPIRE,
        APPLY
    }

    /** Is told of an operation that took long. */
    @FunctionalInterface
    public interface Listener {
        /** An operation is over; the slot is -1 if it was about several. */
        void tookLong(Operation operation, int slot, Duration took, boolean failed);
    }

    private static final System.Logger LOGGER = System.getLogger(SlowWatch.class.getName());

    /** Known to a recorder or not: asked, and never committed. */
    private static final SlowOperationEvent PROBE = new SlowOperationEvent();

    private record Listening(long thresholdNanos, Listener listener) {}

    private volatile @Nullable Listening listening;

    /** Returns whether nobody wants to hear, so that nothing needs to be measured. */
    public boolean isOff() {
        return listening == null && !PROBE.isEnabled();
    }

    public void listen(Duration threshold, Listener listener) {
        if (threshold.isNegative()) {
            throw new IllegalArgumentException("threshold must be at least 0: " + threshold);
        }
        listening = new Listening(nanos(threshold), listener);
    }

    private static long nanos(Duration duration) {
        try {
            return duration.toNanos();
        } catch (ArithmeticException e) {
            return Long.MAX_VALUE; // 292 years
        }
    }

    public void stop() {
        listening = null;
    }

    /** Does something, measures it, and tells of it if it took long, whatever comes of it. */
    public <T extends @Nullable Object> T time(Operation operation, int slot, Supplier<? extends T> action) {
        SlowOperationEvent event = new SlowOperationEvent();
        event.begin();
        long start = System.nanoTime();
        boolean failed = true;
        try {
            T result = action.get();
            failed = false;
            return result;
        } finally {
            long took = System.nanoTime() - start;
            event.end();
            if (event.shouldCommit()) {
                event.operation = operation.name();
                event.slot = slot;
                event.failed = failed;
                event.commit();
            }
            tell(operation, slot, took, failed);
        }
    }

    public void time(Operation operation, int slot, Runnable action) {
        this.<@Nullable Object>time(operation, slot, () -> {
            action.run();
            return null;
        });
    }

    private void tell(Operation operation, int slot, long took, boolean failed) {
        Listening present = listening;
        if (present == null || took < present.thresholdNanos()) {
            return;
        }
        try {
            present.listener().tookLong(operation, slot, Duration.ofNanos(took), failed);
        } catch (Throwable e) { // the operation was done and must not seem to have failed
            LOGGER.log(System.Logger.Level.WARNING, () -> "listener of slow operations failed", e);
        }
    }
}
