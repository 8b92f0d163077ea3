package io.kvorum.testkit.readme;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.cluster.ClusterNode;
import io.kvorum.cluster.ClusterSentinel;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.replicated.ReadLevel;
import io.kvorum.failover.SentinelList;
import io.kvorum.failover.SentinelSettings;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

public final class Wiring {
    public static void main(String[] arguments) throws IOException {
        ShardId shard = new ShardId("shard");
        List<NodeId> ids = List.of(new NodeId("a"), new NodeId("b"), new NodeId("c"));
        NodeId watcher = new NodeId("sentinel"); // one is enough to see it run, three or more to survive
        ClusterTopology topology = ClusterTopology.EMPTY.apply(
                ClusterTopology.EMPTY.version(),
                List.of(
                        new TopologyChange.AddShard(shard, 0, ids.get(0), ids.subList(1, 3)),
                        new TopologyChange.AssignSlots(SlotSet.ALL, shard)));
        Path data = Files.createTempDirectory("wiring");
        Map<NodeId, ClusterNode> nodes = new ConcurrentHashMap<>();
        for (NodeId id : ids) {
            nodes.put(
                    id,
                    ClusterNode.builder(shard, id)
                            .directory(Files.createDirectory(data.resolve(id.value()))) // keeps its promise
                            .transport((to, message) -> nodes.get(to).receive(id, message)) // a call within this JVM
                            .topology(() -> topology)
                            .start());
        }
        ClusterSentinel sentinel = ClusterSentinel.builder(watcher, SentinelList.of(watcher), topology)
                .settings(SentinelSettings.defaults().withQuorum(1))
                .transport((to, message) -> {})
                .gateway((to, command, answer) -> nodes.get(to).execute(command, answer))
                .start();
        NodeId primary = sentinel.bootstrap(shard) // once in the life of a shard
                .toCompletableFuture()
                .join()
                .primary();
        KeyValueStore store =
                nodes.get(primary).store().store(Acknowledgement.MAJORITY, ReadLevel.CONFIRMED, Duration.ofSeconds(5));
        store.set("key".getBytes(UTF_8), "value".getBytes(UTF_8));
        System.out.println(new String(store.get("key".getBytes(UTF_8)), UTF_8) + ", from a majority of " + ids);
        sentinel.close();
        nodes.values().forEach(ClusterNode::close);
    }
}
