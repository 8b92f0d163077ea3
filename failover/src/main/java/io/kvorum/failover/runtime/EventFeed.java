package io.kvorum.failover.runtime;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.LongFunction;

/**
 * Hands values to one consumer in order, on an executor, so that a slow consumer never holds up whoever offers them. If
 * it falls behind by more than the capacity the oldest are thrown away, and it is told how many.
 *
 * <p>Safe for use by any number of threads.
 */
final class EventFeed<T> {
    private final int capacity;
    private final Executor executor;
    private final Consumer<? super T> consumer;
    private final LongFunction<? extends T> lost;
    private final Object lock = new Object();
    private final Deque<T> queue = new ArrayDeque<>();
    private long dropped;
    private boolean draining;
    private boolean rejected;

    /**
     * Makes a feed.
     *
     * @param capacity how many values may wait
     * @param executor runs the consumer
     * @param consumer takes the values; what it throws reaches the executor
     * @param lost makes the value that says how many were thrown away
     */
    EventFeed(int capacity, Executor executor, Consumer<? super T> consumer, LongFunction<? extends T> lost) {
        this.capacity = capacity;
        this.executor = executor;
        this.consumer = consumer;
        this.lost = lost;
    }

    void offer(T value) {
        synchronized (lock) {
            if (queue.size() == capacity) {
                queue.removeFirst();
                dropped++;
            }
            queue.addLast(value);
        }
        wake();
    }

    /** Tells the consumer of values that were thrown away before they came here. */
    void lost(long count) {
        synchronized (lock) {
            dropped += count;
        }
        wake();
    }

    private void wake() {
        synchronized (lock) {
            if (draining) {
                return;
            }
            draining = true;
        }
        try {
            executor.execute(this::drain);
        } catch (RejectedExecutionException e) {
            synchronized (lock) {
                draining = false;
                rejected = true;
            }
        }
    }

    /** Tries again what the executor has rejected, if anything. */
    void retry() {
        synchronized (lock) {
            if (!rejected) {
                return;
            }
            rejected = false;
        }
        wake();
    }

    private void drain() {
        try {
            drainAll();
        } catch (RuntimeException | Error e) { // the rest is for another task
            synchronized (lock) {
                draining = false;
            }
            wake();
            throw e;
        }
    }

    private void drainAll() {
        while (true) {
            T value;
            synchronized (lock) {
                if (dropped > 0) {
                    value = lost.apply(dropped);
                    dropped = 0;
                } else if (queue.isEmpty()) {
                    draining = false;
                    return;
                } else {
                    value = queue.removeFirst();
                }
            }
            consumer.accept(value);
        }
    }
}
