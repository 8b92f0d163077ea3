package io.kvorum.slots.topology;

import org.jspecify.annotations.Nullable;

/**
 * The stable identity of a shard. Ordered by the characters of its value.
 *
 * <p>Immutable.
 *
 * @param value the identity: 1 to 64 characters, each an ASCII letter, digit, {@code .}, {@code _}, {@code :} or
 *     {@code -}
 */
public record ShardId(String value) implements Comparable<ShardId> {
    /**
     * Checks the value.
     *
     * @throws IllegalArgumentException if {@code value} is empty, too long or has another character
     */
    public ShardId {
        Identifiers.check("shard id", value);
    }

    @Override
    public int compareTo(ShardId other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value;
    }

    /** As of any record. Written out, because each message asks, and what the JDK makes is slow while it is cold. */
    @Override
    public boolean equals(@Nullable Object other) {
        return this == other || (other instanceof ShardId that && value.equals(that.value));
    }

    @Override
    public int hashCode() {
        return value.hashCode();
    }
}
