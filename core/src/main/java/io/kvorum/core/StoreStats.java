package io.kvorum.core;

import io.kvorum.slots.topology.RefusedException;
import java.util.EnumMap;
import java.util.Map;

/**
 * What a {@link LocalStore} has done since its counting began. Each number only grows. What the store applied as a
 * replica is not counted.
 *
 * <p>Immutable.
 *
 * @param hits reads that copied a value
 * @param misses reads that found no key
 * @param sets keys that were set
 * @param deletes keys that were deleted, other than by expiry or eviction
 * @param expirations keys that were deleted because their deadline had passed
 * @param evictions keys that were deleted to make room
 * @param refusals writes that the sink, the memory limit or a transaction refused, by the kind of the refusal
 */
public record StoreStats(
        long hits,
        long misses,
        long sets,
        long deletes,
        long expirations,
        long evictions,
        Map<RefusedException.Kind, Long> refusals) {
    /** Copies the map. */
    public StoreStats {
        refusals = Map.copyOf(refusals);
    }

    /** Returns the sums of these numbers and others. */
    StoreStats plus(StoreStats other) {
        Map<RefusedException.Kind, Long> sums = new EnumMap<>(refusals);
        other.refusals.forEach((kind, count) -> sums.merge(kind, count, Long::sum));
        return new StoreStats(
                hits + other.hits,
                misses + other.misses,
                sets + other.sets,
                deletes + other.deletes,
                expirations + other.expirations,
                evictions + other.evictions,
                sums);
    }
}
