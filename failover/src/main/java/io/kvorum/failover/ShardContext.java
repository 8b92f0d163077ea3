package io.kvorum.failover;

import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.util.random.RandomGenerator;

/**
 * What all parts of a sentinel that work on one shard have in common.
 *
 * @param holder the name under which this run of the sentinel is given promises
 */
record ShardContext(
        ShardId shard,
        NodeId holder,
        SentinelList sentinels,
        SentinelSettings settings,
        Outbox outbox,
        RandomGenerator random) {
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

    /** {@return the earlier of two moments; compared by their difference, since the clock may wrap} */
    static long earlier(long a, long b) {
        return a - b <= 0 ? a : b;
    }
}
