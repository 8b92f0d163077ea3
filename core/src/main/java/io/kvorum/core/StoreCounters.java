package io.kvorum.core;

import java.util.concurrent.atomic.LongAdder;

/** What a store has done since it was made; each number only grows. Safe for use by any number of threads. */
final class StoreCounters {
    private final LongAdder hits = new LongAdder();
    private final LongAdder misses = new LongAdder();
    private final LongAdder sets = new LongAdder();
    private final LongAdder deletes = new LongAdder();
    private final LongAdder expirations = new LongAdder();
    private final LongAdder evictions = new LongAdder();

    void got(boolean hit) {
        (hit ? hits : misses).increment();
    }

    void set(int count) {
        sets.add(count);
    }

    void deleted(int count) {
        deletes.add(count);
    }

    void expired(int count) {
        expirations.add(count);
    }

    void evicted(int count) {
        evictions.add(count);
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
