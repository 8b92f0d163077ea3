package io.kvorum.replication;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kvorum.slots.topology.LogPosition;
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
import java.util.function.Predicate;
import java.util.stream.Stream;

/** A shard of nodes a, b, c ... in one thread and in virtual time, with a network that the test may cut. */
final class TestShard implements AutoCloseable {
    static final NodeId A = new NodeId("a");
    static final NodeId B = new NodeId("b");
    static final NodeId C = new NodeId("c");
    static final ReplicationSettings SETTINGS = ReplicationSettings.defaults().withBatchBytes(256);

    record Sent(NodeId from, NodeId to, ReplicationMessage message) {}

    final class Member {
        final NodeId id;
        final ReplicationLog log;
        final MapState state = new MapState();
        ShardNode node;
        long savedPromise;

        Member(NodeId id, int logCapacity) {
            this.id = id;
            this.log = new ReplicationLog(allocator, logCapacity);
            this.node = machine(ShardNode.Start.fresh());
        }

        private ShardNode machine(ShardNode.Start start) {
            return new ShardNode(settings, new NodeIdentity(new ShardId("s"), id), log, state, allocator, start);
        }

        void write(String key, String value) {
            state.write(log, key, value);
        }

        /** Forgets the data and comes back with nothing but the promise. */
        void restartEmpty() {
            node.close();
            collect(this);
            log.reset(LogPosition.START, LogHistory.EMPTY);
            state.map.clear();
            node = machine(ShardNode.Start.empty(savedPromise, ++lives));
        }

        void restartWithData() {
            node.close();
            collect(this);
            node = machine(ShardNode.Start.withData(savedPromise, ++lives));
        }

        LogPosition end() {
            return log.end();
        }
    }

    final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false);
    final ReplicationSettings settings;
    final Map<NodeId, Member> members = new LinkedHashMap<>();
    final Deque<Sent> network = new ArrayDeque<>();
    final List<ReplicationEvent> events = new ArrayList<>();
    final Map<Long, Ready.Completion> completions = new LinkedHashMap<>();
    Predicate<Sent> lost = sent -> false;
    long now;
    private long lives;

    TestShard(NodeId... ids) {
        this(SETTINGS, 1 << 16, ids);
    }

    TestShard(ReplicationSettings settings, int logCapacity, NodeId... ids) {
        this.settings = settings;
        Stream.of(ids).forEach(id -> members.put(id, new Member(id, logCapacity)));
    }

    /** A shard of three whose primary is a, in epoch 1. */
    static TestShard started() {
        TestShard shard = new TestShard(A, B, C);
        shard.elect(A, 1, A, B, C);
        shard.settle();
        return shard;
    }

    Member member(NodeId id) {
        return requireNonNull(members.get(id), id.value());
    }

    List<NodeId> ids() {
        return List.copyOf(members.keySet());
    }

    /** Fences the given nodes, which must include the chosen one, and promotes that. */
    void elect(NodeId chosen, long epoch, NodeId... fenced) {
        for (NodeId id : fenced) {
            assertEquals(
                    ControlAnswer.Outcome.DONE, member(id).node.fence(epoch).outcome());
            collect(member(id));
        }
        ControlAnswer answer = member(chosen).node.promote(epoch, member(chosen).end(), ids());
        assertEquals(ControlAnswer.Outcome.DONE, answer.outcome());
        collect(member(chosen));
    }

    /** Lets a heartbeat interval pass, and delivers until nothing moves any more; twenty times. */
    void settle() {
        for (int i = 0; i < 20; i++) {
            advance(settings.heartbeatInterval());
        }
    }

    void advance(Duration duration) {
        now += duration.toNanos();
        step();
    }

    /** Ticks every node and delivers everything, until nothing moves any more. */
    void step() {
        do {
            for (Member member : members.values()) {
                member.node.tick(now);
                collect(member);
            }
            while (!network.isEmpty()) {
                deliver(network.remove());
            }
        } while (!tickAll());
    }

    private boolean tickAll() {
        for (Member member : members.values()) {
            member.node.tick(now);
            collect(member);
        }
        return network.isEmpty();
    }

    void deliver(Sent sent) {
        Member to = member(sent.to);
        if (lost.test(sent)) {
            sent.message.release();
            return;
        }
        to.node.receive(sent.from, sent.message, now);
        collect(to);
    }

    void collect(Member member) {
        Ready ready = member.node.ready();
        if (ready.promise() >= 0) {
            member.savedPromise = ready.promise();
        }
        ready.messages().forEach(envelope -> network.add(new Sent(member.id, envelope.to(), envelope.message())));
        events.addAll(ready.events());
        ready.completions().forEach(completion -> completions.put(completion.request(), completion));
        member.node.checkInvariants();
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
        Member first = members.values().iterator().next();
        for (Member member : members.values()) {
            assertEquals(first.end(), member.end(), member.id.value());
            assertEquals(first.state.map, member.state.map, member.id.value());
        }
    }

    @Override
    public void close() {
        for (Member member : members.values()) {
            member.node.close();
            collect(member);
            member.log.close();
        }
        network.forEach(sent -> sent.message.release());
        assertEquals(0, allocator.metric().usedHeapMemory(), "bytes that nobody released");
        assertEquals(0, allocator.metric().usedDirectMemory(), "bytes that nobody released");
    }
}
