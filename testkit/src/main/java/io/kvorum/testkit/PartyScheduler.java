package io.kvorum.testkit;

import io.kvorum.slots.Scheduler;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The scheduler of one node or sentinel, which can be stopped for a while, as a process is by a long collection of
 * garbage, or slowed down. What becomes due meanwhile runs at its end, all at once.
 *
 * <p>Safe for use by any number of threads.
 */
final class PartyScheduler implements Scheduler {
    private final Scheduler scheduler;
    private final List<Runnable> held = new ArrayList<>();
    /** Changes under the lock. */
    private volatile boolean paused;

    private volatile long slowness;

    PartyScheduler(Scheduler scheduler) {
        this.scheduler = scheduler;
    }

    @Override
    public long nanoTime() {
        return scheduler.nanoTime();
    }

    @Override
    public void execute(Runnable task) {
        long delay = slowness;
        if (delay == 0) {
            scheduler.execute(new Gate(task));
        } else {
            scheduler.schedule(new Gate(task), delay);
        }
    }

    @Override
    public Cancellable schedule(Runnable task, long delayNanos) {
        Gate gate = new Gate(task);
        Cancellable timer = scheduler.schedule(gate, Math.max(0, delayNanos) + slowness);
        return () -> {
            gate.cancelled = true;
            timer.cancel();
        };
    }

    @Override
    public <T extends @Nullable Object> CompletableFuture<T> newFuture() {
        return scheduler.newFuture();
    }

    /** Has each task begin later by a time from now on. */
    void slow(Duration time) {
        slowness = time.toNanos();
    }

    boolean isPaused() {
        return paused;
    }

    synchronized void pause() {
        paused = true;
    }

    void resume() {
        List<Runnable> due;
        synchronized (this) {
            paused = false;
            due = List.copyOf(held);
            held.clear();
        }
        due.forEach(scheduler::execute);
    }

    private synchronized boolean hold(Runnable task) {
        return paused && held.add(task);
    }

    /** A task that does not begin during a pause. */
    private final class Gate implements Runnable {
        private final Runnable task;
        private volatile boolean cancelled;

        Gate(Runnable task) {
            this.task = task;
        }

        @Override
        public void run() {
            if (!cancelled && !hold(this)) {
                task.run();
            }
        }
    }
}
