package io.kvorum.testkit;

import io.kvorum.cluster.ClusterClient;
import io.kvorum.cluster.ClusterNode;
import io.kvorum.failover.runtime.SentinelDriver;
import io.kvorum.slots.Scheduler;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.Shard;
import io.kvorum.slots.topology.ShardId;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A cluster as its client sees it: the nodes that it reaches, and the latest topology that any sentinel has told it.
 * The order in which they tell does not matter.
 *
 * <p>Safe for use by any number of threads.
 */
final class ClientSide {
    private final Parties parties;
    private final Network network;
    private volatile ClusterTopology latest;

    ClientSide(Parties parties, Network network, ClusterTopology initial) {
        this.parties = parties;
        this.network = network;
        this.latest = initial;
    }

    ClusterClient connect(LocalClusterSettings settings, Scheduler scheduler, RandomGenerator random) {
        return ClusterClient.builder()
                .topology(this::topology)
                .nodes(id -> {
                    ClusterNode node = reachable(id);
                    return node == null ? null : node.store();
                })
                .scheduler(scheduler)
                .random(random)
                .writeLevel(settings.acknowledgement())
                .timeout(settings.timeout())
                .build();
    }

    ClusterTopology topology() {
        return latest;
    }

    /** A sentinel tells what it knows. */
    void learn(NodeId sentinel, ClusterTopology news) {
        if (network.isOpen(sentinel, LocalCluster.CLIENT)) {
            synchronized (this) {
                latest = latest.merge(news);
            }
        }
    }

    /** All sentinels tell what they know by now. */
    void catchUp() {
        for (LocalSentinel sentinel : parties.sentinels()) {
            SentinelDriver driver = sentinel.driverIfRunning();
            if (driver != null) {
                learn(sentinel.id(), driver.topology());
            }
        }
    }

    Shard shard(ShardId id) {
        Shard shard = latest.shard(id);
        if (shard == null) {
            throw new IllegalArgumentException("shard must be one of this cluster: " + id);
        }
        return shard;
    }

    NodeId primaryOf(int slot) {
        NodeId primary = latest.primaryOf(slot);
        if (primary == null) {
            throw new IllegalArgumentException("slot must have a shard: " + slot);
        }
        return primary;
    }

    /** {@return the slots that it cannot reach} */
    SlotSet uncovered() {
        ClusterTopology current = latest;
        SlotSet uncovered = current.uncovered();
        for (Shard shard : current.shards()) {
            if (reachable(shard.primary()) == null) {
                uncovered = uncovered.union(shard.slots());
            }
        }
        return uncovered;
    }

    private @Nullable ClusterNode reachable(NodeId id) {
        LocalNode node = parties.nodeOrNull(id);
        return node != null && network.isOpen(LocalCluster.CLIENT, id) && network.isOpen(id, LocalCluster.CLIENT)
                ? node.answering()
                : null;
    }
}
