package io.kvorum.core;

import io.kvorum.slots.HashSlot;
import java.util.Objects;

/**
 * Which keys a scan returns, about how many at a time, and up to which slot.
 *
 * <p>Immutable.
 *
 * @param filter which keys
 * @param count about how many keys a page looks at, before the filter: 1 to 65,536
 * @param lastSlot where a page ends, if not before: the cursor after it is at the slot behind, or at the end
 */
public record ScanOptions(KeyFilter filter, int count, int lastSlot) {
    private static final int MAX_COUNT = 1 << 16;
    private static final ScanOptions DEFAULTS = new ScanOptions(KeyFilter.all(), 100, HashSlot.COUNT - 1);

    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException if {@code count} is out of range or {@code lastSlot} is not a slot
     */
    public ScanOptions {
        Objects.requireNonNull(filter, "filter");
        if (count < 1 || count > MAX_COUNT) {
            throw new IllegalArgumentException("count must be 1 to " + MAX_COUNT + ": " + count);
        }
        HashSlot.check(lastSlot);
    }

    /** {@return every key of every slot, about 100 at a time} */
    public static ScanOptions defaults() {
        return DEFAULTS;
    }

    /**
     * {@return these options with another filter}
     *
     * @param newFilter which keys
     */
    public ScanOptions withFilter(KeyFilter newFilter) {
        return new ScanOptions(newFilter, count, lastSlot);
    }

    /**
     * {@return these options with another count}
     *
     * @param newCount about how many keys a page looks at: 1 to 65,536
     */
    public ScanOptions withCount(int newCount) {
        return new ScanOptions(filter, newCount, lastSlot);
    }

    /**
     * {@return these options with another last slot}
     *
     * @param newLastSlot where a page ends, if not before
     */
    public ScanOptions withLastSlot(int newLastSlot) {
        return new ScanOptions(filter, count, newLastSlot);
    }
}
