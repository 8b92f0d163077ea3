package io.kvorum.core.engine;

import static io.kvorum.core.Bytes.bytes;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.Entry;
import io.kvorum.core.FixedClock;
import io.kvorum.core.LocalStore;
import io.kvorum.core.SetOptions;
import io.kvorum.core.StoreSettings;
import io.kvorum.slots.topology.RefusedException;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class SlabTableTest extends TableContract {
    private static final int SLOT = 1;

    private final KeyHash hash = new KeyHash(1, 2);
    private final FixedClock clock = new FixedClock(100);
    private final SlabTable slab = new SlabTable(hash::of, STRIPE_BITS, SLOTS);

    @Override
    Table table(SlabTable.Hash anyHash) {
        return new SlabTable(anyHash, STRIPE_BITS, SLOTS);
    }

    @Override
    void check(Table table) {
        SlabTableChecks.check((SlabTable) table);
    }

    /** Sizes of every kind, many of which take a place in a segment that others leave. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void holdsWhatAMapHoldsWhateverTheSizes(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Map<String, Entry> model = new HashMap<>();
        int[] largest = {30, 300, 3_000, 70_000, 30_000, 100_000};
        int bound = largest[(int) seed - 1];
        int keys = 2_000_000 / bound;
        for (int step = 0; step < 20_000; step++) {
            String name = "k" + random.nextInt(Math.min(keys, 5_000));
            byte[] key = bytes(name);
            if (random.nextInt(100) < (step / 4_000 % 2 == 0 ? 80 : 20)) {
                byte[] value = new byte[random.nextInt(random.nextInt(8) == 0 ? bound : 40)];
                random.nextBytes(value);
                long deadline = random.nextInt(3) == 0 ? 100 + random.nextInt(50) : -1;
                slab.put(SLOT, hash.of(key), key, value, deadline);
                model.put(name, new Entry(key, value, deadline));
            } else {
                assertEquals(model.remove(name) != null, slab.remove(hash.of(key), key));
            }
            if (step % 2_000 == 0) {
                check(model);
            }
        }
        check(model);
        for (Entry entry : model.values()) {
            assertTrue(slab.remove(hash.of(entry.key()), entry.key()));
        }
        check(Map.of());
    }

    @Test
    void whatWasAllocatedForALargeValueThatWasRefusedIsLetGoOf() {
        LocalStore store = new LocalStore(StoreSettings.defaults().withStripes(1), 7, clock, (slot, change) -> {
            throw new RefusedException(RefusedException.Kind.FENCED, "of a test", slot, null, null, null, -1);
        });
        byte[] value = new byte[1 << 20];
        assertThrows(RefusedException.class, () -> store.set(bytes("k"), value));
        assertThrows(
                RefusedException.class,
                () -> store.set(
                        bytes("k"), value, SetOptions.defaults().withCondition(SetOptions.Condition.IF_ABSENT)));

        SlabTable table = (SlabTable) Engines.only(store).contents().stripe(0).table();
        assertTrue(
                SlabTableChecks.capacity(table) < value.length,
                () -> SlabTableChecks.capacity(table) + " bytes are held");
    }

    private void check(Map<String, Entry> model) {
        SlabTableChecks.check(slab);
        assertEquals(model.size(), slab.size());
        for (Entry entry : model.values()) {
            assertArrayEquals(entry.value(), slab.get(hash.of(entry.key()), entry.key(), clock));
            assertEquals(entry.deadline(), slab.deadline(hash.of(entry.key()), entry.key()));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 65_534, 65_535, 65_536, 300_000})
    void keysMayHaveAnyLength(int length) {
        byte[] key = new byte[length];
        new SplittableRandom(3).nextBytes(key);
        byte[] other = new byte[length + 1];
        System.arraycopy(key, 0, other, 0, length);
        slab.put(SLOT, hash.of(key), key, bytes("a"), -1);
        slab.put(SLOT, hash.of(other), other, bytes("b"), 200);
        SlabTableChecks.check(slab);
        slab.put(SLOT, hash.of(key), key, bytes("a longer value than before"), 300);
        slab.put(SLOT, hash.of(other), other, bytes(""), -1);
        SlabTableChecks.check(slab);

        assertArrayEquals(bytes("a longer value than before"), slab.get(hash.of(key), key, clock));
        assertEquals(300, slab.deadline(hash.of(key), key));
        assertArrayEquals(bytes(""), slab.get(hash.of(other), other, clock));
        assertEquals(-1, slab.deadline(hash.of(other), other));
    }

    @Test
    void aRecordThatLosesItsDeadlineAndItsValueIsWhole() {
        byte[] key = new byte[0];
        slab.put(SLOT, hash.of(key), key, new byte[100], 500);
        slab.put(SLOT, hash.of(bytes("next")), bytes("next"), bytes("value"), 600);
        slab.put(SLOT, hash.of(key), key, new byte[0], -1);
        SlabTableChecks.check(slab);

        assertArrayEquals(new byte[0], slab.get(hash.of(key), key, clock));
        assertArrayEquals(bytes("value"), slab.get(hash.of(bytes("next")), bytes("next"), clock));
    }

    @Test
    void aSegmentThatWasEmptiedGivesWayToALargerOne() {
        byte[] key = bytes("k");
        slab.put(SLOT, hash.of(key), key, new byte[10], -1);
        slab.remove(hash.of(key), key);
        slab.put(SLOT, hash.of(key), key, new byte[Segments.MAX_SHARED / 2], -1);

        SlabTableChecks.check(slab);
    }

    @ParameterizedTest
    @ValueSource(ints = {1_000, 4_000, 10_000, 12_000, 16_000})
    void aFewLargeRecordsMoveTogetherAndLeaveRoomForTheNext(int length) {
        fill(100, length);

        assertEquals(100, slab.size());
        SlabTableChecks.check(slab);
    }

    @Test
    void sameSizeUpdatesTakeNoMemory() {
        fill(10_000, 100);
        long capacity = SlabTableChecks.capacity(slab);
        for (int i = 0; i < 5; i++) {
            fill(10_000, 100);
        }

        assertEquals(capacity, SlabTableChecks.capacity(slab));
        SlabTableChecks.check(slab);
    }

    @Test
    void churnOfAnySizesKeepsToABoundOfItsLiveBytes() {
        SplittableRandom random = new SplittableRandom(1);
        long liveBytes = 0;
        int[] sizes = new int[20_000];
        for (int step = 0; step < 400_000; step++) {
            int i = random.nextInt(sizes.length);
            byte[] key = bytes("k" + i);
            int valueLength = random.nextInt(200);
            slab.put(SLOT, hash.of(key), key, new byte[valueLength], -1);
            int bytes = SlabRecord.bytesFor(key.length, valueLength, false);
            liveBytes += bytes - sizes[i];
            sizes[i] = bytes;
        }
        SlabTableChecks.check(slab);
        long index = 32_768L * Long.BYTES;

        assertTrue(
                SlabTableChecks.capacity(slab) - index < liveBytes * 3 / 2 + 2 * Segments.FULL,
                () -> "" + SlabTableChecks.capacity(slab));
    }

    @Test
    void whatIsRemovedIsGivenBack() {
        fill(50_000, 100);
        long full = SlabTableChecks.capacity(slab);
        for (int i = 0; i < 50_000; i++) {
            if (i % 50 != 0) {
                byte[] key = bytes("k" + i);
                slab.remove(hash.of(key), key);
            }
        }
        SlabTableChecks.check(slab);

        assertTrue(SlabTableChecks.capacity(slab) < full / 4, () -> "" + SlabTableChecks.capacity(slab));
    }

    @Test
    void anEntryCostsLittleMoreThanItsBytes() {
        fill(49_000, 100);

        assertTrue(SlabTableChecks.capacity(slab) / 49_000 < 160, () -> "" + SlabTableChecks.capacity(slab) / 49_000);
    }

    private void fill(int count, int valueLength) {
        for (int i = 0; i < count; i++) {
            byte[] key = bytes("k" + i);
            slab.put(SLOT, hash.of(key), key, new byte[valueLength], -1);
        }
    }

    /**
     * What a stripe can hold is bounded; a store asks before it tells the sink of a change that the table could not
     * make.
     */
    @Test
    void saysBeforehandWhetherItsBoundIsNear() {
        SlabTable table = new SlabTable((array, from, length) -> array[from], 0, 1, 10);
        byte[] large = new byte[Segments.MAX_SHARED + 1];
        long share = table.shareOfBound(1, large.length, false);
        byte key = 0;
        while (table.canTake(share, true)) {
            table.put(0, key, new byte[] {key}, large, Table.NO_DEADLINE);
            SlabTableChecks.check(table);
            key++;
        }

        assertEquals(8, table.size());
        assertFalse(table.canTake(share, true));
        table.remove(0, new byte[] {0});
        assertTrue(table.canTake(share, true));
        assertFalse(table.canTake(2 * share, true));
        SlabTableChecks.check(table);
    }

    @Test
    void manySmallEntriesTakeLittleOfTheBound() {
        SlabTable table = new SlabTable(hash::of, 0, 1, 10);

        assertTrue(table.canTake(5_000 * table.shareOfBound(10, 20, false), true));
        assertFalse(table.canTake(20_000 * table.shareOfBound(10, 20, false), true));
    }

    @Test
    void atItsBoundWhatMakesItNoLargerIsTakenFromAReserve() {
        SlabTable table = new SlabTable(hash::of, 0, 1, 640);
        byte[] large = new byte[Segments.MAX_SHARED + 1];
        long share = table.shareOfBound(2, large.length, false);
        int keys = 0;
        while (table.canTake(share, true)) {
            byte[] key = {(byte) (keys >> 8), (byte) keys++};
            table.put(0, hash.of(key), key, large, Table.NO_DEADLINE);
        }

        for (int i = 0; i < keys; i++) {
            assertTrue(table.canTake(share, false));
            byte[] key = {(byte) (i >> 8), (byte) i};
            table.put(0, hash.of(key), key, new byte[large.length + i % 7], Table.NO_DEADLINE);
        }
        SlabTableChecks.check(table);
        assertFalse(table.canTake(share, true));
    }

    @Test
    void aRemovalNeedsNoRoom() {
        SlabTable table = new SlabTable(hash::of, 0, 1, 10);
        int count = 0;
        while (table.canTake(table.shareOfBound(4, 1_000, false), true)) {
            byte[] key = bytes("k" + count++);
            table.put(0, hash.of(key), key, new byte[1_000], Table.NO_DEADLINE);
        }
        for (int i = 0; i < 2; i++) { // nothing is left of the room that is kept for moving others
            byte[] key = bytes("large" + i);
            table.put(0, hash.of(key), key, new byte[Segments.MAX_SHARED], Table.NO_DEADLINE);
        }

        for (int i = 0; i < count; i++) {
            byte[] key = bytes("k" + i);
            if (i % 4 > 0) {
                assertTrue(table.remove(hash.of(key), key));
            }
        }

        SlabTableChecks.check(table);
        assertEquals((count + 3) / 4 + 2, table.size());
    }

    /** These are named where a user reads of them, at {@link StoreSettings}. */
    @Test
    void theRoomOfAStripeIsWhatTheSettingsSay() {
        assertEquals(131_071, Segments.MAX_COUNT);
        assertEquals(64 << 10, Segments.FULL);
        assertEquals(16 << 10, Segments.MAX_SHARED);
    }
}
