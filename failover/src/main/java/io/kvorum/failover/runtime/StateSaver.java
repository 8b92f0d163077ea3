package io.kvorum.failover.runtime;

import io.kvorum.failover.SentinelState;
import io.kvorum.failover.SentinelStateStore;
import io.kvorum.slots.Scheduler;
import io.kvorum.slots.runtime.SerialTask;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Saves the latest state of a sentinel, beside its steps: no safety rests on the state, so a slow or full disk must
 * hold nothing up. A state that cannot be saved is tried again, at growing intervals, until it or a later one is saved.
 *
 * <p>Safe for use by any number of threads.
 */
final class StateSaver {
    static final long FIRST_RETRY_NANOS = 100_000_000;
    static final long LONGEST_RETRY_NANOS = 5_000_000_000L;

    /** Told of the first failure in a row. */
    @FunctionalInterface
    interface Failed {
        void accept(Throwable cause);
    }

    private final SentinelStateStore store;
    private final Scheduler scheduler;
    private final Failed failed;
    private final SerialTask task;
    private final AtomicReference<@Nullable SentinelState> unsaved = new AtomicReference<>();
    private final AtomicBoolean retrying = new AtomicBoolean();
    private final ReentrantLock saving = new ReentrantLock();
    private volatile boolean closed;

    /** How many saves failed in a row. Confined to the task. */
    private int failures;

    StateSaver(SentinelStateStore store, Scheduler scheduler, Failed failed, Consumer<? super Throwable> refusals) {
        this.store = store;
        this.scheduler = scheduler;
        this.failed = failed;
        task = new SerialTask(scheduler, this::saveLatest, refusals);
    }

    /** Saves a state soon, unless a later one comes before. */
    void save(SentinelState state) {
        if (closed) {
            return;
        }
        unsaved.set(state);
        task.wake();
    }

    private void saveLatest() {
        saving.lock();
        try {
            SentinelState state = closed ? null : unsaved.getAndSet(null);
            if (state != null) {
                save(state, ++failures);
            }
        } finally {
            saving.unlock();
        }
    }

    private void save(SentinelState state, int attempt) {
        try {
            store.save(state);
            failures = 0;
        } catch (Throwable e) {
            unsaved.compareAndSet(null, state); // a later one is on its way already
            if (attempt == 1) {
                failed.accept(e);
            }
            retryLater(attempt);
        }
    }

    private void retryLater(int attempt) {
        if (!retrying.compareAndSet(false, true)) {
            return; // a timer is on its way
        }
        long delay = Math.min(FIRST_RETRY_NANOS << Math.min(attempt - 1, 10), LONGEST_RETRY_NANOS);
        try {
            scheduler.schedule(this::retry, delay);
        } catch (Throwable e) { // the next change of the state comes instead
            retrying.set(false);
            failed.accept(e);
        }
    }

    private void retry() {
        retrying.set(false);
        task.wake();
    }

    /** Ends it: waits for the save under way, unless that is the caller. An interrupt stays set. Idempotent. */
    void close() {
        closed = true; // at once, for a save that is about to begin
        if (saving.isHeldByCurrentThread()) {
            return;
        }
        saving.lock();
        try {
            unsaved.set(null);
        } finally {
            saving.unlock();
        }
    }
}
