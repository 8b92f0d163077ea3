package io.kvorum.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.AsyncKeyValueStore;
import io.kvorum.core.replicated.ReadLevel;
import io.kvorum.core.replicated.ReplicatedStore;
import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeCommand;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.Promise;
import io.kvorum.replication.PromiseStore;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import io.kvorum.testing.HandScheduler;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;

/** Two shards of one real node each, in virtual time. A second member that never answers can be listed beside it. */
abstract class ClusterClientFixture {
    static final ShardId LEFT = new ShardId("left");
    static final ShardId RIGHT = new ShardId("right");
    static final NodeId SENTINEL = new NodeId("sentinel");
    static final byte[] FOO = "foo".getBytes(UTF_8); // slot 12182, right
    static final byte[] BAR = "bar".getBytes(UTF_8); // slot 5061, left
    static final long EPOCH = Epoch.of(1, 1);
    static final Duration TIMEOUT = Duration.ofSeconds(2);

    final HandScheduler scheduler = new HandScheduler();
    final Map<NodeId, ClusterNode> nodes = new HashMap<>();
    ClusterTopology topology = ClusterTopology.EMPTY.apply(
            0,
            List.of(
                    new TopologyChange.AddShard(LEFT, EPOCH, primaryOf(LEFT), List.of()),
                    new TopologyChange.AddShard(RIGHT, EPOCH, primaryOf(RIGHT), List.of()),
                    new TopologyChange.AssignSlots(SlotSet.ofRange(0, 8191), LEFT),
                    new TopologyChange.AssignSlots(SlotSet.ofRange(8192, HashSlot.COUNT - 1), RIGHT)));

    /** What the nodes know, which may differ from what the client knows. */
    Supplier<ClusterTopology> topologyOfNodes = () -> topology;

    final ClusterClient client = ClusterClient.builder()
            .topology(() -> topology)
            .nodes(id -> nodes.containsKey(id) ? nodes.get(id).store() : null)
            .scheduler(scheduler)
            .timeout(TIMEOUT)
            .build();
    final AsyncKeyValueStore async = client.async();

    static final class NoDisk implements PromiseStore {
        @Nullable
        Promise promise;

        @Override
        public @Nullable Promise load() {
            return promise;
        }

        @Override
        public void save(Promise saved) {
            promise = saved;
        }
    }

    static NodeId primaryOf(ShardId shard) {
        return new NodeId(shard + "-1");
    }

    ClusterNode start(ShardId shard) throws IOException {
        ClusterNode node = ClusterNode.builder(shard, primaryOf(shard))
                .promises(new NoDisk())
                .transport((to, message) -> message.release())
                .topology(() -> topologyOfNodes.get())
                .scheduler(scheduler)
                .start();
        nodes.put(node.id(), node);
        return node;
    }

    /** Begins a shard: its node alone, or with a member that does not exist. */
    void begin(ShardId shard, NodeId... absent) throws IOException {
        ClusterNode node = start(shard);
        List<Member> members = new ArrayList<>();
        members.add(new Member(node.id(), node.status().incarnation()));
        for (NodeId id : absent) {
            members.add(new Member(id, 99));
        }
        done(node, new NodeCommand.Fence(shard, EPOCH, SENTINEL));
        done(
                node,
                new NodeCommand.Begin(
                        shard, EPOCH, SENTINEL, MemberList.of(members.toArray(Member[]::new)), List.of(), false));
    }

    void done(ClusterNode node, NodeCommand command) {
        List<NodeAnswer> answers = new ArrayList<>();
        node.execute(command, answers::add);
        scheduler.pass(Duration.ZERO);
        assertEquals(1, answers.size());
        assertEquals(NodeAnswer.Outcome.DONE, answers.get(0).outcome());
    }

    /** Writes a key to a node, which acknowledges it alone. */
    void write(ShardId shard, byte[] key) {
        ReplicatedStore node = nodes.get(primaryOf(shard)).store();
        node.store(Acknowledgement.LOCAL, ReadLevel.LOCAL, TIMEOUT).set(key, key);
    }

    static <T extends @Nullable Object> T answered(CompletionStage<T> stage) {
        assertTrue(stage.toCompletableFuture().isDone(), "not done yet");
        return stage.toCompletableFuture().join();
    }

    static Throwable failure(CompletionStage<?> stage) {
        List<@Nullable Throwable> failures = new ArrayList<>();
        stage.whenComplete((value, failure) -> failures.add(failure));
        assertEquals(1, failures.size(), "not done yet");
        return Objects.requireNonNull(failures.get(0), "it succeeded");
    }

    static boolean isDone(CompletionStage<?> stage) {
        return stage.toCompletableFuture().isDone();
    }

    @AfterEach
    void close() {
        nodes.values().forEach(ClusterNode::close);
    }
}
