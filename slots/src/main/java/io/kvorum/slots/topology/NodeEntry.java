package io.kvorum.slots.topology;

import org.jspecify.annotations.Nullable;

/**
 * What a topology remembers of a node's address. In a merge the later one wins; of two that were set at once, either
 * one, the same everywhere.
 *
 * @param stamp how often the address was set, 1 or more
 * @param address the address; {@code null} if it was last forgotten
 */
record NodeEntry(NodeId node, int stamp, @Nullable NodeAddress address) {
    NodeEntry with(@Nullable NodeAddress newAddress) {
        return new NodeEntry(node, Math.addExact(stamp, 1), newAddress);
    }

    NodeEntry merge(NodeEntry other) {
        int byStamp = Integer.compare(stamp, other.stamp);
        return byStamp > 0 || (byStamp == 0 && text().compareTo(other.text()) >= 0) ? this : other;
    }

    private String text() {
        return address == null ? "" : address.toString();
    }
}
