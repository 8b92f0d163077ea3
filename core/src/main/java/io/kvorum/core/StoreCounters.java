package io.kvorum.core;

import java.util.concurrent.atomic.LongAdder;

/**
 * What a store has done since somebody asked to count it; each number only grows. Nothing is counted before, since a
 * count costs a get a good part of its time. Safe for use by any number of threads.
 */
final class StoreCounters {
    private final LongAdder hits = new LongAdder();
    private final LongAdder misses = new LongAdder();
    private final LongAdder sets = new LongAdder();
    private final LongAdder deletes = new LongAdder();
    private final LongAdder expirations = new LongAdder();
    private final LongAdder evictions = new LongAdder();

    private volatile boolean counting;

    /** Counts from now on. */
    void start() {
        counting = true;
    }

    void got(boolean hit) {
        if (counting) {
            (hit ? hits : misses).increment();
        }
    }

    void set(int count) {
        add(sets, count);
    }

    void deleted(int count) {
        add(deletes, count);
    }

    void expired(int count) {
        add(expirations, count);
    }

    void evicted(int count) {
        add(evictions, count);
    }

    private void add(LongAdder adder, int count) {
        if (counting && count > 0) {
            adder.add(count);
        }
    }

    long hits() {
        return hits.sum();
    }

    long misses() {
        return misses.sum();
    }

    long sets() {
        return sets.sum();
    }

    long deletes() {
        return deletes.sum();
    }

    long expirations() {
        return expirations.sum();
    }

    long evictions() {
        return evictions.sum();
    }
}
