package io.kvorum.core.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.kvorum.core.Bytes;
import io.kvorum.core.FixedClock;
import io.kvorum.core.LocalStore;
import io.kvorum.core.SetOptions;
import io.kvorum.core.StoreSettings;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Several entries that were prepared together are put without any more memory, so that none is missing for want of it.
 */
final class PreparedPutsTest {
    private static final int SLOT = 1;

    private final KeyHash hash = new KeyHash(1, 2);
    private final SlabTable table = new SlabTable(hash::of, 0, 4);
    private final Map<String, byte[]> model = new HashMap<>();
    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private static final class Put implements Table.Incoming {
        final byte[] key;
        final long keyHash;
        final byte[] value;
        final long deadline;

        Put(byte[] key, long keyHash, byte[] value, long deadline) {
            this.key = key;
            this.keyHash = keyHash;
            this.value = value;
            this.deadline = deadline;
        }

        @Override
        public byte[] key() {
            return key;
        }

        @Override
        public long keyHash() {
            return keyHash;
        }

        @Override
        public int valueLength() {
            return value.length;
        }

        @Override
        public boolean isTimed() {
            return deadline != Table.NO_DEADLINE;
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void takeNoMore(long seed) {
        new PreparedPutsTest().rounds(seed); // what is done first in a JVM links it

        assertEquals(0, rounds(seed), "bytes after the preparation, seed " + seed);
    }

    private long rounds(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int[] keys = {100, 40_000, 1_000, 5_000};
        int[] longest = {100_000, 20, 20_000, 500};
        long allocated = 0;
        for (int round = 0; round < 500; round++) {
            List<Put> puts = puts(random, keys[(int) seed - 1], longest[(int) seed - 1]);
            allocated += putPrepared(puts, removed(puts, random));
            if (round % 100 == 0) {
                check();
            }
        }
        check();
        return allocated;
    }

    /** A slot that is divided into parts on the way. */
    @Test
    void makeASlotLargeWithoutMore() {
        List<Put> puts = new ArrayList<>();
        for (int i = 0; i < 3 * SlotRecords.LARGE; i++) {
            puts.add(put("large-" + i, new byte[] {1}, i % 2 == 0 ? Table.NO_DEADLINE : 1_000));
        }
        new PreparedPutsTest().putPrepared(puts, new byte[0][]); // loads classes

        assertEquals(0, putPrepared(puts, new byte[0][]));
        assertEquals(SlotRecords.PARTS, table.parts(SLOT));
        check();
    }

    /** What a transaction needs is there when its log is asked, which cannot take anything back. */
    @Test
    void ofATransactionFollowTheSink() {
        AtomicLong before = new AtomicLong();
        LocalStore store = new LocalStore(
                StoreSettings.defaults(),
                7,
                new FixedClock(100),
                (slot, change) -> before.set(threads.getCurrentThreadAllocatedBytes()));
        for (int round = 0; round < 20; round++) {
            int first = 100 * round;
            store.transact(Bytes.bytes("{k}"), transaction -> {
                for (int i = first; i < first + 100; i++) {
                    transaction.set(Bytes.bytes("{k}" + i), new byte[i % 10 == 0 ? 20_000 : 1_000]);
                }
                before.set(Long.MAX_VALUE);
                return null;
            });
            long allocated = threads.getCurrentThreadAllocatedBytes() - before.get();
            if (round > 10) {
                assertTrue(allocated < 1_000, () -> allocated + " bytes after the sink, for 290,000");
            }
        }
    }

    /** The first of them would find the slot's memory gone with its last entry. */
    @Test
    void mayFollowTheRemovalOfAllOthers() {
        putPrepared(List.of(put("a", new byte[10], Table.NO_DEADLINE)), new byte[0][]);

        putPrepared(List.of(put("b", new byte[10], Table.NO_DEADLINE)), new byte[][] {Bytes.bytes("a")});
        check();
    }

    /** To make room moves records to where they are no longer than they need to be. */
    @Test
    void ofRecordsWithSpareBytesTakeNoMore() {
        new PreparedPutsTest().fillSpareBytes();

        assertEquals(0, fillSpareBytes());
        check();
    }

    private long fillSpareBytes() {
        for (int length : new int[] {400, 200}) {
            for (int i = 0; i < 10_000; i++) {
                putPrepared(List.of(put("k" + i, new byte[length], Table.NO_DEADLINE)), new byte[0][]);
            }
        }
        byte[][] removed = IntStream.range(0, 10_000)
                .filter(i -> i % 2 == 0)
                .mapToObj(i -> Bytes.bytes("k" + i))
                .toArray(byte[][]::new);
        putPrepared(List.of(put("a", new byte[1], Table.NO_DEADLINE)), removed);
        List<Put> puts = new ArrayList<>();
        puts.add(put("new", new byte[16_000], Table.NO_DEADLINE));
        for (int i = 1; i < 10_000; i += 2) {
            puts.add(put("k" + i, new byte[395], Table.NO_DEADLINE));
        }
        for (int i = 0; table.segments.hasRoom(16_100); i++) { // until others are moved to make room
            putPrepared(List.of(put("b" + i, new byte[10_000], Table.NO_DEADLINE)), new byte[0][]);
        }
        return putPrepared(puts, new byte[0][]);
    }

    @Test
    void leaveRemovalsTheirWorkOfGivingMemoryBack() {
        for (int i = 0; i < 20_000; i++) {
            putPrepared(List.of(put("k" + i, new byte[100], Table.NO_DEADLINE)), new byte[0][]);
        }
        Put left = put("left", new byte[1], Table.NO_DEADLINE);
        for (int i = 0; i < 20_000; i++) {
            putPrepared(List.of(left), new byte[][] {Bytes.bytes("k" + i)});
        }

        assertTrue(
                SlabTableChecks.capacity(table) < 300_000,
                () -> SlabTableChecks.capacity(table) + " bytes are held for one entry");
        check();
    }

    /** What expires under the lock of a transaction, after it, gives its memory back as any removal does. */
    @Test
    void keepNoMemoryOfWhatExpiresAfterThem() {
        FixedClock clock = new FixedClock(100);
        LocalStore store = new LocalStore(StoreSettings.defaults().withStripes(1), 7, clock, (slot, change) -> {});
        for (int i = 0; i < 10_000; i++) {
            store.set(
                    Bytes.bytes("{other}" + i),
                    new byte[1],
                    SetOptions.defaults().withDeadline(101));
        }
        clock.set(200);
        for (int round = 0; round < 20_000; round++) {
            store.transact(Bytes.bytes("{k}"), transaction -> {
                transaction.set(Bytes.bytes("{k}1"), new byte[1]);
                transaction.set(Bytes.bytes("{k}2"), new byte[1]);
                return null;
            });
        }

        assertEquals(2, store.size());
        SlabTable ofStore = (SlabTable) Engines.only(store).contents().stripe(0).table();
        long held = ofStore.slotRecords.capacity();
        assertTrue(held < 1_000, () -> held + " bytes are held for two records");
    }

    @Test
    void giveBackWhatTheyDidNotTake() {
        List<Put> puts = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            puts.add(put("k" + i, new byte[100_000 + i % 2 * -90_000], Table.NO_DEADLINE));
        }
        table.prepare(SLOT, puts);
        assertTrue(
                SlabTableChecks.capacity(table) > 5_000_000,
                () -> SlabTableChecks.capacity(table) + " bytes were prepared");

        table.forgetPrepared();
        assertTrue(SlabTableChecks.capacity(table) < 20_000, () -> SlabTableChecks.capacity(table) + " bytes are held");
        SlabTableChecks.check(table);
    }

    private Put put(String name, byte[] value, long deadline) {
        byte[] key = Bytes.bytes(name);
        return new Put(key, hash.of(key), value, deadline);
    }

    private List<Put> puts(SplittableRandom random, int keys, int longest) {
        Set<String> names = new HashSet<>();
        int count = 2 + random.nextInt(random.nextInt(10) == 0 ? 300 : 8);
        while (names.size() < Math.min(count, keys / 2)) {
            names.add("k" + random.nextInt(keys));
        }
        List<Put> puts = new ArrayList<>();
        for (String name : names) {
            int bound = random.nextInt(4) == 0 ? longest : 20;
            byte[] value = new byte[random.nextInt(bound)];
            random.nextBytes(value);
            puts.add(put(name, value, random.nextInt(3) == 0 ? 1_000 + random.nextInt(50) : Table.NO_DEADLINE));
        }
        return puts;
    }

    /** Keys of others, most of them in the table. */
    private byte[][] removed(List<Put> puts, SplittableRandom random) {
        Set<String> names = new HashSet<>(model.keySet());
        for (Put put : puts) {
            names.remove(Bytes.text(put.key));
        }
        return names.stream()
                .filter(name -> random.nextInt(10) == 0)
                .map(Bytes::bytes)
                .toArray(byte[][]::new);
    }

    /** Removes some and puts others; returns how many bytes that took after the preparation. */
    private long putPrepared(List<Put> puts, byte[][] removed) {
        Put[] all = puts.toArray(Put[]::new);
        long[] hashes = new long[removed.length];
        for (int i = 0; i < removed.length; i++) {
            hashes[i] = hash.of(removed[i]);
        }
        table.prepare(SLOT, puts);
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < removed.length; i++) {
            table.remove(hashes[i], removed[i]);
        }
        for (Put put : all) {
            table.put(SLOT, put.keyHash, put.key, put.value, put.deadline);
        }
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        table.forgetPrepared();
        for (byte[] key : removed) {
            model.remove(Bytes.text(key));
        }
        for (Put put : all) {
            model.put(Bytes.text(put.key), put.value);
        }
        return allocated;
    }

    private void check() {
        SlabTableChecks.check(table);
        assertEquals(model.size(), table.size());
        FixedClock clock = new FixedClock(100);
        model.forEach((name, value) -> {
            byte[] key = Bytes.bytes(name);
            assertArrayEquals(value, table.get(hash.of(key), key, clock));
        });
    }
}
