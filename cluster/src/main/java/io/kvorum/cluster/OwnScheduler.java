package io.kvorum.cluster;

import io.kvorum.slots.Scheduler;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The scheduler that runs one node or sentinel: the one that it was given, or two daemon threads of its own.
 *
 * <p>Safe for use by any number of threads.
 */
final class OwnScheduler implements AutoCloseable {
    private static final int THREADS = 2; // so that a slow listener does not hold up the node

    private final Scheduler scheduler;
    private final @Nullable ScheduledThreadPoolExecutor owned;

    private OwnScheduler(Scheduler scheduler, @Nullable ScheduledThreadPoolExecutor owned) {
        this.scheduler = scheduler;
        this.owned = owned;
    }

    static OwnScheduler of(@Nullable Scheduler given, String threadName) {
        if (given != null) {
            return new OwnScheduler(given, null);
        }
        AtomicInteger number = new AtomicInteger();
        ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(THREADS, task -> {
            Thread thread = new Thread(task, threadName + "-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
        executor.setRemoveOnCancelPolicy(true);
        return new OwnScheduler(new Owned(Scheduler.of(executor)), executor);
    }

    Scheduler get() {
        return scheduler;
    }

    /** Ends the threads, if they are its own, once they have run what was submitted before. */
    @Override
    public void close() {
        if (owned != null) {
            owned.shutdown();
        }
    }

    /**
     * Outlives its threads. A step that was under way when its node was closed may still submit something, such as the
     * outcome of an operation that somebody waits for.
     */
    private record Owned(Scheduler threads) implements Scheduler {
        @Override
        public long nanoTime() {
            return threads.nanoTime();
        }

        @Override
        public void execute(Runnable task) {
            try {
                threads.execute(task);
            } catch (RejectedExecutionException e) { // they have ended
                ForkJoinPool.commonPool().execute(task);
            }
        }

        @Override
        public Cancellable schedule(Runnable task, long delayNanos) {
            try {
                return threads.schedule(task, delayNanos);
            } catch (RejectedExecutionException e) { // nothing is due any more
                return () -> {};
            }
        }
    }
}
