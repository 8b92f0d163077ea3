package io.kvorum.failover;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.failover.Sentinel.AddressedCommand;
import io.kvorum.failover.Sentinel.Envelope;
import io.kvorum.failover.Sentinel.Ready;
import io.kvorum.failover.SentinelEvent.LeaderElected;
import io.kvorum.failover.SentinelEvent.ShardEvent;
import io.kvorum.failover.SentinelEvent.VoteGiven;
import io.kvorum.failover.SentinelState.ShardMemory;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
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
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Sentinels and nodes in virtual time, over a network that delays, loses and repeats as its seed says. After each step
 * it checks what must always hold.
 */
final class FakeCluster {
    static final long MILLI = 1_000_000;
    private static final long ORIGIN = Long.MAX_VALUE - 3_000 * MILLI;

    /** When and where a sentinel is to crash, for scripted faults. */
    enum CrashPoint {
        BEFORE_SAVING,
        AFTER_SAVING,
        AFTER_SENDING
    }

    private record Step(long at, long order, Runnable action) implements Comparable<Step> {
        @Override
        public int compareTo(Step other) {
            return at != other.at ? Long.compare(at, other.at) : Long.compare(order, other.order);
        }
    }

    private record Link(NodeId from, NodeId to) {}

    private record Term(Object who, ShardId shard, long epoch) {}

    final SentinelSettings settings;
    final Map<NodeId, Host> sentinels = new TreeMap<>();
    final Map<NodeId, FakeNode> nodes = new TreeMap<>();
    final List<SentinelEvent> events = new ArrayList<>();
    /** The position up to which a majority of the shard's nodes had everything, at the latest. */
    final Map<ShardId, LogPosition> committed = new TreeMap<>();

    /** The clock that sentinels see; it wraps soon after the start. */
    long now = ORIGIN;

    long minDelay = MILLI;
    long maxDelay = MILLI;
    double loss;
    double duplication;
    Consumer<SentinelEvent> onEvent = event -> {};

    private final SplittableRandom random;
    private final ClusterTopology initial;
    private final PriorityQueue<Step> steps = new PriorityQueue<>();
    private final Set<Link> cut = new LinkedHashSet<>();
    private final Map<Term, NodeId> leaders = new LinkedHashMap<>();
    private final Map<Term, NodeId> votes = new LinkedHashMap<>();
    private final Map<Term, NodeId> primaries = new LinkedHashMap<>();
    private long elapsed;
    private long order;

    FakeCluster(SentinelSettings settings, int shards, int nodesPerShard, int sentinelCount, long seed) {
        this.settings = settings;
        random = new SplittableRandom(seed);
        ClusterTopology topology = ClusterTopology.EMPTY;
        for (int s = 1; s <= shards; s++) {
            ShardId shard = new ShardId("shard" + s);
            List<NodeId> ids = new ArrayList<>();
            for (int n = 0; n < nodesPerShard; n++) {
                NodeId id = new NodeId((shards == 1 ? "" : "s" + s + "-") + (char) ('a' + n));
                ids.add(id);
                nodes.put(id, new FakeNode(id, shard));
            }
            topology = topology.apply(
                    topology.version(), new TopologyChange.AddShard(shard, 1, ids.get(0), ids.subList(1, ids.size())));
            for (NodeId id : ids) {
                node(id).promised = 1;
                node(id).following = id.equals(ids.get(0)) ? null : ids.get(0);
            }
            node(ids.get(0)).leading = 1;
            primaries.put(new Term("", shard, 1), ids.get(0));
            committed.put(shard, LogPosition.START);
        }
        initial = topology;
        List<NodeId> ids = new ArrayList<>();
        for (int i = 1; i <= sentinelCount; i++) {
            ids.add(new NodeId("S" + i));
        }
        for (NodeId id : ids) {
            Host host = new Host(id, ids);
            sentinels.put(id, host);
            host.saved = SentinelState.initial(id, initial);
            host.start();
        }
        after(10 * MILLI, this::replicate);
    }

    FakeNode node(NodeId id) {
        FakeNode node = nodes.get(id);
        assertTrue(node != null, () -> "no node " + id);
        return node;
    }

    FakeNode node(String id) {
        return node(new NodeId(id));
    }

    Host sentinel(String id) {
        Host host = sentinels.get(new NodeId(id));
        assertTrue(host != null, () -> "no sentinel " + id);
        return host;
    }

    SplittableRandom random() {
        return random;
    }

    // Time.

    void after(long nanos, Runnable action) {
        steps.add(new Step(elapsed + nanos, order++, action));
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

    private boolean reaches(NodeId from, NodeId to) {
        return !cut.contains(new Link(from, to));
    }

    private void transmit(NodeId from, NodeId to, Runnable delivery) {
        int copies = random.nextDouble() < duplication ? 2 : 1;
        for (int i = 0; i < copies; i++) {
            long delay = minDelay == maxDelay ? minDelay : random.nextLong(minDelay, maxDelay);
            if (random.nextDouble() >= loss && reaches(from, to)) {
                after(delay, () -> {
                    if (reaches(from, to)) {
                        delivery.run();
                    }
                });
            }
        }
    }

    // The data.

    private void replicate() {
        after(10 * MILLI, this::replicate);
        for (FakeNode primary : nodes.values()) {
            if (!primary.up || !primary.isPrimary()) {
                continue;
            }
            if (primary.takesWrites(now)) {
                primary.position =
                        new LogPosition(primary.leading, primary.position.offset() + 1 + random.nextInt(100));
            }
            long epoch = primary.leading;
            LogPosition position = primary.position;
            Set<NodeId> having = new LinkedHashSet<>(List.of(primary.id));
            List<FakeNode> shard = shard(primary.shard);
            for (FakeNode replica : shard) {
                if (replica != primary) {
                    transmit(
                            primary.id,
                            replica.id,
                            () -> store(primary, replica, epoch, position, having, shard.size()));
                }
            }
        }
    }

    private void store(
            FakeNode primary, FakeNode replica, long epoch, LogPosition position, Set<NodeId> having, int of) {
        if (!replica.up || !primary.id.equals(replica.following)) {
            return;
        }
        if (replica.promised > epoch) {
            transmit(replica.id, primary.id, () -> primary.promise(replica.promised));
            return;
        }
        replica.promise(epoch);
        if (replica.position.compareTo(position) < 0 || replica.position.epoch() < epoch) {
            replica.position = position;
        }
        replica.synced = true;
        transmit(replica.id, primary.id, () -> {
            if (primary.up
                    && primary.leading == epoch
                    && primary.promised == epoch
                    && having.add(replica.id)
                    && having.size() == Watch.majority(of)) {
                committed.merge(primary.shard, position, (a, b) -> a.compareTo(b) >= 0 ? a : b);
            }
        });
    }

    List<FakeNode> shard(ShardId shard) {
        return nodes.values().stream().filter(node -> node.shard.equals(shard)).toList();
    }

    /** {@return whether the shard has one primary, which all other nodes that are up follow} */
    boolean isWhole(ShardId shard) {
        List<FakeNode> up = shard(shard).stream().filter(node -> node.up).toList();
        List<FakeNode> leading = up.stream().filter(FakeNode::isPrimary).toList();
        return leading.size() == 1
                && up.stream()
                        .allMatch(node -> node.isPrimary()
                                || (leading.get(0).id.equals(node.following)
                                        && node.promised == leading.get(0).promised))
                && sentinels.values().stream().filter(host -> host.up).allMatch(host -> {
                    var known = host.machine().topology().shard(shard);
                    return known != null && known.primary().equals(leading.get(0).id);
                });
    }

    boolean isWhole() {
        return committed.keySet().stream().allMatch(this::isWhole);
    }

    <E extends SentinelEvent> List<E> events(Class<E> type) {
        return events.stream().filter(type::isInstance).map(type::cast).toList();
    }

    private void command(Host from, AddressedCommand addressed) {
        FakeNode node = node(addressed.to());
        int incarnation = from.incarnation;
        transmit(from.id, node.id, () -> {
            if (!node.up || (node.deafTo != null && node.deafTo.isInstance(addressed.command()))) {
                return;
            }
            NodeAnswer answer = node.handle(addressed.command(), now);
            checkNode(node);
            transmit(node.id, from.id, () -> {
                if (from.incarnation == incarnation) {
                    from.input(sentinel -> sentinel.answered(answer, now));
                }
            });
        });
    }

    private void checkNode(FakeNode node) {
        if (node.isPrimary()) {
            NodeId other = primaries.putIfAbsent(new Term("", node.shard, node.leading), node.id);
            assertTrue(
                    other == null || other.equals(node.id),
                    () -> "two primaries in epoch " + node.leading + ": " + other + " and " + node.id);
            if (other == null) {
                LogPosition acknowledged = committed.get(node.shard);
                assertTrue(
                        settings.allowLossyFailover()
                                || acknowledged == null
                                || node.position.compareTo(acknowledged) >= 0,
                        () -> node.id + " leads epoch " + node.leading + " from " + node.position
                                + " though a majority had " + acknowledged);
            }
        }
    }

    /** A sentinel, what it has saved, and its inputs while it is paused. */
    final class Host {
        final NodeId id;
        private final List<NodeId> all;
        private final Deque<Consumer<Sentinel>> mail = new ArrayDeque<>();
        private @Nullable Sentinel sentinel;

        @Nullable
        SentinelState saved;

        private @Nullable SentinelState unsaved;

        boolean up;
        boolean paused;
        boolean canSave = true;
        int incarnation;

        @Nullable
        CrashPoint crashAt;

        private Host(NodeId id, List<NodeId> all) {
            this.id = id;
            this.all = all;
        }

        Sentinel machine() {
            assertTrue(sentinel != null);
            return sentinel;
        }

        void start() {
            incarnation++;
            up = true;
            paused = false;
            crashAt = null;
            unsaved = null;
            mail.clear();
            sentinel = new Sentinel(settings, id, all, initial, saved, random.split(), now);
            int current = incarnation;
            after(random.nextLong(settings.tickPeriod().toNanos()), () -> tick(current));
        }

        void crash() {
            up = false;
            incarnation++;
            mail.clear();
        }

        void resume() {
            paused = false;
            while (up && !paused && !mail.isEmpty()) {
                input(mail.removeFirst());
            }
        }

        void failOver(String shard) {
            input(machine -> machine.failOver(new ShardId(shard), now));
        }

        private void tick(int current) {
            if (current == incarnation && up) {
                after(settings.tickPeriod().toNanos(), () -> tick(current));
                if (!paused) {
                    input(machine -> machine.tick(now));
                }
            }
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
            machine.checkInvariants();
            deliver(machine.ready());
        }

        private void deliver(Ready ready) {
            if (crashAt == CrashPoint.BEFORE_SAVING) {
                crash();
                return;
            }
            if (ready.toSave() != null) {
                unsaved = ready.toSave();
            }
            if (unsaved != null) {
                if (!canSave) {
                    return; // nothing leaves; this loses events, unlike a driver
                }
                checkState(saved, unsaved);
                saved = unsaved;
                unsaved = null;
            }
            if (crashAt == CrashPoint.AFTER_SAVING) {
                crash();
                return;
            }
            for (Envelope envelope : ready.messages()) {
                Host to = sentinel(envelope.to().value());
                transmit(id, envelope.to(), () -> to.input(machine -> machine.receive(id, envelope.message(), now)));
            }
            ready.commands().forEach(command -> command(this, command));
            for (SentinelEvent event : ready.events()) {
                events.add(event);
                checkEvent(event);
                onEvent.accept(event);
            }
            if (crashAt == CrashPoint.AFTER_SENDING) {
                crash();
            }
        }
    }

    private void checkEvent(SentinelEvent event) {
        if (event instanceof LeaderElected elected) {
            NodeId other = leaders.putIfAbsent(new Term("", elected.shard(), elected.epoch()), elected.sentinel());
            assertTrue(other == null, () -> "two leaders: " + other + " and " + elected);
        } else if (event instanceof VoteGiven vote) {
            NodeId other = votes.putIfAbsent(new Term(vote.sentinel(), vote.shard(), vote.epoch()), vote.candidate());
            assertTrue(other == null, () -> "two votes: for " + other + " and " + vote);
        }
    }

    private static void checkState(@Nullable SentinelState before, SentinelState after) {
        if (before == null) {
            return;
        }
        Map<ShardId, ShardMemory> earlier = new LinkedHashMap<>();
        before.shards().forEach(memory -> earlier.put(memory.configuration().shard(), memory));
        for (ShardMemory memory : after.shards()) {
            ShardMemory was = earlier.get(memory.configuration().shard());
            assertTrue(
                    was == null
                            || (memory.votedEpoch() >= was.votedEpoch()
                                    && memory.highestEpoch() >= was.highestEpoch()
                                    && memory.configuration().epoch()
                                            >= was.configuration().epoch()),
                    () -> "went back from " + was + " to " + memory);
        }
    }

    /** {@return the epoch of the shard by what most sentinels hold} */
    long epoch(String shard) {
        long highest = 0;
        for (Host host : sentinels.values()) {
            var known = host.machine().topology().shard(new ShardId(shard));
            highest = Math.max(highest, known == null ? 0 : known.epoch());
        }
        return highest;
    }

    /** {@return the events of one shard as text, a line each, with the time in milliseconds since {@code start}} */
    String trace(long start) {
        StringBuilder text = new StringBuilder();
        for (SentinelEvent event : events) {
            if (event.at() - start >= 0 && event instanceof ShardEvent about) {
                text.append(String.format("%6d %s ", (event.at() - start) / MILLI, event.sentinel()));
                String detail = event.toString();
                text.append(detail, 0, detail.indexOf('[')).append(" epoch=").append(about.epoch());
                int more = detail.indexOf("epoch=" + about.epoch() + ", ");
                if (more > 0) {
                    text.append(' ').append(detail, detail.indexOf(", ", more) + 2, detail.length() - 1);
                }
                text.append('\n');
            }
        }
        return text.toString().replace(", ", " ");
    }
}
