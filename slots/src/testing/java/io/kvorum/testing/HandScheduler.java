package io.kvorum.testing;

import io.kvorum.slots.Scheduler;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * A scheduler that a test runs by hand, and that fails when it is told to. Its time goes by only when the test says so.
 * Compiled into the tests of every module that needs one.
 */
public final class HandScheduler implements Scheduler {
    /** A task that waits for its time. */
    public record Timer(long at, long number, Runnable task) {}

    public final Queue<Runnable> tasks = new ArrayDeque<>();
    public final Queue<Timer> timers =
            new PriorityQueue<>(Comparator.comparingLong(Timer::at).thenComparingLong(Timer::number));
    public final List<Long> scheduled = new ArrayList<>();
    /** What the next calls of {@link #execute} and {@link #schedule} throw. */
    public final Deque<Throwable> executeFails = new ArrayDeque<>();

    public final Deque<Throwable> scheduleFails = new ArrayDeque<>();
    private long now;
    private long timerNumber;

    @Override
    public long nanoTime() {
        return now;
    }

    @Override
    public void execute(Runnable task) {
        throwNext(executeFails);
        tasks.add(task);
    }

    @Override
    public Cancellable schedule(Runnable task, long delayNanos) {
        throwNext(scheduleFails);
        scheduled.add(delayNanos);
        Timer timer = new Timer(now + delayNanos, timerNumber++, task);
        timers.add(timer);
        return () -> timers.remove(timer);
    }

    private static void throwNext(Deque<Throwable> failures) {
        Throwable failure = failures.poll();
        if (failure instanceof Error error) {
            throw error;
        } else if (failure instanceof RuntimeException exception) {
            throw exception;
        }
    }

    /** Runs the tasks that wait and those that they lead to. */
    public void runTasks() {
        Runnable task;
        while ((task = tasks.poll()) != null) {
            task.run();
        }
    }

    /** Lets time pass: timers fire when they are due, and tasks run at once. */
    public void pass(long nanos) {
        long end = now + nanos;
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

    /** As {@link #pass(long)}. */
    public void pass(Duration time) {
        pass(time.toNanos());
    }

    /** Lets time pass without a timer being fired. */
    public void passUnnoticed(long nanos) {
        now += nanos;
    }

    /** Fires the next timer, due or not; it stays, if it is told to. */
    public void fireNext(boolean again) {
        @Nullable Timer timer = again ? timers.peek() : timers.poll();
        if (timer == null) {
            throw new AssertionError("no timer is armed");
        }
        timer.task.run();
    }
}
