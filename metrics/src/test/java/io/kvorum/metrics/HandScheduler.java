package io.kvorum.metrics;

import io.kvorum.slots.Scheduler;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.Queue;

/** Runs what it is given when the test says so, in a time that the test moves. */
final class HandScheduler implements Scheduler {
    private record Timed(long at, Runnable task) {}

    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private final Queue<Timed> timed = new PriorityQueue<>(Comparator.comparingLong(Timed::at));
    private long now = 1_000_000;

    @Override
    public long nanoTime() {
        return now;
    }

    @Override
    public void execute(Runnable task) {
        tasks.add(task);
    }

    @Override
    public Cancellable schedule(Runnable task, long delayNanos) {
        Timed entry = new Timed(now + delayNanos, task);
        timed.add(entry);
        return () -> timed.remove(entry);
    }

    /** Moves the time, and runs what is due until then. */
    void advance(long nanos) {
        long until = now + nanos;
        runTasks();
        for (Timed next = timed.peek(); next != null && next.at <= until; next = timed.peek()) {
            timed.remove(next);
            now = Math.max(now, next.at);
            next.task.run();
            runTasks();
        }
        now = until;
    }

    private void runTasks() {
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
            task.run();
        }
    }
}
