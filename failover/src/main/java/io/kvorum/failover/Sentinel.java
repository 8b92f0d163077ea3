package io.kvorum.failover;

import static java.util.Objects.requireNonNull;

import io.kvorum.failover.SentinelEvent.AbortReason;
import io.kvorum.failover.SentinelEvent.FailoverRefused;
import io.kvorum.failover.SentinelEvent.MergeRefused;
import io.kvorum.failover.SentinelMessage.ElectionMessage;
import io.kvorum.failover.SentinelMessage.Opinion;
import io.kvorum.failover.SentinelMessage.Opinions;
import io.kvorum.failover.SentinelState.ShardMemory;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.Shard;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * One voter that watches shards and, together with the other sentinels, replaces a primary that is down.
 *
 * <p>For each shard, and independent of every other: every sentinel asks all nodes to describe themselves. A primary
 * that is silent, or keeps saying that it is not one, is <em>subjectively down</em> to it; once a quorum of sentinels
 * says so of the same configuration it is <em>objectively down</em>. Then one of them asks the others for their votes
 * in a new epoch, of which each has one. Whoever has the votes of a majority leads: it has a majority of the shard's
 * nodes promise the epoch, so that no lower epoch can have a write acknowledged by a majority any more; promotes the
 * node with the most complete log; has the new configuration stored by a majority of sentinels; and points the other
 * nodes to the new primary.
 *
 * <p>A leader that fails at any step, or dies, is succeeded by another election in a later epoch. In an epoch there is
 * at most one leader, and it promotes at most one node.
 *
 * <p>This is a pure state machine: it owns no thread, reads no clock and sends nothing. Every input takes the current
 * time in nanoseconds, which must never decrease from one call to the next; what is to be done about it is asked for
 * with {@link #ready()}, after one input or after several. Confined to one thread.
 */
public final class Sentinel {
    private static final long FRESH_PERIODS = 5;

    private final SentinelSettings settings;
    private final NodeId self;
    private final List<NodeId> sentinels;
    private final RandomGenerator random;
    private final Outbox outbox;
    private final Map<ShardId, ShardSentinel> shards = new TreeMap<>();
    /** Memories of shards that the topology lacks, perhaps because it is not yet told of them. */
    private final Map<ShardId, ShardMemory> unwatched = new TreeMap<>();

    private final Map<NodeId, Long> heardAt = new LinkedHashMap<>();

    private ClusterTopology topology;
    private boolean topologyChanged = true;
    private boolean stateChanged;
    private boolean abstaining;
    private final long abstainsFrom;
    private long tickedAt;
    private long saidAt;

    /**
     * A message for another sentinel.
     *
     * <p>Immutable.
     *
     * @param to the receiver
     * @param message the message
     */
    public record Envelope(NodeId to, SentinelMessage message) {}

    /**
     * A command for a node.
     *
     * <p>Immutable.
     *
     * @param to the node
     * @param command the command
     */
    public record AddressedCommand(NodeId to, NodeCommand command) {}

    /**
     * What is to be done after an input. The state must be saved before anything else of this, or of any later one,
     * leaves the process; if it cannot be saved, messages and commands may be thrown away, as if they had been lost.
     *
     * <p>Immutable.
     *
     * @param toSave the state to save, or null if it has not changed
     * @param messages what to send to other sentinels
     * @param commands what to send to nodes
     * @param events what has happened, in order
     * @param published the topology to publish, or null if it has not changed
     */
    public record Ready(
            @Nullable SentinelState toSave,
            List<Envelope> messages,
            List<AddressedCommand> commands,
            List<SentinelEvent> events,
            @Nullable ClusterTopology published) {}

    /**
     * Starts a sentinel.
     *
     * @param settings how it works
     * @param self its id
     * @param sentinels the ids of all sentinels, this one included; the same for all of them
     * @param topology the topology to start with. It must have the nodes of each shard as all other sentinels have
     *     them, and as this one had them in every earlier life. A restored configuration whose primary it lacks is set
     *     aside; the votes are remembered in any case, of shards that it lacks, too
     * @param restored the state that it last saved, or {@link SentinelState#initial} if it never ran before. If this is
     *     null it takes itself to have lost its state: it gives no votes for the time of the settings'
     *     {@code abstention}, in which the others' elections that it may have voted in come to their end
     * @param random draws the delays before elections; another one for each sentinel
     * @param now the current time, in nanoseconds
     * @throws IllegalArgumentException if {@code self} is not among the sentinels or one of them occurs twice, if the
     *     quorum is above their number, or if the state is another sentinel's
     */
    public Sentinel(
            SentinelSettings settings,
            NodeId self,
            List<NodeId> sentinels,
            ClusterTopology topology,
            @Nullable SentinelState restored,
            RandomGenerator random,
            long now) {
        this.settings = requireNonNull(settings, "settings");
        this.self = requireNonNull(self, "self");
        this.sentinels = List.copyOf(sentinels);
        this.random = requireNonNull(random, "random");
        this.topology = requireNonNull(topology, "topology");
        if (!this.sentinels.contains(self)) {
            throw new IllegalArgumentException("sentinels must include " + self + ": " + sentinels);
        }
        if (new LinkedHashSet<>(this.sentinels).size() != this.sentinels.size()) {
            throw new IllegalArgumentException("a sentinel must occur once: " + sentinels);
        }
        if (settings.quorum() > this.sentinels.size()) {
            throw new IllegalArgumentException("quorum must be at most the number of sentinels, "
                    + this.sentinels.size() + ": " + settings.quorum());
        }
        if (restored != null && !restored.sentinel().equals(self)) {
            throw new IllegalArgumentException("state must be of " + self + ": " + restored.sentinel());
        }
        outbox = new Outbox(
                self, this.sentinels.stream().filter(id -> !id.equals(self)).toList());
        abstaining = restored == null || restored.abstaining();
        stateChanged = restored == null;
        abstainsFrom = now;
        tickedAt = now;
        saidAt = now - settings.askPeriod().toNanos();
        if (restored != null) {
            restored.shards()
                    .forEach(memory -> unwatched.put(memory.configuration().shard(), memory));
        }
        for (Shard shard : topology.shards()) {
            add(shard, now);
        }
    }

    private void add(Shard shard, long now) {
        ShardMemory memory = unwatched.remove(shard.id());
        ShardMemory remembered = memory == null ? ShardMemory.initial(shard) : memory.appliedTo(shard);
        ShardSentinel added = new ShardSentinel(remembered, shard.nodes(), settings, outbox, random, now);
        shards.put(shard.id(), added);
        added.learn(new Configuration(shard.id(), shard.epoch(), shard.primary()), now);
        bringTopologyUpToDate(added.configuration());
        stateChanged |= !remembered.equals(memory);
    }

    // Inputs.

    /**
     * Time has passed. To be called once per {@code tickPeriod}: if it is called later, this sentinel takes itself to
     * have been paused, and does not hold it against the nodes.
     *
     * @param now the current time, in nanoseconds
     */
    public void tick(long now) {
        observe(now);
        tickedAt = now;
        if (abstaining && now - abstainsFrom >= settings.abstention().toNanos()) {
            abstaining = false;
            stateChanged = true;
        }
        for (ShardSentinel shard : shards.values()) {
            shard.tick(abstaining, now);
            bringTopologyUpToDate(shard.configuration());
        }
        if (now - saidAt >= settings.askPeriod().toNanos() && !shards.isEmpty()) {
            saidAt = now;
            List<Opinion> opinions = new ArrayList<>(shards.size());
            for (ShardSentinel shard : shards.values()) {
                opinions.add(shard.opinion());
            }
            outbox.broadcast(new Opinions(opinions));
        }
    }

    /**
     * Another sentinel sent a message. One of an unknown sentinel, or about an unknown shard, is ignored.
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
                ShardSentinel shard = shards.get(opinion.configuration().shard());
                if (shard != null) {
                    shard.receive(from, opinion, now);
                    bringTopologyUpToDate(shard.configuration());
                }
            }
        } else if (message instanceof ElectionMessage about) {
            ShardSentinel shard = shards.get(about.configuration().shard());
            if (shard != null) {
                shard.receive(from, about, abstaining, now);
                bringTopologyUpToDate(shard.configuration());
            }
        } else {
            throw new AssertionError(message);
        }
    }

    /**
     * A node answered a command. An answer that is late, repeated, or about an unknown shard is harmless.
     *
     * @param answer the answer
     * @param now the current time, in nanoseconds
     */
    public void answered(NodeAnswer answer, long now) {
        observe(now);
        ShardSentinel shard = shards.get(answer.report().shard());
        if (shard != null && answer.command().shard().equals(answer.report().shard())) {
            shard.answered(answer, now);
            bringTopologyUpToDate(shard.configuration());
        }
    }

    /**
     * An operator wants a shard to have another primary. If the present one is well it is a switchover, which loses no
     * write and is given up if it cannot be done within the pause limit of the settings; if not, a failover. How it
     * ends is told by an event: {@link SentinelEvent.Switched}, {@link SentinelEvent.FailoverAborted} or, if it is not
     * even begun, {@link FailoverRefused}.
     *
     * @param shard the shard
     * @param now the current time, in nanoseconds
     */
    public void failOver(ShardId shard, long now) {
        observe(now);
        ShardSentinel known = shards.get(shard);
        if (known == null) {
            outbox.add(new FailoverRefused(now, self, shard, 0, AbortReason.UNKNOWN_SHARD));
            return;
        }
        known.failOver(abstaining, now);
        bringTopologyUpToDate(known.configuration());
    }

    /**
     * Somebody changed the topology elsewhere: moved slots, added or removed a shard. This is not passed on to the
     * other sentinels; each is to be told. A failover of a shard that is removed is given up.
     *
     * <p>A shard keeps its nodes: a topology that adds or removes a replica is refused as a whole. The primary counts
     * its majorities among the nodes with which it was promoted, and a failover among the nodes that the sentinels
     * know; were these not the same, a failover could miss a write that a majority has acknowledged. To change the
     * nodes of a shard is not supported yet.
     *
     * @param other the changed topology, of which all that is later than what this sentinel knows is taken over
     * @param now the current time, in nanoseconds
     * @return whether it was taken over; if not, nothing has changed, and {@link MergeRefused} tells of a shard whose
     *     nodes differ
     */
    public boolean merge(ClusterTopology other, long now) {
        observe(now);
        ClusterTopology merged = topology.merge(other);
        if (merged.equals(topology)) {
            return true;
        }
        for (ShardSentinel known : shards.values()) {
            Configuration configuration = known.configuration();
            Shard shard = merged.shard(configuration.shard());
            if (shard != null && !known.hasNodes(shard.nodes())) {
                outbox.add(new MergeRefused(now, self, shard.id(), configuration.epoch()));
                return false;
            }
        }
        topology = merged;
        topologyChanged = true;
        stateChanged |= shards.values().removeIf(known -> {
            boolean removed = merged.shard(known.configuration().shard()) == null;
            if (removed) {
                known.removed(now);
            }
            return removed;
        });
        for (Shard shard : merged.shards()) {
            ShardSentinel known = shards.get(shard.id());
            if (known == null) {
                add(shard, now);
            } else {
                known.learn(new Configuration(shard.id(), shard.epoch(), shard.primary()), now);
            }
        }
        return true;
    }

    // Outputs.

    /** {@return what is to be done since this was last asked} */
    public Ready ready() {
        boolean save = stateChanged;
        for (ShardSentinel shard : shards.values()) {
            save |= shard.takeChanged();
        }
        ClusterTopology published = topologyChanged ? topology : null;
        stateChanged = false;
        topologyChanged = false;
        return new Ready(
                save ? state() : null, outbox.takeMessages(), outbox.takeCommands(), outbox.takeEvents(), published);
    }

    /** {@return this sentinel's id} */
    public NodeId self() {
        return self;
    }

    /** {@return the ids of all sentinels, this one included} */
    public List<NodeId> sentinels() {
        return sentinels;
    }

    /** {@return the topology, by the latest configurations that this sentinel knows} */
    public ClusterTopology topology() {
        return topology;
    }

    /** {@return what it must remember over a crash} */
    public SentinelState state() {
        Map<ShardId, ShardMemory> memories = new TreeMap<>(unwatched);
        shards.forEach((id, shard) -> memories.put(id, shard.memory()));
        return new SentinelState(self, abstaining, List.copyOf(memories.values()));
    }

    /** {@return the nodes of a shard that this sentinel holds subjectively down; none if it does not know the shard} */
    public List<NodeId> down(ShardId shard) {
        ShardSentinel known = shards.get(shard);
        return known == null ? List.of() : known.down();
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
            if (now - at < FRESH_PERIODS * settings.askPeriod().toNanos()) {
                usable++;
            }
        }
        return new QuorumCheck(
                usable,
                sentinels.size(),
                settings.quorum(),
                Math.max(settings.quorum(), Watch.majority(sentinels.size())));
    }

    /**
     * Checks what must hold between any two inputs; for use in an {@code assert}.
     *
     * @return true
     * @throws AssertionError if it does not hold
     */
    public boolean checkInvariants() {
        for (Map.Entry<ShardId, ShardSentinel> entry : shards.entrySet()) {
            entry.getValue().checkInvariants();
            Shard shard = topology.shard(entry.getKey());
            Configuration configuration = entry.getValue().configuration();
            if (shard == null
                    || shard.epoch() != configuration.epoch()
                    || !shard.primary().equals(configuration.primary())) {
                throw new AssertionError(
                        "the topology must agree with the configurations: " + shard + ", " + configuration);
            }
        }
        return true;
    }

    /** If nobody called for so long that a tick or more was left out, this sentinel was not running. */
    private void observe(long now) {
        long period = settings.tickPeriod().toNanos();
        long gap = now - tickedAt;
        if (gap >= 2 * period) {
            tickedAt = now;
            for (ShardSentinel shard : shards.values()) {
                shard.observerWasLate(gap - period);
            }
        }
    }

    private void bringTopologyUpToDate(Configuration configuration) {
        Shard shard = topology.shard(configuration.shard());
        if (shard != null && shard.epoch() < configuration.epoch()) {
            topology = topology.apply(
                    topology.version(),
                    new TopologyChange.Promote(configuration.shard(), configuration.epoch(), configuration.primary()));
            topologyChanged = true;
        }
    }
}
