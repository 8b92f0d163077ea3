package io.kvorum.core.typed;

import io.kvorum.core.AsyncKeyValueStore;
import io.kvorum.core.SetOptions;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The typed form of an asynchronous store. Safe for use by any number of threads. */
final class CodedAsyncStore<K, V> implements AsyncTypedStore<K, V> {
    private final AsyncKeyValueStore store;
    private final Codec<K> keys;
    private final Codec<V> values;
    private final AsyncLoads<K, V> loads = new AsyncLoads<>(this);

    CodedAsyncStore(AsyncKeyValueStore store, Codec<K> keys, Codec<V> values) {
        this.store = Objects.requireNonNull(store, "store");
        this.keys = Objects.requireNonNull(keys, "keys");
        this.values = Objects.requireNonNull(values, "values");
    }

    @Override
    public <T extends @Nullable Object> CompletionStage<T> reading(
            Function<? super TypedStore<K, V>, ? extends T> function) {
        Objects.requireNonNull(function, "function");
        return store.<T>reading(binary -> function.apply(TypedStore.of(binary, keys, values)));
    }

    @Override
    public <T extends @Nullable Object> CompletionStage<T> changing(
            Function<? super TypedStore<K, V>, ? extends T> function) {
        Objects.requireNonNull(function, "function");
        return store.<T>changing(binary -> function.apply(TypedStore.of(binary, keys, values)));
    }

    @Override
    public CompletionStage<@Nullable V> computeIfAbsent(
            K key, SetOptions options, Function<? super K, ? extends CompletionStage<? extends @Nullable V>> loader) {
        return loads.computeIfAbsent(key, options, loader);
    }
}
