package io.kvorum.failover;

import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.util.random.RandomGenerator;

/** What all parts of a sentinel that work on one shard have in common. */
record ShardContext(
        ShardId shard,
        int generation,
        SentinelList sentinels,
        SentinelSettings settings,
        Outbox outbox,
        RandomGenerator random) {
    /** The greatest length of an id. */
    private static final int MAX_ID = 64;

    NodeId self() {
        return outbox.self();
    }

    /** {@return the number that this sentinel puts into its epochs} */
    int number() {
        return sentinels.numberOf(self());
    }

    /** {@return how many votes elect a candidate} */
    int votesNeeded() {
        return Math.max(sentinels.majority(), settings.quorum());
    }

    /** {@return the primary of an epoch of this shard} */
    ShardPrimary primary(long epoch, NodeId node) {
        return new ShardPrimary(shard, generation, epoch, node);
    }

    /** {@return what a failover may come to} */
    Prospect.Kind failover() {
        return settings.allowLossyFailover() ? Prospect.Kind.LOSSY_FAILOVER : Prospect.Kind.FAILOVER;
    }

    void tell(SentinelFact fact, long now) {
        outbox.tell(fact, now);
    }

    void send(NodeId node, NodeCommand command) {
        outbox.send(node, command);
    }

    /** {@return a random number other than 0, for an attempt or a question} */
    long draw() {
        long drawn = random.nextLong();
        return drawn == 0 ? 1 : drawn;
    }

    /**
     * {@return the name under which an attempt is given promises} It names the attempt and not only the sentinel: two
     * runs of one sentinel may overlap, or one may have forgotten an attempt whose promises still hold.
     *
     * @param attempt a number that was drawn for the attempt
     */
    NodeId holder(long attempt) {
        String suffix = ":" + Long.toHexString(attempt);
        String id = self().value();
        return new NodeId(id.substring(0, Math.min(id.length(), MAX_ID - suffix.length())) + suffix);
    }

    /** {@return the earlier of two moments; compared by their difference, since the clock may wrap} */
    static long earlier(long a, long b) {
        return a - b <= 0 ? a : b;
    }
}
