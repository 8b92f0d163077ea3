package io.kvorum.failover;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Chooses whom to promote among nodes that have promised the epoch. The log decides: only a node that has everything
 * that any of them has may be chosen. Priority and id decide only between equals.
 *
 * @param keep the node that is preferred to others of its priority, if any: a failover that nobody's silence caused
 *     need not move the primary
 * @param avoid the node that is chosen only if no other can be, if any: the primary that a switchover takes leave of
 * @param lossy whether a node may be chosen although those with more data cannot be
 */
record Selection(@Nullable NodeId keep, @Nullable NodeId avoid, boolean lossy) {
    /**
     * Chooses one.
     *
     * @param promised what the nodes said when they promised the epoch
     * @return the node to promote, or null if none may be
     */
    @Nullable
    NodeReport choose(Iterable<NodeReport> promised) {
        List<NodeReport> complete = new ArrayList<>();
        for (NodeReport report : promised) {
            if (report.synced() && (!lossy || report.priority() > 0)) {
                complete.add(report);
            }
        }
        LogPosition best = complete.stream()
                .map(NodeReport::position)
                .max(Comparator.naturalOrder())
                .orElse(LogPosition.START);
        return complete.stream()
                .filter(report -> report.priority() > 0 && report.position().equals(best))
                .min(Comparator.<NodeReport, Boolean>comparing(
                                report -> report.node().equals(avoid))
                        .thenComparing(NodeReport::priority)
                        .thenComparing(report -> !report.node().equals(keep))
                        .thenComparing(NodeReport::node))
                .orElse(null);
    }
}
