package io.kvorum.metrics;

import static java.util.Objects.requireNonNull;

import io.kvorum.cluster.ClusterNode;
import io.kvorum.cluster.ClusterSentinel;
import io.kvorum.failover.SentinelList;
import io.kvorum.failover.SentinelSettings;
import io.kvorum.replication.Promise;
import io.kvorum.replication.PromiseStore;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import io.kvorum.testing.HandScheduler;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** A shard of three nodes and its sentinel, run by hand in virtual time. */
final class HandCluster {
    static final ShardId SHARD = new ShardId("shard");
    static final NodeId A = new NodeId("a");
    static final NodeId B = new NodeId("b");
    static final NodeId C = new NodeId("c");

    private static final NodeId WATCHER = new NodeId("watcher");

    private final HandScheduler scheduler = new HandScheduler();
    private final SplittableRandom random = new SplittableRandom(5);
    private final Map<NodeId, KeptPromise> promises = new LinkedHashMap<>();
    private final Map<NodeId, ClusterNode> nodes = new LinkedHashMap<>();
    private final ClusterTopology topology = ClusterTopology.EMPTY.apply(
            ClusterTopology.EMPTY.version(),
            List.of(
                    new TopologyChange.AddShard(SHARD, 0, A, List.of(B, C)),
                    new TopologyChange.AssignSlots(SlotSet.ALL, SHARD)));
    final ClusterSentinel sentinel;

    HandCluster() throws IOException {
        for (NodeId id : List.of(A, B, C)) {
            promises.put(id, new KeptPromise());
            start(id);
        }
        sentinel = ClusterSentinel.builder(WATCHER, SentinelList.of(WATCHER), topology)
                .settings(SentinelSettings.defaults().withQuorum(1))
                .transport((to, message) -> {})
                .gateway((to, command, answer) -> {
                    ClusterNode node = nodes.get(to);
                    if (node != null) {
                        node.execute(command, answer);
                    }
                })
                .scheduler(scheduler)
                .random(random.split())
                .start();
    }

    void start(NodeId id) throws IOException {
        nodes.put(
                id,
                ClusterNode.builder(SHARD, id)
                        .promises(requireNonNull(promises.get(id)))
                        .transport((to, message) -> {
                            ClusterNode node = nodes.get(to);
                            if (node == null) {
                                message.release();
                            } else {
                                node.receive(id, message);
                            }
                        })
                        .topology(() -> topology)
                        .scheduler(scheduler)
                        .random(random.split())
                        .start());
    }

    void bootstrap() {
        sentinel.bootstrap(SHARD);
        pass(Duration.ofSeconds(3));
    }

    ClusterNode node(NodeId id) {
        return requireNonNull(nodes.get(id), id.value());
    }

    void crash(NodeId id) {
        requireNonNull(nodes.remove(id), id.value()).close();
    }

    void pass(Duration time) {
        scheduler.pass(time);
    }

    void close() {
        sentinel.close();
        nodes.values().forEach(ClusterNode::close);
    }

    private static final class KeptPromise implements PromiseStore {
        private @Nullable Promise promise;

        @Override
        public @Nullable Promise load() {
            return promise;
        }

        @Override
        public void save(Promise newer) {
            promise = newer;
        }
    }
}
