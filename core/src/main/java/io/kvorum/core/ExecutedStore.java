package io.kvorum.core;

import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The asynchronous form of a store: each operation is a task. Safe for use by any number of threads. */
final class ExecutedStore implements AsyncKeyValueStore {
    private final KeyValueStore store;
    private final Executor executor;

    ExecutedStore(KeyValueStore store, Executor executor) {
        this.store = store;
        this.executor = Objects.requireNonNull(executor, "executor");
    }

    @Override
    public <T extends @Nullable Object> CompletionStage<T> reading(
            Function<? super KeyValueStore, ? extends T> function) {
        return ExecutedStore.<KeyValueStore, T>run(executor, store, function);
    }

    @Override
    public <T extends @Nullable Object> CompletionStage<T> changing(
            Function<? super KeyValueStore, ? extends T> function) {
        return ExecutedStore.<KeyValueStore, T>run(executor, store, function);
    }

    /** What is read here needs no confirmation, so nothing is collected. */
    @Override
    public CompletionStage<@Nullable Void> forEachInSlot(int slot, Consumer<Entry> action) {
        return this.<@Nullable Void>reading(plain -> {
            plain.forEachInSlot(slot, action);
            return null;
        });
    }

    /** Applies a function to a store as a task. */
    static <S, T extends @Nullable Object> CompletionStage<T> run(
            Executor executor, S store, Function<? super S, ? extends T> function) {
        Objects.requireNonNull(function, "function");
        CompletableFuture<T> outcome = new CompletableFuture<>();
        try {
            executor.execute(() -> {
                try {
                    outcome.complete(function.apply(store));
                } catch (Throwable e) { // an Error, too, is the outcome: nobody else would hear of it
                    outcome.completeExceptionally(e);
                }
            });
        } catch (RejectedExecutionException e) {
            outcome.completeExceptionally(e);
        }
        return outcome;
    }
}
