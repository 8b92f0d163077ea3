package io.kvorum.core;

import static io.kvorum.core.Bytes.bytes;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.KeyspaceEvent.Kind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Real threads that change a store and hear of it. Each test ends by itself after a number of steps. */
@Timeout(60)
@Tag("races")
final class KeyspaceThreadsTest {
    private static final int WRITERS = 4;
    private static final int STEPS = 10_000;

    private final LocalStore store = new LocalStore();
    private final ExecutorService writers = Executors.newFixedThreadPool(WRITERS);
    private final ExecutorService listeners = Executors.newFixedThreadPool(2);

    @AfterEach
    void close() {
        writers.shutdownNow();
        listeners.shutdownNow();
    }

    /** What a listener hears, checked as it comes. A key is set and deleted in turns. */
    private static final class Hearing implements KeyspaceListener {
        private final AtomicBoolean inside = new AtomicBoolean();
        private final AtomicReference<@Nullable String> fault = new AtomicReference<>();
        private final Map<String, Kind> last = new HashMap<>();
        private final CountDownLatch end = new CountDownLatch(1);
        private long sequence;
        private long missing;
        private long count;

        @Override
        public void changed(KeyspaceEvent event) {
            check(inside.compareAndSet(false, true), "two calls at once");
            check(event.sequence() > sequence, "out of order");
            missing += event.sequence() - sequence - 1;
            String key = Objects.requireNonNull(Bytes.text(event.key()));
            if (event.sequence() == sequence + 1 && missing == 0) {
                check(event.kind() != last.put(key, event.kind()), "a key's events out of order");
            }
            sequence = event.sequence();
            count++;
            inside.set(false);
            if (key.equals("end")) {
                end.countDown();
            }
        }

        private void check(boolean holds, String otherwise) {
            if (!holds) {
                fault.compareAndSet(null, otherwise);
            }
        }
    }

    /** Each key belongs to one writer, so that its changes alternate. */
    private void change(int keysPerWriter) throws Exception {
        List<Callable<Void>> tasks = new ArrayList<>();
        for (int w = 0; w < WRITERS; w++) {
            int writer = w;
            tasks.add(() -> {
                for (int i = 0; i < STEPS; i++) {
                    byte[] key = bytes("k" + writer + "-" + i / 2 % keysPerWriter);
                    if (i % 2 == 0) {
                        store.set(key, key);
                    } else {
                        store.delete(key);
                    }
                }
                return null;
            });
        }
        for (Future<Void> task : writers.invokeAll(tasks)) {
            task.get();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 50})
    void withRoomEnoughEveryEventComesInOrder(int keysPerWriter) throws Exception {
        Hearing hearing = new Hearing();
        try (KeyspaceSubscription subscription = store.subscribe(hearing, listeners, WRITERS * STEPS + 1)) {
            change(keysPerWriter);
            store.set(bytes("end"), bytes("end"));
            hearing.end.await();

            assertNull(hearing.fault.get());
            assertEquals(WRITERS * STEPS + 1, hearing.count);
            assertEquals(0, hearing.missing);
            assertEquals(0, subscription.lost());
            assertEquals(hearing.count, subscription.delivered());
        }
    }

    @Test
    void withoutRoomEveryLossIsSeen() throws Exception {
        Hearing hearing = new Hearing();
        CountDownLatch go = new CountDownLatch(1);
        AtomicInteger calls = new AtomicInteger();
        KeyspaceListener slow = event -> {
            if (calls.getAndIncrement() == 0) {
                awaitQuietly(go); // until everything has been written, which does not wait for this
            }
            hearing.changed(event);
        };
        try (KeyspaceSubscription subscription = store.subscribe(slow, listeners, 10)) {
            change(5);
            assertTrue(subscription.lost() >= WRITERS * STEPS - 11, () -> "lost " + subscription.lost());
            go.countDown();
            while (subscription.delivered() < subscription.sequence() - subscription.lost()) {
                Thread.onSpinWait();
            }
            store.set(bytes("end"), bytes("end"));
            hearing.end.await();

            assertNull(hearing.fault.get());
            assertEquals(subscription.lost(), hearing.missing);
            assertEquals(subscription.sequence(), hearing.count + hearing.missing);
            assertEquals(WRITERS * STEPS + 1, subscription.sequence());
        }
    }

    @Test
    void closedInTheMiddleItEndsAndHoldsNobodyUp() throws Exception {
        Hearing hearing = new Hearing();
        KeyspaceSubscription subscription = store.subscribe(
                event -> {
                    hearing.changed(event);
                    if (event.sequence() == STEPS / 2) {
                        hearing.end.countDown();
                    }
                },
                listeners,
                WRITERS * STEPS);
        Future<?> closing = listeners.submit(() -> {
            awaitQuietly(hearing.end);
            subscription.close();
        });
        change(5);
        closing.get();
        listeners.shutdown();
        store.set(bytes("end"), bytes("end"));

        assertNull(hearing.fault.get());
        assertTrue(subscription.sequence() <= WRITERS * STEPS);
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
