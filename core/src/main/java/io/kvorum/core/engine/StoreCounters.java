package io.kvorum.core.engine;

import io.kvorum.slots.topology.RefusedException;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;

/**
 * What a store has done since somebody asked to count it; each number only grows. Nothing is counted before, since a
 * count costs a get a good part of its time. Safe for use by any number of threads.
 */
public final class StoreCounters {
    private final LongAdder hits = new LongAdder();
    private final LongAdder misses = new LongAdder();
    private final LongAdder sets = new LongAdder();
    private final LongAdder deletes = new LongAdder();
    private final LongAdder expirations = new LongAdder();
    private final LongAdder evictions = new LongAdder();
    private final Map<RefusedException.Kind, LongAdder> refusals = new EnumMap<>(RefusedException.Kind.class);
    private volatile boolean counting;

    public StoreCounters() {
        for (RefusedException.Kind kind : RefusedException.Kind.values()) {
            refusals.put(kind, new LongAdder());
        }
    }

    /** Counts from now on. */
    public void start() {
        counting = true;
    }

    public void got(boolean hit) {
        if (counting) {
            (hit ? hits : misses).increment();
        }
    }

    public void set(int count) {
        add(sets, count);
    }

    public void deleted(int count) {
        add(deletes, count);
    }

    public void expired(int count) {
        add(expirations, count);
    }

    public void evicted(int count) {
        add(evictions, count);
    }

    private void add(LongAdder adder, int count) {
        if (counting && count > 0) {
            adder.add(count);
        }
    }

    /** Counts a refusal, and returns it. */
    public RefusedException refused(RefusedException refusal) {
        add(of(refusal.kind()), 1);
        return refusal;
    }

    public long refusals(RefusedException.Kind kind) {
        return of(kind).sum();
    }

    private LongAdder of(RefusedException.Kind kind) {
        return Objects.requireNonNull(refusals.get(kind), "a counter of each kind");
    }

    public long hits() {
        return hits.sum();
    }

    public long misses() {
        return misses.sum();
    }

    public long sets() {
        return sets.sum();
    }

    public long deletes() {
        return deletes.sum();
    }

    public long expirations() {
        return expirations.sum();
    }

    public long evictions() {
        return evictions.sum();
    }
}
