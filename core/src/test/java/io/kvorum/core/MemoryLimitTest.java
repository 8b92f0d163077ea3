package io.kvorum.core;

import static io.kvorum.core.Bytes.bytes;
import static io.kvorum.core.Bytes.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.MemoryLimit.WhenFull;
import io.kvorum.core.engine.Cause;
import io.kvorum.core.engine.Engines;
import io.kvorum.core.engine.MutationWriter;
import io.kvorum.core.engine.Watcher;
import io.kvorum.core.typed.Codec;
import io.kvorum.core.typed.TypedStore;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.topology.RefusedException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
final class MemoryLimitTest {
    private static final int THREADS = 4;

    private final FixedClock clock = new FixedClock(1_000);
    private final List<Mutation> feed = new ArrayList<>();
    private boolean refusing;

    private LocalStore store(MemoryLimit limit) {
        StoreSettings settings = StoreSettings.defaults().withStripes(4).withLimit(limit);
        return new LocalStore(settings, 7, clock, (slot, change) -> {
            List<Mutation> mutations = Mutation.readAll(change);
            if (refusing && mutations.stream().anyMatch(Mutation.Delete.class::isInstance)) {
                throw new RefusedException(RefusedException.Kind.FENCED, "of a test", slot, null, null, null, 1);
            }
            feed.addAll(mutations);
        });
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, Long.MIN_VALUE})
    void mustBeAtLeastOne(long most) {
        assertThrows(IllegalArgumentException.class, () -> MemoryLimit.entries(most, WhenFull.EVICT));
        assertThrows(IllegalArgumentException.class, () -> MemoryLimit.bytes(most, WhenFull.REFUSE));
    }

    @ParameterizedTest
    @EnumSource(WhenFull.class)
    void bytesAreCountedByAFormula(WhenFull whenFull) {
        int overhead = whenFull == WhenFull.EVICT ? MemoryLimit.EVICTING_OVERHEAD : MemoryLimit.OVERHEAD;
        LocalStore store = store(MemoryLimit.bytes(1_000_000, whenFull));
        store.set(bytes("key"), new byte[100]);
        store.set(bytes("other"), new byte[10], SetOptions.defaults().withDeadline(2_000));
        assertEquals(118 + 2 * overhead, store.bytes());
        store.set(bytes("key"), new byte[50]);
        store.delete(bytes("other"));

        assertEquals(53 + overhead, store.bytes());
    }

    @Test
    void whatIsEvictedIsADeletionLikeAnyOther() {
        LocalStore store = store(MemoryLimit.entries(10, WhenFull.EVICT));
        Engines.only(store).counters().start();
        List<Cause> causes = new ArrayList<>();
        Engines.only(store).watchers().add(new Watcher() {
            @Override
            public void changed(int slot, byte[] key, Cause cause) {
                causes.add(cause);
            }

            @Override
            public void replaced() {}
        });
        fill(store, 11);

        Mutation last = feed.get(feed.size() - 1);
        assertTrue(last instanceof Mutation.Delete);
        assertFalse(store.exists(last.key()));
        assertEquals(Cause.EVICTED, causes.get(causes.size() - 1));
        assertEquals(10, store.size());
        assertEquals(1, Engines.only(store).counters().evictions());
        assertEquals(0, Engines.only(store).counters().deletes());
    }

    @Test
    void evictionKeepsToALimitOfBytes() {
        long most = 100_000;
        LocalStore store = store(MemoryLimit.bytes(most, WhenFull.EVICT));
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < 5_000; i++) {
            store.set(bytes("k" + random.nextInt(1_000)), new byte[random.nextInt(2_000)]);
            assertTrue(store.bytes() <= most);
        }
        assertTrue(store.bytes() > most - 20_000, "holds only " + store.bytes());
        byte[] huge = new byte[(int) most];
        RefusedException refusal = assertThrows(RefusedException.class, () -> store.set(bytes("huge"), huge));
        assertEquals(RefusedException.Kind.OUT_OF_MEMORY, refusal.kind());
        assertTrue(store.bytes() > most - 20_000, "makes room for what does not fit");
    }

    @Test
    void hotKeysSurviveAScanOfColdOnes() {
        LocalStore store = store(MemoryLimit.entries(1_000, WhenFull.EVICT));
        for (int i = 0; i < 400; i++) {
            store.set(bytes("hot" + i), bytes("v"));
        }
        for (int i = 0; i < 20_000; i++) {
            store.get(bytes("hot" + i % 400));
            store.set(bytes("cold" + i), bytes("v"));
        }
        int left = 0;
        for (int i = 0; i < 400; i++) {
            left += store.exists(bytes("hot" + i)) ? 1 : 0;
        }

        assertEquals(1_000, store.size());
        assertTrue(left > 380, "only " + left + " are left");
    }

    @Test
    void listenersAndNearCachesLearnOfWhatIsEvicted() {
        LocalStore store = store(MemoryLimit.entries(10, WhenFull.EVICT));
        List<KeyspaceEvent> events = new ArrayList<>();
        try (KeyspaceSubscription subscription = store.subscribe(events::add, Runnable::run, 100);
                TypedStore<String, String> near = TypedStore.nearCached(store, Codec.text(), Codec.text(), 100)) {
            fill(store, 10);
            for (int i = 0; i < 10; i++) {
                assertEquals(text(store.get(bytes("k" + i))), near.get("k" + i));
            }
            fill(store, 30);
            for (int i = 0; i < 30; i++) {
                assertEquals(text(store.get(bytes("k" + i))), near.get("k" + i));
            }
            List<KeyspaceEvent> evicted = events.stream()
                    .filter(event -> event.kind() == KeyspaceEvent.Kind.EVICTED)
                    .toList();
            assertTrue(evicted.size() >= 20, () -> evicted.size() + " events");
            assertEquals(0, subscription.lost());
        }
    }

    @Test
    void anEvictionThatFailsDoesNotFailTheWriteThatWasMade() {
        StoreSettings settings = StoreSettings.defaults().withLimit(MemoryLimit.entries(2, WhenFull.EVICT));
        LocalStore store = new LocalStore(settings, 7, clock, (slot, change) -> {
            if (Mutation.readAll(change).get(0) instanceof Mutation.Delete) {
                throw new IllegalStateException("of a test");
            }
        });
        fill(store, 5);

        assertEquals(5, store.size());
    }

    @Test
    void aRefusedEvictionLeavesTheWriteMadeAndIsMadeUpForLater() {
        LocalStore store = store(MemoryLimit.entries(10, WhenFull.EVICT));
        refusing = true;
        fill(store, 15);
        assertEquals(15, store.size());
        refusing = false;
        store.set(bytes("k0"), bytes("again"));

        assertEquals(10, store.size());
    }

    @Test
    void aReplicaNeverEvicts() {
        LocalStore replica = store(MemoryLimit.entries(10, WhenFull.EVICT));
        for (int i = 0; i < 50; i++) {
            ByteBuf change = Unpooled.buffer();
            byte[] key = bytes("k" + i);
            MutationWriter.put(change, key, bytes("v"), KeyValueStore.NO_DEADLINE);
            replica.replicatedState().apply(HashSlot.of(key), change);
        }
        assertEquals(50, replica.size());
        assertEquals(List.of(), feed);
        replica.set(bytes("k0"), bytes("as the primary"));

        assertEquals(10, replica.size());
    }

    @Test
    void aFullSyncIsCounted() {
        LocalStore full = store(MemoryLimit.entries(10, WhenFull.REFUSE));
        LocalStore half = store(MemoryLimit.entries(10, WhenFull.REFUSE));
        fill(full, 10);
        fill(half, 5);
        Replicas.load(full, Replicas.chunks(half, 1_000));
        full.set(bytes("a sixth"), bytes("v"));
        Replicas.load(half, Replicas.chunks(full, 1_000));

        for (int i = 0; i < 4; i++) {
            half.set(bytes("more" + i), bytes("v"));
        }
        assertThrows(RefusedException.class, () -> half.set(bytes("more4"), bytes("v")));
    }

    @Test
    void aRefusedWriteChangesNothing() {
        LocalStore store = store(MemoryLimit.bytes(10 * (48 + 4), WhenFull.REFUSE));
        for (int i = 0; i < 10; i++) {
            store.set(bytes("k" + i), bytes("12"));
        }
        long digest = store.digest();
        int changes = feed.size();
        List<Entry> two = List.of(new Entry(bytes("{t}a"), bytes("")), new Entry(bytes("{t}b"), bytes("")));

        RefusedException refusal = assertThrows(RefusedException.class, () -> store.set(bytes("new"), bytes("")));
        assertEquals(RefusedException.Kind.OUT_OF_MEMORY, refusal.kind());
        assertThrows(RefusedException.class, () -> store.set(bytes("k0"), bytes("123")));
        assertThrows(RefusedException.class, () -> store.append(bytes("k0"), bytes("3")));
        assertThrows(RefusedException.class, () -> store.setAll(two));
        assertEquals(digest, store.digest());
        assertEquals(changes, feed.size());
    }

    @Test
    void whatTakesNoMoreRoomIsNotRefused() {
        LocalStore store = store(MemoryLimit.entries(10, WhenFull.REFUSE));
        fill(store, 10);
        store.set(bytes("k0"), bytes("another"));
        store.append(bytes("k1"), bytes("longer"));
        store.expireAt(bytes("k2"), 2_000);
        assertEquals("another", text(store.get(bytes("k0"))));
        assertThrows(RefusedException.class, () -> store.set(bytes("new"), bytes("v")));
        store.delete(bytes("k1"));
        store.set(bytes("new"), bytes("v"));
        assertThrows(RefusedException.class, () -> store.set(bytes("newer"), bytes("v")));
        clock.set(2_001);
        assertEquals(1, store.expire(10));
        store.set(bytes("newer"), bytes("v"));

        assertEquals(10, store.size());
    }

    @Test
    void whatTheSinkRefusesTakesNoRoom() {
        LocalStore store = new LocalStore(
                StoreSettings.defaults().withLimit(MemoryLimit.entries(1, WhenFull.REFUSE)),
                7,
                clock,
                (slot, change) -> {
                    if (refusing) {
                        throw new RefusedException(
                                RefusedException.Kind.FENCED, "of a test", slot, null, null, null, 1);
                    }
                });
        refusing = true;
        assertThrows(RefusedException.class, () -> store.set(bytes("k"), bytes("v")));
        assertThrows(RefusedException.class, () -> store.append(bytes("k"), bytes("v")));
        refusing = false;
        store.set(bytes("k"), bytes("v"));

        assertEquals(1, store.size());
    }

    @ParameterizedTest
    @EnumSource(WhenFull.class)
    void holdsUnderConcurrentWriters(WhenFull whenFull) throws Exception {
        int most = 200;
        StoreSettings settings = StoreSettings.defaults().withLimit(MemoryLimit.entries(most, whenFull));
        LocalStore store = new LocalStore(settings, 7, clock);
        ExecutorService executor = Executors.newFixedThreadPool(THREADS);
        try {
            List<Callable<Integer>> tasks = new ArrayList<>();
            for (int t = 0; t < THREADS; t++) {
                SplittableRandom random = new SplittableRandom(t);
                tasks.add(() -> {
                    int wrong = 0;
                    for (int i = 0; i < 20_000; i++) {
                        byte[] key = bytes("k" + random.nextInt(1_000));
                        try {
                            wrong += Engines.only(store).budget().isBeyond(THREADS) ? 1 : 0;
                            if (random.nextInt(4) == 0) {
                                store.delete(key);
                            } else {
                                store.set(key, bytes("v"));
                            }
                        } catch (RefusedException e) {
                            wrong += e.kind() == RefusedException.Kind.OUT_OF_MEMORY ? 0 : 1;
                        }
                    }
                    return wrong;
                });
            }
            for (Future<Integer> future : executor.invokeAll(tasks)) {
                assertEquals(0, future.get());
            }
        } finally {
            executor.shutdownNow();
        }
        assertTrue(store.size() <= most, "holds " + store.size());
    }

    private static void fill(LocalStore store, int count) {
        for (int i = 0; i < count; i++) {
            store.set(bytes("k" + i), bytes("v"));
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 50", "1, 100000", "1, 1000000", "64, 10000", "64, 1000000"})
    void whatWasJustSetStaysWhateverItsSize(int stripes, int size) {
        LocalStore evicting = new LocalStore(
                StoreSettings.defaults()
                        .withStripes(stripes)
                        .withLimit(MemoryLimit.bytes(4_000_000, MemoryLimit.WhenFull.EVICT)),
                1,
                new FixedClock(1));
        for (int i = 0; i < 20_000; i++) {
            evicting.set(bytes("k" + i), new byte[50]);
        }
        for (int i = 0; i < 20_000; i++) {
            evicting.get(bytes("k" + i));
        }
        for (int i = 0; i < 20; i++) {
            long before = evicting.size();
            evicting.set(bytes("big" + i), new byte[size]);

            assertTrue(evicting.exists(bytes("big" + i)));
            long gone = before + 1 - evicting.size();
            assertTrue(gone <= (size + 200L) / 250 + 64, "others gone: " + gone);
            assertTrue(evicting.bytes() <= 4_000_000);
        }
    }
}
