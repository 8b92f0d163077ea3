package io.kvorum.core.typed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.kvorum.core.LocalStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class LoadsTest {
    private final TypedStore<String, Long> store = TypedStore.of(new LocalStore(), Codec.text(), Codec.decimal());

    @Test
    void aValueIsLoadedOnceHoweverManyAskForIt() throws Exception {
        AtomicInteger loaded = new AtomicInteger();
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch finish = new CountDownLatch(1);
        ExecutorService threads = Executors.newFixedThreadPool(8);
        List<Future<Long>> results = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            results.add(threads.submit(() -> store.computeIfAbsent("a", key -> {
                begun.countDown();
                await(finish);
                return (long) loaded.incrementAndGet();
            })));
        }
        await(begun);
        assertEquals(7L, store.computeIfAbsent("b", key -> 7L)); // another key waits for nobody
        store.set("c", 1L);
        finish.countDown();
        for (Future<Long> result : results) {
            assertEquals(1L, result.get());
        }
        threads.shutdown();

        assertEquals(1, loaded.get());
        assertEquals(1L, store.get("a"));
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void theLoaderMayUseTheStore() {
        assertEquals(
                3L,
                store.computeIfAbsent("a", key -> Objects.requireNonNull(store.computeIfAbsent("b", other -> 2L)) + 1));
        assertEquals(2L, store.get("b"));
    }

    @Test
    void whatSomebodySetsMeanwhileStays() {
        assertEquals(5L, store.computeIfAbsent("a", key -> {
            store.set("a", 5L);
            return 6L;
        }));
        assertEquals(5L, store.get("a"));
    }

    @Test
    void aLoaderThatReturnsNothingOrFailsLeavesTheKeyAbsent() {
        assertNull(store.computeIfAbsent("a", key -> null));
        assertThrows(
                IllegalStateException.class,
                () -> store.computeIfAbsent("a", key -> {
                    throw new IllegalStateException("planted");
                }));

        assertNull(store.get("a"));
        assertEquals(1L, store.computeIfAbsent("a", key -> 1L));
    }

    @Test
    void aLoaderThatAsksForItsOwnKeyIsRefused() {
        assertThrows(
                IllegalStateException.class,
                () -> store.computeIfAbsent("a", key -> store.computeIfAbsent("a", other -> 1L)));
    }
}
