package io.kvorum.core;

import static io.kvorum.core.Bytes.bytes;
import static io.kvorum.core.Bytes.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.engine.Engines;
import io.kvorum.core.replicated.OneNode;
import io.kvorum.core.replicated.ReadLevel;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.MalformedTextException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ScanTest {
    private static final long NOW = 1_000;

    private final FixedClock clock = new FixedClock(NOW);
    private final LocalStore store = new LocalStore(StoreSettings.defaults(), 7, clock);

    private static Map<String, Integer> scanned(KeyValueStore store, ScanOptions options) {
        return scanned(store, options, page -> {});
    }

    /** Scans to the end and counts how often each key came; runs an action after each page. */
    private static Map<String, Integer> scanned(KeyValueStore store, ScanOptions options, IntConsumer betweenPages) {
        Map<String, Integer> times = new HashMap<>();
        ScanCursor cursor = ScanCursor.START;
        for (int page = 0; !cursor.isEnd(); page++) {
            assertTrue(page < 100_000, "a scan must end");
            ScanPage found = store.scan(cursor, options);
            found.keys().forEach(key -> times.merge(String.valueOf(text(key)), 1, Integer::sum));
            cursor = ScanCursor.parse(found.next().toString());
            betweenPages.accept(page);
        }
        return times;
    }

    private static Map<String, Integer> once(Set<String> keys) {
        Map<String, Integer> times = new HashMap<>();
        keys.forEach(key -> times.put(key, 1));
        return times;
    }

    @Test
    void anEmptyStoreIsOnePage() {
        ScanPage page = store.scan(ScanCursor.START, ScanOptions.defaults());

        assertTrue(page.keys().isEmpty());
        assertTrue(page.isLast());
        assertThrows(IllegalArgumentException.class, () -> store.scan(page.next(), ScanOptions.defaults()));
        assertThrows(
                IllegalArgumentException.class, () -> ShardedStore.local(2).scan(page.next(), ScanOptions.defaults()));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 100, 65_536})
    void everyKeyComesOnce(int count) {
        ShardedStore sharded = ShardedStore.local(3);
        Set<String> keys = new HashSet<>();
        for (int i = 0; i < 2_000; i++) {
            keys.add(i % 2 == 0 ? "k" + i : "{one slot}" + i);
        }
        for (KeyValueStore each : List.of(store, sharded, new PlainStore(store))) {
            keys.forEach(key -> each.set(bytes(key), bytes("v")));
            assertEquals(once(keys), scanned(each, ScanOptions.defaults().withCount(count)));
        }
    }

    @Test
    void aPageIsAboutAsLargeAsAskedFor() {
        for (int i = 0; i < 5_000; i++) {
            store.set(bytes("{one slot}" + i), bytes("v"));
        }

        int sixtyFourth = pageSize(1);
        int asked = pageSize(500);

        assertTrue(sixtyFourth > 40 && sixtyFourth < 120, "it has " + sixtyFourth);
        assertTrue(asked > 400 && asked < 600, "it has " + asked);
        assertEquals(5_000, pageSize(5_000));
    }

    /** Counted in keys that are looked at, of which each costs about the same. */
    @Test
    void aPageAndARandomKeyOfAVeryLargeSlotTakeABoundedNumberOfSteps() {
        int held = 200_000;
        for (int i = 0; i < held; i++) {
            store.set(bytes("{one slot}" + i), bytes("v"), SetOptions.defaults().withDeadline(NOW + (i == 0 ? 10 : 5)));
        }
        long[] looks = {0};
        SlotScan.Keys keys = new ExistingKeys(Engines.only(store));
        SlotScan.Keys counted = new SlotScan.Keys() {
            @Override
            public int count(int slot) {
                return keys.count(slot);
            }

            @Override
            public byte @Nullable [] draw(int slot) {
                looks[0]++;
                return keys.draw(slot);
            }

            @Override
            public int parts(int slot) {
                return keys.parts(slot);
            }

            @Override
            public void forEach(int slot, long first, long last, Consumer<byte[]> action) {
                keys.forEach(slot, first, last, key -> {
                    looks[0]++;
                    action.accept(key);
                });
            }
        };

        Set<String> found = new HashSet<>();
        ScanCursor cursor = ScanCursor.START;
        long most = 0;
        while (!cursor.isEnd()) {
            looks[0] = 0;
            ScanPage page = SlotScan.page(counted, cursor, ScanOptions.defaults());
            page.keys().forEach(key -> assertTrue(found.add(text(key)), "a key must come once"));
            cursor = page.next();
            most = Math.max(most, looks[0]);
        }
        assertEquals(held, found.size());
        assertTrue(most < 5 * held / 1024, "a page looked at " + most + " keys");

        looks[0] = 0;
        int slot = HashSlot.of(bytes("{one slot}"));
        assertNotNull(SlotScan.randomKey(counted, slot));
        assertEquals(1, looks[0]);

        clock.set(NOW + 8); // one key is left, among many that have expired
        assertEquals("{one slot}0", text(SlotScan.randomKey(counted, slot)));
        assertTrue(looks[0] < 100, "it looked at " + looks[0] + " keys");
    }

    private int pageSize(int count) {
        return store.scan(ScanCursor.START, ScanOptions.defaults().withCount(count))
                .keys()
                .size();
    }

    /** The promise of the command SCAN, and a stronger one: never twice. */
    @ParameterizedTest(name = "seed={0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void whatIsThereThroughoutComesOnceWhateverElseChanges(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Set<String> stays = new HashSet<>();
        for (int i = 0; i < 500; i++) {
            stays.add((random.nextBoolean() ? "{tag}" : "") + "stays" + i);
        }
        stays.forEach(key -> store.set(bytes(key), bytes("v")));
        Map<String, Integer> times = scanned(store, ScanOptions.defaults().withCount(1 + random.nextInt(30)), page -> {
            for (int i = 0; i < 20; i++) {
                byte[] other = bytes((random.nextBoolean() ? "{tag}" : "") + "other" + random.nextInt(100));
                if (random.nextBoolean()) {
                    store.set(other, bytes("v"));
                } else {
                    store.delete(other);
                }
            }
            stays.forEach(key -> store.set(bytes(key), new byte[random.nextInt(40)]));
        });

        times.keySet().removeIf(key -> key.contains("other"));
        assertEquals(once(stays), times);
    }

    /** A cursor means the same to a store with another seed: another node, or the same one after a restart. */
    @Test
    void goesOnAtAnotherStore() {
        LocalStore replica = new LocalStore(StoreSettings.defaults().withStripes(1), 99, clock);
        for (int i = 0; i < 1_000; i++) {
            store.set(bytes("{one slot}" + i), bytes("v"));
            replica.set(bytes("{one slot}" + i), bytes("v"));
        }
        Set<String> keys = new HashSet<>();
        ScanCursor cursor = ScanCursor.START;
        for (int page = 0; !cursor.isEnd(); page++) {
            ScanPage found = (page % 2 == 0 ? store : replica).scan(cursor, ScanOptions.defaults());
            found.keys().forEach(key -> assertTrue(keys.add(text(key))));
            cursor = found.next();
        }

        assertEquals(1_000, keys.size());
    }

    @Test
    void leavesOutWhatTheFilterOrTheClockHides() {
        store.set(bytes("user:1"), bytes("v"));
        store.set(bytes("user:20"), bytes("v"));
        store.set(bytes("order:1"), bytes("v"));
        store.set(bytes("user:3"), bytes("v"), SetOptions.defaults().withDeadline(NOW + 5));
        clock.set(NOW + 6);

        assertEquals(
                Set.of("user:1", "user:20"),
                scanned(store, ScanOptions.defaults().withFilter(KeyFilter.prefix(bytes("user:"))))
                        .keySet());
        assertEquals(
                Set.of("user:1"),
                scanned(store, ScanOptions.defaults().withFilter(KeyFilter.glob("user:?")))
                        .keySet());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "-",
                "1",
                "1-",
                "-1-0000000000000000",
                "16385-0000000000000000",
                "16384-0000000000000001",
                "1-1",
                "01-0000000000000000",
                "1-00000000000000000",
                "1-000000000000000G",
                "1-0000000000000000 ",
                "١-0000000000000000"
            })
    void aCursorThatIsNotOneOfOursIsRefused(String text) {
        assertThrows(MalformedTextException.class, () -> ScanCursor.parse(text));
    }

    @Test
    void countsHaveBounds() {
        assertThrows(
                IllegalArgumentException.class, () -> ScanOptions.defaults().withCount(0));
        assertThrows(
                IllegalArgumentException.class, () -> ScanOptions.defaults().withCount(65_537));
        assertThrows(IllegalArgumentException.class, () -> store.keysInSlot(0, 0));
        assertThrows(IllegalArgumentException.class, () -> store.keysInSlot(16_384, 1));
        assertThrows(IllegalArgumentException.class, () -> new ScanCursor(-1, 0));
    }

    // ---- a random key, the keys of a slot, all keys

    @Test
    void aRandomKeyIsAnyOfThem() {
        ShardedStore sharded = ShardedStore.local(3);
        for (KeyValueStore each : List.of(store, sharded, new PlainStore(new LocalStore()))) {
            assertNull(each.randomKey());
            for (int i = 0; i < 8; i++) {
                each.set(bytes(i % 2 == 0 ? "k" + i : "{one slot}" + i), bytes("v"));
            }
            Map<String, Integer> times = new HashMap<>();
            for (int i = 0; i < 800; i++) {
                times.merge(String.valueOf(text(each.randomKey())), 1, Integer::sum);
            }
            assertEquals(8, times.size());
            times.values().forEach(drawn -> assertTrue(drawn > 30 && drawn < 250, times::toString)); // 100 expected
        }
    }

    @Test
    void aRandomKeyExists() {
        store.set(bytes("gone"), bytes("v"), SetOptions.defaults().withDeadline(NOW + 5));
        clock.set(NOW + 6);
        assertNull(store.randomKey());
        store.set(bytes("here"), bytes("v"));

        assertEquals("here", text(store.randomKey()));
    }

    @Test
    void keysOfASlotAreLimited() {
        int slot = HashSlot.of("{one slot}");
        for (int i = 0; i < 200; i++) {
            store.set(bytes("{one slot}" + i), bytes("v"));
        }
        for (KeyValueStore each : List.of(store, new PlainStore(store))) {
            assertEquals(7, each.keysInSlot(slot, 7).size());
            Set<String> all = new HashSet<>();
            each.keysInSlot(slot, 1_000).forEach(key -> all.add(text(key)));
            assertEquals(200, all.size());
            assertEquals(List.of(), each.keysInSlot(slot + 1, 1));
        }
    }

    @Test
    void clearsEverything() {
        ShardedStore sharded = ShardedStore.local(3);
        for (KeyValueStore each : List.of(store, sharded, new PlainStore(new LocalStore()))) {
            for (int i = 0; i < 100; i++) {
                each.set(bytes("k" + i), bytes("v"));
            }
            assertEquals(100, each.clear());
            assertEquals(0, each.size());
            assertEquals(0, each.clear());
        }
    }

    @Test
    @Timeout(60)
    void aNodeScansWhatItsShardOwns() {
        try (OneNode node = new OneNode(8192)) {
            node.begin(OneNode.NODE);
            KeyValueStore view = node.store.store(Acknowledgement.MAJORITY, ReadLevel.CONFIRMED, Duration.ofMinutes(5));
            List<String> own = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                if (HashSlot.of("k" + i) < 8192) {
                    own.add("k" + i);
                    view.set(bytes("k" + i), bytes("v"));
                }
            }
            Set<String> found = new HashSet<>();
            ScanCursor cursor = ScanCursor.START;
            while (cursor.slot() < 8192) {
                ScanPage page = view.scan(cursor, ScanOptions.defaults());
                page.keys().forEach(key -> found.add(text(key)));
                cursor = page.next();
            }
            ScanCursor beyond = cursor;

            assertEquals(new HashSet<>(own), found);
            assertThrows(RuntimeException.class, () -> view.scan(beyond, ScanOptions.defaults()));
            assertTrue(own.contains(text(view.randomKey())));
            assertEquals(own.size(), view.clear());
            assertFalse(view.exists(bytes(own.get(0))));
        }
    }
}
