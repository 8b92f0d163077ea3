package io.kvorum.replication;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A shard of nodes a, b, c ... in one thread and in virtual time, with a network that the test may cut. */
final class TestShard implements AutoCloseable {
    static final ShardId SHARD = new ShardId("s");
    static final NodeId A = new NodeId("a");
    static final NodeId B = new NodeId("b");
    static final NodeId C = new NodeId("c");
    static final NodeId SENTINEL = new NodeId("S1");
    static final ReplicationSettings SETTINGS = ReplicationSettings.defaults().withBatchBytes(256);

    /** How long a primary whose replicas have everything is silent. */
    static final Duration REST = Duration.ofNanos(SETTINGS.restingHeartbeatNanos());

    record Sent(NodeId from, NodeId to, ReplicationMessage message) {}

    final class Node {
        final NodeId id;
        final ReplicationLog log;
        final MapState state = new MapState();
        ShardNode node;

        @Nullable
        Promise saved;

        Node(NodeId id, int logCapacity) {
            this.id = id;
            this.log = ReplicationLog.inMemory(logCapacity);
            this.node = machine(new Promise(++incarnations, 1, 0, null, false), false);
        }

        private ShardNode machine(Promise promise, boolean complete) {
            return new ShardNode(settings, new NodeIdentity(SHARD, id), log, state, allocator, promise, complete, now);
        }

        void write(String key, String value) {
            state.write(log, key, value);
        }

        /** Forgets the data and comes back with nothing but the promise. */
        void restartEmpty() {
            stop();
            forget();
            node = machine(promise().nextLife(), false);
            collect(this);
        }

        /** Forgets everything: another incarnation begins. */
        void restartWithoutPromise() {
            stop();
            forget();
            node = machine(new Promise(++incarnations, 1, 0, null, false), false);
            collect(this);
        }

        void restartWithData() {
            stop();
            node = machine(promise().nextLife(), node.status().complete());
            collect(this);
        }

        private void stop() {
            boolean complete = node.status().complete();
            node.close();
            collect(this);
            assertEquals(complete, node.status().complete());
        }

        private void forget() {
            ((MachineLog) log).reset(LogPosition.START, LogHistory.EMPTY, LogMembers.NONE);
            state.map.clear();
        }

        Promise promise() {
            return requireNonNull(saved, "nothing was saved");
        }

        LogPosition end() {
            return log.end();
        }

        NodeStatus status() {
            return node.status();
        }

        Member member() {
            return new Member(id, node.status().incarnation());
        }

        ReplicaStatus feeds(NodeId replica) {
            return node.status().replicas().stream()
                    .filter(r -> r.node().equals(replica))
                    .findFirst()
                    .orElseThrow();
        }
    }

    final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false);
    final ReplicationSettings settings;
    final Map<NodeId, Node> nodes = new LinkedHashMap<>();
    final Deque<Sent> network = new ArrayDeque<>();
    final List<ReplicationEvent> events = new ArrayList<>();
    final Map<Long, Ready.Completion> completions = new LinkedHashMap<>();
    Predicate<Sent> lost = sent -> false;
    BiConsumer<Node, Ready> observer = (node, ready) -> {};
    long now;
    private final int logCapacity;
    private long incarnations;

    TestShard(NodeId... ids) {
        this(SETTINGS, 1 << 16, ids);
    }

    TestShard(ReplicationSettings settings, int logCapacity, NodeId... ids) {
        this.settings = settings;
        this.logCapacity = logCapacity;
        Stream.of(ids).forEach(this::add);
    }

    /** A shard of three whose primary is a, in epoch 1.1. */
    static TestShard started() {
        TestShard shard = new TestShard(A, B, C);
        shard.begin();
        shard.settle();
        shard.events.clear();
        return shard;
    }

    Node add(NodeId id) {
        Node node = new Node(id, logCapacity);
        nodes.put(id, node);
        collect(node);
        return node;
    }

    static long epoch(int round) {
        return Epoch.of(round, 1);
    }

    Node node(NodeId id) {
        return requireNonNull(nodes.get(id), id.value());
    }

    MemberList members(NodeId... ids) {
        return MemberList.of(Stream.of(ids).map(id -> node(id).member()).toArray(Member[]::new));
    }

    /** Begins the shard with all nodes as members, at the first one. */
    void begin() {
        NodeId[] all = nodes.keySet().toArray(NodeId[]::new);
        fence(1, all);
        Node first = node(all[0]);
        assertEquals(
                ControlAnswer.Outcome.DONE,
                first.node
                        .begin(epoch(1), SENTINEL, members(all), List.of(), false, now)
                        .outcome());
        collect(first);
    }

    void fence(int round, NodeId... ids) {
        for (NodeId id : ids) {
            assertEquals(
                    ControlAnswer.Outcome.DONE,
                    node(id).node.fence(epoch(round), SENTINEL).outcome());
            collect(node(id));
        }
    }

    /** Fences the given nodes, which must include the chosen one, and promotes that. */
    void elect(NodeId chosen, int round, NodeId... fenced) {
        fence(round, fenced);
        assertEquals(ControlAnswer.Outcome.DONE, promote(chosen, round));
    }

    ControlAnswer.Outcome promote(NodeId chosen, int round) {
        return promote(chosen, round, -1);
    }

    ControlAnswer.Outcome promote(NodeId chosen, int round, long committed) {
        Node node = node(chosen);
        ControlAnswer answer =
                node.node.promote(epoch(round), SENTINEL, node.status().incarnation(), node.end(), committed, now);
        collect(node);
        return answer.outcome();
    }

    /** Lets a heartbeat interval pass, and delivers until nothing moves any more; twenty times. */
    void settle() {
        for (int i = 0; i < 20; i++) {
            advance(settings.heartbeatInterval());
        }
    }

    /** Lets time pass until the next heartbeat of a primary, and delivers it. */
    void heartbeat(Node primary) {
        now = primary.node.ready().wakeAt();
        step();
    }

    void advance(Duration duration) {
        now += duration.toNanos();
        step();
    }

    /** Ticks every node and delivers everything, until nothing moves any more. */
    void step() {
        int delivered = 0;
        do {
            tickAll();
            while (!network.isEmpty()) {
                deliver(network.remove());
                assertTrue(++delivered < 100_000, "messages go round for ever");
            }
            tickAll();
        } while (!network.isEmpty());
    }

    private void tickAll() {
        for (Node node : nodes.values()) {
            tick(node);
        }
    }

    void tick(Node node) {
        node.node.tick(now);
        collect(node);
    }

    void deliver(Sent sent) {
        Node to = nodes.get(sent.to);
        if (to == null || lost.test(sent)) {
            sent.message.release();
            return;
        }
        to.node.receive(sent.from, sent.message, now);
        collect(to);
    }

    void collect(Node node) {
        Ready ready = node.node.ready();
        observer.accept(node, ready);
        if (ready.toSave() != null) {
            node.saved = ready.toSave();
        }
        node.node.promiseSaved();
        ready.messages().forEach(envelope -> network.add(new Sent(node.id, envelope.to(), envelope.message())));
        events.addAll(ready.events());
        ready.completions().forEach(completion -> completions.put(completion.request(), completion));
        node.node.checkInvariants();
    }

    void isolate(NodeId id) {
        lost = sent -> sent.from.equals(id) || sent.to.equals(id);
    }

    void heal() {
        lost = sent -> false;
    }

    <T extends ReplicationEvent> List<T> events(Class<T> type) {
        return events.stream().filter(type::isInstance).map(type::cast).toList();
    }

    void assertEqual() {
        Node first = nodes.values().iterator().next();
        for (Node node : nodes.values()) {
            assertEquals(first.end(), node.end(), node.id.value());
            assertEquals(first.state.map, node.state.map, node.id.value());
        }
    }

    @Override
    public void close() {
        for (Node node : nodes.values()) {
            node.node.close();
            collect(node);
            node.log.close();
            assertEquals(0, node.state.openScans, "scans that nobody closed at " + node.id);
        }
        network.forEach(sent -> sent.message.release());
        assertEquals(0, allocator.metric().usedHeapMemory(), "bytes that nobody released");
        assertEquals(0, allocator.metric().usedDirectMemory(), "bytes that nobody released");
    }
}
