package io.kvorum.core.engine;

import static io.kvorum.core.Bytes.bytes;
import static io.kvorum.core.Bytes.text;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.kvorum.core.Entry;
import io.kvorum.core.FixedClock;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
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
    void aSlotThatBecomesLargeAndSmallAgainKeepsItsEntries() {
        KeyHash hash = new KeyHash(1, 2);
        Table table = table(hash::of);
        int count = SlotRecords.LARGE + 3_000;
        Set<String> held = new HashSet<>();
        Set<String> met = new HashSet<>();
        Table.Cursor before = table.cursor(slot(1));
        for (int i = 0; i < count; i++) {
            byte[] key = bytes("k" + i);
            table.put(slot(1), hash.of(key), key, bytes("v" + i), i % 3 == 0 ? 50 : -1);
            held.add("k" + i);
            if (i == SlotRecords.LARGE + 100) {
                check(table);
                assertEquals(1, table.parts(slot(1)), "a slot must not be divided while a cursor walks through it");
                before.close();
            }
        }
        check(table);
        assertEquals(SlotRecords.PARTS, table.parts(slot(1)));
        assertEquals(1, table.parts(slot(0)));
        assertEquals(count, table.size(slot(1)));
        for (int i = 0; i < count; i += 997) {
            assertTrue(held.contains(text(table.keyAt(slot(1), i))));
        }
        try (Table.Cursor cursor = table.cursor(slot(1))) {
            for (int i = 0; i < count; i += 2) { // some are removed before they are met, some afterwards
                if (cursor.next()) {
                    assertTrue(met.add(text(cursor.key())), "an entry must be met once");
                }
                byte[] key = bytes("k" + i);
                assertTrue(table.remove(hash.of(key), key));
                held.remove("k" + i);
            }
            while (cursor.next()) {
                assertTrue(met.add(text(cursor.key())), "an entry must be met once");
            }
        }
        check(table);
        assertTrue(met.containsAll(held));
        Map<String, Integer> byRange = new HashMap<>();
        for (int i = 0; i < 4; i++) {
            try (Table.Cursor cursor = table.cursor(slot(1), (long) i << 62, ((long) i << 62) + (-1L >>> 2))) {
                while (cursor.next()) {
                    byRange.merge(text(cursor.key()), 1, Integer::sum);
                }
            }
        }
        assertEquals(held, byRange.keySet());
        assertEquals(Set.of(1), new HashSet<>(byRange.values()));
        for (String key : held) {
            assertTrue(table.remove(hash.of(bytes(key)), bytes(key)));
        }
        check(table);
        assertEquals(1, table.parts(slot(1)));
        assertEquals(0, table.size(slot(1)));
    }

    @Test
    void aSweepFindsWhatIsPastItsDeadline() {
        Table table = table((bytes, from, length) -> bytes[from + 1] - '0');
        long[] deadlines = {50, 10, 40, 10, 30, 60, 20};
        for (int i = 0; i < deadlines.length; i++) {
            table.put(slot(0), i, bytes("k" + i), bytes("v"), deadlines[i]);
        }

        assertEquals(Set.of("k1", "k3", "k6"), sweep(table, 21));
        assertEquals(Set.of("k0", "k2", "k4"), sweep(table, 60));
        assertEquals(Set.of(), sweep(table, 60));
        assertEquals(Set.of("k5"), sweep(table, 61));
        assertEquals(0, table.size());
    }

    private static Set<String> sweep(Table table, long now) {
        Set<String> swept = new HashSet<>();
        int left = table.sweep(now, 100, key -> {
            assertTrue(table.remove(key[1] - '0', key));
            assertTrue(swept.add(String.valueOf(text(key))));
        });
        assertTrue(left > 0);
        return swept;
    }

    @Test
    void aSweepThatFailsLosesNothing() {
        Table table = table((bytes, from, length) -> bytes[from + 1] - '0');
        for (int i = 0; i < 5; i++) {
            table.put(slot(0), i, bytes("k" + i), bytes("v"), 10);
        }
        assertThrows(
                IllegalArgumentException.class,
                () -> table.sweep(11, 100, key -> {
                    throw new IllegalArgumentException("refused");
                }));

        assertEquals(5, sweep(table, 11).size());
    }

    @Test
    void aDeadlineChangesWithoutTheValue() {
        Table table = table((bytes, from, length) -> 1);
        table.put(slot(0), 1, bytes("k"), bytes("value"), -1);
        for (long deadline : new long[] {500, 300, 700, -1, -1, 200}) {
            assertTrue(table.setDeadline(1, bytes("k"), deadline));
            assertEquals(deadline, table.deadline(1, bytes("k")));
            assertEquals("value", text(table.get(1, bytes("k"), clock)));
            check(table);
        }

        assertFalse(table.setDeadline(1, bytes("other"), 100));
        assertEquals(1, table.size());
    }

    @Test
    void aValueIsAppendedToABuffer() {
        Table table = table((bytes, from, length) -> bytes[from]);
        table.put(slot(0), 'a', bytes("a"), bytes("first"), -1);
        table.put(slot(0), 'b', bytes("b"), bytes(""), 100);
        table.put(slot(0), 'c', bytes("c"), bytes("past"), 99);
        ByteBuf target = Unpooled.buffer().writeByte('<');

        assertEquals(5, table.get('a', bytes("a"), clock, target));
        assertEquals(0, table.get('b', bytes("b"), clock, target));
        assertEquals(Table.NO_VALUE, table.get('c', bytes("c"), clock, target));
        assertEquals(Table.NO_VALUE, table.get('d', bytes("d"), clock, target));
        assertEquals("<first", target.toString(UTF_8));
    }

    /** Lends a copy of a value. */
    private <T> @Nullable T lend(Table table, long hash, Function<byte[], T> reader) {
        byte[] key = {(byte) hash};
        return table.<Function<byte[], T>, T>lend(
                hash,
                key,
                clock,
                reader,
                (array, from, length, function) -> function.apply(Arrays.copyOfRange(array, from, from + length)));
    }

    private static Entry entry(Table.Cursor cursor) {
        return new Entry(cursor.key(), cursor.value(), cursor.deadline());
    }

    @Test
    void aValueIsLentToAReader() {
        Table table = table((bytes, from, length) -> bytes[from]);
        table.put(slot(0), 'a', bytes("a"), bytes("first"), -1);
        table.put(slot(0), 'c', bytes("c"), bytes("past"), 99);

        assertEquals("first", text(lend(table, 'a', value -> value)));
        assertNull(lend(table, 'c', value -> fail("it is past its deadline")));
        assertNull(lend(table, 'd', value -> fail("there is none")));
        assertThrows(
                IllegalArgumentException.class,
                () -> lend(table, 'a', value -> {
                    throw new IllegalArgumentException("by the reader");
                }));
    }

    @Test
    void aCursorStandsSomewhereOnlyAfterAStep() {
        Table table = table((bytes, from, length) -> 1);
        table.put(slot(0), 1, bytes("k"), bytes("v"), -1);
        try (Table.Cursor cursor = table.cursor(slot(0))) {
            assertThrows(IllegalStateException.class, cursor::value);
            assertTrue(cursor.next());
            assertEquals(new Entry(bytes("k"), bytes("v")), entry(cursor));
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
            switch (random.nextInt(9)) {
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
                    long deadline = random.nextBoolean() ? -1 : random.nextInt(200);
                    Entry entry = model.get(name);
                    assertEquals(entry != null, table.setDeadline(keyHash, key, deadline));
                    if (entry != null) {
                        model.put(name, new Entry(key, entry.value(), deadline));
                    }
                }
                case 7 -> {
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
        long bytes = 0;
        Set<String> past = new HashSet<>();
        for (Map.Entry<String, Entry> held : model.entrySet()) {
            Entry entry = held.getValue();
            bytes += table.entryBytes(entry.key().length, entry.value().length);
            if (entry.deadline() >= 0 && entry.deadline() < 100) {
                past.add(held.getKey());
            }
        }
        assertEquals(bytes, table.bytes());
        Set<String> swept = new HashSet<>();
        int left = table.sweep(100, keys + 1, key -> {
            assertTrue(table.remove(hash.of(key, 0, key.length), key));
            swept.add(String.valueOf(text(key)));
        });
        assertTrue(left > 0);
        assertEquals(past, swept);
        check(table);
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
                Entry entry = entry(cursor);
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
