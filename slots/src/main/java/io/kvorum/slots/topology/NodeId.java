package io.kvorum.slots.topology;

import org.jspecify.annotations.Nullable;

/**
 * The stable identity of a node or a sentinel, independent of any address. Ordered by the characters of its value.
 *
 * <p>Immutable.
 *
 * @param value the identity: 1 to 64 characters, each an ASCII letter, digit, {@code .}, {@code _}, {@code :} or
 *     {@code -}
 */
public record NodeId(String value) implements Comparable<NodeId> {
    /**
     * Checks the value.
     *
     * @throws IllegalArgumentException if {@code value} is empty, too long or has another character
     */
    public NodeId {
        Identifiers.check("node id", value);
    }

    @Override
    public int compareTo(NodeId other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value;
    }

    /** As of any record. Written out, because each message asks, and what the JDK makes is slow while it is cold. */
    @Override
    public boolean equals(@Nullable Object other) {
        return this == other || (other instanceof NodeId that && value.equals(that.value));
    }

    @Override
    public int hashCode() {
        return value.hashCode();
    }
}
