package io.kvorum.cluster;

import io.kvorum.failover.NodeReport;
import io.kvorum.replication.NodeStatus;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Makes the reports of one node, and gives the latest one again while the node stands where it stood: each sentinel
 * asks several times a second.
 *
 * <p>Safe for use by any number of threads.
 */
final class LatestReport implements Function<NodeStatus, NodeReport> {
    private record Made(NodeStatus from, NodeReport report) {}

    private volatile @Nullable Made latest;

    @Override
    public NodeReport apply(NodeStatus status) {
        Made made = latest;
        if (made == null || !made.from.equals(status)) {
            made = new Made(status, NodeCommands.report(status));
            latest = made;
        }
        return made.report;
    }
}
