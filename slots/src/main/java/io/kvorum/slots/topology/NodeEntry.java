package io.kvorum.slots.topology;

import org.jspecify.annotations.Nullable;

/**
 * A topology's record of a node's address, in a form that merges: the later address wins, and of two that were set at
 * once the one with the greater text.
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
