package io.kvorum.core.typed;

import io.kvorum.core.SetOptions;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The values that an asynchronous store loads, each once. Safe for use by any number of threads. */
final class AsyncLoads<K, V> {
    private final AsyncTypedStore<K, V> store;
    private final ConcurrentMap<K, CompletableFuture<@Nullable V>> underway = new ConcurrentHashMap<>();

    AsyncLoads(AsyncTypedStore<K, V> store) {
        this.store = store;
    }

    CompletionStage<@Nullable V> computeIfAbsent(
            K key, SetOptions options, Function<? super K, ? extends CompletionStage<? extends @Nullable V>> loader) {
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(options, "options");
        Objects.requireNonNull(loader, "loader");
        // Each call reads first: a load that began before the call may know an older value.
        return unwrapped(store.get(key)
                .thenCompose(present -> present == null ? loadOnce(key, options, loader) : done(present)));
    }

    /** Loads a value and sets it, or waits for another load of the key. */
    private CompletionStage<@Nullable V> loadOnce(
            K key, SetOptions options, Function<? super K, ? extends CompletionStage<? extends @Nullable V>> loader) {
        CompletableFuture<@Nullable V> own = new CompletableFuture<>();
        CompletableFuture<@Nullable V> other = underway.putIfAbsent(key, own);
        if (other != null) {
            return other;
        }
        store.get(key) // somebody may have loaded it just before
                .thenCompose(present -> present == null ? load(key, options, loader) : done(present))
                .whenComplete((value, failure) -> {
                    underway.remove(key, own);
                    if (failure == null) {
                        own.complete(value);
                    } else {
                        own.completeExceptionally(failure);
                    }
                });
        return own;
    }

    private CompletionStage<@Nullable V> load(
            K key, SetOptions options, Function<? super K, ? extends CompletionStage<? extends @Nullable V>> loader) {
        return loader.apply(key).<@Nullable V>thenCompose(loaded -> {
            if (loaded == null) {
                return done(null);
            }
            return store.getAndSet(key, loaded, options.withCondition(SetOptions.Condition.IF_ABSENT))
                    .<@Nullable V>thenApply(result -> result.applied() ? loaded : result.previous());
        });
    }

    private static <V> CompletionStage<@Nullable V> done(@Nullable V value) {
        return CompletableFuture.completedFuture(value);
    }

    /** Returns a stage of its own, so that who cancels it harms nobody, that fails as the first one did. */
    private static <V> CompletionStage<@Nullable V> unwrapped(CompletionStage<@Nullable V> stage) {
        CompletableFuture<@Nullable V> outcome = new CompletableFuture<>();
        stage.whenComplete((value, failure) -> {
            Throwable cause = failure;
            while (cause instanceof CompletionException && cause.getCause() != null) {
                cause = cause.getCause();
            }
            if (cause == null) {
                outcome.complete(value);
            } else {
                outcome.completeExceptionally(cause);
            }
        });
        return outcome;
    }
}
