package io.kvorum.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.failover.Sentinel.AddressedCommand;
import io.kvorum.failover.Sentinel.Completion;
import io.kvorum.failover.Sentinel.Envelope;
import io.kvorum.replication.Ready;
import io.kvorum.replication.ReplicationEvent;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.Shard;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Sentinels and nodes in virtual time, over a network that a test or a seed commands. It checks the protocol on the
 * wire: one primary in an epoch, one target of a promotion in an epoch, and no primary without a write that a majority
 * held.
 */
final class FakeCluster {
    static final long MILLI = 1_000_000;
    private static final NodeId HAND = new NodeId("hand");
    private static final long ORIGIN = Long.MAX_VALUE - 3_000 * MILLI; // the clock wraps soon after the start

    /** Decides the delay of what goes from one to another, in nanoseconds; negative for lost. */
    interface Delay {
        long of(NodeId from, NodeId to, Object what);
    }

    private record Step(long at, long order, Runnable action) implements Comparable<Step> {
        @Override
        public int compareTo(Step other) {
            return at != other.at ? Long.compare(at, other.at) : Long.compare(order, other.order);
        }
    }

    private record Link(NodeId from, NodeId to) {}

    private record Term(ShardId shard, long epoch) {}

    final SentinelSettings settings;
    final Map<NodeId, Host> sentinels = new TreeMap<>();
    final Map<NodeId, TestNode> nodes = new TreeMap<>();
    final List<SentinelEvent> events = new ArrayList<>();
    final Map<Long, OperationOutcome> outcomes = new LinkedHashMap<>();
    /** Told of everything that is sent: sender, receiver, and a message, command or answer. */
    Delay delay = (from, to, what) -> MILLI;

    TriConsumer onSent = (from, to, what) -> {};
    Consumer<SentinelEvent> onEvent = event -> {};
    long now = ORIGIN;
    boolean writes = true;

    interface TriConsumer {
        void accept(NodeId from, NodeId to, Object what);
    }

    private final SplittableRandom random;
    private final PriorityQueue<Step> steps = new PriorityQueue<>();
    private final Set<Link> cut = new LinkedHashSet<>();
    private final Map<Term, NodeId> primaries = new LinkedHashMap<>();
    private final Map<Term, NodeId> targets = new LinkedHashMap<>();
    /** Whose promises of an epoch a sentinel has heard of. */
    private final Map<Term, Set<NodeId>> promises = new LinkedHashMap<>();
    /** The epoch in which each write was committed. */
    private final Map<Long, Long> committed = new LinkedHashMap<>();

    private SentinelList sentinelList;
    ClusterTopology topology;
    boolean lossy;
    private final int nodesPerShard;
    private boolean begunAnew;
    private long elapsed;
    private long order;
    private long lastWrite;
    private long lastRequest;
    private long lastIncarnation;
    private long wakes;
    /** What is on its way while a shard is begun by hand; null afterwards. */
    private @Nullable Deque<Runnable> quietly;

    FakeCluster(SentinelSettings settings, int shards, int nodesPerShard, int sentinelCount, boolean begun, long seed) {
        this.settings = settings;
        random = new SplittableRandom(seed);
        lossy = settings.allowLossyFailover();
        this.nodesPerShard = nodesPerShard;
        topology = ClusterTopology.EMPTY;
        for (int s = 1; s <= shards; s++) {
            ShardId shard = new ShardId("shard" + s);
            List<TestNode> members = new ArrayList<>();
            for (int n = 0; n < nodesPerShard; n++) {
                members.add(addNode((shards == 1 ? "" : "s" + s + "-") + (char) ('a' + n), shard));
            }
            List<NodeId> ids = members.stream().map(node -> node.id).toList();
            topology = topology.apply(
                    topology.version(),
                    new TopologyChange.AddShard(shard, begun ? 1 : 0, ids.get(0), ids.subList(1, ids.size())));
            if (begun) {
                begin(members);
            }
        }
        List<NodeId> ids = new ArrayList<>();
        for (int i = 1; i <= sentinelCount; i++) {
            ids.add(new NodeId("S" + i));
        }
        sentinelList = SentinelList.of(ids);
        for (NodeId id : ids) {
            sentinels.put(id, new Host(id, id));
        }
        sentinels.values().forEach(Host::start);
        after(20 * MILLI, this::write);
    }

    /** Begins a shard by hand, with all nodes as complete members, before anything else happens. */
    private void begin(List<TestNode> members) {
        quietly = new ArrayDeque<>();
        for (TestNode node : members) {
            node.handle(new NodeCommand.Fence(node.shard, 1, HAND), now);
            collect(node);
        }
        TestNode first = members.get(0);
        MemberList list = new MemberList(members.stream().map(TestNode::member).toList());
        first.handle(new NodeCommand.Begin(first.shard, 1, HAND, list, List.of(), false), now);
        collect(first);
        while (!quietly.isEmpty()) {
            quietly.remove().run();
        }
        quietly = null;
        for (TestNode node : members) {
            assertTrue(node.isCompleteMember(first.status()), node::toString);
        }
    }

    TestNode addNode(String id, ShardId shard) {
        TestNode node = new TestNode(new NodeId(id), shard, ++lastIncarnation, now);
        nodes.put(node.id, node);
        collect(node);
        return node;
    }

    TestNode node(String id) {
        TestNode node = nodes.get(new NodeId(id));
        assertTrue(node != null, () -> "no node " + id);
        return node;
    }

    Host sentinel(String id) {
        Host host = sentinels.get(new NodeId(id));
        assertTrue(host != null, () -> "no sentinel " + id);
        return host;
    }

    SplittableRandom random() {
        return random;
    }

    void restart(String id, boolean withData, boolean withPromise) {
        node(id).restart(withData, withPromise, ++lastIncarnation, now);
        collect(node(id));
    }

    // Time.

    long elapsed() {
        return elapsed;
    }

    void after(long nanos, Runnable action) {
        steps.add(new Step(elapsed + Math.max(nanos, 0), order++, action));
    }

    void run(Duration duration) {
        runUntil(() -> false, duration);
    }

    /** {@return whether the condition came to hold within the limit} */
    boolean runUntil(BooleanSupplier condition, Duration limit) {
        long end = elapsed + limit.toNanos();
        while (!condition.getAsBoolean()) {
            Step next = steps.peek();
            if (next == null || next.at > end) {
                moveTo(end);
                return condition.getAsBoolean();
            }
            steps.remove();
            moveTo(next.at);
            next.action.run();
        }
        return true;
    }

    private void moveTo(long next) {
        elapsed = next;
        now = ORIGIN + next;
    }

    // Faults.

    void cut(NodeId from, NodeId to) {
        cut.add(new Link(from, to));
    }

    void isolate(NodeId id) {
        for (NodeId other : everybody()) {
            cut(id, other);
            cut(other, id);
        }
    }

    void heal() {
        cut.clear();
    }

    List<NodeId> everybody() {
        List<NodeId> all = new ArrayList<>(nodes.keySet());
        all.addAll(sentinels.keySet());
        return all;
    }

    private void transmit(NodeId from, NodeId to, Object what, Runnable delivery) {
        transmit(from, to, what, delivery, () -> {});
    }

    private void transmit(NodeId from, NodeId to, Object what, Runnable delivery, Runnable loss) {
        if (quietly != null) {
            quietly.add(delivery);
            return;
        }
        onSent.accept(from, to, what);
        long nanos = delay.of(from, to, what);
        if (nanos >= 0 && !cut.contains(new Link(from, to))) {
            after(nanos, delivery);
        } else {
            loss.run();
        }
    }

    // The data.

    private void write() {
        after(20 * MILLI, this::write);
        for (TestNode node : nodes.values()) {
            if (writes && node.up && node.isPrimary() && node.write(lastWrite + 1, now)) {
                lastWrite++;
                collect(node);
            }
        }
    }

    /** Does what a driver does after each input of a node. */
    private void collect(TestNode node) {
        Ready ready = node.ready();
        boolean dataLost = ready.events().stream()
                .anyMatch(event -> event instanceof ReplicationEvent.ShardBegun begun && begun.dataLost());
        checkNode(node, dataLost);
        for (Ready.Envelope envelope : ready.messages()) {
            ReplicationMessage message = envelope.message();
            transmit(node.id, envelope.to(), message, () -> deliver(node.id, envelope.to(), message), message::release);
        }
        if (ready.wakeAt() != Ready.NEVER) {
            wake(node, ready.wakeAt());
        }
    }

    private void deliver(NodeId from, NodeId to, ReplicationMessage message) {
        TestNode node = nodes.get(to);
        if (node == null || !node.up) {
            message.release();
            return;
        }
        node.receive(from, message, now);
        collect(node);
    }

    private void wake(TestNode node, long at) {
        long current = ++wakes;
        node.wake = current;
        int ofStart = node.start;
        after(at - now, () -> {
            if (node.up && node.start == ofStart && node.wake == current) {
                node.tick(now);
                collect(node);
            }
        });
    }

    List<TestNode> shard(ShardId shard) {
        return nodes.values().stream().filter(node -> node.shard.equals(shard)).toList();
    }

    /** {@return whether the shard has one primary, which every other node that is up follows, as all sentinels know} */
    boolean isWhole(ShardId shard) {
        List<TestNode> up = shard(shard).stream().filter(node -> node.up).toList();
        List<TestNode> leading = up.stream().filter(TestNode::isPrimary).toList();
        return leading.size() == 1
                && up.stream().allMatch(node -> leads(leading.get(0), node))
                && sentinels.values().stream().filter(host -> host.up).allMatch(host -> {
                    Shard known = host.machine().topology().shard(shard);
                    return known != null
                            && known.primary().equals(leading.get(0).id)
                            && known.epoch() == leading.get(0).leading();
                });
    }

    private static boolean leads(TestNode primary, TestNode node) {
        return node == primary
                || (primary.id.equals(node.status().primary())
                        && node.status().complete()
                        && node.status().epoch() == primary.leading());
    }

    /** {@return whether the one shard is whole and all its nodes are members again} */
    boolean isWholeOfAll() {
        return isWhole()
                && nodes.values().stream()
                        .filter(TestNode::isPrimary)
                        .allMatch(primary ->
                                nodes.values().stream().allMatch(node -> node.isCompleteMember(primary.status())));
    }

    boolean isWhole() {
        return topology.shards().stream().allMatch(shard -> isWhole(shard.id()));
    }

    @Nullable
    NodeId primary() {
        return nodes.values().stream()
                .filter(node -> node.up && node.isPrimary())
                .map(node -> node.id)
                .findFirst()
                .orElse(null);
    }

    <F extends SentinelFact> List<F> facts(Class<F> type) {
        return events.stream()
                .map(SentinelEvent::fact)
                .filter(type::isInstance)
                .map(type::cast)
                .toList();
    }

    // The wire.

    private void command(Host from, AddressedCommand addressed) {
        NodeId to = addressed.to();
        NodeCommand command = addressed.command();
        checkWire(to, command);
        int life = from.life;
        transmit(from.id, to, command, () -> {
            TestNode node = nodes.get(to);
            if (node == null || !node.up) {
                return;
            }
            NodeAnswer answer = node.handle(command, now);
            collect(node);
            transmit(to, from.id, answer, () -> {
                if (from.life == life) {
                    if (command instanceof NodeCommand.Fence fence && answer.done()) {
                        promises.computeIfAbsent(new Term(fence.shard(), fence.epoch()), term -> new TreeSet<>())
                                .add(to);
                    }
                    from.input(sentinel -> sentinel.answered(answer, now));
                }
            });
        });
    }

    private void checkWire(NodeId to, NodeCommand command) {
        long epoch = command instanceof NodeCommand.Promote promote
                ? promote.epoch()
                : command instanceof NodeCommand.Begin begin ? begin.epoch() : 0;
        if (epoch > 0) {
            NodeId other = targets.putIfAbsent(new Term(command.shard(), epoch), to);
            assertTrue(
                    other == null || other.equals(to),
                    () -> "two targets in epoch " + Epoch.toString(epoch) + ": " + other + " and " + to);
        }
        if (command instanceof NodeCommand.Promote && !lossy && !begunAnew) {
            Set<NodeId> promised = promises.getOrDefault(new Term(command.shard(), epoch), Set.of());
            assertTrue(
                    promised.size() > nodesPerShard / 2 && promised.contains(to),
                    () -> to + " is promoted in epoch " + Epoch.toString(epoch) + " on the promises of " + promised);
        }
    }

    private void checkNode(TestNode node, boolean dataLost) {
        if (!node.isPrimary()) {
            return;
        }
        NodeId other = primaries.putIfAbsent(new Term(node.shard, node.leading()), node.id);
        assertEquals(
                node.id, other == null ? node.id : other, () -> "primaries of epoch " + Epoch.toString(node.leading()));
        begunAnew |= dataLost;
        if (dataLost) {
            committed.clear();
        } else if (other == null && !lossy && topology.shards().size() == 1) {
            committed.forEach((number, epoch) -> assertTrue(
                    epoch > node.leading() || node.has(number),
                    () -> node.id + " leads epoch " + Epoch.toString(node.leading()) + " without write " + number));
        }
        node.takeCommitted().forEach(number -> committed.putIfAbsent(number, node.leading()));
    }

    /** A sentinel, and its state while it does not run. */
    final class Host {
        final NodeId id;
        /** The id that it takes itself for: another one's, if two are started under one number. */
        private final NodeId self;

        private @Nullable Sentinel sentinel;
        private final List<Consumer<Sentinel>> mail = new ArrayList<>();

        @Nullable
        SentinelState saved;

        boolean up;
        boolean paused;
        int life;
        private long wakeOrder;

        private Host(NodeId id, NodeId self) {
            this.id = id;
            this.self = self;
        }

        Sentinel machine() {
            assertTrue(sentinel != null);
            return sentinel;
        }

        void start() {
            life++;
            up = true;
            paused = false;
            mail.clear();
            sentinel = new Sentinel(settings, self, sentinelList, topology, saved, random.split(), now);
            input(machine -> machine.tick(now));
        }

        void crash() {
            up = false;
            life++;
        }

        void resume() {
            paused = false;
            List<Consumer<Sentinel>> waiting = List.copyOf(mail);
            mail.clear();
            waiting.forEach(this::input);
            input(machine -> machine.tick(now));
        }

        long start(Operation operation) {
            long request = ++lastRequest;
            input(
                    machine -> { // a sentinel that is paused takes it later, and its time begins then
                        machine.start(request, operation, now);
                        expectEnd(request, operation);
                    });
            return request;
        }

        private void expectEnd(long request, Operation operation) {
            Duration limit =
                    operation instanceof Operation.Replace ? settings.replaceTimeout() : settings.operationTimeout();
            int ofLife = life;
            after(limit.toNanos() + MILLI, () -> {
                boolean over = !up || paused || life != ofLife || outcomes.containsKey(request);
                assertTrue(over, () -> operation + " must end within " + limit);
            });
        }

        void input(Consumer<Sentinel> input) {
            if (!up) {
                return;
            }
            if (paused) {
                mail.add(input);
                return;
            }
            Sentinel machine = machine();
            input.accept(machine);
            Sentinel.Ready ready = machine.ready();
            machine.checkInvariants();
            saved = ready.toSave() == null ? saved : ready.toSave();
            wake(ready.wakeAt());
            for (Envelope envelope : ready.messages()) {
                Host to = sentinel(envelope.to().value());
                transmit(
                        id,
                        to.id,
                        envelope.message(),
                        () -> to.input(other -> other.receive(self, envelope.message(), now)));
            }
            ready.commands().forEach(command -> command(this, command));
            for (SentinelEvent event : ready.events()) {
                events.add(event);
                onEvent.accept(event);
            }
            for (Completion completion : ready.completions()) {
                assertTrue(outcomes.put(completion.request(), completion.outcome()) == null, "an operation ends once");
            }
        }

        private void wake(long at) {
            long current = ++wakeOrder;
            int ofLife = life;
            after(at - now, () -> {
                if (wakeOrder == current && life == ofLife) {
                    input(machine -> machine.tick(now));
                }
            });
        }
    }

    /** Starts a second sentinel that takes itself for another one. */
    Host startDouble(String id, String self) {
        Host host = new Host(new NodeId(id), new NodeId(self));
        sentinels.put(host.id, host);
        host.start();
        return host;
    }
}
