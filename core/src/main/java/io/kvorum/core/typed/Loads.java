package io.kvorum.core.typed;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The values that are being loaded, each once. Safe for use by any number of threads. */
final class Loads<K, V> {
    private static final class Load<V> {
        final CompletableFuture<@Nullable V> value = new CompletableFuture<>();
        final Thread loader = Thread.currentThread();
    }

    private final ConcurrentMap<K, Load<V>> underway = new ConcurrentHashMap<>();

    /** Loads the value of a key, or waits for another thread that does. */
    @Nullable
    V load(K key, Supplier<@Nullable V> loader) {
        Load<V> own = new Load<>();
        Load<V> other = underway.putIfAbsent(key, own);
        if (other != null) {
            if (other.loader == Thread.currentThread()) {
                throw new IllegalStateException("a loader must not ask for the key that it loads");
            }
            return other.value.join();
        }
        try {
            V value = loader.get();
            own.value.complete(value);
            return value;
        } catch (Throwable e) {
            own.value.completeExceptionally(e);
            throw e;
        } finally {
            underway.remove(key, own);
        }
    }
}
