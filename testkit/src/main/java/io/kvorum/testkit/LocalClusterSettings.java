package io.kvorum.testkit;

import static java.util.Objects.requireNonNull;

import io.kvorum.failover.SentinelSettings;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.ReplicationLog;
import io.kvorum.replication.ReplicationSettings;
import io.kvorum.slots.SlotRange;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The shape and the timings of a {@link LocalCluster}.
 *
 * <p>Immutable.
 *
 * @param slots the slots of each shard, a set per shard, which must not overlap; at least one shard
 * @param replicas how many replicas each shard has beside its primary; 0 to 1,023
 * @param sentinels how many sentinels watch the shards; from the quorum of {@code failover} to 1,023
 * @param acknowledgement on how many nodes a write of the client must be before it counts as done
 * @param timeout how long an operation of the client may take in all, with every try after a refusal; positive
 * @param logCapacity how many bytes of records each node retains; a power of two
 * @param replication the settings of the nodes
 * @param failover the settings of the sentinels
 * @param encoded whether everything that is sent is carried as bytes, as a network would carry it
 */
public record LocalClusterSettings(
        List<SlotSet> slots,
        int replicas,
        int sentinels,
        Acknowledgement acknowledgement,
        Duration timeout,
        int logCapacity,
        ReplicationSettings replication,
        SentinelSettings failover,
        boolean encoded) {
    /** As many sentinels as epochs tell apart; and no shard of a test has more replicas. */
    private static final int MOST = Epoch.MAX_CANDIDATE;

    private static final LocalClusterSettings DEFAULTS = new LocalClusterSettings(
            evenly(3),
            2,
            3,
            Acknowledgement.MAJORITY,
            Duration.ofSeconds(5),
            16 << 20,
            ReplicationSettings.defaults(),
            SentinelSettings.defaults(),
            false);

    /**
     * Checks the settings.
     *
     * @throws IllegalArgumentException if one is out of range
     */
    public LocalClusterSettings {
        slots = List.copyOf(slots);
        if (slots.isEmpty()) {
            throw new IllegalArgumentException("slots must be those of at least 1 shard: 0");
        }
        SlotSet taken = SlotSet.EMPTY;
        for (SlotSet set : slots) {
            SlotSet twice = taken.intersect(set);
            if (!twice.isEmpty()) {
                throw new IllegalArgumentException("slots must have one shard each: " + twice);
            }
            taken = taken.union(set);
        }
        if (replicas < 0 || replicas > MOST) {
            throw new IllegalArgumentException("replicas must be from 0 to " + MOST + ": " + replicas);
        }
        if (sentinels > MOST) {
            throw new IllegalArgumentException("sentinels must be at most " + MOST + ": " + sentinels);
        }
        if (sentinels < failover.quorum()) {
            throw new IllegalArgumentException(
                    "sentinels must be at least the quorum, " + failover.quorum() + ": " + sentinels);
        }
        requireNonNull(acknowledgement, "acknowledgement");
        if (timeout.isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException("timeout must be positive: " + timeout);
        }
        if (Integer.bitCount(logCapacity) != 1
                || logCapacity < ReplicationLog.MIN_CAPACITY
                || logCapacity > ReplicationLog.MAX_CAPACITY) {
            throw new IllegalArgumentException("logCapacity must be a power of two from " + ReplicationLog.MIN_CAPACITY
                    + " to " + ReplicationLog.MAX_CAPACITY + ": " + logCapacity);
        }
        requireNonNull(replication, "replication");
    }

    /**
     * {@return three shards with two replicas each, which share the slots evenly; three sentinels; writes acknowledged
     * by a majority, which a client waits for up to five seconds; the default timings of nodes and sentinels}
     */
    public static LocalClusterSettings defaults() {
        return DEFAULTS;
    }

    /**
     * {@return these settings with a number of shards that share all slots evenly}
     *
     * @param shards the number of shards; 1 to 16,384
     */
    public LocalClusterSettings withShards(int shards) {
        return withSlots(evenly(shards));
    }

    /**
     * {@return these settings with other shards}
     *
     * @param value the slots of each shard
     */
    public LocalClusterSettings withSlots(List<SlotSet> value) {
        return new LocalClusterSettings(
                value, replicas, sentinels, acknowledgement, timeout, logCapacity, replication, failover, encoded);
    }

    /**
     * {@return these settings with another number of replicas for each shard}
     *
     * @param value the number; 0 to 1,023
     */
    public LocalClusterSettings withReplicas(int value) {
        return new LocalClusterSettings(
                slots, value, sentinels, acknowledgement, timeout, logCapacity, replication, failover, encoded);
    }

    /**
     * {@return these settings with another number of sentinels}
     *
     * @param value the number; from the quorum to 1,023
     */
    public LocalClusterSettings withSentinels(int value) {
        return new LocalClusterSettings(
                slots, replicas, value, acknowledgement, timeout, logCapacity, replication, failover, encoded);
    }

    /**
     * {@return these settings with another acknowledgement level of the client's writes}
     *
     * @param value the level
     */
    public LocalClusterSettings withAcknowledgement(Acknowledgement value) {
        return new LocalClusterSettings(
                slots, replicas, sentinels, value, timeout, logCapacity, replication, failover, encoded);
    }

    /**
     * {@return these settings with another limit of the client's patience}
     *
     * @param value how long an operation may take in all, with every try after a refusal; positive
     */
    public LocalClusterSettings withTimeout(Duration value) {
        return new LocalClusterSettings(
                slots, replicas, sentinels, acknowledgement, value, logCapacity, replication, failover, encoded);
    }

    /**
     * {@return these settings with another size of the nodes' logs}
     *
     * @param value how many bytes of records each node retains; a power of two
     */
    public LocalClusterSettings withLogCapacity(int value) {
        return new LocalClusterSettings(
                slots, replicas, sentinels, acknowledgement, timeout, value, replication, failover, encoded);
    }

    /**
     * {@return these settings with other settings of the nodes}
     *
     * @param value the settings of the nodes
     */
    public LocalClusterSettings withReplication(ReplicationSettings value) {
        return new LocalClusterSettings(
                slots, replicas, sentinels, acknowledgement, timeout, logCapacity, value, failover, encoded);
    }

    /**
     * {@return these settings with other settings of the sentinels}
     *
     * @param value the settings of the sentinels
     */
    public LocalClusterSettings withFailover(SentinelSettings value) {
        return new LocalClusterSettings(
                slots, replicas, sentinels, acknowledgement, timeout, logCapacity, replication, value, encoded);
    }

    /**
     * {@return these settings with everything carried as bytes, or not}
     *
     * @param value whether to encode what is sent
     */
    public LocalClusterSettings withEncoded(boolean value) {
        return new LocalClusterSettings(
                slots, replicas, sentinels, acknowledgement, timeout, logCapacity, replication, failover, value);
    }

    private static List<SlotSet> evenly(int shards) {
        return SlotRange.evenSplit(shards).stream()
                .map(range -> SlotSet.ofRange(range.first(), range.last()))
                .toList();
    }

    /** {@return the topology that a cluster of these settings begins with} */
    ClusterTopology topology() {
        List<TopologyChange> changes = new ArrayList<>();
        for (int i = 1; i <= slots.size(); i++) {
            ShardId shard = new ShardId("shard-" + i);
            List<NodeId> others = new ArrayList<>();
            for (int j = 2; j <= replicas + 1; j++) {
                others.add(new NodeId("node-" + i + "." + j));
            }
            changes.add(new TopologyChange.AddShard(shard, 0, new NodeId("node-" + i + ".1"), others));
            SlotSet owned = slots.get(i - 1);
            if (!owned.isEmpty()) {
                changes.add(new TopologyChange.AssignSlots(owned, shard));
            }
        }
        return ClusterTopology.EMPTY.apply(ClusterTopology.EMPTY.version(), changes);
    }
}
