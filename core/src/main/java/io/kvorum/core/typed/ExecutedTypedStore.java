package io.kvorum.core.typed;

import io.kvorum.core.AsyncKeyValueStore;
import io.kvorum.core.SetOptions;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The asynchronous form of a typed store: each operation is a task. Safe for use by any number of threads. */
final class ExecutedTypedStore<K, V> implements AsyncTypedStore<K, V> {
    private final TypedStore<K, V> store;
    private final AsyncKeyValueStore tasks;
    private final AsyncLoads<K, V> loads = new AsyncLoads<>(this);

    ExecutedTypedStore(TypedStore<K, V> store, Executor executor) {
        this.store = store;
        this.tasks = store.binary().async(executor);
    }

    @Override
    public <T extends @Nullable Object> CompletionStage<T> reading(
            Function<? super TypedStore<K, V>, ? extends T> function) {
        Objects.requireNonNull(function, "function");
        return tasks.<T>reading(binary -> function.apply(store));
    }

    @Override
    public <T extends @Nullable Object> CompletionStage<T> changing(
            Function<? super TypedStore<K, V>, ? extends T> function) {
        Objects.requireNonNull(function, "function");
        return tasks.<T>changing(binary -> function.apply(store));
    }

    @Override
    public CompletionStage<@Nullable V> computeIfAbsent(
            K key, SetOptions options, Function<? super K, ? extends CompletionStage<? extends @Nullable V>> loader) {
        return loads.computeIfAbsent(key, options, loader);
    }
}
