package io.kvorum.testkit;

import io.kvorum.failover.SentinelList;
import io.kvorum.failover.runtime.SentinelDriver;
import io.kvorum.replication.NodeIdentity;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.Shard;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The nodes and sentinels of a cluster, and its client: everyone that a link can lead to.
 *
 * <p>Safe for use by any number of threads once all have been added.
 */
final class Parties {
    private final Map<NodeId, LocalNode> nodes = new LinkedHashMap<>();
    private final Map<NodeId, LocalSentinel> sentinels = new LinkedHashMap<>();

    /** Adds the nodes of a topology, and as many sentinels as the settings of their cluster have. */
    void add(LocalCluster cluster, ClusterTopology topology, Map<NodeId, Integer> priorities) {
        for (Shard shard : topology.shards()) {
            for (NodeId id : shard.nodes()) {
                int priority = priorities.getOrDefault(id, NodeIdentity.DEFAULT_PRIORITY);
                nodes.put(id, new LocalNode(cluster, shard.id(), id, priority));
            }
        }
        for (NodeId id : priorities.keySet()) {
            node(id);
        }
        List<NodeId> ids = IntStream.rangeClosed(1, cluster.settings().sentinels())
                .mapToObj(i -> new NodeId("sentinel-" + i))
                .toList();
        SentinelList list = SentinelList.of(ids);
        ids.forEach(id -> sentinels.put(id, new LocalSentinel(cluster, id, list, topology)));
    }

    /** {@return all nodes, by shard} */
    Collection<LocalNode> nodes() {
        return nodes.values();
    }

    /** {@return all sentinels, by number} */
    Collection<LocalSentinel> sentinels() {
        return sentinels.values();
    }

    @Nullable
    LocalNode nodeOrNull(NodeId id) {
        return nodes.get(id);
    }

    @Nullable
    LocalSentinel sentinelOrNull(NodeId id) {
        return sentinels.get(id);
    }

    LocalNode node(NodeId id) {
        return existing("node", id, nodes.get(id));
    }

    LocalSentinel sentinel(NodeId id) {
        return existing("sentinel", id, sentinels.get(id));
    }

    private static <T> T existing(String what, NodeId id, @Nullable T found) {
        if (found == null) {
            throw new IllegalArgumentException(what + " must be one of this cluster: " + id);
        }
        return found;
    }

    /** {@return what runs the first sentinel that is running, or null if none is} */
    @Nullable
    SentinelDriver anySentinel() {
        for (LocalSentinel sentinel : sentinels.values()) {
            SentinelDriver driver = sentinel.driverIfRunning();
            if (driver != null) {
                return driver;
            }
        }
        return null;
    }

    boolean isRunning(NodeId party) {
        LocalNode node = nodes.get(party);
        LocalSentinel sentinel = sentinels.get(party);
        return node != null ? node.isRunning() : sentinel != null && sentinel.isRunning();
    }

    /** {@return the ids of all, the client included} */
    List<NodeId> everybody() {
        List<NodeId> everybody = new ArrayList<>(nodes.keySet());
        everybody.addAll(sentinels.keySet());
        everybody.add(LocalCluster.CLIENT);
        return everybody;
    }

    /** Refuses ids that are not of this cluster. */
    void require(Collection<NodeId> parties) {
        List<NodeId> everybody = everybody();
        for (NodeId party : parties) {
            if (!everybody.contains(party)) {
                throw new IllegalArgumentException("party must be one of this cluster: " + party);
            }
        }
    }
}
