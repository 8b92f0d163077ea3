package io.kvorum.core.typed;

import io.kvorum.core.KeyFilter;
import io.kvorum.core.KeyOperations;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.LocalStore;
import io.kvorum.core.ScanOptions;
import io.kvorum.core.SetOptions;
import io.kvorum.core.ShardedStore;
import io.kvorum.slots.HashSlot;
import java.time.Duration;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executor;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A {@link KeyValueStore} whose keys and values are objects, which two {@link Codec}s turn into its bytes. What is
 * atomic there is atomic here, and what is refused there is refused here.
 *
 * <p>The same store may be used with other codecs, or without, at the same time. Objects that are passed in are
 * borrowed for the call, values that are returned belong to the caller, except with a near cache.
 *
 * <p>A near cache keeps decoded values, so that {@link #get} of a key that has not been changed meanwhile neither reads
 * the store nor decodes. It never returns a value that is older than the last completed write of the key, whoever
 * wrote, nor one past its deadline by the store's clock; all else about the store holds as without it. Every other
 * operation goes to the store.
 *
 * <p>Safe for use by any number of threads.
 *
 * @param <K> the type of the keys
 * @param <V> the type of the values
 */
public final class TypedStore<K, V> extends CodedOperations<K, V> implements AutoCloseable {
    private final KeyValueStore store;
    private final @Nullable NearCache<V> near;
    private final Loads<K, V> loads = new Loads<>();

    private TypedStore(KeyValueStore store, Codec<K> keys, Codec<V> values, @Nullable NearCache<V> near) {
        super(store, keys, values);
        this.store = store;
        this.near = near;
    }

    /**
     * Makes the typed form of a store.
     *
     * @param store the store
     * @param keys turns keys into bytes; their hash tag, if they have one, is in these
     * @param values turns values into bytes and back
     * @param <K> the type of the keys
     * @param <V> the type of the values
     * @return the typed form
     */
    public static <K, V> TypedStore<K, V> of(KeyValueStore store, Codec<K> keys, Codec<V> values) {
        return new TypedStore<>(store, keys, values, null);
    }

    /**
     * Makes the typed form of a store, with a near cache. Every change of the store costs a little more until it is
     * {@linkplain #close() closed}, so one is made for a store and kept.
     *
     * <p>Where the store evicts, it does not see that a key is used when the near cache answers.
     *
     * @param store the store: a {@link LocalStore}, or one made by {@link ShardedStore#local(java.util.List)}
     * @param keys turns keys into bytes
     * @param values turns values into bytes and back. All readers of a key share the decoded value, so it must be
     *     immutable, or never be changed.
     * @param maxEntries the most values to keep; at least 1
     * @param <K> the type of the keys
     * @param <V> the type of the values
     * @return the typed form
     * @throws IllegalArgumentException if the store is another one, which cannot tell of its changes in time, or
     *     {@code maxEntries} is below 1
     */
    public static <K, V> TypedStore<K, V> nearCached(
            KeyValueStore store, Codec<K> keys, Codec<V> values, long maxEntries) {
        Objects.requireNonNull(store, "store");
        Objects.requireNonNull(keys, "keys");
        Objects.requireNonNull(values, "values");
        return new TypedStore<>(store, keys, values, new NearCache<>(store, values, maxEntries));
    }

    /** Ends the near cache, if there is one: from now on the store is read. The store may still be used. */
    @Override
    public void close() {
        if (near != null) {
            near.close();
        }
    }

    /**
     * {@return what the near cache has done since this was first called} Nothing is counted before, since a count costs
     * a get a good part of its time.
     *
     * @throws IllegalStateException if there is no near cache
     */
    public NearCacheStats nearCacheStats() {
        if (near == null) {
            throw new IllegalStateException("only a store made by TypedStore.nearCached has a near cache");
        }
        return near.stats();
    }

    @Override
    public @Nullable V get(K key) {
        return near == null ? super.get(key) : near.get(bytesOf(key));
    }

    /** {@return the store that has the bytes} */
    public KeyValueStore binary() {
        return store;
    }

    /**
     * {@return the slot of a key}
     *
     * @param key the key
     */
    public int slotOf(K key) {
        return HashSlot.of(bytesOf(key));
    }

    /**
     * Runs a function on the keys of one slot, atomically and isolated, as {@link KeyValueStore#transact(int,
     * java.util.function.Function)} does.
     *
     * @param slot the slot of all keys that the function uses, see {@link #slotOf}
     * @param function receives the operations on the keys of the slot, which end with the call. It must be quick and
     *     must use no store, this one included.
     * @param <T> what the function returns
     * @return what the function returned
     * @throws IllegalArgumentException if {@code slot} is not a slot, or all changes together are longer than the store
     *     takes
     */
    public <T extends @Nullable Object> T transact(
            int slot, Function<? super TypedOperations<K, V>, ? extends T> function) {
        Objects.requireNonNull(function, "function");
        return store.<T>transact(slot, operations -> function.apply(new Transaction<>(operations, keys, values)));
    }

    /**
     * Runs a function that reads keys of one slot at one moment, as {@link KeyValueStore#read} does.
     *
     * @param slot the slot of all keys that the function uses, see {@link #slotOf}
     * @param function receives the operations, which end with the call; what {@link #transact(int, Function)} says of
     *     it holds here too
     * @param <T> what the function returns
     * @return what the function returned
     * @throws IllegalArgumentException if {@code slot} is not a slot
     */
    public <T extends @Nullable Object> T read(int slot, Function<? super TypedReads<K, V>, ? extends T> function) {
        Objects.requireNonNull(function, "function");
        return store.<T>read(slot, reads -> function.apply(new CodedReads<>(reads, keys, values)));
    }

    /**
     * {@return this store in asynchronous form: each operation runs as a task of an executor} For the asynchronous form
     * of a replicated store see {@link AsyncTypedStore#of}.
     *
     * @param executor runs the operations; in which order, is its business
     */
    public AsyncTypedStore<K, V> async(Executor executor) {
        return new ExecutedTypedStore<>(this, executor);
    }

    @Override
    <T extends @Nullable Object> T atomically(byte[] key, Function<? super KeyOperations, ? extends T> action) {
        return store.<T>transact(HashSlot.of(key), action);
    }

    /** The operations on the keys of one slot during a transaction. */
    private static final class Transaction<K, V> extends CodedOperations<K, V> {
        private final KeyOperations operations;

        Transaction(KeyOperations operations, Codec<K> keys, Codec<V> values) {
            super(operations, keys, values);
            this.operations = operations;
        }

        @Override
        <T extends @Nullable Object> T atomically(byte[] key, Function<? super KeyOperations, ? extends T> action) {
            return action.apply(operations);
        }
    }

    // ---- one slot, named by a key

    /**
     * As {@link #transact(int, Function)}, for the slot of a key.
     *
     * @param key a key, of whose slot are all keys that the function uses
     * @param function receives the operations on the keys of the slot
     * @param <T> what the function returns
     * @return what the function returned
     */
    public <T extends @Nullable Object> T transact(
            K key, Function<? super TypedOperations<K, V>, ? extends T> function) {
        return this.<T>transact(slotOf(key), function);
    }

    /**
     * As {@link #transact(Object, Function)}, without a result.
     *
     * @param key a key, of whose slot are all keys that the action uses
     * @param action receives the operations on the keys of the slot
     */
    public void update(K key, Consumer<? super TypedOperations<K, V>> action) {
        Objects.requireNonNull(action, "action");
        this.<@Nullable Void>transact(slotOf(key), keys -> {
            action.accept(keys);
            return null;
        });
    }

    // ---- loading

    /**
     * Returns the value of a key; if it does not exist, loads one and sets it. The loader runs in the calling thread
     * and under no lock of the store: it may take its time, and may use the store. Calls for one key by this object
     * load once: the others wait for the first one, and calls for other keys never wait.
     *
     * <p>If the key is set by another caller while a value is loaded, that value stays and is returned. A loader that
     * returns {@code null} leaves the key absent, and all who waited get {@code null}; nothing remembers that, so the
     * next call loads again. What a loader throws is thrown to its caller, and to those who waited wrapped in a
     * {@link CompletionException}; nothing was changed.
     *
     * @param key the key
     * @param loader makes the value
     * @return the value that the key has now, or {@code null} if the loader returned none
     * @throws IllegalStateException if the loader asks for the key that it loads
     */
    public @Nullable V computeIfAbsent(K key, Function<? super K, ? extends @Nullable V> loader) {
        Objects.requireNonNull(loader, "loader");
        V present = get(key);
        return present == null ? loads.load(key, () -> load(key, SetOptions.defaults(), loader)) : present;
    }

    /**
     * As {@link #computeIfAbsent(Object, Function)}; the loaded value expires after some time.
     *
     * @param key the key
     * @param timeToLive how long the loaded value lives; at least a millisecond
     * @param loader makes the value
     * @return the value that the key has now, or {@code null} if the loader returned none
     */
    public @Nullable V computeIfAbsent(K key, Duration timeToLive, Function<? super K, ? extends @Nullable V> loader) {
        Objects.requireNonNull(loader, "loader");
        SetOptions options = SetOptions.defaults().withDuration(timeToLive);
        V present = get(key);
        return present == null ? loads.load(key, () -> load(key, options, loader)) : present;
    }

    /** Loads a value and sets it, unless the key exists by then. */
    private @Nullable V load(K key, SetOptions options, Function<? super K, ? extends @Nullable V> loader) {
        V present = get(key); // somebody may have loaded it just before
        V loaded = present == null ? loader.apply(key) : null;
        if (loaded == null) {
            return present;
        }
        TypedSetResult<V> result = getAndSet(key, loaded, options.withCondition(SetOptions.Condition.IF_ABSENT));
        return result.applied() ? loaded : result.previous();
    }

    // ---- several slots

    /**
     * Reads keys of any slots, one after the other: not at one moment. For keys of one slot see {@link #getAll}.
     *
     * @param wanted the keys
     * @return the values of those keys that exist, in the order of the keys; unmodifiable
     */
    public Map<K, V> getEach(Collection<? extends K> wanted) {
        Map<K, V> found = new LinkedHashMap<>();
        for (K key : wanted) {
            V value = get(key);
            if (value != null) {
                found.put(key, value);
            }
        }
        return Collections.unmodifiableMap(found);
    }

    /**
     * Sets keys of any slots, one after the other: if one is refused, those before it are set. For all or none see
     * {@link #setAll}.
     *
     * @param wanted the values by their keys
     */
    public void setEach(Map<? extends K, ? extends V> wanted) {
        wanted.forEach(this::set);
    }

    /**
     * Deletes keys of any slots, one after the other.
     *
     * @param wanted the keys
     * @return how many of them existed
     */
    public int deleteEach(Collection<? extends K> wanted) {
        int deleted = 0;
        for (K key : wanted) {
            deleted += delete(key) ? 1 : 0;
        }
        return deleted;
    }

    // ---- all keys

    /** {@return how many keys the store holds, see {@link KeyValueStore#size}} */
    public long size() {
        return store.size();
    }

    /**
     * Deletes every key, as {@link KeyValueStore#clear()} does.
     *
     * @return how many keys were deleted
     * @throws io.kvorum.core.PartlyClearedException if it failed after it had deleted some keys
     */
    public long clear() {
        return store.clear();
    }

    /**
     * Hands each key and its value to an action, page by page as {@link KeyValueStore#scan} does: a key that exists
     * throughout is handed over once, one that comes or goes meanwhile at most once. The action may use the store.
     *
     * @param action receives the keys and values
     */
    public void forEach(BiConsumer<? super K, ? super V> action) {
        Objects.requireNonNull(action, "action");
        for (K key : keys()) {
            V value = get(key);
            if (value != null) {
                action.accept(key, value);
            }
        }
    }

    /** {@return all keys, read page by page while they are walked through, see {@link KeyValueStore#scan}} */
    public Iterable<K> keys() {
        return keys(KeyFilter.all());
    }

    /**
     * {@return some keys, read page by page while they are walked through}
     *
     * @param filter which keys, by their bytes
     */
    public Iterable<K> keys(KeyFilter filter) {
        ScanOptions options = ScanOptions.defaults().withFilter(filter);
        return () -> new KeyIterator<>(store, options, keys);
    }

    /**
     * {@return this store as a map, through which it is read and changed} Each operation on one key is atomic.
     * Functions that are given to the map run under a lock of the store, and must be quick and call no store: a value
     * that takes time to make belongs to {@link #computeIfAbsent}. The size counts expired keys that have not been
     * deleted, and is {@link Integer#MAX_VALUE} at the most. Keys and values are compared by their bytes.
     *
     * <p>Over a cluster, what the store refuses is thrown as the {@link io.kvorum.slots.topology.RefusedException} that
     * it is. So while a slot is on its way to another shard, the map has no size and cannot be cleared, and an iterator
     * that comes to the slot throws, rather than leave its keys out.
     */
    public ConcurrentMap<K, V> asMap() {
        return new MapView<>(this);
    }

    /** {@return the store and whether it has a near cache} */
    @Override
    public String toString() {
        return "TypedStore[" + store + (near == null ? "" : ", near cache") + "]";
    }
}
