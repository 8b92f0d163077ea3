package io.kvorum.core;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A {@link Store} that does not make its callers wait: what {@link AsyncKeyValueStore} is to {@link KeyValueStore}.
 *
 * <p>Objects that are passed in are borrowed until the stage is completed. The codecs run where the operation does.
 *
 * <p>Safe for use by any number of threads.
 *
 * @param <K> the type of the keys
 * @param <V> the type of the values
 */
public interface AsyncStore<K, V> {
    /**
     * Makes the typed form of an asynchronous store.
     *
     * @param store the store
     * @param keys turns keys into bytes
     * @param values turns values into bytes and back
     * @param <K> the type of the keys
     * @param <V> the type of the values
     * @return the typed form
     */
    static <K, V> AsyncStore<K, V> of(AsyncKeyValueStore store, Codec<K> keys, Codec<V> values) {
        Objects.requireNonNull(store, "store");
        Objects.requireNonNull(keys, "keys");
        Objects.requireNonNull(values, "values");
        return new AsyncStore<>() {
            @Override
            public <T extends @Nullable Object> CompletionStage<T> reading(
                    Function<? super Store<K, V>, ? extends T> function) {
                Objects.requireNonNull(function, "function");
                return store.<T>reading(binary -> function.apply(Store.of(binary, keys, values)));
            }

            @Override
            public <T extends @Nullable Object> CompletionStage<T> changing(
                    Function<? super Store<K, V>, ? extends T> function) {
                Objects.requireNonNull(function, "function");
                return store.<T>changing(binary -> function.apply(Store.of(binary, keys, values)));
            }
        };
    }

    /**
     * Runs any function that only reads the store.
     *
     * @param function receives the store, for this one run; it fails if it tries to change the store and the store can
     *     tell
     * @param <T> what the function returns
     * @return completed with what the function returned, or failed with what it threw
     */
    <T extends @Nullable Object> CompletionStage<T> reading(Function<? super Store<K, V>, ? extends T> function);

    /**
     * Runs any function that may change the store. Each of its operations is atomic, the function as a whole is not.
     *
     * @param function receives the store, for this one run
     * @param <T> what the function returns
     * @return completed with what the function returned, or failed with what it threw
     */
    <T extends @Nullable Object> CompletionStage<T> changing(Function<? super Store<K, V>, ? extends T> function);

    // ---- reading keys

    /** As {@link StoreReads#get(Object)}. */
    default CompletionStage<@Nullable V> get(K key) {
        return this.<@Nullable V>reading(store -> store.get(key));
    }

    /** As {@link StoreReads#lookUp(Object)}. */
    default CompletionStage<@Nullable TypedValue<V>> lookUp(K key) {
        return this.<@Nullable TypedValue<V>>reading(store -> store.lookUp(key));
    }

    /** As {@link StoreReads#getAll(List)}. */
    default CompletionStage<List<@Nullable V>> getAll(List<? extends K> keys) {
        return reading(store -> store.getAll(keys));
    }

    /** As {@link StoreReads#exists(Object)}. */
    default CompletionStage<Boolean> exists(K key) {
        return reading(store -> store.exists(key));
    }

    /** As {@link StoreReads#touch(Object)}. */
    default CompletionStage<Boolean> touch(K key) {
        return reading(store -> store.touch(key));
    }

    /** As {@link StoreReads#deadlineOf(Object)}. */
    default CompletionStage<OptionalLong> deadlineOf(K key) {
        return reading(store -> store.deadlineOf(key));
    }

    /** As {@link StoreReads#timeToLive(Object)}. */
    default CompletionStage<Optional<Duration>> timeToLive(K key) {
        return reading(store -> store.timeToLive(key));
    }

    // ---- changing keys

    /** As {@link StoreOperations#set(Object, Object)}. */
    default CompletionStage<@Nullable Void> set(K key, V value) {
        return this.<@Nullable Void>changing(store -> {
            store.set(key, value);
            return null;
        });
    }

    /** As {@link StoreOperations#set(Object, Object, SetOptions)}. */
    default CompletionStage<Boolean> set(K key, V value, SetOptions options) {
        return changing(store -> store.set(key, value, options));
    }

    /** As {@link StoreOperations#setIfEqual(Object, Object, Object)}. */
    default CompletionStage<Boolean> setIfEqual(K key, V expected, V value) {
        return changing(store -> store.setIfEqual(key, expected, value));
    }

    /** As {@link StoreOperations#getAndSet(Object, Object, SetOptions)}. */
    default CompletionStage<TypedSetResult<V>> getAndSet(K key, V value, SetOptions options) {
        return changing(store -> store.getAndSet(key, value, options));
    }

    /** As {@link StoreOperations#setAll(Map)}. */
    default CompletionStage<@Nullable Void> setAll(Map<? extends K, ? extends V> values) {
        return this.<@Nullable Void>changing(store -> {
            store.setAll(values);
            return null;
        });
    }

    /** As {@link StoreOperations#setAllIfAbsent(Map)}. */
    default CompletionStage<Boolean> setAllIfAbsent(Map<? extends K, ? extends V> values) {
        return changing(store -> store.setAllIfAbsent(values));
    }

    /** As {@link StoreOperations#delete(Object)}. */
    default CompletionStage<Boolean> delete(K key) {
        return changing(store -> store.delete(key));
    }

    /** As {@link StoreOperations#deleteIfEqual(Object, Object)}. */
    default CompletionStage<Boolean> deleteIfEqual(K key, V expected) {
        return changing(store -> store.deleteIfEqual(key, expected));
    }

    /** As {@link StoreOperations#getAndDelete(Object)}. */
    default CompletionStage<@Nullable V> getAndDelete(K key) {
        return this.<@Nullable V>changing(store -> store.getAndDelete(key));
    }

    /** As {@link StoreOperations#getAndExpire(Object, Life)}. */
    default CompletionStage<@Nullable V> getAndExpire(K key, Life life) {
        return this.<@Nullable V>changing(store -> store.getAndExpire(key, life));
    }

    /** As {@link StoreOperations#increment(Object, long)}. */
    default CompletionStage<Long> increment(K key, long delta) {
        return changing(store -> store.increment(key, delta));
    }

    /** As {@link StoreOperations#compute(Object, Function)}. */
    default CompletionStage<@Nullable V> compute(K key, Function<@Nullable V, @Nullable V> function) {
        return this.<@Nullable V>changing(store -> store.compute(key, function));
    }

    /** As {@link StoreOperations#expire(Object, Life, ExpireCondition)}. */
    default CompletionStage<Boolean> expire(K key, Life life, ExpireCondition condition) {
        return changing(store -> store.expire(key, life, condition));
    }

    /** As {@link StoreOperations#expireAt(Object, long)}. */
    default CompletionStage<Boolean> expireAt(K key, long epochMillis) {
        return changing(store -> store.expireAt(key, epochMillis));
    }

    /** As {@link StoreOperations#expireAfter(Object, Duration)}. */
    default CompletionStage<Boolean> expireAfter(K key, Duration duration) {
        return changing(store -> store.expireAfter(key, duration));
    }

    /** As {@link StoreOperations#persist(Object)}. */
    default CompletionStage<Boolean> persist(K key) {
        return changing(store -> store.persist(key));
    }

    // ---- slots

    /** As {@link Store#transact}. */
    default <T extends @Nullable Object> CompletionStage<T> transact(
            int slot, Function<? super StoreOperations<K, V>, ? extends T> function) {
        return this.<T>changing(store -> store.<T>transact(slot, function));
    }

    /** As {@link Store#read}. */
    default <T extends @Nullable Object> CompletionStage<T> read(
            int slot, Function<? super StoreReads<K, V>, ? extends T> function) {
        return this.<T>reading(store -> store.<T>read(slot, function));
    }
}
