package io.kvorum.failover;

import io.kvorum.failover.SentinelMessage.Refusal;
import io.kvorum.failover.SentinelState.ShardMemory;
import io.kvorum.slots.topology.NodeId;
import org.jspecify.annotations.Nullable;

/**
 * What a sentinel must never forget of one shard: the configuration, its vote, and the highest epoch it heard of. None
 * of them ever goes back.
 */
final class Ballot {
    private Configuration configuration;
    private long highest;
    private long votedEpoch;
    private @Nullable NodeId votedFor;
    private boolean changed;

    Ballot(ShardMemory memory) {
        configuration = memory.configuration();
        highest = memory.highestEpoch();
        votedEpoch = memory.votedEpoch();
        votedFor = memory.votedFor();
    }

    Configuration configuration() {
        return configuration;
    }

    /** {@return the highest epoch heard of} */
    long highest() {
        return highest;
    }

    long votedEpoch() {
        return votedEpoch;
    }

    @Nullable
    NodeId votedFor() {
        return votedFor;
    }

    /** {@return whether the vote of an epoch went to a candidate} */
    boolean votedFor(NodeId candidate, long epoch) {
        return votedEpoch == epoch && candidate.equals(votedFor);
    }

    void hear(long epoch) {
        if (epoch > highest) {
            highest = epoch;
            changed = true;
        }
    }

    void adopt(Configuration later) {
        if (later.epoch() <= configuration.epoch()) {
            throw new IllegalArgumentException("configuration must be later than " + configuration + ": " + later);
        }
        configuration = later;
        changed = true;
        hear(later.epoch());
    }

    /** {@return why a candidate cannot have the vote of an epoch, or null if it may} */
    @Nullable
    Refusal refusal(NodeId candidate, long epoch, Configuration candidates) {
        if (candidates.epoch() < configuration.epoch()) {
            return Refusal.STALE_CONFIGURATION;
        }
        if (votedFor(candidate, epoch)) {
            return null;
        }
        if (epoch == votedEpoch) {
            return Refusal.ALREADY_VOTED;
        }
        return epoch < highest || epoch <= configuration.epoch() || epoch < votedEpoch ? Refusal.STALE_EPOCH : null;
    }

    /** Gives the vote of an epoch, which {@link #refusal} must have allowed. */
    void vote(NodeId candidate, long epoch) {
        if (epoch <= votedEpoch) {
            throw new IllegalStateException("vote must be in a higher epoch than " + votedEpoch + ": " + epoch);
        }
        votedEpoch = epoch;
        votedFor = candidate;
        changed = true;
        hear(epoch);
    }

    ShardMemory memory() {
        return new ShardMemory(configuration, highest, votedEpoch, votedFor);
    }

    /** {@return whether anything has changed since this was last asked} */
    boolean takeChanged() {
        boolean was = changed;
        changed = false;
        return was;
    }
}
