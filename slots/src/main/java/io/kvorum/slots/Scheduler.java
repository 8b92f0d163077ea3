package io.kvorum.slots;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import org.jspecify.annotations.Nullable;

/**
 * The source of threads and of time for everything that runs by itself: nodes, sentinels and their listeners.
 *
 * <p>An application passes {@linkplain #of(ScheduledExecutorService) its own executor}; a test passes an implementation
 * that runs tasks by hand, in virtual time. The owner of a scheduler closes it, after everything that uses it.
 *
 * <p>{@link #execute} and {@link #schedule} are called by many threads, some of which hold locks. They must return at
 * once and must not run the task, or anything else that takes locks, in the call. A scheduler that fails now and then
 * is tolerated: what it throws is logged and reported, and the work is offered again.
 *
 * <p>Implementations are safe for use by any number of threads.
 */
public interface Scheduler {
    /** {@return the elapsed time in nanoseconds, as {@link System#nanoTime}: only differences mean anything} */
    long nanoTime();

    /**
     * Runs a task soon, in another thread.
     *
     * @param task the task
     */
    void execute(Runnable task);

    /**
     * Runs a task once, after a delay. It may run late, but not before the delay has passed by {@link #nanoTime}.
     *
     * @param task the task
     * @param delayNanos the delay in nanoseconds; 0 or less means soon
     * @return a handle that cancels the task
     */
    Cancellable schedule(Runnable task, long delayNanos);

    /**
     * Creates a future that tasks of this scheduler will complete. A scheduler of virtual time returns one that lets
     * time pass while a thread waits for it, or for what {@linkplain CompletableFuture#newIncompleteFuture is derived}
     * from it.
     *
     * @param <T> what it will hold
     * @return the future
     */
    default <T extends @Nullable Object> CompletableFuture<T> newFuture() {
        return new CompletableFuture<>();
    }

    /**
     * Creates a scheduler that uses an executor, and {@link System#nanoTime} as the time.
     *
     * @param executor the executor; two threads or more keep a slow listener from delaying nodes and sentinels
     * @return the scheduler
     */
    static Scheduler of(ScheduledExecutorService executor) {
        return new ExecutorScheduler(executor);
    }

    /**
     * Creates a scheduler that runs tasks on one executor, waits with another, and uses {@link System#nanoTime} as the
     * time. It costs less than a single executor, whose queue is ordered by time.
     *
     * @param executor runs the tasks, including those that have fallen due; two threads or more keep a slow listener
     *     from delaying nodes and sentinels. It must not run a task in the thread that hands it over
     * @param timers waits; one thread is enough. If the executor refuses a task that has fallen due, a thread of this
     *     one runs it, and delays the other timers meanwhile
     * @return the scheduler
     */
    static Scheduler of(Executor executor, ScheduledExecutorService timers) {
        return new HandOverScheduler(executor, timers);
    }

    /** A task that waits for its time. */
    @FunctionalInterface
    interface Cancellable {
        /** Keeps the task from running, unless it is running or has run. Idempotent. */
        void cancel();
    }
}
