package io.kvorum.core;

import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Deletes expired keys of a store as a task of a scheduler, until it is closed. It holds the store weakly, so one that
 * nobody closes ends its task when it is collected. Safe for use by any number of threads.
 */
final class BackgroundExpiry implements Runnable {
    private static final System.Logger LOGGER = System.getLogger(BackgroundExpiry.class.getName());
    private static final int BUDGET = 1 << 14;

    private final WeakReference<ShardedStore> store;
    private volatile @Nullable Future<?> task;
    private volatile boolean closed;

    private BackgroundExpiry(ShardedStore store) {
        this.store = new WeakReference<>(store);
    }

    static BackgroundExpiry start(ShardedStore store, ScheduledExecutorService scheduler, Duration interval) {
        BackgroundExpiry expiry = new BackgroundExpiry(store);
        expiry.task =
                scheduler.scheduleWithFixedDelay(expiry, interval.toNanos(), interval.toNanos(), TimeUnit.NANOSECONDS);
        return expiry;
    }

    @Override
    public void run() {
        ShardedStore present = store.get();
        if (closed || present == null) {
            close();
            return;
        }
        try {
            present.expire(BUDGET);
        } catch (RuntimeException | Error e) { // the next run tries again; thrown on, it would be the last
            LOGGER.log(System.Logger.Level.WARNING, () -> "expired keys were not deleted", e);
        }
    }

    void close() {
        closed = true;
        Future<?> running = task;
        if (running != null) {
            running.cancel(false);
        }
    }
}
