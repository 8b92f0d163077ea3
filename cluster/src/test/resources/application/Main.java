package application;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.cluster.ClusterNode;
import io.kvorum.cluster.ClusterSentinel;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.ShardedStore;
import io.kvorum.core.replicated.ReadLevel;
import io.kvorum.core.typed.Codec;
import io.kvorum.core.typed.TypedStore;
import io.kvorum.failover.SentinelList;
import io.kvorum.failover.SentinelSettings;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** Writes to a store with a near cache and to a shard of one node, and prints what it reads. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws Exception {
        try (TypedStore<String, Long> counts =
                TypedStore.nearCached(ShardedStore.local(2), Codec.text(), Codec.decimal(), 100)) {
            counts.increment("visits", 41);
            counts.increment("visits", 1);
            System.out.println(counts.get("visits"));
        }

        ShardId shard = new ShardId("shard");
        NodeId id = new NodeId("node");
        NodeId watcher = new NodeId("sentinel");
        ClusterTopology topology = ClusterTopology.EMPTY.apply(
                ClusterTopology.EMPTY.version(),
                List.of(
                        new TopologyChange.AddShard(shard, 0, id, List.of()),
                        new TopologyChange.AssignSlots(SlotSet.ALL, shard)));
        try (ClusterNode node = ClusterNode.builder(shard, id)
                        .directory(Path.of(arguments[0]))
                        .transport((to, message) -> message.release())
                        .topology(() -> topology)
                        .start();
                ClusterSentinel sentinel = ClusterSentinel.builder(watcher, SentinelList.of(watcher), topology)
                        .settings(SentinelSettings.defaults().withQuorum(1))
                        .transport((to, message) -> {})
                        .gateway((to, command, answer) -> node.execute(command, answer))
                        .start()) {
            sentinel.bootstrap(shard).toCompletableFuture().join();
            KeyValueStore store =
                    node.store().store(Acknowledgement.MAJORITY, ReadLevel.CONFIRMED, Duration.ofSeconds(30));
            store.set("key".getBytes(UTF_8), "value".getBytes(UTF_8));
            System.out.println(new String(store.get("key".getBytes(UTF_8)), UTF_8));
        }
    }
}
