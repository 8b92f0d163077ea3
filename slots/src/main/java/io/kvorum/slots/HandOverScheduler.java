package io.kvorum.slots;

import static java.util.Objects.requireNonNull;

import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** The scheduler of an application with two executors: one waits, and hands over to the other what has fallen due. */
final class HandOverScheduler implements Scheduler {
    private final Executor executor;
    private final ScheduledExecutorService timers;

    HandOverScheduler(Executor executor, ScheduledExecutorService timers) {
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
        Timer timer = new Timer(task);
        timer.future = timers.schedule(timer, delayNanos, TimeUnit.NANOSECONDS);
        return timer;
    }

    /** A task that the executor runs when its time has come. The timer hands itself over, and so runs twice. */
    private final class Timer implements Runnable, Cancellable {
        private final Runnable task;
        /** Whether the task was begun or cancelled. */
        private final AtomicBoolean over = new AtomicBoolean();

        private boolean handedOver;
        /** What waits; a thread that still sees null only leaves it in the queue of the timers until it is due. */
        private @Nullable ScheduledFuture<?> future;

        private Timer(Runnable task) {
            this.task = task;
        }

        @Override
        public void run() {
            if (handedOver) {
                runTask();
                return;
            }
            handedOver = true;
            try {
                executor.execute(this);
            } catch (Throwable e) { // whatever it is: a timer that is lost would be waited for in vain
                runTask();
            }
        }

        private void runTask() {
            if (over.compareAndSet(false, true)) {
                task.run();
            }
        }

        @Override
        public void cancel() {
            over.set(true);
            ScheduledFuture<?> waiting = future;
            if (waiting != null) {
                waiting.cancel(false);
            }
        }
    }
}
