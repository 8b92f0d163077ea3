package io.kvorum.slots;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class SlotRangeTest {
    @Test
    void bothEndsBelongToTheRange() {
        SlotRange range = new SlotRange(10, 20);

        assertEquals(11, range.size());
        assertFalse(range.contains(9));
        assertTrue(range.contains(10));
        assertTrue(range.contains(20));
        assertFalse(range.contains(21));
    }

    @ParameterizedTest
    @CsvSource({"0-16383", "7", "0", "16383", "5461-10922"})
    void textIsReadAndWritten(String text) {
        assertEquals(text, SlotRange.parse(text).toString());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'' | 0 | slot must be a decimal number",
                "' 1' | 0 | slot must be a decimal number",
                "'1 ' | 1 | text must end after a range",
                "'1,2' | 1 | text must end after a range",
                "'9-8' | 0 | last slot must be at least the first: 9-8"
            })
    void badTextIsRefused(String text, int position, String rule) {
        MalformedTextException e = assertThrows(MalformedTextException.class, () -> SlotRange.parse(text));

        assertEquals(rule + ", at position " + position, e.getMessage());
    }

    @ParameterizedTest
    @CsvSource({
        "-1, 5, slot must be between 0 and 16383: -1",
        "5, 16384, slot must be between 0 and 16383: 16384",
        "5, 4, last slot must be at least the first: 5-4"
    })
    void badEndsAreRefused(int first, int last, String message) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> new SlotRange(first, last));

        assertEquals(message, e.getMessage());
    }

    @Test
    void rangesAreOrderedByTheFirstSlotThenTheLast() {
        assertTrue(new SlotRange(1, 9).compareTo(new SlotRange(2, 3)) < 0);
        assertTrue(new SlotRange(1, 9).compareTo(new SlotRange(1, 3)) > 0);
        assertEquals(0, new SlotRange(1, 9).compareTo(new SlotRange(1, 9)));
    }

    @ParameterizedTest
    @CsvSource({
        "1, '0-16383'",
        "3, '0-5460 5461-10922 10923-16383'",
        "5, '0-3276 3277-6553 6554-9829 9830-13106 13107-16383'",
        "6, '0-2730 2731-5460 5461-8191 8192-10922 10923-13652 13653-16383'"
    })
    void evenSplitIsTheOneOfTheServersTool(int parts, String expected) {
        List<String> ranges =
                SlotRange.evenSplit(parts).stream().map(SlotRange::toString).toList();

        assertEquals(expected, String.join(" ", ranges));
    }

    @Test
    void evenSplitCoversAllSlotsWithSizesThatDifferByAtMostOne() {
        for (int parts = 1; parts <= HashSlot.COUNT; parts += parts < 512 ? 1 : 31) { // ends with 16,384
            int small = HashSlot.COUNT / parts;
            int next = 0;
            List<SlotRange> ranges = SlotRange.evenSplit(parts);
            for (SlotRange range : ranges) {
                if (range.first() != next || range.size() < small || range.size() > small + 1) {
                    throw new AssertionError(parts + " parts: " + range);
                }
                next = range.last() + 1;
            }
            assertEquals(parts, ranges.size());
            assertEquals(HashSlot.COUNT, next);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 16_385})
    void evenSplitNeedsAPartAndASlotForEach(int parts) {
        assertThrows(IllegalArgumentException.class, () -> SlotRange.evenSplit(parts));
    }
}
