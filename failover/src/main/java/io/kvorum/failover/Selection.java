package io.kvorum.failover;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Chooses which node to promote among complete members that have promised the epoch. The log decides: only a node that
 * has everything that any of them has may be chosen. Priority decides between equals, then whether a node was deposed
 * of late, then the id.
 *
 * @param target a node that is preferred to all others, or null
 * @param keep a node that is preferred to others of its priority, or null: a failover that no silence has caused need
 *     not move the primary
 * @param avoid a node that is chosen only if no other can be, or null: the outgoing primary of a switchover
 * @param deposed nodes that are chosen only if no other of their priority can be: they may be out of reach again
 * @param lossy whether a node may be chosen although another one, of priority 0, has more data
 */
record Selection(
        @Nullable NodeId target,
        @Nullable NodeId keep,
        @Nullable NodeId avoid,
        Collection<NodeId> deposed,
        boolean lossy) {
    /** {@return the node to promote, or null if none may be} */
    @Nullable
    NodeReport choose(Collection<NodeReport> promised) {
        List<NodeReport> considered = promised.stream()
                .filter(report -> !lossy || report.priority() > 0)
                .toList();
        LogPosition best = considered.stream()
                .map(NodeReport::position)
                .max(Comparator.naturalOrder())
                .orElse(LogPosition.START);
        return considered.stream()
                .filter(report -> report.priority() > 0 && report.position().equals(best))
                .min(Comparator.<NodeReport, Boolean>comparing(
                                report -> !report.node().equals(target))
                        .thenComparing(report -> report.node().equals(avoid))
                        .thenComparing(NodeReport::priority)
                        .thenComparing(report -> !report.node().equals(keep))
                        .thenComparing(report -> deposed.contains(report.node()))
                        .thenComparing(NodeReport::node))
                .orElse(null);
    }
}
