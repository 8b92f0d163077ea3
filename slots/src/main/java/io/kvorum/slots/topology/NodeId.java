package io.kvorum.slots.topology;

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
}
