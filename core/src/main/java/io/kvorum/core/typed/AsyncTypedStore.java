package io.kvorum.core.typed;

import io.kvorum.core.AsyncKeyValueStore;
import io.kvorum.core.ExpireCondition;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.Life;
import io.kvorum.core.SetOptions;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A {@link TypedStore} that does not make its callers wait: what {@link AsyncKeyValueStore} is to
 * {@link KeyValueStore}.
 *
 * <p>Objects that are passed in are borrowed until the stage is completed. The codecs run where the operation does.
 *
 * <p>Safe for use by any number of threads.
 *
 * @param <K> the type of the keys
 * @param <V> the type of the values
 */
public interface AsyncTypedStore<K, V> {
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
    static <K, V> AsyncTypedStore<K, V> of(AsyncKeyValueStore store, Codec<K> keys, Codec<V> values) {
        return new CodedAsyncStore<>(store, keys, values);
    }

    /**
     * Runs any function that only reads the store.
     *
     * @param function receives the store, for this one run; it fails if it tries to change the store and the store can
     *     tell
     * @param <T> what the function returns
     * @return completed with what the function returned, or failed with what it threw
     */
    <T extends @Nullable Object> CompletionStage<T> reading(Function<? super TypedStore<K, V>, ? extends T> function);

    /**
     * Runs any function that may change the store. Each of its operations is atomic, the function as a whole is not.
     *
     * @param function receives the store, for this one run
     * @param <T> what the function returns
     * @return completed with what the function returned, or failed with what it threw
     */
    <T extends @Nullable Object> CompletionStage<T> changing(Function<? super TypedStore<K, V>, ? extends T> function);

    // ---- reading keys

    /** As {@link TypedReads#get(Object)}. */
    default CompletionStage<@Nullable V> get(K key) {
        return this.<@Nullable V>reading(store -> store.get(key));
    }

    /** As {@link TypedReads#lookUp(Object)}. */
    default CompletionStage<@Nullable TypedValue<V>> lookUp(K key) {
        return this.<@Nullable TypedValue<V>>reading(store -> store.lookUp(key));
    }

    /** As {@link TypedReads#getAll(Collection)}. */
    default CompletionStage<Map<K, V>> getAll(Collection<? extends K> keys) {
        return reading(store -> store.getAll(keys));
    }

    /** As {@link TypedReads#exists(Object)}. */
    default CompletionStage<Boolean> exists(K key) {
        return reading(store -> store.exists(key));
    }

    /** As {@link TypedReads#touch(Object)}. */
    default CompletionStage<Boolean> touch(K key) {
        return reading(store -> store.touch(key));
    }

    /** As {@link TypedReads#deadlineOf(Object)}. */
    default CompletionStage<OptionalLong> deadlineOf(K key) {
        return reading(store -> store.deadlineOf(key));
    }

    /** As {@link TypedReads#timeToLive(Object)}. */
    default CompletionStage<Optional<Duration>> timeToLive(K key) {
        return reading(store -> store.timeToLive(key));
    }

    // ---- changing keys

    /** As {@link TypedOperations#set(Object, Object)}. */
    default CompletionStage<@Nullable Void> set(K key, V value) {
        return this.<@Nullable Void>changing(store -> {
            store.set(key, value);
            return null;
        });
    }

    /** As {@link TypedOperations#set(Object, Object, SetOptions)}. */
    default CompletionStage<Boolean> set(K key, V value, SetOptions options) {
        return changing(store -> store.set(key, value, options));
    }

    /** As {@link TypedOperations#setIfEqual(Object, Object, Object)}. */
    default CompletionStage<Boolean> setIfEqual(K key, V expected, V value) {
        return changing(store -> store.setIfEqual(key, expected, value));
    }

    /** As {@link TypedOperations#getAndSet(Object, Object, SetOptions)}. */
    default CompletionStage<TypedSetResult<V>> getAndSet(K key, V value, SetOptions options) {
        return changing(store -> store.getAndSet(key, value, options));
    }

    /** As {@link TypedOperations#setAll(Map)}. */
    default CompletionStage<@Nullable Void> setAll(Map<? extends K, ? extends V> values) {
        return this.<@Nullable Void>changing(store -> {
            store.setAll(values);
            return null;
        });
    }

    /** As {@link TypedOperations#setAllIfAbsent(Map)}. */
    default CompletionStage<Boolean> setAllIfAbsent(Map<? extends K, ? extends V> values) {
        return changing(store -> store.setAllIfAbsent(values));
    }

    /** As {@link TypedOperations#delete(Object)}. */
    default CompletionStage<Boolean> delete(K key) {
        return changing(store -> store.delete(key));
    }

    /** As {@link TypedOperations#deleteIfEqual(Object, Object)}. */
    default CompletionStage<Boolean> deleteIfEqual(K key, V expected) {
        return changing(store -> store.deleteIfEqual(key, expected));
    }

    /** As {@link TypedOperations#getAndDelete(Object)}. */
    default CompletionStage<@Nullable V> getAndDelete(K key) {
        return this.<@Nullable V>changing(store -> store.getAndDelete(key));
    }

    /** As {@link TypedOperations#getAndExpire(Object, Life)}. */
    default CompletionStage<@Nullable V> getAndExpire(K key, Life life) {
        return this.<@Nullable V>changing(store -> store.getAndExpire(key, life));
    }

    /** As {@link TypedOperations#increment(Object, long)}. */
    default CompletionStage<Long> increment(K key, long delta) {
        return changing(store -> store.increment(key, delta));
    }

    /** As {@link TypedOperations#compute(Object, Function)}. */
    default CompletionStage<@Nullable V> compute(K key, Function<@Nullable V, @Nullable V> function) {
        return this.<@Nullable V>changing(store -> store.compute(key, function));
    }

    /** As {@link TypedOperations#expire(Object, Life, ExpireCondition)}. */
    default CompletionStage<Boolean> expire(K key, Life life, ExpireCondition condition) {
        return changing(store -> store.expire(key, life, condition));
    }

    /** As {@link TypedOperations#expireAt(Object, long)}. */
    default CompletionStage<Boolean> expireAt(K key, long epochMillis) {
        return changing(store -> store.expireAt(key, epochMillis));
    }

    /** As {@link TypedOperations#expireAfter(Object, Duration)}. */
    default CompletionStage<Boolean> expireAfter(K key, Duration duration) {
        return changing(store -> store.expireAfter(key, duration));
    }

    /** As {@link TypedOperations#persist(Object)}. */
    default CompletionStage<Boolean> persist(K key) {
        return changing(store -> store.persist(key));
    }

    // ---- loading

    /**
     * As {@link TypedStore#computeIfAbsent(Object, Function)}, with a loader that is asynchronous too, and no thread
     * that waits. The loader is called by a thread that completes an operation of the store, so it must return its
     * stage soon. Calls for one key by this object load once; those that come meanwhile are completed with the first.
     *
     * <p>A loader whose stage is completed with {@code null} leaves the key absent, and nothing remembers that. If the
     * loader throws or its stage fails, all calls that wait for it fail with the same exception; nothing is changed.
     *
     * @param key the key
     * @param loader makes the value
     * @return completed with the value that the key has then, or with {@code null} if the loader made none
     */
    default CompletionStage<@Nullable V> computeIfAbsent(
            K key, Function<? super K, ? extends CompletionStage<? extends @Nullable V>> loader) {
        return computeIfAbsent(key, SetOptions.defaults(), loader);
    }

    /**
     * As {@link #computeIfAbsent(Object, Function)}; the loaded value expires after some time.
     *
     * @param key the key
     * @param timeToLive how long the loaded value lives; at least a millisecond
     * @param loader makes the value
     * @return completed with the value that the key has then, or with {@code null} if the loader made none
     */
    default CompletionStage<@Nullable V> computeIfAbsent(
            K key, Duration timeToLive, Function<? super K, ? extends CompletionStage<? extends @Nullable V>> loader) {
        return computeIfAbsent(key, SetOptions.defaults().withDuration(timeToLive), loader);
    }

    /**
     * As {@link #computeIfAbsent(Object, Function)}; the loaded value is set with options.
     *
     * @param key the key
     * @param options how long the value lives; its condition does not count
     * @param loader makes the value
     * @return completed with the value that the key has then, or with {@code null} if the loader made none
     */
    CompletionStage<@Nullable V> computeIfAbsent(
            K key, SetOptions options, Function<? super K, ? extends CompletionStage<? extends @Nullable V>> loader);

    // ---- several slots

    /** As {@link TypedStore#getEach(Collection)}. */
    default CompletionStage<Map<K, V>> getEach(Collection<? extends K> keys) {
        return reading(store -> store.getEach(keys));
    }

    /** As {@link TypedStore#setEach(Map)}. */
    default CompletionStage<@Nullable Void> setEach(Map<? extends K, ? extends V> values) {
        return this.<@Nullable Void>changing(store -> {
            store.setEach(values);
            return null;
        });
    }

    /** As {@link TypedStore#deleteEach(Collection)}. */
    default CompletionStage<Integer> deleteEach(Collection<? extends K> keys) {
        return changing(store -> store.deleteEach(keys));
    }

    // ---- slots

    /** As {@link TypedStore#transact(int, Function)}. */
    default <T extends @Nullable Object> CompletionStage<T> transact(
            int slot, Function<? super TypedOperations<K, V>, ? extends T> function) {
        return this.<T>changing(store -> store.<T>transact(slot, function));
    }

    /** As {@link TypedStore#read}. */
    default <T extends @Nullable Object> CompletionStage<T> read(
            int slot, Function<? super TypedReads<K, V>, ? extends T> function) {
        return this.<T>reading(store -> store.<T>read(slot, function));
    }
}
