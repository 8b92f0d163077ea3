package io.kvorum.slots;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class SlotSetTest {
    private static final long SEED = Long.getLong("slots.seed", 20_261_122);

    @ParameterizedTest
    @CsvSource({
        "'', ''",
        "'  ', ''",
        "7, 7",
        "0-16383, 0-16383",
        "'0-5460,5462 16000-16383', '0-5460,5462,16000-16383'",
        "'16383 0', '0,16383'",
        "'3,1,2', '1-3'",
        "' 1 , 2   3 ', '1-3'",
        "5-5, 5",
        "00063-00064, 63-64"
    })
    void textIsReadAndWritten(String text, String canonical) {
        assertEquals(canonical, SlotSet.parse(text).toString());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'a' | 0 | slot must be a decimal number",
                "'1,' | 2 | slot must be a decimal number",
                "',1' | 0 | slot must be a decimal number",
                "'1,,2' | 2 | slot must be a decimal number",
                "'1-' | 2 | slot must be a decimal number",
                "'-1' | 0 | slot must be a decimal number",
                "'1 -2' | 2 | slot must be a decimal number",
                "'1-2-3' | 3 | ranges must be separated by a comma or a space",
                "'1;2' | 1 | ranges must be separated by a comma or a space",
                "'16384' | 0 | slot must be between 0 and 16383: 16384",
                "'0-99999' | 2 | slot must be between 0 and 16383: 99999",
                "'7 123456' | 2 | slot must have at most 5 digits",
                "'1,5-4' | 2 | last slot must be at least the first: 5-4",
                "'0-9 8-20' | 4 | slot must be given once: 8",
                "'8-20,0-8' | 5 | slot must be given once: 8",
                "'0 0' | 2 | slot must be given once: 0",
                "'4,4' | 2 | slot must be given once: 4",
                "'٣' | 0 | slot must be a decimal number"
            })
    void badTextIsRefusedWithPositionAndRule(String text, int position, String rule) {
        MalformedTextException e = assertThrows(MalformedTextException.class, () -> SlotSet.parse(text));

        assertEquals(position, e.position());
        assertEquals(rule + ", at position " + position, e.getMessage());
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 16_384})
    void whatIsNoSlotIsRefused(int number) {
        assertThrows(IllegalArgumentException.class, () -> SlotSet.of(0, number));
        assertThrows(IllegalArgumentException.class, () -> SlotSet.ofRange(number, number));
    }

    @Test
    void whatIsNoSlotIsNotContained() {
        assertFalse(SlotSet.ALL.contains(-1));
        assertFalse(SlotSet.ALL.contains(16_384));
        assertFalse(SlotSet.EMPTY.contains(0));
    }

    @Test
    void allHasEverySlot() {
        assertEquals(HashSlot.COUNT, SlotSet.ALL.size());
        assertEquals(List.of(new SlotRange(0, 16_383)), SlotSet.ALL.ranges());
        assertEquals(SlotSet.EMPTY, SlotSet.ALL.complement());
        assertEquals(SlotSet.ALL, SlotSet.EMPTY.complement());
    }

    @Test
    void setIsOrderedByItsSlots() {
        List<SlotSet> ascending = List.of(
                SlotSet.EMPTY,
                SlotSet.of(0),
                SlotSet.of(0, 1),
                SlotSet.of(0, 1, 500),
                SlotSet.of(0, 7),
                SlotSet.of(1),
                SlotSet.of(500),
                SlotSet.of(501, 502));

        for (int i = 0; i < ascending.size(); i++) {
            for (int j = 0; j < ascending.size(); j++) {
                int expected = Integer.compare(i, j);
                assertEquals(expected, ascending.get(i).compareTo(ascending.get(j)), i + " and " + j);
            }
        }
    }

    @Test
    void differentSetsHaveDifferentHashes() {
        assertNotEquals(SlotSet.of(1).hashCode(), SlotSet.of(2).hashCode());
        assertNotEquals(SlotSet.of(1).hashCode(), SlotSet.of(65).hashCode());
    }

    @Test
    void nextRefusesANegativeNumber() {
        assertThrows(IllegalArgumentException.class, () -> SlotSet.ALL.next(-1));
        assertEquals(-1, SlotSet.ALL.next(16_384));
        assertEquals(-1, SlotSet.EMPTY.next(0));
    }

    @Test
    void setBehavesAsABitSet() {
        SplittableRandom random = new SplittableRandom(SEED);
        for (int round = 0; round < 150; round++) {
            BitSet a = bits(random);
            BitSet b = bits(random);
            SlotSet first = SlotSet.of(a.stream().toArray());
            SlotSet second = SlotSet.ofRanges(ranges(b));
            String trace = "seed=" + SEED + " round=" + round;

            assertSame(a, first, trace);
            assertSame(b, second, trace);
            assertSame(with(a, x -> x.or(b)), first.union(second), trace);
            assertSame(with(a, x -> x.and(b)), first.intersect(second), trace);
            assertSame(with(a, x -> x.andNot(b)), first.minus(second), trace);
            assertSame(with(a, x -> x.flip(0, HashSlot.COUNT)), first.complement(), trace);
            assertTrue(first.containsAll(first.intersect(second)), trace);
            assertEquals(with(b, x -> x.andNot(a)).isEmpty(), first.containsAll(second), trace);
            assertEquals(a.equals(b), first.equals(second), trace);
        }
    }

    private static void assertSame(BitSet expected, SlotSet actual, String trace) {
        int[] slots = expected.stream().toArray();
        List<Integer> visited = new ArrayList<>();
        actual.forEach(visited::add);
        assertArrayEquals(slots, actual.stream().toArray(), trace);
        assertArrayEquals(slots, visited.stream().mapToInt(i -> i).toArray(), trace);
        assertEquals(slots.length, actual.size(), trace);
        assertEquals(expected.isEmpty(), actual.isEmpty(), trace);
        assertEquals(ranges(expected), actual.ranges(), trace);
        assertEquals(SlotSet.of(slots), actual, trace);
        assertEquals(SlotSet.of(slots).hashCode(), actual.hashCode(), trace);
        assertEquals(actual, SlotSet.parse(actual.toString()), trace);
        for (int slot = -70; slot < HashSlot.COUNT + 70; slot++) {
            if (actual.contains(slot) != (slot >= 0 && expected.get(slot))) {
                throw new AssertionError(trace + " slot=" + slot);
            }
        }
    }

    private static BitSet bits(SplittableRandom random) {
        BitSet bits = new BitSet();
        int pieces = random.nextInt(6);
        for (int i = 0; i < pieces; i++) {
            int first = random.nextInt(HashSlot.COUNT);
            int length = 1 + random.nextInt(random.nextBoolean() ? 3 : 3_000);
            bits.set(first, Math.min(first + length, HashSlot.COUNT));
        }
        return bits;
    }

    private static BitSet with(BitSet bits, java.util.function.Consumer<BitSet> change) {
        BitSet copy = (BitSet) bits.clone();
        change.accept(copy);
        return copy;
    }

    private static List<SlotRange> ranges(BitSet bits) {
        return IntStream.range(0, HashSlot.COUNT)
                .filter(slot -> bits.get(slot) && (slot == 0 || !bits.get(slot - 1)))
                .mapToObj(first -> new SlotRange(first, bits.nextClearBit(first) - 1))
                .toList();
    }

    @Test
    void bitsBecomeASet() {
        long[] bits = new long[256];
        bits[0] = 0b101;
        bits[255] = Long.MIN_VALUE;

        SlotSet set = SlotSet.ofBits(bits);
        bits[0] = 0;

        assertEquals(SlotSet.of(0, 2, 16_383), set);
        assertEquals(SlotSet.EMPTY, SlotSet.ofBits(new long[256]));
        assertThrows(IllegalArgumentException.class, () -> SlotSet.ofBits(new long[255]));
        assertThrows(IllegalArgumentException.class, () -> SlotSet.ofBits(new long[257]));
    }

    @Test
    void slotsGivenInAnyOrderAndTwiceMakeTheSameSet() {
        assertEquals(SlotSet.ofRange(63, 65), SlotSet.of(65, 63, 64, 63, 65));
        assertEquals(3, SlotSet.of(65, 63, 64, 63, 65).size());
        assertEquals(SlotSet.parse("0,16383"), SlotSet.of(16_383, 0));
        assertEquals(SlotSet.EMPTY, SlotSet.of());
    }
}
