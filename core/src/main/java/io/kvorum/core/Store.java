package io.kvorum.core;

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
 * borrowed for the call, values that are returned belong to the caller.
 *
 * <p>Safe for use by any number of threads.
 *
 * @param <K> the type of the keys
 * @param <V> the type of the values
 */
public final class Store<K, V> extends TypedOperations<K, V> {
    private final KeyValueStore store;

    private Store(KeyValueStore store, Codec<K> keys, Codec<V> values) {
        super(store, keys, values);
        this.store = store;
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
    public static <K, V> Store<K, V> of(KeyValueStore store, Codec<K> keys, Codec<V> values) {
        return new Store<>(store, keys, values);
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
            int slot, Function<? super StoreOperations<K, V>, ? extends T> function) {
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
    public <T extends @Nullable Object> T read(int slot, Function<? super StoreReads<K, V>, ? extends T> function) {
        Objects.requireNonNull(function, "function");
        return store.<T>read(slot, reads -> function.apply(new TypedReads<>(reads, keys, values)));
    }

    /**
     * {@return this store in asynchronous form: each operation runs as a task of an executor} For the asynchronous form
     * of a replicated store see {@link AsyncStore#of}.
     *
     * @param executor runs the operations; in which order, is its business
     */
    public AsyncStore<K, V> async(Executor executor) {
        return new ExecutedTypedStore<>(this, executor);
    }

    @Override
    <T extends @Nullable Object> T atomically(byte[] key, Function<? super KeyOperations, ? extends T> action) {
        return store.<T>transact(HashSlot.of(key), action);
    }

    /** The operations on the keys of one slot during a transaction. */
    private static final class Transaction<K, V> extends TypedOperations<K, V> {
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
