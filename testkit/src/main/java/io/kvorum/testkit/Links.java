package io.kvorum.testkit;

import io.kvorum.slots.topology.NodeId;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;

/**
 * Which of the cluster's parties can reach which. A link has a direction, and carries what is sent while it is open.
 *
 * <p>Safe for use by any number of threads.
 */
final class Links {
    private volatile Set<Link> cut = Set.of();

    boolean isOpen(NodeId from, NodeId to) {
        return cut.isEmpty() || !cut.contains(new Link(from, to));
    }

    /** Cuts each link that leads from one of these to one of those. */
    synchronized void cut(Collection<NodeId> from, Collection<NodeId> to) {
        Set<Link> more = new HashSet<>(cut);
        for (NodeId sender : from) {
            for (NodeId receiver : to) {
                if (!sender.equals(receiver)) {
                    more.add(new Link(sender, receiver));
                }
            }
        }
        cut = Set.copyOf(more);
    }

    synchronized void heal() {
        cut = Set.of();
    }

    private record Link(NodeId from, NodeId to) {}
}
