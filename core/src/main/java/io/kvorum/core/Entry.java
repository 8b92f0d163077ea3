package io.kvorum.core;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A key with its value and its deadline. Two entries are equal if they have the same bytes and the same deadline.
 *
 * <p>The arrays are not copied: whoever makes an entry and whoever receives it share them. Immutable as long as nobody
 * changes them.
 *
 * @param key the key; may be empty
 * @param value the value; may be empty
 * @param deadline the last moment at which the entry exists, in milliseconds since 1970, or
 *     {@link KeyValueStore#NO_DEADLINE}
 */
@SuppressWarnings("ArrayRecordComponent") // equality is by the bytes, see below
public record Entry(byte[] key, byte[] value, long deadline) {
    /**
     * Checks the deadline.
     *
     * @throws IllegalArgumentException if {@code deadline} is negative and not {@link KeyValueStore#NO_DEADLINE}
     */
    public Entry {
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(value, "value");
        if (deadline < KeyValueStore.NO_DEADLINE) {
            throw new IllegalArgumentException("deadline must be at least 0: " + deadline);
        }
    }

    /**
     * Makes an entry without a deadline.
     *
     * @param key the key
     * @param value the value
     */
    public Entry(byte[] key, byte[] value) {
        this(key, value, KeyValueStore.NO_DEADLINE);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Entry entry
                && deadline == entry.deadline
                && Arrays.equals(key, entry.key)
                && Arrays.equals(value, entry.value);
    }

    @Override
    public int hashCode() {
        return (Arrays.hashCode(key) * 31 + Arrays.hashCode(value)) * 31 + Long.hashCode(deadline);
    }

    /** {@return the sizes and the deadline, but never the bytes} */
    @Override
    public String toString() {
        return "Entry[key of " + key.length + " bytes, value of " + value.length + " bytes, deadline " + deadline + "]";
    }
}
