package io.kvorum.core;

import java.util.Objects;

/**
 * Which keys a scan returns, and about how many at a time.
 *
 * <p>Immutable.
 *
 * @param filter which keys
 * @param count about how many keys a page looks at, before the filter: 1 to 65,536
 */
public record ScanOptions(KeyFilter filter, int count) {
    private static final int MAX_COUNT = 1 << 16;
    private static final ScanOptions DEFAULTS = new ScanOptions(KeyFilter.all(), 100);

    /**
     * Checks the count.
     *
     * @throws IllegalArgumentException if {@code count} is out of range
     */
    public ScanOptions {
        Objects.requireNonNull(filter, "filter");
        if (count < 1 || count > MAX_COUNT) {
            throw new IllegalArgumentException("count must be 1 to " + MAX_COUNT + ": " + count);
        }
    }

    /** {@return every key, about 100 at a time} */
    public static ScanOptions defaults() {
        return DEFAULTS;
    }

    /**
     * {@return these options with another filter}
     *
     * @param newFilter which keys
     */
    public ScanOptions withFilter(KeyFilter newFilter) {
        return new ScanOptions(newFilter, count);
    }

    /**
     * {@return these options with another count}
     *
     * @param newCount about how many keys a page looks at: 1 to 65,536
     */
    public ScanOptions withCount(int newCount) {
        return new ScanOptions(filter, newCount);
    }
}
