package io.kvorum.testkit;

import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeCommand;
import io.kvorum.failover.SentinelMessage;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import org.jspecify.annotations.Nullable;

/**
 * A moment inside a protocol at which a test can do something, such as to crash the party that has come to it; see
 * {@link LocalCluster#at}.
 */
public enum StopPoint {
    /** A sentinel has voted, and is about to send its vote. */
    AFTER_VOTE,
    /** A sentinel was elected and has taken an epoch, and is about to send a node the order to promise it. */
    AFTER_ELECTION,
    /** Enough nodes have promised the epoch, and a sentinel is about to send the order to promote one of them. */
    AFTER_FENCE,
    /** A node has been promoted, and is about to tell the sentinel. */
    AFTER_PROMOTION,
    /** A primary is about to send a part of a full sync that is not the first. */
    MID_SNAPSHOT,
    /** A node or a sentinel is about to save what it must remember. */
    BEFORE_PERSIST;

    /**
     * A party that has come to a stop point.
     *
     * @param point the point
     * @param party the node or sentinel
     * @param shard the shard it is about, or null for a sentinel that saves
     */
    public record Hit(
            StopPoint point, NodeId party, @Nullable ShardId shard) {}

    /** {@return where the sender of a message has come to, or null} */
    static @Nullable Hit of(LocalMessage message) {
        Object content = message.content();
        if (content instanceof SentinelMessage.VoteAnswer vote && vote.refusal() == null) {
            return new Hit(AFTER_VOTE, message.from(), vote.primary().shard());
        } else if (content instanceof NodeCommand.Fence fence) {
            return new Hit(AFTER_ELECTION, message.from(), fence.shard());
        } else if (content instanceof NodeCommand.Promote promote) {
            return new Hit(AFTER_FENCE, message.from(), promote.shard());
        } else if (content instanceof NodeAnswer answer
                && answer.command() instanceof NodeCommand.Promote promote
                && answer.outcome() == NodeAnswer.Outcome.DONE) {
            return new Hit(AFTER_PROMOTION, message.from(), promote.shard());
        } else if (content instanceof ReplicationMessage.SnapshotPart part && part.part() > 0) {
            return new Hit(MID_SNAPSHOT, message.from(), part.shard());
        }
        return null;
    }
}
