package io.kvorum.slots.runtime;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * What waits for a step, up to a bound. Any number of threads offer; each element is polled once.
 *
 * <p>Safe for use by any number of threads.
 *
 * @param <T> the type of the elements
 */
public final class Inbox<T> {
    private final int capacity;
    private final Queue<T> queue = new ConcurrentLinkedQueue<>();
    private final AtomicInteger size = new AtomicInteger();
    private final AtomicLong refused = new AtomicLong();

    /**
     * Creates an inbox.
     *
     * @param capacity how many elements may wait; at least 1
     */
    public Inbox(int capacity) {
        if (capacity < 1) {
            throw new IllegalArgumentException("capacity must be at least 1: " + capacity);
        }
        this.capacity = capacity;
    }

    /**
     * Adds an element, unless the inbox is full.
     *
     * @param element the element
     * @return whether it was added
     */
    public boolean offer(T element) {
        if (size.incrementAndGet() > capacity) {
            size.decrementAndGet();
            refused.incrementAndGet();
            return false;
        }
        queue.add(element);
        return true;
    }

    /** {@return the oldest element, which is removed, or null if there is none} */
    public @Nullable T poll() {
        T element = queue.poll();
        if (element != null) {
            size.decrementAndGet();
        }
        return element;
    }

    /** {@return about how many elements wait} */
    public int size() {
        return size.get();
    }

    /** {@return how many elements were not added for want of room} */
    public long refused() {
        return refused.get();
    }
}
