package io.kvorum.slots;

import static java.util.Objects.requireNonNull;

import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The scheduler of an application: its executors, and the time of the JVM. */
final class ExecutorScheduler implements Scheduler {
    private final Executor executor;
    private final ScheduledExecutorService timers;

    /** One executor for both. */
    ExecutorScheduler(ScheduledExecutorService executor) {
        this(executor, executor);
    }

    ExecutorScheduler(Executor executor, ScheduledExecutorService timers) {
        this.executor = requireNonNull(executor, "executor");
        this.timers = requireNonNull(timers, "timers");
    }

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    @Override
    public void execute(Runnable task) {
        executor.execute(task);
    }

    @Override
    public Cancellable schedule(Runnable task, long delayNanos) {
        if (timers == executor) {
            ScheduledFuture<?> future = timers.schedule(task, delayNanos, TimeUnit.NANOSECONDS);
            return () -> future.cancel(false);
        }
        Timer timer = new Timer(task);
        timer.future = timers.schedule(timer, delayNanos, TimeUnit.NANOSECONDS);
        return timer;
    }

    /** A task that is handed to the executor when its time has come. */
    private final class Timer implements Runnable, Cancellable {
        private final Runnable task;
        /** Null until the executor of the timers has returned it; known to whoever holds the handle. */
        private @Nullable ScheduledFuture<?> future;

        private volatile boolean cancelled;

        private Timer(Runnable task) {
            this.task = task;
        }

        @Override
        public void run() {
            try {
                executor.execute(this::runTask);
            } catch (RejectedExecutionException e) { // a timer must not be lost
                runTask();
            }
        }

        private void runTask() {
            if (!cancelled) {
                task.run();
            }
        }

        @Override
        public void cancel() {
            cancelled = true;
            ScheduledFuture<?> waiting = future;
            if (waiting != null) {
                waiting.cancel(false);
            }
        }
    }
}
