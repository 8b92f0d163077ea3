package io.kvorum.core.replicated;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kvorum.core.FixedClock;
import io.kvorum.core.LocalStore;
import io.kvorum.core.StoreSettings;
import io.kvorum.replication.ControlAnswer;
import io.kvorum.replication.NodeIdentity;
import io.kvorum.replication.PromiseStore;
import io.kvorum.replication.ReplicationEvent;
import io.kvorum.replication.ReplicationLog;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.replication.ReplicationSettings;
import io.kvorum.replication.ShardNode;
import io.kvorum.replication.runtime.NodeDriver;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * A shard of three nodes in one thread, with a network and a time that the test controls. It owns the slots 0 to 8191;
 * those from 8192 to 16000 are another shard's, and the rest are nobody's.
 */
final class ShardOfThree implements AutoCloseable {
    static final ShardId SHARD = new ShardId("shard-1");
    static final ShardId OTHER = new ShardId("shard-2");
    static final NodeId A = new NodeId("a");
    static final NodeId B = new NodeId("b");
    static final NodeId C = new NodeId("c");
    static final NodeId ELSEWHERE = new NodeId("elsewhere");
    static final List<NodeId> NODES = List.of(A, B, C);

    private static final Duration HEARTBEAT = Duration.ofMillis(100);

    /** A node with all that belongs to it. */
    final class Node {
        final NodeId id;
        final FixedClock clock = new FixedClock(1_000);
        final ReplicationLog log;
        final LocalStore local;
        final NodeDriver driver;
        final ReplicatedStore store;
        final List<ReplicationEvent> events = new ArrayList<>();

        Node(NodeId id, ShardNode.Start start) {
            this.id = id;
            this.log = ReplicationLog.inMemory(1 << 14);
            this.local = new LocalStore(StoreSettings.defaults().withStripes(8), id.hashCode(), clock, log::append);
            ShardNode node = new ShardNode(
                    settings, new NodeIdentity(SHARD, id), log, local.replicatedState(), allocator, start);
            this.driver = new NodeDriver(
                    node,
                    log,
                    (to, message) -> network.add(new Envelope(id, to, message)),
                    new NoPromises(),
                    () -> now,
                    steps::add,
                    events::add);
            this.store = new ReplicatedStore(local, log, driver, () -> topology);
        }
    }

    private record Envelope(NodeId from, NodeId to, ReplicationMessage message) {}

    private static final class NoPromises implements PromiseStore {
        @Override
        public long load() {
            return 0;
        }

        @Override
        public void save(long epoch) {}
    }

    private long lives;
    private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false);
    private final ReplicationSettings settings;
    private final Map<NodeId, Node> nodes = new LinkedHashMap<>();
    private final Queue<Runnable> steps = new ArrayDeque<>();
    private final Queue<Envelope> network = new ArrayDeque<>();
    private final Set<NodeId> cutOff = new HashSet<>();
    private long now;
    private long epoch;

    ClusterTopology topology = ClusterTopology.EMPTY.apply(
            ClusterTopology.EMPTY.version(),
            List.of(
                    new TopologyChange.AddShard(SHARD, 1, A, List.of(B, C)),
                    new TopologyChange.AddShard(OTHER, 4, ELSEWHERE, List.of()),
                    new TopologyChange.AssignSlots(SlotSet.ofRange(0, 8191), SHARD),
                    new TopologyChange.AssignSlots(SlotSet.ofRange(8192, 16000), OTHER)));

    ShardOfThree() {
        this(ReplicationSettings.defaults());
    }

    ShardOfThree(ReplicationSettings settings) {
        this.settings = settings.withHeartbeatInterval(HEARTBEAT);
        for (NodeId id : NODES) {
            nodes.put(id, new Node(id, ShardNode.Start.fresh()));
        }
        failOver(A, NODES);
    }

    Node node(NodeId id) {
        Node node = nodes.get(id);
        if (node == null) {
            throw new AssertionError(id);
        }
        return node;
    }

    /** Fences some nodes, and promotes one of them, in an epoch of its own. */
    void failOver(NodeId primary, List<NodeId> fenced) {
        epoch++;
        LogPosition position = LogPosition.START;
        for (NodeId id : fenced) {
            ControlAnswer answer = answer(node(id).driver.fence(epoch));
            assertEquals(ControlAnswer.Outcome.DONE, answer.outcome());
            if (id.equals(primary)) {
                position = answer.status().position();
            }
        }
        promote(primary, position);
    }

    void promote(NodeId primary, LogPosition position) {
        ControlAnswer answer = answer(node(primary).driver.promote(epoch, position, NODES));
        assertEquals(ControlAnswer.Outcome.DONE, answer.outcome());
        settle();
    }

    void cutOff(NodeId id) {
        cutOff.add(id);
    }

    void heal() {
        cutOff.clear();
        settle();
    }

    /** Replaces a node by one that has lost its data. */
    Node restartEmpty(NodeId id) {
        Node old = node(id);
        old.driver.close();
        old.log.close();
        Node empty = new Node(id, ShardNode.Start.empty(old.driver.status().epoch(), ++lives));
        nodes.put(id, empty);
        return empty;
    }

    /** Lets everything happen that follows without time going by. */
    void run() {
        while (!steps.isEmpty() || !network.isEmpty()) {
            Runnable step = steps.poll();
            if (step != null) {
                step.run();
            } else {
                deliver(network.remove());
            }
        }
    }

    /** Lets half a second go by. */
    void settle() {
        pass(Duration.ofMillis(500));
    }

    void pass(Duration time) {
        long end = now + time.toNanos();
        run();
        while (now < end) {
            now += HEARTBEAT.toNanos() / 2;
            nodes.values().forEach(node -> node.driver.run());
            run();
        }
    }

    /** Returns what the stage has come to by now. */
    static <T extends @Nullable Object> T answered(CompletionStage<T> stage) {
        return stage.toCompletableFuture().getNow(null);
    }

    private <T> T answer(CompletionStage<T> stage) {
        run();
        T answer = answered(stage);
        if (answer == null) {
            throw new AssertionError("no answer");
        }
        return answer;
    }

    private void deliver(Envelope envelope) {
        if (cutOff.contains(envelope.from()) || cutOff.contains(envelope.to())) {
            envelope.message().release();
        } else {
            node(envelope.to()).driver.receive(envelope.from(), envelope.message());
        }
    }

    List<Long> digests() {
        return nodes.values().stream()
                .sorted(Comparator.comparing(node -> node.id))
                .map(node -> node.store.digest())
                .toList();
    }

    @Override
    public void close() {
        nodes.values().forEach(node -> node.driver.close());
        run();
        nodes.values().forEach(node -> node.log.close());
        assertEquals(0, allocator.metric().usedHeapMemory() + allocator.metric().usedDirectMemory(), "bytes leaked");
    }
}
