package io.kvorum.slots.topology;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A node in one incarnation, the unit in which a shard counts its majorities.
 *
 * <p>The incarnation is a random number drawn when the node creates its promise file. A node that lost the file draws
 * another number and is another member, so that its forgotten promises count for nothing.
 *
 * <p>Ordered by node, then by incarnation. Immutable.
 *
 * @param node the node
 * @param incarnation the incarnation of the node; not 0
 */
public record Member(NodeId node, long incarnation) implements Comparable<Member> {
    /**
     * Checks the parts.
     *
     * @throws IllegalArgumentException if {@code incarnation} is 0
     */
    public Member {
        Objects.requireNonNull(node, "node");
        if (incarnation == 0) {
            throw new IllegalArgumentException("incarnation of " + node + " must not be 0");
        }
    }

    @Override
    public int compareTo(Member other) {
        int byNode = node.compareTo(other.node);
        return byNode != 0 ? byNode : Long.compare(incarnation, other.incarnation);
    }

    /** {@return the node and the incarnation in hexadecimal, as in {@code a#7f3c}} */
    @Override
    public String toString() {
        return node + "#" + Long.toHexString(incarnation);
    }

    /** As of any record. Written out, because each message asks, and what the JDK makes is slow while it is cold. */
    @Override
    public boolean equals(@Nullable Object other) {
        return this == other
                || (other instanceof Member that && incarnation == that.incarnation && node.equals(that.node));
    }

    @Override
    public int hashCode() {
        return 31 * node.hashCode() + Long.hashCode(incarnation);
    }
}
