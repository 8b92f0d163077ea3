package io.kvorum.core.typed;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.StoredValue;
import io.kvorum.core.engine.BinaryKey;
import io.kvorum.core.engine.Cause;
import io.kvorum.core.engine.Engine;
import io.kvorum.core.engine.Engines;
import io.kvorum.core.engine.KeyHash;
import io.kvorum.core.engine.Watcher;
import io.kvorum.slots.HashSlot;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Decoded values of local stores, none of them older than the last completed write of its key.
 *
 * <p>Who misses a value first reserves the place of its key, then reads the store, then puts the value into the place,
 * if that is still its own reservation. A writer empties the place once the table has the change and before it gives up
 * the lock of the stripe. So a value whose reservation has survived was read after every change that emptied the place
 * before, for that read had to wait for the lock; and each later change empties the place before it is complete, or can
 * be seen at all. A full sync empties all places, and whoever has read what it replaced finds its reservation gone.
 *
 * <p>No lock is held while the store is called, and the writers that hold one call nothing but the map: nobody waits
 * for a lock with another in hand.
 *
 * <p>Safe for use by any number of threads.
 */
final class NearCache<V> implements Watcher {
    /** What is known of a key: a value, or nothing yet. Two are never equal. */
    private static final class Place<V> {
        final @Nullable V value;
        final long deadline;
        final InstantSource clock;

        /** A reservation. */
        Place() {
            this(null, KeyValueStore.NO_DEADLINE, InstantSource.system());
        }

        Place(@Nullable V value, long deadline, InstantSource clock) {
            this.value = value;
            this.deadline = deadline;
            this.clock = clock;
        }
    }

    private final KeyValueStore store;
    private final List<Engine> engines;
    private final Engine[] bySlot;
    private final Codec<V> codec;
    private final KeyHash hash;
    private final Cache<BinaryKey, Place<V>> cache;
    private final ConcurrentMap<BinaryKey, Place<V>> places;
    private final LongAdder hits = new LongAdder();
    private final LongAdder misses = new LongAdder();
    private final LongAdder evictions = new LongAdder();
    private final LongAdder invalidations = new LongAdder();
    private volatile boolean counting;
    private volatile boolean closed;

    /** Watches the local stores that a store is made of, from now on. */
    NearCache(KeyValueStore store, Codec<V> codec, long maxEntries) {
        if (maxEntries < 1) {
            throw new IllegalArgumentException("maxEntries must be at least 1: " + maxEntries);
        }
        this.store = store;
        this.engines = Engines.of(store);
        if (engines.isEmpty()) {
            throw new IllegalArgumentException("a near cache needs a LocalStore or a ShardedStore.local: "
                    + store.getClass().getName());
        }
        this.bySlot = Engines.bySlot(engines);
        this.codec = codec;
        SecureRandom random = new SecureRandom();
        this.hash = new KeyHash(random.nextLong(), random.nextLong());
        // Its housekeeping is done by the threads that use it: a library has no threads of its own.
        this.cache = Caffeine.newBuilder()
                .maximumSize(maxEntries)
                .executor(Runnable::run)
                .evictionListener((key, place, cause) -> count(evictions, 1))
                .build();
        this.places = cache.asMap();
        engines.forEach(engine -> engine.watchers().addFirst(this)); // who hears of a change may come here at once
    }

    /** Returns the value of a key, or null if the key does not exist. Takes the key over. */
    @Nullable
    V get(byte[] key) {
        if (closed) {
            return read(store.get(key));
        }
        BinaryKey place = new BinaryKey(key, hash.of(key));
        Place<V> found = cache.getIfPresent(place);
        if (found == null) {
            Place<V> reserved = new Place<>();
            found = places.putIfAbsent(place, reserved);
            if (found == null) {
                count(misses, 1);
                return fill(place, reserved, key);
            }
        }
        if (found.value == null) {
            count(misses, 1);
            return read(store.get(key)); // another reader is about to fill the place
        }
        count(hits, 1);
        boolean over = found.deadline >= 0 && found.clock.millis() > found.deadline;
        return over ? null : found.value;
    }

    private @Nullable V fill(BinaryKey place, Place<V> reserved, byte[] key) {
        Place<V> filled = null;
        try {
            StoredValue stored = store.lookUp(key);
            if (stored == null) {
                return null;
            }
            V value = read(stored.value());
            filled = new Place<>(value, stored.deadline(), clockOf(key));
            return value;
        } finally {
            if (filled == null) {
                places.remove(place, reserved);
            } else {
                places.replace(place, reserved, filled);
            }
        }
    }

    private @Nullable V read(byte @Nullable [] bytes) {
        return bytes == null ? null : Objects.requireNonNull(codec.decode(bytes), "decoded value");
    }

    private InstantSource clockOf(byte[] key) {
        return bySlot[HashSlot.of(key)].clock();
    }

    @Override
    public void changed(int slot, byte[] key, Cause cause) {
        try {
            if (places.remove(new BinaryKey(key, hash.of(key))) != null) {
                count(invalidations, 1);
            }
        } catch (Throwable e) { // out of memory, in the middle of a write: rather no cache than an old value
            closed = true;
        }
    }

    @Override
    public void replaced() {
        try {
            count(invalidations, places.size());
            places.clear();
        } catch (Throwable e) {
            closed = true;
        }
    }

    private void count(LongAdder counter, int count) {
        if (counting) {
            counter.add(count);
        }
    }

    /** Returns what was done since this was first called: nothing is counted before, since a count costs a get time. */
    NearCacheStats stats() {
        counting = true;
        return new NearCacheStats(hits.sum(), misses.sum(), evictions.sum(), invalidations.sum(), size());
    }

    /** Returns how many places there are, after whatever housekeeping is due. */
    long size() {
        cache.cleanUp();
        return cache.estimatedSize();
    }

    /** Ends the cache: from now on the store is read. */
    void close() {
        closed = true; // first: what is not watched must not be used
        engines.forEach(engine -> engine.watchers().remove(this));
        places.clear();
    }
}
