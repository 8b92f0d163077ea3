package io.kvorum.core.replicated;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import io.kvorum.core.FixedClock;
import io.kvorum.core.LocalStore;
import io.kvorum.core.StoreSettings;
import io.kvorum.replication.ControlAnswer;
import io.kvorum.replication.NodeIdentity;
import io.kvorum.replication.Promise;
import io.kvorum.replication.ReplicationEvent;
import io.kvorum.replication.ReplicationLog;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.replication.ReplicationSettings;
import io.kvorum.replication.ShardNode;
import io.kvorum.replication.runtime.NodeDriver;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import io.kvorum.testing.HandScheduler;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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
    static final NodeId SENTINEL = new NodeId("sentinel");
    static final List<NodeId> NODES = List.of(A, B, C);

    private static final int LOG_BYTES = 1 << 20;

    /** A node with all that belongs to it. */
    final class Node {
        final NodeId id;
        final FixedClock clock = new FixedClock(1_000);
        final ReplicationLog log;
        final LocalStore local;
        final NodeDriver driver;
        final ReplicatedStore store;
        final List<ReplicationEvent> events = new ArrayList<>();

        private final KeptPromise promise;

        Node(NodeId id, Promise promise) {
            this.id = id;
            this.promise = new KeptPromise(promise);
            this.log = ReplicationLog.inMemory(LOG_BYTES);
            this.local = new LocalStore(StoreSettings.defaults().withStripes(8), id.hashCode(), clock, log::append);
            ShardNode node = new ShardNode(
                    settings,
                    new NodeIdentity(SHARD, id),
                    log,
                    local.replicatedState(),
                    allocator,
                    promise,
                    false,
                    scheduler.nanoTime());
            this.driver = new NodeDriver(
                    settings,
                    node,
                    log,
                    (to, message) -> scheduler.execute(() -> deliver(id, to, message)),
                    this.promise,
                    scheduler);
            this.store = new ReplicatedStore(local, log, driver, () -> topology);
            driver.addListener(events::add);
            driver.start();
        }

        private Member member() {
            return new Member(id, driver.status().incarnation());
        }
    }

    private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false);
    private final ReplicationSettings settings;
    private final Map<NodeId, Node> nodes = new LinkedHashMap<>();
    private final HandScheduler scheduler = new HandScheduler();
    private final Set<NodeId> cutOff = new HashSet<>();
    private int round;

    ClusterTopology topology = ClusterTopology.EMPTY.apply(
            ClusterTopology.EMPTY.version(),
            List.of(
                    new TopologyChange.AddShard(SHARD, epoch(1), A, List.of(B, C)),
                    new TopologyChange.AddShard(OTHER, epoch(4), ELSEWHERE, List.of()),
                    new TopologyChange.AssignSlots(SlotSet.ofRange(0, 8191), SHARD),
                    new TopologyChange.AssignSlots(SlotSet.ofRange(8192, 16000), OTHER)));

    ShardOfThree() {
        this(ReplicationSettings.defaults());
    }

    ShardOfThree(ReplicationSettings settings) {
        this.settings = settings;
        long incarnation = 0;
        for (NodeId id : NODES) {
            nodes.put(id, new Node(id, new Promise(++incarnation, 1, 0, null, false)));
        }
        begin();
    }

    static long epoch(int round) {
        return Epoch.of(round, 1);
    }

    private void begin() {
        round = 1;
        fence(NODES);
        MemberList members =
                MemberList.of(nodes.values().stream().map(Node::member).toArray(Member[]::new));
        done(node(A).driver.begin(epoch(round), SENTINEL, members, List.of(), false));
        settle();
    }

    private void fence(List<NodeId> fenced) {
        for (NodeId id : fenced) {
            done(node(id).driver.fence(epoch(round), SENTINEL));
        }
    }

    Node node(NodeId id) {
        return Objects.requireNonNull(nodes.get(id), id.value());
    }

    /** Fences some nodes, and promotes one of them, in an epoch of its own. */
    void failOver(NodeId primary, List<NodeId> fenced) {
        round++;
        fence(fenced);
        NodeDriver driver = node(primary).driver;
        done(driver.promote(
                epoch(round),
                SENTINEL,
                driver.status().incarnation(),
                driver.status().position(),
                driver.status().committed()));
        settle();
    }

    private void done(CompletionStage<ControlAnswer> stage) {
        run();
        ControlAnswer answer = answered(stage);
        assertNotNull(answer, "no answer");
        assertEquals(ControlAnswer.Outcome.DONE, answer.outcome());
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
        Node empty = new Node(id, old.promise.load().nextLife());
        nodes.put(id, empty);
        return empty;
    }

    /** Lets everything happen that follows without time going by. */
    void run() {
        scheduler.runTasks();
    }

    /** Lets half a second go by. */
    void settle() {
        pass(Duration.ofMillis(500));
    }

    void pass(Duration time) {
        scheduler.pass(time);
    }

    /** Returns what the stage has come to by now. */
    static <T extends @Nullable Object> T answered(CompletionStage<T> stage) {
        return stage.toCompletableFuture().getNow(null);
    }

    private void deliver(NodeId from, NodeId to, ReplicationMessage message) {
        if (cutOff.contains(from) || cutOff.contains(to)) {
            message.release();
        } else {
            node(to).driver.receive(from, message);
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
