package io.kvorum.core.typed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.FixedClock;
import io.kvorum.core.LocalStore;
import io.kvorum.core.StoreSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class AsyncLoadsTest {
    private final FixedClock clock = new FixedClock(1_000);
    private final LocalStore binary = new LocalStore(StoreSettings.defaults(), 7, clock);
    private final TypedStore<String, Long> store = TypedStore.of(binary, Codec.text(), Codec.decimal());

    /** Both ways to an asynchronous form. */
    private AsyncTypedStore<String, Long> async(boolean typedFirst) {
        return typedFirst
                ? store.async(Runnable::run)
                : AsyncTypedStore.of(binary.async(Runnable::run), Codec.text(), Codec.decimal());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aValueIsLoadedOnceHoweverManyAskForIt(boolean typedFirst) {
        AsyncTypedStore<String, Long> async = async(typedFirst);
        CompletableFuture<@Nullable Long> loading = new CompletableFuture<>();
        int[] loads = {0};
        List<CompletableFuture<@Nullable Long>> results = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            results.add(async.computeIfAbsent("a", Duration.ofMillis(50), key -> {
                        loads[0]++;
                        return loading;
                    })
                    .toCompletableFuture());
        }
        assertEquals(7L, join(async.computeIfAbsent("b", key -> done(7L)))); // another key waits for nobody
        assertTrue(results.get(1).cancel(false)); // which is no matter of the others
        assertFalse(results.get(0).isDone());
        loading.complete(1L);

        assertEquals(1L, results.get(0).join());
        assertEquals(1L, results.get(2).join());
        assertEquals(1, loads[0]);
        assertEquals(1L, join(async.computeIfAbsent("a", key -> done(2L))));
        clock.set(1_051);
        assertEquals(2L, join(async.computeIfAbsent("a", key -> done(2L))));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatSomebodySetsMeanwhileStays(boolean typedFirst) {
        AsyncTypedStore<String, Long> async = async(typedFirst);
        assertEquals(5L, join(async.computeIfAbsent("a", key -> {
            store.set("a", 5L);
            return done(6L);
        })));
        assertEquals(5L, store.get("a"));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aLoaderThatReturnsNothingOrFailsLeavesTheKeyAbsent(boolean typedFirst) {
        AsyncTypedStore<String, Long> async = async(typedFirst);
        IllegalStateException planted = new IllegalStateException("planted");

        assertNull(join(async.computeIfAbsent("a", key -> done(null))));
        assertSame(planted, failure(async.computeIfAbsent("a", key -> {
            throw planted;
        })));
        assertSame(planted, failure(async.computeIfAbsent("a", key -> CompletableFuture.failedFuture(planted))));
        assertNull(store.get("a"));
        assertEquals(1L, join(async.computeIfAbsent("a", key -> done(1L))));
    }

    private static CompletionStage<@Nullable Long> done(@Nullable Long value) {
        return CompletableFuture.completedFuture(value);
    }

    private static @Nullable Long join(CompletionStage<@Nullable Long> stage) {
        return stage.toCompletableFuture().join();
    }

    /** Returns what a stage failed with, as those see it who listen to it. */
    private static @Nullable Throwable failure(CompletionStage<@Nullable Long> stage) {
        List<Throwable> failures = new ArrayList<>();
        stage.whenComplete((value, failure) -> failures.add(failure));
        return failures.get(0);
    }
}
