package io.kvorum.testkit.simulation;

import io.kvorum.replication.NodeRole;
import io.kvorum.replication.NodeStatus;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.Membership;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.Shard;
import io.kvorum.slots.topology.ShardId;
import java.util.List;
import java.util.Objects;

/**
 * What a cluster has to come to when all faults have ended: one primary for each shard, known to all sentinels,
 * followed by all nodes of the shard, which are its members; and at last equal data.
 *
 * <p>Confined to one thread.
 */
final class EndState {
    private final Cluster cluster;
    private final List<Client> clients;

    EndState(Cluster cluster, List<Client> clients) {
        this.cluster = cluster;
        this.clients = clients;
    }

    /** {@return what isn't as it has to be in a cluster without faults, or nothing} */
    String unsettled() {
        for (Client client : clients) {
            if (!client.isIdle()) {
                return client.toString();
            }
        }
        for (int index = 0; index < cluster.plan().shape().shards(); index++) {
            Shard shard = cluster.topology().shards().get(index);
            List<NodeStatus> statuses = cluster.nodesOf(index).stream()
                    .map(node -> Objects.requireNonNull(node.status()))
                    .toList();
            List<NodeStatus> primaries = statuses.stream()
                    .filter(status -> status.role() == NodeRole.PRIMARY)
                    .toList();
            if (primaries.size() != 1 || !primaries.get(0).writable()) {
                return shard.id() + " has not one primary that takes writes: " + statuses;
            }
            NodeStatus primary = primaries.get(0);
            for (NodeStatus status : statuses) {
                if (!isMember(status.node(), primary)) {
                    if (isListed(status.node(), shard.id())) {
                        return status + " is no member, by " + primary;
                    }
                    continue; // it was replaced
                }
                if (!status.complete()
                        || !primary.node().equals(status.primary())
                        || !primary.position().equals(status.position())) {
                    return status + " doesn't follow " + primary;
                }
            }
            for (SentinelHost sentinel : cluster.sentinels()) {
                ClusterTopology known =
                        Objects.requireNonNull(sentinel.driver()).topology();
                Shard told = known.shard(shard.id());
                if (told == null || !told.primary().equals(primary.node()) || told.epoch() != primary.epoch()) {
                    return sentinel.process().id() + " holds " + told + ", but the primary is " + primary;
                }
            }
        }
        return "";
    }

    /** Whether every sentinel counts a node among those of a shard. */
    private boolean isListed(NodeId node, ShardId id) {
        return cluster.sentinels().stream().allMatch(sentinel -> {
            Shard told = sentinel.topology().shard(id);
            return told != null && told.nodes().contains(node);
        });
    }

    private static boolean isMember(NodeId node, NodeStatus primary) {
        Membership membership = primary.membership();
        return membership != null && membership.knows(node);
    }

    /** Checks that the members of each shard have the same, and all that was acknowledged; writes it into the trace. */
    void checkData() {
        for (int index = 0; index < cluster.plan().shape().shards(); index++) {
            Shard shard = cluster.topology().shards().get(index);
            DataNode first = Objects.requireNonNull(cluster.latestPrimary(index));
            for (DataNode node : cluster.nodesOf(index)) {
                NodeId id = node.identity().node();
                if (!isMember(id, Objects.requireNonNull(first.status()))) {
                    continue;
                }
                if (!node.log().end().equals(first.log().end()) || node.stateDigest() != first.stateDigest()) {
                    throw new Violation(
                            "equal positions, equal data",
                            id + " at " + node.log().end() + " differs from "
                                    + first.identity().node() + " at "
                                    + first.log().end());
                }
                LogPosition acknowledged = cluster.auditor().lastAcknowledged(shard.id());
                if (!node.log()
                        .history()
                        .contains(acknowledged, node.log().end().offset())) {
                    throw new Violation("acknowledged writes survive", id + " lacks " + acknowledged);
                }
                cluster.trace()
                        .event(
                                (int) node.stateDigest(),
                                node.process().index(),
                                node.log().end().offset());
            }
        }
    }
}
