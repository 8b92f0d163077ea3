package io.kvorum.core.typed;

import static io.kvorum.core.Bytes.bytes;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.KeyValueStore;
import io.kvorum.core.LocalStore;
import io.kvorum.core.Replicas;
import io.kvorum.core.SetOptions;
import io.kvorum.core.StoreSettings;
import io.kvorum.core.engine.MutationWriter;
import io.kvorum.slots.HashSlot;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLongArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Real threads at one near cache. Each test ends by itself after a number of steps. */
@Timeout(60)
@Tag("races")
final class NearCacheThreadsTest {
    private static final int READERS = 3;

    private final ExecutorService executor = Executors.newFixedThreadPool(READERS + 1);

    @AfterEach
    void close() {
        executor.shutdownNow();
    }

    /**
     * The values of each key grow. A reader sees none that is below the last one whose write had returned before the
     * reader began, and none below what it has seen itself.
     */
    @ParameterizedTest
    @CsvSource({"1, 1000, 40000", "4, 1000, 40000", "50, 20, 40000"})
    void aReaderSeesNothingOlderThanTheLastCompletedWrite(int keys, long maxEntries, int writes) throws Exception {
        LocalStore binary = new LocalStore(StoreSettings.defaults().withStripes(2), 7, () -> Instant.EPOCH);
        try (TypedStore<String, Long> store = TypedStore.nearCached(binary, Codec.text(), Codec.int64(), maxEntries)) {
            AtomicLongArray completed = new AtomicLongArray(keys);
            for (int i = 0; i < keys; i++) {
                store.set(key(i), 0L);
            }
            AtomicBoolean done = new AtomicBoolean();
            List<Callable<Void>> tasks = new ArrayList<>();
            tasks.add(() -> {
                try {
                    SplittableRandom random = new SplittableRandom(3);
                    for (long value = 1; value <= writes; value++) {
                        int key = random.nextInt(keys);
                        write(store, binary, key(key), value, random);
                        completed.set(key, value);
                    }
                } finally {
                    done.set(true);
                }
                return null;
            });
            for (int reader = 0; reader < READERS; reader++) {
                SplittableRandom random = new SplittableRandom(10 + reader);
                tasks.add(() -> {
                    long[] seen = new long[keys];
                    while (!done.get()) {
                        int key = random.nextInt(keys);
                        long atLeast = Math.max(seen[key], completed.get(key));
                        Long value = store.get(key(key));
                        assertTrue(value != null && value >= atLeast, () -> value + " after " + atLeast);
                        seen[key] = value;
                    }
                    return null;
                });
            }
            run(tasks);
            for (int i = 0; i < keys; i++) {
                assertEquals(completed.get(i), store.get(key(i)));
            }
        }
    }

    /** One of the ways in which a value comes into a store; other keys keep what they have. */
    private static void write(
            TypedStore<String, Long> store, LocalStore binary, String key, long value, SplittableRandom random) {
        switch (random.nextInt(200)) {
            case 0 -> {
                LocalStore other = Replicas.empty(3);
                Replicas.load(other, Replicas.chunks(binary, 1_000));
                other.set(bytes(key), Codec.int64().encode(value));
                Replicas.load(binary, Replicas.chunks(other, 1_000));
            }
            case 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 -> {
                ByteBuf change = Unpooled.buffer();
                MutationWriter.put(change, bytes(key), Codec.int64().encode(value), KeyValueStore.NO_DEADLINE);
                binary.replicatedState().apply(HashSlot.of(bytes(key)), change);
            }
            case 11, 12, 13, 14, 15, 16, 17, 18, 19, 20 -> store.compute(key, before -> value);
            case 21, 22, 23, 24, 25 -> binary.set(bytes(key), Codec.int64().encode(value));
            default -> store.set(key, value);
        }
    }

    /** A transaction changes two keys: who has seen the one changed sees the other changed. */
    @Test
    void aTransactionIsSeenAsOne() throws Exception {
        LocalStore binary = new LocalStore();
        try (TypedStore<String, Long> store = TypedStore.nearCached(binary, Codec.text(), Codec.int64(), 100)) {
            store.set("{a}1", 0L);
            store.set("{a}2", 0L);
            AtomicBoolean done = new AtomicBoolean();
            List<Callable<Void>> tasks = new ArrayList<>();
            tasks.add(() -> {
                try {
                    for (long i = 1; i <= 40_000; i++) {
                        long value = i;
                        store.transact(store.slotOf("{a}1"), keys -> {
                            keys.set("{a}1", value);
                            return keys.set("{a}2", value, SetOptions.defaults());
                        });
                    }
                } finally {
                    done.set(true);
                }
                return null;
            });
            for (int reader = 0; reader < READERS; reader++) {
                List<String> order = reader == 0 ? List.of("{a}1", "{a}2") : List.of("{a}2", "{a}1");
                tasks.add(() -> {
                    while (!done.get()) {
                        Long first = store.get(order.get(0));
                        Long second = store.get(order.get(1));
                        assertTrue(
                                first != null && second != null && second >= first, () -> second + " after " + first);
                    }
                    return null;
                });
            }
            run(tasks);
        }
    }

    private static String key(int number) {
        return "k" + number;
    }

    private void run(List<Callable<Void>> tasks) throws Exception {
        for (Future<Void> task : executor.invokeAll(tasks)) {
            task.get();
        }
    }
}
