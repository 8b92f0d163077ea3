package io.kvorum.testkit;

import io.kvorum.failover.SentinelFact;
import io.kvorum.replication.Promise;
import io.kvorum.replication.ReplicationEvent;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Looks at the nodes and sentinels of a cluster in virtual time for what must hold in each step, and counts what
 * happened.
 *
 * <p>For use by one thread at a time.
 */
final class SimulationAuditor {
    private record Leadership(ShardId shard, long epoch) {}

    private final LocalCluster cluster;
    private final Map<Leadership, NodeId> primaries = new HashMap<>();
    private final Map<NodeId, Promise> promises = new HashMap<>();
    private final List<NodeId> nodes;
    private long elections;
    private long failovers;
    private @Nullable String broken;

    SimulationAuditor(LocalCluster cluster) {
        this.cluster = cluster;
        this.nodes = cluster.nodes().stream().map(LocalNode::id).toList();
        cluster.onEvent(this::happened);
    }

    private void happened(ClusterEvent event) {
        if (event instanceof ClusterEvent.OfNode node && node.event() instanceof ReplicationEvent.Promoted promoted) {
            leads(cluster.node(promoted.node()).shard(), promoted.epoch(), promoted.node());
        } else if (event instanceof ClusterEvent.OfSentinel sentinel) {
            if (sentinel.event().fact() instanceof SentinelFact.LeaderElected) {
                elections++;
            } else if (sentinel.event().fact() instanceof SentinelFact.NodePromoted promoted) {
                failovers++;
                leads(promoted.shard(), promoted.epoch(), promoted.node());
            }
        }
        nodes.forEach(this::checkPromise);
    }

    private void checkPromise(NodeId id) {
        Promise now = cluster.node(id).promise();
        if (now == null) {
            return;
        }
        Promise before = promises.put(id, now);
        if (before != null && before.incarnation() == now.incarnation() && now.epoch() < before.epoch()) {
            breaks(id + " had promised epoch " + Epoch.toString(before.epoch()) + ", now "
                    + Epoch.toString(now.epoch()));
        }
    }

    private void leads(ShardId shard, long epoch, NodeId node) {
        NodeId other = primaries.putIfAbsent(new Leadership(shard, epoch), node);
        if (other != null && !other.equals(node)) {
            breaks(shard + " has two primaries in epoch " + Epoch.toString(epoch) + ": " + other + " and " + node);
        }
    }

    private void breaks(String what) {
        broken = broken == null ? what : broken;
    }

    /** {@return what does not hold, or null} */
    @Nullable
    String broken() {
        return broken;
    }

    long elections() {
        return elections;
    }

    long failovers() {
        return failovers;
    }

    /** {@return a line for each node that differs from another one at the same position} */
    List<String> differences() {
        List<String> differences = new ArrayList<>();
        for (var shard : cluster.topology().shards()) {
            Map<LogPosition, LocalNode> byPosition = new HashMap<>();
            for (LocalNode node : cluster.nodes(shard.id())) {
                if (node.isRunning() && node.status().complete()) {
                    LogPosition at = node.status().position();
                    LocalNode other = byPosition.putIfAbsent(at, node);
                    if (other != null && other.digest() != node.digest()) {
                        differences.add(other + " and " + node + " hold different data at " + at);
                    }
                }
            }
        }
        return differences;
    }
}
