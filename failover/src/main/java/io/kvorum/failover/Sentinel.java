package io.kvorum.failover;

import static java.util.Objects.requireNonNull;

import io.kvorum.failover.SentinelMessage.ElectionMessage;
import io.kvorum.failover.SentinelMessage.Opinion;
import io.kvorum.failover.SentinelMessage.Opinions;
import io.kvorum.failover.SentinelState.KnownShard;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.Shard;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A voter that watches shards and, together with the other sentinels, replaces a primary that is down.
 *
 * <p>Each shard is independent of every other. A sentinel asks all its nodes for reports. A primary that is silent, or
 * keeps reporting that it does not lead, is <em>subjectively down</em>; when a quorum of sentinels says so of the same
 * primary, it is <em>objectively down</em>. The sentinels then agree on one candidate, which has a majority of the
 * shard's members promise an epoch, promotes the member with the most complete log among them, and tells everyone.
 *
 * <p>What is safe rests on the promises of the members, not on the sentinels: they may lose their memory, be paused, or
 * work against each other, and still a shard never has two primaries in one epoch, nor a primary that lacks a write
 * that a majority acknowledged. What the sentinels keep on disk is a cache.
 *
 * <p>This is a pure state machine: it owns no thread, reads no clock and sends nothing. Every input takes the current
 * time in nanoseconds, which must never decrease from one call to the next. {@link #ready()} returns what is to be
 * done, after one input or after several. Confined to one thread.
 */
public final class Sentinel {
    /** The {@link Ready#wakeAt()} of a sentinel without shards. */
    public static final long NEVER = Long.MAX_VALUE;

    /** From how many shards on the opinions that are no news are told in turns, and about how many of them a period. */
    private static final int FEW = 16;

    /** Among how many periods the opinions about many shards are divided. */
    private static final int PARTS = 10;

    private final SentinelSettings settings;
    private final long tolerance;
    private final long opinionLife;
    private final NodeId self;
    private final SentinelList sentinels;
    private final RandomGenerator random;
    private final Outbox outbox;
    private final Map<ShardId, Entry> shards = new LinkedHashMap<>();
    private final DueTimes<Entry> due = new DueTimes<>();
    private final Map<NodeId, Long> heardAt = new LinkedHashMap<>();

    private ClusterTopology topology;
    private boolean topologyChanged = true;
    private boolean stateChanged = true;
    /** When opinions are due, and which part of them was told last. */
    private long sayAt;

    private int part;
    /** When this sentinel last ran, by its inputs. */
    private long ranAt;

    /** A shard and when it is due. */
    private static final class Entry extends DueTimes.Item {
        private final ShardSentinel shard;

        private Entry(ShardSentinel shard) {
            this.shard = shard;
        }

        private int generation() {
            return shard.primary().generation();
        }
    }

    /**
     * A message to another sentinel.
     *
     * @param to the receiver
     * @param message the message
     */
    public record Envelope(NodeId to, SentinelMessage message) {}

    /**
     * A command to a node.
     *
     * @param to the node
     * @param command the command
     */
    public record AddressedCommand(NodeId to, NodeCommand command) {}

    /**
     * The end of an operation.
     *
     * @param request the number that the operation was started with
     * @param operation the operation
     * @param outcome its outcome
     */
    public record Completion(long request, Operation operation, OperationOutcome outcome) {}

    /**
     * What is to be done after an input, in no particular order: nothing here waits for the state to be saved.
     *
     * @param toSave the state to save, or null if it has not changed
     * @param messages the messages to other sentinels
     * @param commands the commands to nodes
     * @param events what has happened, in order
     * @param completions the operations that ended
     * @param published the topology to publish, or null if it has not changed
     * @param wakeAt when {@link #tick} is due at the latest, in nanoseconds of the sentinel's clock; {@link #NEVER}
     *     without shards. May be over already
     */
    public record Ready(
            @Nullable SentinelState toSave,
            List<Envelope> messages,
            List<AddressedCommand> commands,
            List<SentinelEvent> events,
            List<Completion> completions,
            @Nullable ClusterTopology published,
            long wakeAt) {}

    /**
     * Starts a sentinel.
     *
     * @param settings its settings
     * @param self its id
     * @param sentinels all sentinels with their numbers, this one included; the same list for each of them
     * @param topology the topology to start with
     * @param cached the state that it last saved, or null if it has none: it then learns by asking
     * @param random draws the numbers of attempts and questions; another generator for each sentinel
     * @param now the current time, in nanoseconds
     * @throws IllegalArgumentException if {@code self} is not among the sentinels, if two settings contradict each
     *     other, if the quorum is above the number of sentinels, or if the state is another sentinel's
     */
    public Sentinel(
            SentinelSettings settings,
            NodeId self,
            SentinelList sentinels,
            ClusterTopology topology,
            @Nullable SentinelState cached,
            RandomGenerator random,
            long now) {
        this.settings = settings.checked();
        tolerance = settings.tolerance().toNanos();
        opinionLife = settings.opinionLife().toNanos();
        this.self = requireNonNull(self, "self");
        this.sentinels = requireNonNull(sentinels, "sentinels");
        this.topology = requireNonNull(topology, "topology");
        this.random = requireNonNull(random, "random");
        sentinels.numberOf(self);
        if (settings.quorum() > sentinels.size()) {
            throw new IllegalArgumentException(
                    "quorum must be at most the number of sentinels, " + sentinels.size() + ": " + settings.quorum());
        }
        if (cached != null && !cached.sentinel().equals(self)) {
            throw new IllegalArgumentException("state must be of " + self + ": " + cached.sentinel());
        }
        outbox = new Outbox(
                self, sentinels.ids().stream().filter(id -> !id.equals(self)).toList());
        ranAt = now;
        sayAt = now;
        Map<ShardId, KnownShard> remembered = new LinkedHashMap<>();
        if (cached != null) {
            cached.shards().forEach(known -> remembered.put(known.primary().shard(), known));
        }
        for (Shard shard : topology.shards()) {
            add(shard, remembered.get(shard.id()), now);
        }
    }

    private void add(Shard shard, @Nullable KnownShard remembered, long now) {
        ShardContext context = new ShardContext(shard.id(), shard.generation(), sentinels, settings, outbox, random);
        ShardPrimary primary = context.primary(shard.epoch(), shard.primary());
        Set<NodeId> nodes = new TreeSet<>(shard.nodes());
        if (remembered != null && remembered.primary().generation() == shard.generation()) {
            nodes.addAll(remembered.nodes());
            primary = remembered.primary().epoch() > primary.epoch() ? remembered.primary() : primary;
        }
        Entry entry = new Entry(new ShardSentinel(context, primary, nodes, now));
        shards.put(shard.id(), entry);
        due.set(entry, now);
        update(entry);
    }

    // Inputs.

    /**
     * Time has passed. Due at {@link Ready#wakeAt()}: a sentinel that is called much later takes itself to have been
     * paused, and does not hold the silence of that time against the nodes.
     *
     * @param now the current time, in nanoseconds
     */
    public void tick(long now) {
        observe(now);
        for (Entry entry : due.takeDue(now)) {
            entry.shard.tick(now);
            settle(entry, now);
        }
        if (now - sayAt >= 0 && !shards.isEmpty()) {
            sayAt = now + settings.askPeriod().toNanos();
            outbox.broadcast(new Opinions(opinions(now)));
        }
    }

    /**
     * {@return the opinions that are news, and a part of all others, so that each is told at least once in
     * {@link #PARTS} periods while no shard is removed}
     */
    private List<Opinion> opinions(long now) {
        int parts = Math.min(PARTS, 1 + shards.size() / FEW);
        part = (part + 1) % parts;
        List<Opinion> opinions = new ArrayList<>();
        int i = 0;
        for (Entry entry : shards.values()) {
            if (i++ % parts == part || entry.shard.announced().isNews(now)) {
                opinions.add(entry.shard.announced().opinion());
            }
        }
        return opinions;
    }

    /**
     * Another sentinel sent a message. Messages from unknown sentinels or about unknown shards, or other generations of
     * them, are ignored.
     *
     * @param from the sender
     * @param message the message
     * @param now the current time, in nanoseconds
     */
    public void receive(NodeId from, SentinelMessage message, long now) {
        observe(now);
        if (from.equals(self) || !sentinels.contains(from)) {
            return;
        }
        heardAt.put(from, now);
        if (message instanceof Opinions opinions) {
            for (Opinion opinion : opinions.shards()) {
                Entry entry = entryOf(opinion.primary());
                if (entry != null && entry.shard.heard(from, opinion, now)) {
                    settle(entry, now);
                }
            }
        } else if (message instanceof ElectionMessage about) {
            Entry entry = entryOf(about.primary());
            if (entry != null) {
                entry.shard.receive(from, about, now);
                settle(entry, now);
            }
        } else {
            throw new AssertionError(message);
        }
    }

    /** {@return what there is about the shard of a primary, or null if that shard, in that generation, is not known} */
    private @Nullable Entry entryOf(ShardPrimary primary) {
        Entry entry = shards.get(primary.shard());
        return entry != null && entry.generation() == primary.generation() ? entry : null;
    }

    /**
     * A node answered a command. Answers that are late, repeated, or about unknown shards are harmless.
     *
     * @param answer the answer
     * @param now the current time, in nanoseconds
     */
    public void answered(NodeAnswer answer, long now) {
        observe(now);
        Entry entry = shards.get(answer.report().shard());
        if (entry != null && answer.command().shard().equals(answer.report().shard())) {
            if (entry.shard.answered(answer, now)) {
                settle(entry, now);
            }
        }
    }

    /**
     * An operator gives an order. {@link Ready#completions()} tells how it ended, within the time that the settings
     * state.
     *
     * @param request a number that identifies the operation in its completion
     * @param operation the operation
     * @param now the current time, in nanoseconds
     */
    public void start(long request, Operation operation, long now) {
        observe(now);
        Entry entry = shards.get(operation.shard());
        if (entry == null) {
            outbox.complete(
                    request, operation, new OperationOutcome.Failed(0, AbortReason.UNKNOWN_SHARD, List.of()), now);
            return;
        }
        if (operation instanceof Operation.Replace replace) {
            Shard other = topology.shardOf(replace.incoming());
            if (other != null && !other.id().equals(replace.shard())) {
                AbortReason reason = AbortReason.NODE_ELSEWHERE;
                long epoch = entry.shard.primary().epoch();
                outbox.complete(
                        request,
                        operation,
                        new OperationOutcome.Failed(epoch, reason, List.of(replace.incoming())),
                        now);
                return;
            }
        }
        entry.shard.start(request, operation, now);
        settle(entry, now);
    }

    /**
     * Someone changed the topology elsewhere: moved slots, added or removed a shard. The change is not passed on; each
     * sentinel must be told. A failover of a shard that is removed is given up.
     *
     * @param other the changed topology; whatever in it is later than what this sentinel knows is taken over
     * @param now the current time, in nanoseconds
     */
    public void merge(ClusterTopology other, long now) {
        observe(now);
        ClusterTopology merged = topology.merge(other);
        if (merged.equals(topology)) {
            return;
        }
        topology = merged;
        topologyChanged = true;
        stateChanged |= shards.values().removeIf(entry -> {
            Shard present = merged.shard(entry.shard.primary().shard());
            boolean removed = present == null || present.generation() != entry.generation();
            if (removed) {
                entry.shard.removed(now);
                due.remove(entry);
            }
            return removed;
        });
        for (Shard shard : merged.shards()) {
            Entry entry = shards.get(shard.id());
            if (entry == null) {
                add(shard, null, now);
            } else {
                ShardPrimary known = new ShardPrimary(shard.id(), shard.generation(), shard.epoch(), shard.primary());
                entry.shard.merged(known, shard.nodes(), now);
                settle(entry, now);
            }
        }
    }

    /** If this sentinel did not run for a while, it could not have heard anyone. */
    private void observe(long now) {
        long since = ranAt;
        ranAt = now;
        if (now - since > tolerance) {
            for (Entry entry : shards.values()) {
                entry.shard.observerPaused(since, now);
            }
        }
    }

    /** Takes over what an input has changed in a shard. */
    private void settle(Entry entry, long now) {
        due.set(entry, entry.shard.dueAt(now));
        update(entry);
    }

    private void update(Entry entry) {
        NodeReport members = entry.shard.lists().take();
        if (members != null) {
            updateNodes(entry, members.membersAt(), members.nodes());
        }
        updatePrimary(entry);
        stateChanged |= entry.shard.takeChanged();
    }

    /** The topology lists the members that the shard's log names, and the nodes that are to join. */
    private void updateNodes(Entry entry, LogPosition at, List<NodeId> nodes) {
        Shard shard = topology.shard(entry.shard.primary().shard());
        if (shard == null
                || at.compareTo(shard.membersAt()) <= 0
                || new TreeSet<>(shard.nodes()).equals(new TreeSet<>(nodes))) {
            return;
        }
        topology = topology.apply(topology.version(), new TopologyChange.SetMembers(shard.id(), at, nodes));
        topologyChanged = true;
        entry.shard.listed(nodes);
    }

    private void updatePrimary(Entry entry) {
        ShardPrimary primary = entry.shard.primary();
        Shard shard = topology.shard(primary.shard());
        if (shard == null || shard.epoch() >= primary.epoch()) {
            return;
        }
        if (!shard.nodes().contains(primary.primary())) {
            return; // until its own report tells of the member list that it is in
        }
        topology = topology.apply(
                topology.version(), new TopologyChange.Promote(primary.shard(), primary.epoch(), primary.primary()));
        topologyChanged = true;
    }

    // Outputs.

    /** {@return what is to be done since this was last asked} */
    public Ready ready() {
        boolean save = stateChanged;
        ClusterTopology published = topologyChanged ? topology : null;
        stateChanged = false;
        topologyChanged = false;
        return new Ready(
                save ? state() : null,
                outbox.takeMessages(),
                outbox.takeCommands(),
                outbox.takeEvents(),
                outbox.takeCompletions(),
                published,
                due.isEmpty() ? NEVER : ShardContext.earlier(due.first(), sayAt));
    }

    /**
     * Numbers a fact of the sentinel's driver among the events of the sentinel. The caller delivers it.
     *
     * @param fact the fact
     * @param now the current time, in nanoseconds
     * @return the event
     */
    public SentinelEvent event(SentinelFact fact, long now) {
        return outbox.event(fact, now);
    }

    /** {@return this sentinel's id} */
    public NodeId self() {
        return self;
    }

    /** {@return all sentinels, this one included} */
    public SentinelList sentinels() {
        return sentinels;
    }

    /** {@return the topology, with the latest primaries that this sentinel knows} */
    public ClusterTopology topology() {
        return topology;
    }

    /** {@return what is worth remembering over a restart} */
    public SentinelState state() {
        return new SentinelState(
                self, shards.values().stream().map(entry -> entry.shard.known()).toList());
    }

    /** {@return the nodes of a shard that this sentinel holds subjectively down; none if it does not know the shard} */
    public List<NodeId> down(ShardId shard) {
        Entry entry = shards.get(shard);
        return entry == null ? List.of() : entry.shard.down();
    }

    /**
     * Whether the sentinels could fail a shard over now.
     *
     * @param now the current time, in nanoseconds
     * @return what this sentinel can tell by what it has heard lately
     */
    public QuorumCheck quorumCheck(long now) {
        int usable = 1;
        for (long at : heardAt.values()) {
            usable += now - at < opinionLife ? 1 : 0;
        }
        return new QuorumCheck(
                usable, sentinels.size(), settings.quorum(), Math.max(settings.quorum(), sentinels.majority()));
    }

    /**
     * Checks what must hold between any two inputs; for use in an {@code assert}.
     *
     * @return true
     * @throws AssertionError if it does not hold
     */
    public boolean checkInvariants() {
        for (Entry entry : shards.values()) {
            entry.shard.checkInvariants();
            ShardPrimary primary = entry.shard.primary();
            Shard shard = topology.shard(primary.shard());
            if (shard == null
                    || (shard.epoch() < primary.epoch() && shard.nodes().contains(primary.primary()))) {
                throw new AssertionError("the topology must know the latest primary: " + shard + ", " + primary);
            }
        }
        return true;
    }
}
