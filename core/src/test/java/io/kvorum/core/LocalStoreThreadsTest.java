package io.kvorum.core;

import static io.kvorum.core.Bytes.bytes;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.Replicas.Change;
import io.kvorum.core.SetOptions.Condition;
import io.kvorum.replication.Restoration;
import io.kvorum.replication.SnapshotScan;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Real threads at one store. Each test ends by itself after a number of steps. */
@ParameterizedClass(name = "{0}")
@EnumSource(Tables.class)
@Timeout(60)
@Tag("races")
final class LocalStoreThreadsTest {
    private static final int THREADS = 4;
    private static final int KEYS = 20;
    private static final int STEPS = 20_000;

    private final Tables engine;
    private final FixedClock clock = new FixedClock(1_000);
    private final ExecutorService executor = Executors.newFixedThreadPool(THREADS + 1);

    LocalStoreThreadsTest(Tables engine) {
        this.engine = engine;
    }

    @AfterEach
    void close() {
        executor.shutdownNow();
    }

    /**
     * A value is a number and its complement over and over, so that a mixture of two values shows; long, to take time.
     */
    @Test
    void aReadNeverSeesHalfOfAWrite() throws Exception {
        LocalStore store = new LocalStore(engine.settings().withStripes(2), 7, clock);
        List<Callable<Void>> tasks = new ArrayList<>();
        for (int t = 0; t < THREADS; t++) {
            SplittableRandom random = new SplittableRandom(t);
            tasks.add(() -> {
                for (int i = 0; i < STEPS; i++) {
                    byte[] key = bytes("k" + random.nextInt(KEYS));
                    switch (random.nextInt(12)) {
                        case 0 -> store.delete(key);
                        case 1 -> store.set(key, value(random, 2_500)); // many of these have a segment of their own
                        case 2, 3 -> store.set(key, value(random, 100));
                        case 4 -> store.set(bytes("other" + random.nextInt(5_000)), value(random, 10));
                        case 5 -> store.expireAt(key, 2_000);
                        case 6 -> store.persist(key);
                        default -> check(store.get(key));
                    }
                }
                return null;
            });
        }
        run(tasks);
    }

    @Test
    void aReadMissesNothingWhileTheTableGrows() throws Exception {
        LocalStore store = new LocalStore(engine.settings().withStripes(1), 7, clock);
        for (int i = 0; i < KEYS; i++) {
            store.set(bytes("k" + i), bytes("v"));
        }
        AtomicBoolean done = new AtomicBoolean();
        List<Callable<Void>> tasks = new ArrayList<>();
        tasks.add(() -> {
            for (int i = 0; i < 100_000; i++) {
                store.set(bytes("other" + i), bytes("v"));
            }
            done.set(true);
            return null;
        });
        tasks.add(() -> {
            for (int i = 0; !done.get(); i = (i + 1) % KEYS) {
                assertTrue(store.get(bytes("k" + i)) != null);
                assertTrue(store.exists(bytes("k" + i)));
            }
            return null;
        });
        run(tasks);
    }

    @Test
    void ifAbsentIsWonOnce() throws Exception {
        LocalStore store = new LocalStore(engine.settings(), 7, clock);
        AtomicInteger won = new AtomicInteger();
        List<Callable<Void>> tasks = new ArrayList<>();
        for (int t = 0; t < THREADS; t++) {
            tasks.add(() -> {
                for (int i = 0; i < STEPS; i++) {
                    byte[] key = bytes("k" + i);
                    if (store.set(key, key, SetOptions.defaults().withCondition(Condition.IF_ABSENT))) {
                        won.incrementAndGet();
                    }
                }
                return null;
            });
        }
        run(tasks);

        assertEquals(STEPS, won.get());
        assertEquals(STEPS, store.size());
    }

    @Test
    void severalKeysAreReadAsOfOneMoment() throws Exception {
        LocalStore store = new LocalStore(engine.settings(), 7, clock);
        byte[] a = bytes("{t}a");
        byte[] b = bytes("{t}b");
        store.setAll(List.of(new Entry(a, bytes("0")), new Entry(b, bytes("0"))));
        List<Callable<Void>> tasks = new ArrayList<>();
        for (int t = 0; t < THREADS; t++) {
            boolean writes = t % 2 == 0;
            String prefix = "w" + t + "-";
            tasks.add(() -> {
                for (int i = 0; i < STEPS; i++) {
                    if (writes) {
                        byte[] value = bytes(prefix + i);
                        store.setAll(List.of(new Entry(a, value), new Entry(b, value)));
                    } else {
                        List<byte[]> values = store.getAll(List.of(b, a));
                        assertTrue(Arrays.equals(values.get(0), values.get(1)));
                    }
                }
                return null;
            });
        }
        run(tasks);
    }

    @Test
    void theFeedIsInTheOrderOfTheStoreAndASnapshotMissesNothing() throws Exception {
        List<Change> log = Collections.synchronizedList(new ArrayList<>());
        LocalStore store = new LocalStore(
                engine.settings().withStripes(4), 7, clock, (slot, change) -> log.add(Change.copyOf(slot, change)));
        AtomicBoolean done = new AtomicBoolean();
        LocalStore synced = Replicas.empty(9);
        Future<Integer> sync = executor.submit(() -> {
            int rounds = 0;
            while (!done.get() || rounds == 0) {
                int end = fullSync(store, log, synced);
                LocalStore replayed = Replicas.empty(10);
                for (int i = 0; i < end; i++) {
                    replayed.replicatedState()
                            .apply(log.get(i).slot(), log.get(i).payload());
                }
                assertEquals(replayed.digest(), synced.digest());
                rounds++;
            }
            return rounds;
        });
        List<Callable<Void>> tasks = new ArrayList<>();
        for (int t = 0; t < THREADS; t++) {
            SplittableRandom random = new SplittableRandom(t);
            tasks.add(() -> {
                for (int i = 0; i < STEPS / 2; i++) {
                    byte[] key = bytes("k" + random.nextInt(200));
                    switch (random.nextInt(4)) {
                        case 0 -> store.delete(key);
                        case 1 -> store.expireAt(key, 2_000 + random.nextInt(100));
                        default -> store.set(key, value(random, 10));
                    }
                }
                return null;
            });
        }
        run(tasks);
        done.set(true);
        assertTrue(sync.get() > 0);
        LocalStore replayed = Replicas.empty(10);
        Replicas.apply(replayed, log);
        assertEquals(log.size(), fullSync(store, log, synced));

        assertEquals(store.digest(), replayed.digest());
        assertEquals(store.digest(), synced.digest());
    }

    /** A writer that waited for the lock of a state that is replaced must not write to it. */
    @Test
    void whatTheFeedHasAfterAReplacementIsInTheNewState() throws Exception {
        List<Change> log = Collections.synchronizedList(new ArrayList<>());
        LocalStore store = new LocalStore(
                engine.settings().withStripes(1), 7, clock, (slot, change) -> log.add(Change.copyOf(slot, change)));
        AtomicBoolean done = new AtomicBoolean();
        Future<Integer> replacing = executor.submit(() -> {
            int checked = 0;
            while (!done.get()) {
                store.replicatedState().restore().complete();
                int first = log.size();
                while (log.size() < first + 4 && !done.get()) {
                    Thread.onSpinWait();
                }
                int end = log.size() - 1; // whatever is before the last one has been applied: there is one lock
                for (int i = first; i < end; i++) {
                    assertTrue(store.exists(
                            Mutation.readAll(log.get(i).payload()).get(0).key()));
                    checked++;
                }
            }
            return checked;
        });
        List<Callable<Void>> tasks = new ArrayList<>();
        for (int t = 0; t < THREADS; t++) {
            String prefix = "w" + t + "-";
            tasks.add(() -> {
                for (int i = 0; i < STEPS; i++) {
                    store.set(bytes(prefix + i), bytes("v"));
                }
                return null;
            });
        }
        run(tasks);
        done.set(true);

        assertTrue(replacing.get() > 0);
    }

    /** What a primary does for a replica that has nothing, while writers go on. Returns the end of what was sent. */
    private static int fullSync(LocalStore from, List<Change> log, LocalStore to) {
        Restoration restoration = to.replicatedState().restore();
        int sent = log.size();
        try (SnapshotScan scan = from.replicatedState().snapshot()) {
            ByteBuf chunk = Unpooled.buffer();
            int upTo = log.size();
            while (scan.next(chunk.clear(), 500)) {
                for (; sent < upTo; sent++) {
                    restoration.apply(log.get(sent).slot(), log.get(sent).payload());
                }
                restoration.load(chunk);
                upTo = log.size();
            }
        }
        int end = log.size();
        for (; sent < end; sent++) {
            restoration.apply(log.get(sent).slot(), log.get(sent).payload());
        }
        restoration.complete();
        return end;
    }

    private void run(List<Callable<Void>> tasks) throws Exception {
        for (Future<Void> future : executor.invokeAll(tasks)) {
            future.get();
        }
    }

    private static byte[] value(SplittableRandom random, int parts) {
        long number = random.nextLong();
        ByteBuffer value = ByteBuffer.allocate(16 * (1 + random.nextInt(parts)));
        while (value.hasRemaining()) {
            value.putLong(number).putLong(~number);
        }
        return value.array();
    }

    private static void check(byte @Nullable [] bytes) {
        if (bytes == null) {
            return;
        }
        ByteBuffer value = ByteBuffer.wrap(bytes);
        long number = value.getLong(0);
        while (value.hasRemaining()) {
            assertEquals(number, value.getLong());
            assertEquals(~number, value.getLong());
        }
    }
}
