package io.kvorum.cluster;

import io.kvorum.slots.Scheduler;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.Queue;

/** Runs tasks in the test's thread, in a time that goes by only when the test says so. */
final class VirtualScheduler implements Scheduler {
    private record Timer(long at, long number, Runnable task) {}

    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private final Queue<Timer> timers =
            new PriorityQueue<>(Comparator.comparingLong(Timer::at).thenComparingLong(Timer::number));
    private long now;
    private long timerNumber;

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
        Timer timer = new Timer(now + Math.max(0, delayNanos), timerNumber++, task);
        timers.add(timer);
        return () -> timers.remove(timer);
    }

    /** Lets time go by: timers fire when they are due, and tasks run at once. */
    void pass(Duration time) {
        long end = now + time.toNanos();
        runTasks();
        Timer timer;
        while ((timer = timers.peek()) != null && timer.at <= end) {
            timers.remove();
            now = Math.max(now, timer.at);
            timer.task.run();
            runTasks();
        }
        now = end;
    }

    private void runTasks() {
        Runnable task;
        while ((task = tasks.poll()) != null) {
            task.run();
        }
    }
}
