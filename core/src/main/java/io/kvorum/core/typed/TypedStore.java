package io.kvorum.core.typed;

import io.kvorum.core.KeyOperations;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.LocalStore;
import io.kvorum.core.ShardedStore;
import io.kvorum.slots.HashSlot;
import java.util.Objects;
import java.util.concurrent.Executor;
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
     * @param values turns values into bytes and back. All who read a key share the value that was decoded, so it must
     *     be immutable, or nobody may change it.
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
     * Runs a function on the keys of one slot, atomically and isolated, as {@link KeyValueStore#transact} does.
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
     * @param function receives the operations, which end with the call; what {@link #transact} says of it holds here
     *     too
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
}
