package io.kvorum.testkit.simulation;

import io.kvorum.slots.Scheduler;
import io.kvorum.slots.topology.NodeId;
import java.util.ArrayList;
import java.util.List;

/**
 * One process of a simulated cluster: the tasks that happen to it, and a clock with an origin of its own. While it is
 * paused its tasks pile up and its clock goes on; then they all happen at once, in order. When it crashes, everything
 * that was under way to it is thrown away, and what was scheduled by its earlier life never happens.
 *
 * <p>Confined to one thread.
 */
final class SimulatedProcess implements Scheduler {
    private static final long THOUSAND = 1_000;

    private final EventQueue queue;
    private final NodeId id;
    private final int index;
    private final long clockOrigin;
    private final int clockDrift;
    private final Runnable afterEach;
    private final List<Task> piled = new ArrayList<>();
    private boolean up;
    private int life;
    private int pauses;
    private long jumped;
    private long calendarShift;
    private long lateness;
    private long lastLate;
    private long lateSteps;
    private final Failing failing = new Failing();

    /**
     * Makes a process that is down.
     *
     * @param index its number in the cluster
     * @param clockOrigin what its clock shows at virtual time 0
     * @param clockDrift by how much of a thousand its clock is too fast, or (negative) too slow
     * @param afterEach happens after each task that happened to this process
     */
    SimulatedProcess(EventQueue queue, NodeId id, int index, long clockOrigin, int clockDrift, Runnable afterEach) {
        this.queue = queue;
        this.id = id;
        this.index = index;
        this.clockOrigin = clockOrigin;
        this.clockDrift = clockDrift;
        this.afterEach = afterEach;
    }

    NodeId id() {
        return id;
    }

    int index() {
        return index;
    }

    /** {@return what throws in this process, once} */
    Failing failing() {
        return failing;
    }

    /** Has each step be late by more (or less) than before: from a fifth of it to all of it. */
    void changeLateness(long change) {
        lateness += change;
    }

    /** {@return by how much a step may be late} */
    long lateness() {
        return lateness;
    }

    boolean isUp() {
        return up;
    }

    boolean isPaused() {
        return pauses > 0;
    }

    /** {@return the number of this life, or of the next one while it is down} */
    int life() {
        return life;
    }

    /** {@return what this process takes for the time, in nanoseconds; never goes back} */
    @Override
    public long nanoTime() {
        return clockOrigin + jumped + queue.now() + queue.now() / THOUSAND * clockDrift;
    }

    /**
     * Has the clocks of this process jump.
     *
     * @param nanos by how much {@link #nanoTime()} jumps; not negative
     * @param calendarMillis by how much the calendar jumps, forward or back
     */
    void jump(long nanos, long calendarMillis) {
        jumped += nanos;
        calendarShift += calendarMillis;
    }

    /** {@return by how many milliseconds the calendar has jumped in all} */
    long calendarShift() {
        return calendarShift;
    }

    void start() {
        up = true;
    }

    /** Ends this life. A pause outlives it: whatever starts next starts paused. */
    void crash() {
        up = false;
        life++;
        piled.forEach(Task::discard);
        piled.clear();
    }

    void pause() {
        pauses++;
    }

    void resume() {
        if (--pauses == 0) {
            List<Task> due = List.copyOf(piled);
            piled.clear();
            due.forEach(task -> queue.schedule(queue.now(), new Guarded(life, task)));
        }
    }

    /** Has something happen in this life, after a delay. */
    void after(long delay, Task task) {
        queue.schedule(queue.now() + delay, new Guarded(life, task));
    }

    @Override
    public void execute(Runnable action) {
        failing.reach(Failing.Site.EXECUTOR);
        after(0, action::run);
    }

    /** {@inheritDoc} Its delay is measured by this process's clock. */
    @Override
    public Cancellable schedule(Runnable action, long delayNanos) {
        failing.reach(Failing.Site.EXECUTOR);
        boolean[] cancelled = new boolean[1];
        long delay = delayNanos <= 0 ? 0 : delayNanos + delayNanos / (THOUSAND + clockDrift) * -clockDrift + THOUSAND;
        after(delay, () -> {
            if (!cancelled[0]) {
                action.run();
            }
        });
        return () -> cancelled[0] = true;
    }

    /** Has something happen again and again in this life; the next time is counted from the end of the last. */
    void every(long period, Runnable action) {
        after(period, () -> {
            try {
                action.run();
            } finally {
                every(period, action);
            }
        });
    }

    /** Has something happen right now, as from outside: to whatever life there is, or to none. */
    void deliver(Task task) {
        new Guarded(life, task).run();
    }

    private final class Guarded implements Task {
        private final int inLife;
        private final Task task;
        private boolean wasLate;

        Guarded(int inLife, Task task) {
            this.inLife = inLife;
            this.task = task;
        }

        @Override
        public void run() {
            if (!up || inLife != life) {
                task.discard();
            } else if (pauses > 0) {
                piled.add(task);
            } else if (lateness > 0 && !wasLate) {
                wasLate = true;
                long late =
                        lateness / 5 + Randomness.below(Randomness.hash(index, Stream.LATENESS, lateSteps++), lateness);
                lastLate =
                        Math.max(lastLate, queue.now() + Math.min(late, lateness)); // steps don't overtake each other
                queue.schedule(lastLate, this);
            } else {
                try {
                    task.run();
                } catch (Failing.InjectedException | Failing.InjectedError thrown) {
                    // what threw it is over; an executor goes on
                }
                afterEach.run();
            }
        }

        @Override
        public void discard() {
            task.discard();
        }
    }

    @Override
    public String toString() {
        return id.value();
    }
}
