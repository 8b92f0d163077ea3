package io.kvorum.core;

import static io.kvorum.core.Bytes.bytes;
import static io.kvorum.core.Bytes.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.HashSlot;
import io.kvorum.slots.topology.RefusedException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Several operations on the keys of one slot as one. */
@ParameterizedClass(name = "{0}")
@EnumSource(Tables.class)
@Timeout(60)
final class TransactionTest {
    private static final byte[] A = bytes("{t}a");
    private static final byte[] B = bytes("{t}b");
    private static final int SLOT = HashSlot.of(A);
    private static final long NOW = 1_000;

    private final Tables engine;
    private final FixedClock clock = new FixedClock(NOW);
    private final List<List<Mutation>> feed = new ArrayList<>();
    private final LocalStore store;

    TransactionTest(Tables engine) {
        this.engine = engine;
        this.store = new LocalStore(engine.settings(), 7, clock, (slot, change) -> feed.add(Mutation.readAll(change)));
    }

    @Test
    void seesItsOwnChanges() {
        store.set(A, bytes("1"));
        String seen = store.transact(SLOT, keys -> {
            keys.increment(A, 1);
            keys.copy(A, B);
            keys.append(B, bytes("0"));
            keys.delete(A);
            keys.expireAt(B, NOW + 5);
            assertFalse(keys.exists(A));
            assertEquals(OptionalLong.of(NOW + 5), keys.deadlineOf(B));
            return text(keys.get(B));
        });

        assertEquals("20", seen);
        assertNull(store.get(A));
        assertEquals("20", text(store.get(B)));
    }

    @Test
    void isOneChangeWithOneEffectForEachKey() {
        store.transact(SLOT, keys -> {
            for (int i = 0; i < 10; i++) {
                keys.increment(A, 1);
                keys.set(B, bytes("b"));
            }
            keys.delete(B);
            return null;
        });

        assertEquals(List.of(List.of(new Mutation.Put(new Entry(A, bytes("10"))))), feed);
    }

    @Test
    void withoutEffectIsNoChange() {
        store.transact(SLOT, keys -> {
            keys.delete(A);
            keys.set(B, bytes("b"));
            keys.getAndDelete(B);
            return keys.get(A);
        });

        assertEquals(List.of(), feed);
        assertEquals(0, store.size());
    }

    @Test
    void thatThrowsChangesNothing() {
        store.set(A, bytes("1"));
        long digest = store.digest();
        assertThrows(
                NumberFormatException.class,
                () -> store.transact(SLOT, keys -> {
                    keys.delete(A);
                    keys.set(B, bytes("x"));
                    return keys.increment(B, 1);
                }));

        assertEquals(digest, store.digest());
        assertEquals(1, feed.size());
    }

    @Test
    void thatIsRefusedChangesNothing() {
        LocalStore refusing = new LocalStore(engine.settings(), 7, clock, (slot, change) -> {
            throw new RefusedException(RefusedException.Kind.FENCED, "of a test", slot, null, null, null, 1);
        });
        assertThrows(
                RefusedException.class,
                () -> refusing.transact(SLOT, keys -> {
                    keys.set(A, bytes("1"));
                    keys.set(B, bytes("1"));
                    return null;
                }));

        assertEquals(0, refusing.size());
        assertNull(refusing.get(A));
    }

    /** Whatever can be refused is refused before the first key is changed. */
    @Test
    void withOneValueThatIsTooLongChangesNothing() {
        LocalStore small = new LocalStore(engine.settings().withMaxValueLength(10), 7, clock);
        small.set(A, bytes("0123456789"));
        List<Entry> entries = List.of(new Entry(A, bytes("1")), new Entry(B, new byte[11]));
        assertThrows(IllegalArgumentException.class, () -> small.setAll(entries));
        assertThrows(
                IllegalArgumentException.class,
                () -> small.transact(SLOT, keys -> {
                    keys.delete(A);
                    keys.set(B, bytes("1"));
                    return keys.append(B, new byte[10]);
                }));

        assertEquals("0123456789", text(small.get(A)));
        assertEquals(1, small.size());
    }

    /** Two values fit each by itself, and not together. */
    @ParameterizedTest
    @EnumSource(MemoryLimit.WhenFull.class)
    void thatDoesNotFitAsAWholeChangesNothing(MemoryLimit.WhenFull whenFull) {
        MemoryLimit limit = MemoryLimit.bytes(2_000, whenFull);
        LocalStore small = new LocalStore(StoreSettings.defaults().withLimit(limit), 7, clock);
        small.set(A, bytes("1"));
        RefusedException refusal = assertThrows(
                RefusedException.class,
                () -> small.transact(SLOT, keys -> {
                    keys.delete(A);
                    keys.set(B, new byte[1_200]);
                    keys.set(bytes("{t}c"), new byte[1_200]);
                    return null;
                }));

        assertEquals(RefusedException.Kind.OUT_OF_MEMORY, refusal.kind());
        assertEquals("1", text(small.get(A)));
        assertEquals(1, small.size());
        assertEquals(StoreHealth.State.OK, small.health().state());
    }

    @Test
    void hasTheKeysOfItsSlotOnly() {
        RefusedException refusal = assertThrows(
                RefusedException.class,
                () -> store.transact(SLOT, keys -> {
                    keys.set(A, bytes("1"));
                    return keys.get(bytes("{x}"));
                }));

        assertEquals(RefusedException.Kind.CROSS_SLOT, refusal.kind());
        assertEquals(0, store.size());
        assertThrows(IllegalArgumentException.class, () -> store.transact(16_384, keys -> null));
        assertThrows(IllegalArgumentException.class, () -> store.read(-1, keys -> null));
    }

    @Test
    void endsWithItsFunction() {
        KeyOperations[] kept = new KeyOperations[1];
        KeyReads[] read = new KeyReads[1];
        store.transact(SLOT, keys -> kept[0] = keys);
        store.read(SLOT, keys -> read[0] = keys);

        assertThrows(IllegalStateException.class, () -> kept[0].set(A, bytes("1")));
        assertThrows(IllegalStateException.class, () -> kept[0].get(A));
        assertThrows(IllegalStateException.class, () -> read[0].get(A));
        assertEquals(0, store.size());
    }

    @Test
    void hasOneTimeThroughout() {
        store.set(A, bytes("1"), SetOptions.defaults().withDeadline(NOW + 1));
        List<String> seen = store.transact(SLOT, keys -> {
            String before = text(keys.get(A));
            clock.set(NOW + 2);
            return Arrays.asList(before, text(keys.get(A)));
        });

        assertEquals(List.of("1", "1"), seen);
        assertNull(store.get(A));
    }

    /** The same store or another one, the same slot or another one: who waits with a lock held may wait for ever. */
    @ParameterizedTest
    @ValueSource(strings = {"{t}a", "{u}a"})
    void mustUseNoStore(String key) {
        LocalStore other = new LocalStore();
        for (LocalStore used : List.of(store, other)) {
            assertThrows(
                    IllegalStateException.class,
                    () -> store.transact(SLOT, keys -> {
                        used.set(bytes(key), bytes("1"));
                        return null;
                    }));
            assertThrows(IllegalStateException.class, () -> store.read(SLOT, keys -> used.delete(bytes(key))));
            assertThrows(
                    IllegalStateException.class, () -> store.compute(A, value -> bytes("" + used.transact(1, k -> 1))));
            assertThrows(
                    IllegalStateException.class, () -> store.read(SLOT, keys -> used.dropSlot(SLOT) + used.digest()));
        }

        assertEquals(0, store.size() + other.size());
        store.set(A, bytes("1")); // and no lock is left behind
        assertEquals("1", text(store.get(A)));
    }

    /** A sink is called when the function is done: it may feed another store, as a replica in the same process does. */
    @Test
    void isTakenByASinkThatUsesAnotherStore() {
        LocalStore copy = new LocalStore(StoreSettings.defaults(), 9, clock);
        LocalStore original = new LocalStore(StoreSettings.defaults(), 7, clock, copy.replicatedState()::apply);
        original.increment(A, 7);
        original.rename(A, B);

        assertEquals("7", text(copy.get(B)));
        assertEquals(original.digest(), copy.digest());
    }

    @Test
    void neverShowsOneVersionWithTwoValues() {
        store.set(A, bytes("1"));
        Map<Long, String> seen = new HashMap<>();
        for (int i = 0; i < 3; i++) {
            see(seen, store.lookUp(A));
            assertThrows(
                    UnsupportedOperationException.class,
                    () -> store.transact(SLOT, keys -> {
                        see(seen, keys.lookUp(A));
                        keys.increment(A, 10);
                        see(seen, keys.lookUp(A));
                        throw new UnsupportedOperationException();
                    }));
            see(seen, store.lookUp(A));
            store.transact(SLOT, keys -> {
                see(seen, keys.lookUp(A));
                keys.increment(A, 1);
                see(seen, keys.lookUp(A));
                return keys.increment(A, 1);
            });
        }
    }

    /** A full sync replaces every key, so no version from before says anything of what is there now. */
    @Test
    void seesLaterVersionsAfterAFullSync() {
        store.set(A, bytes("1"));
        LocalStore other = new LocalStore(StoreSettings.defaults(), 9, clock);
        other.set(A, bytes("2"));
        StoredValue before = store.lookUp(A);
        Replicas.load(store, Replicas.chunks(other, 1_000));
        StoredValue after = store.lookUp(A);

        assertTrue(before != null && after != null && after.version() > before.version());
        assertEquals("2", text(after.value()));
    }

    private static void see(Map<Long, String> seen, @Nullable StoredValue value) {
        if (value == null) {
            throw new AssertionError("the key exists");
        }
        String text = String.valueOf(text(value.value()));
        String before = seen.put(value.version(), text);
        assertTrue(before == null || before.equals(text), () -> before + " and " + text);
    }

    @Test
    void refusesAKeyOfAnotherSlotBeforeItLooksAtTheOthers() {
        store.set(A, bytes("1"));
        RefusedException refusal = assertThrows(
                RefusedException.class,
                () -> store.transact(
                        SLOT,
                        keys -> keys.setAllIfAbsent(
                                List.of(new Entry(A, bytes("2")), new Entry(bytes("{x}"), bytes("2"))))));

        assertEquals(RefusedException.Kind.CROSS_SLOT, refusal.kind());
    }

    /** A deadline alone leaves the value where it is, whatever comes before and after it. */
    @Test
    void givesDeadlinesAndValuesInAnyOrder() {
        SplittableRandom random = new SplittableRandom(3);
        LocalStore copy = new LocalStore(StoreSettings.defaults(), 9, clock);
        LocalStore original = new LocalStore(StoreSettings.defaults(), 7, clock, copy.replicatedState()::apply);
        Map<String, Entry> model = new HashMap<>();
        for (int i = 0; i < 2_000; i++) {
            original.transact(SLOT, keys -> {
                for (int j = random.nextInt(5); j >= 0; j--) {
                    String name = "{t}" + random.nextInt(4);
                    byte[] key = bytes(name);
                    Entry entry = model.get(name);
                    long deadline = NOW + 1 + random.nextInt(1_000);
                    switch (random.nextInt(5)) {
                        case 0 -> {
                            keys.set(key, new byte[random.nextInt(60)]);
                            model.put(name, new Entry(key, Objects.requireNonNull(keys.get(key))));
                        }
                        case 1 -> {
                            keys.append(key, bytes("+"));
                            long kept = entry == null ? KeyValueStore.NO_DEADLINE : entry.deadline();
                            model.put(name, new Entry(key, Objects.requireNonNull(keys.get(key)), kept));
                        }
                        case 2 -> {
                            assertEquals(entry != null, keys.expireAt(key, deadline));
                            model.computeIfPresent(name, (n, e) -> new Entry(key, e.value(), deadline));
                        }
                        case 3 -> {
                            assertEquals(entry != null && entry.deadline() >= 0, keys.persist(key));
                            model.computeIfPresent(name, (n, e) -> new Entry(key, e.value()));
                        }
                        default -> assertEquals(model.remove(name) != null, keys.delete(key));
                    }
                }
                return null;
            });
            assertEquals(Replicas.of(model.values()).digest(), original.digest());
        }
        assertEquals(original.digest(), copy.digest());
    }

    @Test
    void mayChangeManyKeys() {
        store.transact(SLOT, keys -> {
            for (int i = 0; i < 1_000; i++) {
                keys.set(bytes("{t}" + i), bytes("v" + i));
            }
            for (int i = 0; i < 1_000; i += 2) {
                assertTrue(keys.delete(bytes("{t}" + i)));
            }
            return null;
        });

        assertEquals(500, store.size());
        assertEquals("v999", text(store.get(bytes("{t}999"))));
        assertEquals(1, feed.size());
    }

    /**
     * Each thread moves amounts between two accounts of one slot, in either order and in many slots at once; others add
     * up what is in a slot. No sum is ever another, nobody waits for ever.
     */
    @Test
    void isAtomicAndIsolatedAmongThreads() throws Exception {
        int threads = 4;
        int tags = 3;
        LocalStore bank = new LocalStore(engine.settings().withStripes(2), 7, clock);
        for (int i = 0; i < tags; i++) {
            bank.setAll(List.of(
                    new Entry(bytes("{" + i + "}0"), bytes("500")), new Entry(bytes("{" + i + "}1"), bytes("500"))));
        }
        ExecutorService executor = Executors.newFixedThreadPool(threads);
        CountDownLatch start = new CountDownLatch(threads);
        List<Callable<Void>> tasks = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            SplittableRandom random = new SplittableRandom(t);
            tasks.add(() -> {
                start.countDown();
                start.await();
                for (int i = 0; i < 10_000; i++) {
                    int tag = random.nextInt(tags);
                    byte[] from = bytes("{" + tag + "}" + (i & 1));
                    byte[] to = bytes("{" + tag + "}" + (1 - (i & 1)));
                    int slot = HashSlot.of(from);
                    switch (random.nextInt(3)) {
                        case 0 -> bank.transact(slot, keys -> keys.increment(from, -1) + keys.increment(to, 1));
                        case 1 ->
                            assertEquals(
                                    1_000L,
                                    bank.<Long>read(slot, keys -> number(keys.get(from)) + number(keys.get(to))));
                        default -> {
                            List<byte[]> both = bank.getAll(List.of(to, from));
                            assertEquals(1_000, number(both.get(0)) + number(both.get(1)));
                        }
                    }
                }
                return null;
            });
        }
        try {
            for (Future<Void> future : executor.invokeAll(tasks)) {
                future.get();
            }
        } finally {
            executor.shutdownNow();
        }
    }

    private static long number(byte @Nullable [] value) {
        return Long.parseLong(String.valueOf(text(value)));
    }

    /** Random transactions on a store and on a map; every third throws in the end. What the feed tells is the same. */
    @ParameterizedTest(name = "seed={0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void isAsGoodAsItsOperationsOneAfterTheOther(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Map<String, String> model = new HashMap<>();
        for (int i = 0; i < 500; i++) {
            Map<String, String> after = new HashMap<>(model);
            boolean fails = random.nextInt(3) == 0;
            try {
                store.transact(SLOT, keys -> {
                    for (int j = random.nextInt(40); j > 0; j--) {
                        step(keys, after, random);
                    }
                    if (fails) {
                        throw new UnsupportedOperationException();
                    }
                    return null;
                });
                model = after;
            } catch (UnsupportedOperationException e) {
                assertTrue(fails);
            }
            assertEquals(model.size(), store.size());
        }
        for (Map.Entry<String, String> entry : model.entrySet()) {
            assertEquals(entry.getValue(), text(store.get(bytes(entry.getKey()))));
        }
        Map<String, String> told = new HashMap<>();
        for (Mutation mutation : feed.stream().flatMap(List::stream).toList()) {
            if (mutation instanceof Mutation.Put put) {
                told.put(text(put.key()), text(put.entry().value()));
            } else {
                told.remove(text(mutation.key()));
            }
        }
        assertEquals(model, told);
    }

    private static void step(KeyOperations keys, Map<String, String> model, SplittableRandom random) {
        String name = "{t}" + random.nextInt(30);
        String other = "{t}" + random.nextInt(30);
        byte[] key = bytes(name);
        String present = model.get(name);
        switch (random.nextInt(6)) {
            case 0 -> {
                keys.set(key, bytes(other));
                model.put(name, other);
            }
            case 1 -> assertEquals(model.remove(name) != null, keys.delete(key));
            case 2 -> {
                keys.append(key, bytes("+"));
                model.merge(name, "+", String::concat);
            }
            case 3 -> {
                assertEquals(present != null, keys.rename(key, bytes(other)));
                if (present != null) {
                    model.remove(name);
                    model.put(other, present);
                }
            }
            case 4 -> assertEquals(present, text(keys.get(key)));
            default -> {
                boolean free = present != null && !model.containsKey(other);
                assertEquals(free, keys.copyIfAbsent(key, bytes(other)));
                if (free) {
                    model.put(other, present);
                }
            }
        }
    }
}
