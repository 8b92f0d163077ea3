package io.kvorum.core;

import static io.kvorum.core.Bytes.bytes;
import static io.kvorum.core.Bytes.text;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What every {@link Table} promises. */
abstract class TableContract {
    static final int STRIPE_BITS = 2;
    static final int SLOTS = 3;

    private final FixedClock clock = new FixedClock(100);

    /** Makes an empty table of a stripe with a few slots; it is used with this hash alone. */
    abstract Table table(SlabTable.Hash hash);

    /** Called now and then: what holds of the table's inside. */
    abstract void check(Table table);

    @Test
    void keysOfOneHashAreKeptApart() {
        Table table = table((bytes, from, length) -> 42);
        for (int i = 0; i < 100; i++) {
            table.put(slot(i % SLOTS), 42, bytes("k" + i), bytes("v" + i), -1);
        }
        for (int i = 0; i < 100; i += 2) {
            assertTrue(table.remove(42, bytes("k" + i)));
            assertFalse(table.remove(42, bytes("k" + i)));
        }
        for (int i = 0; i < 100; i++) {
            assertEquals(i % 2 == 0 ? null : "v" + i, text(table.get(42, bytes("k" + i), clock)));
        }
        assertEquals(50, table.size());
    }

    @Test
    void expiredKeysComeInTheOrderOfTheirDeadlines() {
        Table table = table((bytes, from, length) -> bytes[from + 1] - '0');
        long[] deadlines = {50, 10, 40, 10, 30, 60, 20};
        for (int i = 0; i < deadlines.length; i++) {
            table.put(slot(0), i, bytes("k" + i), bytes("v"), deadlines[i]);
        }
        List<Long> order = new ArrayList<>();
        byte[] key = table.expiredKey(60);
        while (key != null) {
            int i = key[1] - '0';
            order.add(deadlines[i]);
            table.remove(i, key);
            key = table.expiredKey(60);
        }

        assertEquals(List.of(10L, 10L, 20L, 30L, 40L, 50L), order);
        assertNull(table.expiredKey(60));
        assertEquals("k5", text(table.expiredKey(61)));
    }

    @Test
    void aCursorStandsSomewhereOnlyAfterAStep() {
        Table table = table((bytes, from, length) -> 1);
        table.put(slot(0), 1, bytes("k"), bytes("v"), -1);
        try (Table.Cursor cursor = table.cursor(slot(0))) {
            assertThrows(IllegalStateException.class, cursor::entry);
            assertTrue(cursor.next());
            assertEquals(new Entry(bytes("k"), bytes("v")), cursor.entry());
            assertFalse(cursor.next());
            assertThrows(IllegalStateException.class, cursor::deadline);
        }
    }

    static LongStream seeds() {
        return LongStream.rangeClosed(1, 50);
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void behavesAsAMapUnderWalkingCursors(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        KeyHash good = new KeyHash(seed, seed);
        SlabTable.Hash hash =
                random.nextBoolean() ? good::of : (bytes, from, length) -> good.of(bytes, from, length) & 0x7L << 32;
        Table table = table(hash);
        int keys = 1 + random.nextInt(200);
        Map<String, Entry> model = new HashMap<>();
        List<Walk> walks = new ArrayList<>();
        for (int step = 0; step < 3_000; step++) {
            int number = random.nextInt(keys);
            byte[] key = bytes("k" + number);
            String name = "k" + number;
            int slot = slot(number % SLOTS);
            long keyHash = hash.of(key, 0, key.length);
            if (step % 100 == 0) {
                check(table);
            }
            switch (random.nextInt(8)) {
                case 0, 1, 2 -> {
                    byte[] value = new byte[random.nextInt(20)];
                    random.nextBytes(value);
                    long deadline = random.nextBoolean() ? -1 : random.nextInt(200);
                    if (!model.containsKey(name)) {
                        walks.forEach(walk -> walk.came(name));
                    }
                    table.put(slot, keyHash, key, value, deadline);
                    model.put(name, new Entry(key, value, deadline));
                }
                case 3, 4 -> {
                    assertEquals(model.remove(name) != null, table.remove(keyHash, key));
                    walks.forEach(walk -> walk.went(name));
                }
                case 5 -> {
                    Entry entry = model.get(name);
                    if (entry == null) {
                        assertEquals(Table.ABSENT, table.deadline(keyHash, key));
                        assertNull(table.get(keyHash, key, clock));
                    } else {
                        assertEquals(entry.deadline(), table.deadline(keyHash, key));
                        boolean visible = entry.deadline() < 0 || entry.deadline() >= 100;
                        assertArrayEquals(visible ? entry.value() : null, table.get(keyHash, key, clock));
                    }
                }
                case 6 -> {
                    if (walks.size() < 4) {
                        int walked = random.nextInt(SLOTS);
                        walks.add(new Walk(table.cursor(slot(walked)), walked, model.keySet()));
                    }
                }
                default -> walks.removeIf(walk -> walk.step(model));
            }
        }
        check(table);
        while (!walks.isEmpty()) {
            walks.removeIf(walk -> walk.step(model));
        }
        assertEquals(model.size(), table.size());
        TreeSet<Long> deadlines = new TreeSet<>();
        model.values().stream().map(Entry::deadline).filter(d -> d >= 0).forEach(deadlines::add);
        byte[] first = table.expiredKey(Long.MAX_VALUE);
        assertEquals(deadlines.isEmpty(), first == null);
        if (first != null) {
            Entry entry = model.get(text(first));
            assertTrue(entry != null && entry.deadline() == deadlines.first());
        }
    }

    private static int slot(int index) {
        return index << STRIPE_BITS | 1;
    }

    /** A cursor, what it must still meet, and what it has met. */
    private static final class Walk {
        private final Table.Cursor cursor;
        private final Set<String> expected = new HashSet<>();
        private final Set<String> allowed = new HashSet<>();

        Walk(Table.Cursor cursor, int index, Set<String> present) {
            this.cursor = cursor;
            for (String name : present) {
                if (Integer.parseInt(name.substring(1)) % SLOTS == index) {
                    expected.add(name);
                    allowed.add(name);
                }
            }
        }

        void came(String name) {
            expected.remove(name);
        }

        void went(String name) {
            expected.remove(name);
            allowed.remove(name);
        }

        /** Returns whether it is at the end. */
        boolean step(Map<String, Entry> model) {
            if (cursor.next()) {
                Entry entry = cursor.entry();
                String name = String.valueOf(text(entry.key()));
                assertEquals(model.get(name), entry);
                assertTrue(allowed.remove(name), () -> "met twice, or although it came later: " + name);
                expected.remove(name);
                return false;
            }
            assertEquals(Set.of(), expected);
            cursor.close();
            return true;
        }
    }
}
