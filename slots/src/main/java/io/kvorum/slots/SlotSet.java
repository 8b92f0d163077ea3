package io.kvorum.slots;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A set of slots. It takes one bit for each slot between its lowest and its highest, 2 KiB at most.
 *
 * <p>Sets are ordered lexicographically by their slots in ascending order: the empty set comes first, and {@code 0,7}
 * before {@code 1}.
 *
 * <p>Immutable.
 */
public final class SlotSet implements Comparable<SlotSet> {
    private static final int WORDS = HashSlot.COUNT / Long.SIZE;

    /** The empty set. */
    public static final SlotSet EMPTY = new SlotSet(0, new long[0], 0);

    /** The set of all slots. */
    public static final SlotSet ALL = ofRange(0, HashSlot.COUNT - 1);

    /** The index of the first word that is not zero. */
    private final int base;
    /**
     * The words from the first to the last that is not zero; bit {@code i} of a word is the word's {@code i}th slot.
     */
    private final long[] words;

    private final int size;

    private SlotSet(int base, long[] words, int size) {
        this.base = base;
        this.words = words;
        this.size = size;
    }

    /**
     * Creates a set of slots; a slot given twice counts once.
     *
     * @param slots the slots, in any order
     * @return the set
     * @throws IllegalArgumentException if one of them is no slot
     */
    public static SlotSet of(int... slots) {
        int lowest = HashSlot.COUNT;
        int highest = -1;
        for (int slot : slots) {
            HashSlot.check(slot);
            lowest = Math.min(lowest, slot);
            highest = Math.max(highest, slot);
        }
        if (highest < 0) {
            return EMPTY;
        }
        int base = lowest >>> 6;
        long[] bits = new long[(highest >>> 6) - base + 1];
        int size = 0;
        for (int slot : slots) {
            int index = (slot >>> 6) - base;
            long bit = 1L << slot;
            size += (bits[index] & bit) == 0 ? 1 : 0;
            bits[index] |= bit;
        }
        return new SlotSet(base, bits, size);
    }

    /**
     * Creates the set of the slots from one to another, both included.
     *
     * @param first the lowest slot
     * @param last the highest slot
     * @return the set
     * @throws IllegalArgumentException if either is no slot, or {@code last} is below {@code first}
     */
    public static SlotSet ofRange(int first, int last) {
        return ofRanges(List.of(new SlotRange(first, last)));
    }

    /**
     * Creates the set of all slots of some ranges, which may overlap.
     *
     * @param ranges the ranges, in any order
     * @return the set
     */
    public static SlotSet ofRanges(Iterable<SlotRange> ranges) {
        int lowest = HashSlot.COUNT;
        int highest = -1;
        for (SlotRange range : ranges) {
            lowest = Math.min(lowest, range.first());
            highest = Math.max(highest, range.last());
        }
        if (highest < 0) {
            return EMPTY;
        }
        int base = lowest >>> 6;
        int offset = base << 6;
        long[] bits = new long[(highest >>> 6) - base + 1];
        for (SlotRange range : ranges) {
            fill(bits, range.first() - offset, range.last() - offset);
        }
        int size = 0;
        for (long word : bits) {
            size += Long.bitCount(word);
        }
        return new SlotSet(base, bits, size);
    }

    /**
     * Parses the form that {@link #toString()} writes: slots and ranges in any order, separated by a comma, spaces, or
     * both, as in {@code 0-5460,5462 16000-16383}. An empty text is the empty set.
     *
     * @param text the text
     * @return the set
     * @throws MalformedTextException if the text has another form, or contains a number that is no slot, a range that
     *     ends before it starts, or a slot twice
     */
    public static SlotSet parse(String text) {
        SlotText reader = new SlotText(text);
        long[] bits = new long[WORDS];
        boolean more = false;
        reader.skipSpace();
        while (more || !reader.atEnd()) {
            int position = reader.position();
            SlotRange range = reader.range();
            int twice = nextBit(bits, range.first());
            if (twice >= 0 && twice <= range.last()) {
                throw new MalformedTextException(position, "slot must be given once: " + twice);
            }
            fill(bits, range.first(), range.last());
            more = reader.skipSeparator();
        }
        return ofBits(bits);
    }

    /**
     * Creates a set from a bit per slot, as {@link java.util.BitSet#valueOf(long[])} does: bit {@code slot & 63} of
     * word {@code slot >>> 6}.
     *
     * @param bits 256 words, one bit for each of the 16,384 slots; copied
     * @return the set
     * @throws IllegalArgumentException if there is another number of words
     */
    public static SlotSet ofBits(long[] bits) {
        if (bits.length != WORDS) {
            throw new IllegalArgumentException("bits must have " + WORDS + " words: " + bits.length);
        }
        int from = 0;
        int to = WORDS;
        while (from < to && bits[from] == 0) {
            from++;
        }
        while (from < to && bits[to - 1] == 0) {
            to--;
        }
        if (from == to) {
            return EMPTY;
        }
        int size = 0;
        for (int i = from; i < to; i++) {
            size += Long.bitCount(bits[i]);
        }
        return new SlotSet(from, Arrays.copyOfRange(bits, from, to), size);
    }

    /** {@return whether {@code slot} is in the set; false if it is no slot} */
    public boolean contains(int slot) {
        int index = (slot >> 6) - base;
        return index >= 0 && index < words.length && ((words[index] >>> slot) & 1) != 0;
    }

    /** {@return whether every slot of {@code other} is in this set} */
    public boolean containsAll(SlotSet other) {
        return other.minus(this).isEmpty();
    }

    /** {@return the number of slots in the set} */
    public int size() {
        return size;
    }

    /** {@return whether the set is empty} */
    public boolean isEmpty() {
        return size == 0;
    }

    /**
     * Finds the next slot in ascending order. {@code for (int s = set.next(0); s >= 0; s = set.next(s + 1))} visits
     * every slot.
     *
     * @param from the number to start at; at least 0
     * @return the lowest slot of the set that is at least {@code from}, or -1 if there is none
     */
    public int next(int from) {
        if (from < 0) {
            throw new IllegalArgumentException("slot must be at least 0: " + from);
        }
        int offset = base << 6;
        int found = nextBit(words, Math.max(from - offset, 0));
        return found < 0 ? -1 : found + offset;
    }

    /**
     * Calls {@code action} with each slot of the set, in ascending order.
     *
     * @param action the action
     */
    public void forEach(IntConsumer action) {
        for (int i = 0; i < words.length; i++) {
            for (long rest = words[i]; rest != 0; rest &= rest - 1) {
                action.accept(((base + i) << 6) + Long.numberOfTrailingZeros(rest));
            }
        }
    }

    /** {@return the slots of the set, in ascending order} */
    public IntStream stream() {
        return size == 0 ? IntStream.empty() : IntStream.iterate(next(0), slot -> slot >= 0, slot -> next(slot + 1));
    }

    /** {@return the set as the fewest ranges, in ascending order; unmodifiable} */
    public List<SlotRange> ranges() {
        List<SlotRange> ranges = new ArrayList<>();
        for (int first = next(0); first >= 0; ) {
            int gap = nextGap(first);
            ranges.add(new SlotRange(first, gap - 1));
            first = next(gap);
        }
        return List.copyOf(ranges);
    }

    /** {@return the slots in this set, in {@code other}, or in both} */
    public SlotSet union(SlotSet other) {
        long[] bits = new long[WORDS];
        for (int i = 0; i < WORDS; i++) {
            bits[i] = word(i) | other.word(i);
        }
        return ofBits(bits);
    }

    /** {@return the slots in both this set and {@code other}} */
    public SlotSet intersect(SlotSet other) {
        long[] bits = new long[WORDS];
        for (int i = 0; i < WORDS; i++) {
            bits[i] = word(i) & other.word(i);
        }
        return ofBits(bits);
    }

    /** {@return the slots of this set without those of {@code other}} */
    public SlotSet minus(SlotSet other) {
        long[] bits = new long[WORDS];
        for (int i = 0; i < WORDS; i++) {
            bits[i] = word(i) & ~other.word(i);
        }
        return ofBits(bits);
    }

    /** {@return all slots without those of this set} */
    public SlotSet complement() {
        return ALL.minus(this);
    }

    @Override
    public int compareTo(SlotSet other) {
        for (int i = 0; i < WORDS; i++) {
            long differing = word(i) ^ other.word(i);
            if (differing != 0) {
                int slot = (i << 6) + Long.numberOfTrailingZeros(differing);
                if (contains(slot)) {
                    return other.next(slot) < 0 ? 1 : -1; // without a later slot the other is a prefix of this one
                }
                return next(slot) < 0 ? -1 : 1;
            }
        }
        return 0;
    }

    @Override
    public boolean equals(@Nullable Object object) {
        return object instanceof SlotSet other && base == other.base && Arrays.equals(words, other.words);
    }

    @Override
    public int hashCode() {
        return Objects.hash(base, Arrays.hashCode(words));
    }

    /** {@return the ranges in ascending order, separated by commas, as in {@code 0-5460,5462}} */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (SlotRange range : ranges()) {
            text.append(text.isEmpty() ? "" : ",").append(range);
        }
        return text.toString();
    }

    private long word(int index) {
        int own = index - base;
        return own >= 0 && own < words.length ? words[own] : 0;
    }

    /** Finds the lowest number above a slot of the set that is not in the set. */
    private int nextGap(int slot) {
        int index = slot >>> 6;
        long gaps = ~word(index) & (-1L << slot);
        while (gaps == 0) {
            index++;
            gaps = ~word(index);
        }
        return (index << 6) + Long.numberOfTrailingZeros(gaps);
    }

    private static void fill(long[] bits, int first, int last) {
        int from = first >>> 6;
        int to = last >>> 6;
        long head = -1L << first;
        long tail = -1L >>> (63 - (last & 63));
        if (from == to) {
            bits[from] |= head & tail;
            return;
        }
        bits[from] |= head;
        Arrays.fill(bits, from + 1, to, -1L);
        bits[to] |= tail;
    }

    private static int nextBit(long[] bits, int from) {
        int index = from >>> 6;
        if (index >= bits.length) {
            return -1;
        }
        long rest = bits[index] & (-1L << from);
        while (rest == 0) {
            index++;
            if (index == bits.length) {
                return -1;
            }
            rest = bits[index];
        }
        return (index << 6) + Long.numberOfTrailingZeros(rest);
    }
}
