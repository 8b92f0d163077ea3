package io.kvorum.core;

import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The asynchronous form of a typed store: each operation is a task. Safe for use by any number of threads. */
final class ExecutedTypedStore<K, V> implements AsyncStore<K, V> {
    private final Store<K, V> store;
    private final Executor executor;

    ExecutedTypedStore(Store<K, V> store, Executor executor) {
        this.store = store;
        this.executor = Objects.requireNonNull(executor, "executor");
    }

    @Override
    public <T extends @Nullable Object> CompletionStage<T> reading(
            Function<? super Store<K, V>, ? extends T> function) {
        return ExecutedStore.<Store<K, V>, T>run(executor, store, function);
    }

    @Override
    public <T extends @Nullable Object> CompletionStage<T> changing(
            Function<? super Store<K, V>, ? extends T> function) {
        return ExecutedStore.<Store<K, V>, T>run(executor, store, function);
    }
}
