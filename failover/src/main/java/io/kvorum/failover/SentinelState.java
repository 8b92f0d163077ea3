package io.kvorum.failover;

import static java.util.Objects.requireNonNull;

import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.Shard;
import io.kvorum.slots.topology.ShardId;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a sentinel must remember over a crash.
 *
 * <p>Immutable.
 *
 * @param sentinel the sentinel whose state it is
 * @param abstaining whether it lost an earlier state and still gives no votes
 * @param shards what it remembers of each shard
 */
public record SentinelState(NodeId sentinel, boolean abstaining, List<ShardMemory> shards) {
    /**
     * Checks the parts.
     *
     * @throws IllegalArgumentException if a shard occurs twice
     */
    public SentinelState {
        requireNonNull(sentinel, "sentinel");
        shards = List.copyOf(shards);
        Set<ShardId> seen = new LinkedHashSet<>();
        for (ShardMemory memory : shards) {
            if (!seen.add(memory.configuration().shard())) {
                throw new IllegalArgumentException(
                        "a shard must occur once: " + memory.configuration().shard());
            }
        }
    }

    /**
     * The state of a sentinel that never ran before. Whoever passes it vouches for that: a sentinel that ran and lost
     * its state may have given votes, and must start without a state instead, so that it abstains for a while.
     *
     * @param sentinel the sentinel
     * @param topology the topology it starts with
     * @return a state without votes
     */
    public static SentinelState initial(NodeId sentinel, ClusterTopology topology) {
        List<ShardMemory> shards = new ArrayList<>();
        for (Shard shard : topology.shards()) {
            shards.add(ShardMemory.initial(shard));
        }
        return new SentinelState(sentinel, false, shards);
    }

    /**
     * What a sentinel remembers of one shard.
     *
     * <p>Immutable.
     *
     * @param configuration the latest configuration it knows
     * @param highestEpoch the highest epoch it has heard of; at least that of the configuration and of the vote
     * @param votedEpoch the highest epoch in which it has voted, or 0
     * @param votedFor the sentinel it voted for in that epoch; null if it never voted
     */
    public record ShardMemory(
            Configuration configuration,
            long highestEpoch,
            long votedEpoch,
            @Nullable NodeId votedFor) {
        static ShardMemory initial(Shard shard) {
            return new ShardMemory(
                    new Configuration(shard.id(), shard.epoch(), shard.primary()), shard.epoch(), 0, null);
        }

        /**
         * {@return this memory for a shard as a topology has it: if that lacks the configuration's primary, its own
         * configuration takes the place of this one; the vote and the highest epoch stay}
         */
        ShardMemory appliedTo(Shard shard) {
            return shard.nodes().contains(configuration.primary())
                    ? this
                    : new ShardMemory(
                            new Configuration(shard.id(), shard.epoch(), shard.primary()),
                            Math.max(highestEpoch, shard.epoch()),
                            votedEpoch,
                            votedFor);
        }

        /**
         * Checks the parts.
         *
         * @throws IllegalArgumentException if they contradict each other
         */
        public ShardMemory {
            requireNonNull(configuration, "configuration");
            if (votedEpoch < 0 || highestEpoch < Math.max(votedEpoch, configuration.epoch())) {
                throw new IllegalArgumentException(
                        "the highest epoch must be at least that of the configuration and of the vote: " + highestEpoch
                                + ", " + configuration.epoch() + ", " + votedEpoch);
            }
            if ((votedEpoch == 0) != (votedFor == null)) {
                throw new IllegalArgumentException(
                        "a vote must have an epoch and a candidate: " + votedEpoch + ", " + votedFor);
            }
        }
    }
}
