package io.kvorum.core;

import io.kvorum.core.engine.EngineSettings;
import io.kvorum.slots.HashSlot;
import java.util.Objects;

/**
 * The values of a {@link LocalStore} that are fixed at construction.
 *
 * <p>Whatever the limit, a stripe of a store that does not evict has room for 131,071 parts, each an entry of more than
 * 16 KiB or 48 KiB or more of smaller ones. A write beyond that is refused as {@code OUT_OF_MEMORY}, unless it makes
 * the stripe no larger; more stripes have more room.
 *
 * <p>Immutable.
 *
 * @param stripes into how many separately locked parts the slots are divided: a power of two, 1 to 16,384
 * @param maxKeyLength the most bytes that a key may have: 1 to 512 MiB
 * @param maxValueLength the most bytes that a value may have: 1 to 512 MiB
 * @param limit how much the store may hold
 */
public record StoreSettings(int stripes, int maxKeyLength, int maxValueLength, MemoryLimit limit) {
    private static final int MAX_LENGTH = 512 << 20;
    private static final StoreSettings DEFAULTS = new StoreSettings(64, MAX_LENGTH, MAX_LENGTH, MemoryLimit.none());

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
        requireLength("maxKeyLength", maxKeyLength);
        requireLength("maxValueLength", maxValueLength);
        Objects.requireNonNull(limit, "limit");
    }

    private static void requireLength(String name, int length) {
        if (length < 1 || length > MAX_LENGTH) {
            throw new IllegalArgumentException(name + " must be 1 to " + MAX_LENGTH + ": " + length);
        }
    }

    /** {@return 64 stripes; keys and values of at most 512 MiB; no limit} */
    public static StoreSettings defaults() {
        return DEFAULTS;
    }

    /**
     * {@return these settings with another number of stripes}
     *
     * @param newStripes a power of two, 1 to 16,384
     */
    public StoreSettings withStripes(int newStripes) {
        return new StoreSettings(newStripes, maxKeyLength, maxValueLength, limit);
    }

    /**
     * {@return these settings with another limit of keys}
     *
     * @param newMaxKeyLength the most bytes that a key may have: 1 to 512 MiB
     */
    public StoreSettings withMaxKeyLength(int newMaxKeyLength) {
        return new StoreSettings(stripes, newMaxKeyLength, maxValueLength, limit);
    }

    /**
     * {@return these settings with another limit of values}
     *
     * @param newMaxValueLength the most bytes that a value may have: 1 to 512 MiB
     */
    public StoreSettings withMaxValueLength(int newMaxValueLength) {
        return new StoreSettings(stripes, maxKeyLength, newMaxValueLength, limit);
    }

    EngineSettings engine() {
        return new EngineSettings(
                stripes,
                limit.unit() == MemoryLimit.Unit.ENTRIES,
                limit.most(),
                limit.whenFull() == MemoryLimit.WhenFull.EVICT,
                maxKeyLength,
                maxValueLength);
    }

    /** Throws unless a key and a value are short enough. */
    void checkLengths(long keyLength, long valueLength) {
        if (keyLength > maxKeyLength) {
            throw new IllegalArgumentException("key must have at most " + maxKeyLength + " bytes: it has " + keyLength);
        }
        if (valueLength > maxValueLength) {
            throw new IllegalArgumentException(
                    "value must have at most " + maxValueLength + " bytes: it has " + valueLength);
        }
    }

    /**
     * {@return these settings with another limit of what the store holds}
     *
     * @param newLimit how much the store may hold
     */
    public StoreSettings withLimit(MemoryLimit newLimit) {
        return new StoreSettings(stripes, maxKeyLength, maxValueLength, newLimit);
    }
}
