package io.kvorum.testkit.simulation;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;

/**
 * Virtual time, and what is going to happen in it, in the order of (time, sequence): of two tasks for the same moment
 * the one that was scheduled first comes first. A binary heap over arrays; what is scheduled for the present moment
 * comes after everything in the heap that is for it, too, and so waits in a queue beside it.
 *
 * <p>Confined to one thread.
 */
final class EventQueue {
    private static final int FIRST_CAPACITY = 1024;

    private long[] times = new long[FIRST_CAPACITY];
    private long[] sequences = new long[FIRST_CAPACITY];
    private Task[] tasks = new Task[FIRST_CAPACITY];
    private int size;
    private final Deque<Task> present = new ArrayDeque<>();
    private long scheduled;
    private long run;
    private long now;

    /** {@return the current virtual time, in nanoseconds since the start} */
    long now() {
        return now;
    }

    /** {@return how many tasks have run} */
    long eventsRun() {
        return run;
    }

    /** Schedules a task for now or later. */
    void schedule(long time, Task task) {
        if (time < now) {
            throw new IllegalArgumentException("time must be at least " + now + ": " + time);
        }
        if (time == now) {
            present.add(task);
            return;
        }
        if (size == tasks.length) {
            times = Arrays.copyOf(times, 2 * size);
            sequences = Arrays.copyOf(sequences, 2 * size);
            tasks = Arrays.copyOf(tasks, 2 * size);
        }
        long sequence = scheduled++;
        int hole = size++;
        while (hole > 0) {
            int parent = (hole - 1) / 2;
            if (!before(time, sequence, parent)) {
                break;
            }
            move(parent, hole);
            hole = parent;
        }
        put(hole, time, sequence, task);
    }

    /**
     * Runs the next task if it is due by {@code limit}.
     *
     * @return false if it is not; the time is {@code limit} then
     */
    boolean runNext(long limit) {
        if (!present.isEmpty() && (size == 0 || times[0] > now)) {
            run++;
            present.remove().run();
            return true;
        }
        if (size == 0 || times[0] > limit) {
            now = Math.max(now, limit);
            return false;
        }
        now = times[0];
        run++;
        removeFirst().run();
        return true;
    }

    /** Throws all tasks away that have not run. */
    void discardAll() {
        while (size > 0) {
            removeFirst().discard();
        }
        while (!present.isEmpty()) {
            present.remove().discard();
        }
    }

    private Task removeFirst() {
        Task first = tasks[0];
        size--;
        long time = times[size];
        long sequence = sequences[size];
        Task task = tasks[size];
        int hole = 0;
        for (int child = 1; child < size; child = 2 * hole + 1) {
            if (child + 1 < size && before(times[child + 1], sequences[child + 1], child)) {
                child++;
            }
            if (before(time, sequence, child)) {
                break;
            }
            move(child, hole);
            hole = child;
        }
        put(hole, time, sequence, task);
        return first;
    }

    private boolean before(long time, long sequence, int index) {
        return time != times[index] ? time < times[index] : sequence < sequences[index];
    }

    private void move(int from, int to) {
        put(to, times[from], sequences[from], tasks[from]);
    }

    private void put(int index, long time, long sequence, Task task) {
        times[index] = time;
        sequences[index] = sequence;
        tasks[index] = task;
    }
}
