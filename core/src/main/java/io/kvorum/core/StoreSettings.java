package io.kvorum.core;

import io.kvorum.slots.HashSlot;

/**
 * The values of a {@link LocalStore} that are fixed at construction.
 *
 * <p>Immutable.
 *
 * @param stripes into how many separately locked parts the slots are divided: a power of two, 1 to 16,384
 * @param maxKeyLength the most bytes that a key may have; at least 1
 * @param maxValueLength the most bytes that a value may have; at least 1
 */
public record StoreSettings(int stripes, int maxKeyLength, int maxValueLength) {
    private static final StoreSettings DEFAULTS = new StoreSettings(64, 512 << 20, 512 << 20);

    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if a value is out of range
     */
    public StoreSettings {
        if (stripes < 1 || stripes > HashSlot.COUNT || Integer.bitCount(stripes) != 1) {
            throw new IllegalArgumentException(
                    "stripes must be a power of two, 1 to " + HashSlot.COUNT + ": " + stripes);
        }
        if (maxKeyLength < 1) {
            throw new IllegalArgumentException("maxKeyLength must be at least 1: " + maxKeyLength);
        }
        if (maxValueLength < 1) {
            throw new IllegalArgumentException("maxValueLength must be at least 1: " + maxValueLength);
        }
    }

    /** {@return 64 stripes; keys and values of at most 512 MiB} */
    public static StoreSettings defaults() {
        return DEFAULTS;
    }

    /**
     * {@return these settings with another number of stripes}
     *
     * @param newStripes a power of two, 1 to 16,384
     */
    public StoreSettings withStripes(int newStripes) {
        return new StoreSettings(newStripes, maxKeyLength, maxValueLength);
    }

    /**
     * {@return these settings with another limit of keys}
     *
     * @param newMaxKeyLength the most bytes that a key may have; at least 1
     */
    public StoreSettings withMaxKeyLength(int newMaxKeyLength) {
        return new StoreSettings(stripes, newMaxKeyLength, maxValueLength);
    }

    /**
     * {@return these settings with another limit of values}
     *
     * @param newMaxValueLength the most bytes that a value may have; at least 1
     */
    public StoreSettings withMaxValueLength(int newMaxValueLength) {
        return new StoreSettings(stripes, maxKeyLength, newMaxValueLength);
    }
}
