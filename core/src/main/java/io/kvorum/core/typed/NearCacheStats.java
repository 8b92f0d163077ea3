package io.kvorum.core.typed;

/**
 * Counters of the near cache of a {@link TypedStore}, since counting began. Each number but the size only grows.
 *
 * <p>Immutable.
 *
 * @param hits calls of {@link TypedStore#get} that were answered without the store
 * @param misses calls of {@link TypedStore#get} that read the store
 * @param evictions values that were dropped to make room for others
 * @param invalidations values that were dropped because their key was changed
 * @param size how many values are held now
 */
public record NearCacheStats(long hits, long misses, long evictions, long invalidations, long size) {}
