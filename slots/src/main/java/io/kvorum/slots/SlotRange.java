package io.kvorum.slots;

import java.util.ArrayList;
import java.util.List;

/**
 * A range of consecutive slots, both ends included. Ordered by the first slot, then by the last.
 *
 * <p>Immutable.
 *
 * @param first the lowest slot
 * @param last the highest slot
 */
public record SlotRange(int first, int last) implements Comparable<SlotRange> {
    /**
     * Checks the ends.
     *
     * @throws IllegalArgumentException if either is no slot, or {@code last} is below {@code first}
     */
    public SlotRange {
        HashSlot.check(first);
        HashSlot.check(last);
        if (last < first) {
            throw new IllegalArgumentException("last slot must be at least the first: " + first + "-" + last);
        }
    }

    /**
     * Parses the form that {@link #toString()} writes: {@code 0-5460}, or a single slot.
     *
     * @param text the text
     * @return the range
     * @throws MalformedTextException if the text is anything else
     */
    public static SlotRange parse(String text) {
        SlotText reader = new SlotText(text);
        SlotRange range = reader.range();
        reader.expectEnd();
        return range;
    }

    /**
     * Splits all slots into consecutive ranges whose sizes differ by at most one.
     *
     * @param parts the number of ranges, 1 to {@link HashSlot#COUNT}
     * @return the ranges, in ascending order; for three parts 0-5460, 5461-10922 and 10923-16383
     * @throws IllegalArgumentException if {@code parts} is out of range
     */
    public static List<SlotRange> evenSplit(int parts) {
        if (parts < 1 || parts > HashSlot.COUNT) {
            throw new IllegalArgumentException("parts must be between 1 and " + HashSlot.COUNT + ": " + parts);
        }
        List<SlotRange> ranges = new ArrayList<>(parts);
        int first = 0;
        for (int part = 1; part <= parts; part++) {
            int end = (2 * HashSlot.COUNT * part + parts) / (2 * parts); // the exact boundary, rounded half up
            ranges.add(new SlotRange(first, end - 1));
            first = end;
        }
        return List.copyOf(ranges);
    }

    /** {@return the number of slots in the range} */
    public int size() {
        return last - first + 1;
    }

    /** {@return whether {@code slot} is in the range} */
    public boolean contains(int slot) {
        return first <= slot && slot <= last;
    }

    @Override
    public int compareTo(SlotRange other) {
        int byFirst = Integer.compare(first, other.first);
        return byFirst != 0 ? byFirst : Integer.compare(last, other.last);
    }

    /** {@return {@code first-last}, or the slot if there is only one} */
    @Override
    public String toString() {
        return first == last ? Integer.toString(first) : first + "-" + last;
    }
}
