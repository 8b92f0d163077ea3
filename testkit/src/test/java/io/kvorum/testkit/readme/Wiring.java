package io.kvorum.testkit.readme;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.cluster.ClusterNode;
import io.kvorum.cluster.ClusterSentinel;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.replicated.ReadLevel;
import io.kvorum.core.replicated.ReplicatedStore;
import io.kvorum.failover.SentinelList;
import io.kvorum.failover.SentinelSettings;
import io.kvorum.failover.ShardPrimary;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

public final class Wiring {
    public static void main(String[] arguments) throws IOException {
        Path data = Path.of(arguments[0]); // has a directory for each node, made when the node is installed
        ShardId shard = new ShardId("shard");
        List<NodeId> ids = List.of(new NodeId("a"), new NodeId("b"), new NodeId("c"));
        NodeId watcher = new NodeId("sentinel"); // one is enough to see it run, three or more to survive
        ClusterTopology topology = ClusterTopology.EMPTY.apply(
                ClusterTopology.EMPTY.version(),
                List.of(
                        new TopologyChange.AddShard(shard, 0, ids.get(0), ids.subList(1, 3)),
                        new TopologyChange.AssignSlots(SlotSet.ALL, shard)));
        Map<NodeId, ClusterNode> nodes = new ConcurrentHashMap<>();
        for (NodeId id : ids) {
            ClusterNode node = ClusterNode.builder(shard, id)
                    .directory(data.resolve(id.value())) // keeps the promise
                    .transport((to, message) -> nodes.get(to).receive(id, message)) // a call within this JVM
                    .topology(() -> topology)
                    .start();
            nodes.put(id, node);
        }
        ClusterSentinel sentinel = ClusterSentinel.builder(watcher, SentinelList.of(watcher), topology)
                .settings(SentinelSettings.defaults().withQuorum(1))
                .transport((to, message) -> {})
                .gateway((to, command, answer) -> nodes.get(to).execute(command, answer))
                .start();
        try {
            ShardPrimary first = sentinel.bootstrap(shard).toCompletableFuture().join(); // refused if it had begun
            ReplicatedStore node = nodes.get(first.primary()).store();
            KeyValueStore store = node.store(Acknowledgement.MAJORITY, ReadLevel.CONFIRMED, Duration.ofSeconds(5));
            store.set("key".getBytes(UTF_8), "value".getBytes(UTF_8));
            System.out.println(new String(store.get("key".getBytes(UTF_8)), UTF_8) + ", from a majority of " + ids);
        } finally {
            sentinel.close();
            nodes.values().forEach(ClusterNode::close);
        }
    }
}
