package io.kvorum.core.replicated;

import io.kvorum.slots.Scheduler;
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

    /** Runs the task that has waited longest, and returns whether there was one. */
    boolean runTask() {
        Runnable task = tasks.poll();
        if (task == null) {
            return false;
        }
        task.run();
        return true;
    }

    /** Goes on to the next timer, fires it and returns true; or goes to the end of a span that has none left. */
    boolean advance(long end) {
        Timer timer = timers.peek();
        if (timer == null || timer.at > end) {
            now = end;
            return false;
        }
        timers.remove();
        now = Math.max(now, timer.at);
        timer.task.run();
        return true;
    }
}
