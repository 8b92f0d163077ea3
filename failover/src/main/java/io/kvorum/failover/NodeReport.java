package io.kvorum.failover;

import static java.util.Objects.requireNonNull;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import org.jspecify.annotations.Nullable;

/**
 * How a node describes itself at one moment.
 *
 * <p>Immutable.
 *
 * @param node the node
 * @param shard the shard that it belongs to
 * @param primary whether it acts as the primary of {@code epoch}: it takes writes, or holds them back for a pause. A
 *     primary that has promised a later epoch than it leads acts as none
 * @param epoch the highest epoch it has promised
 * @param following the primary it follows, or null if it follows none
 * @param position where its log ends
 * @param synced whether its data is complete up to its position: false for a node that restarted without its data and
 *     has not completed a full sync since
 * @param priority the lower, the rather it is promoted among nodes with equal logs; 0 means never. Nor is another node
 *     while it lacks a write that one of priority 0 has when it promises the epoch, since a majority may have
 *     acknowledged that write: if the primary is gone for good, the shard then has none until the sentinels allow a
 *     lossy failover
 */
public record NodeReport(
        NodeId node,
        ShardId shard,
        boolean primary,
        long epoch,
        @Nullable NodeId following,
        LogPosition position,
        boolean synced,
        int priority) {
    /**
     * Checks the parts.
     *
     * @throws IllegalArgumentException if {@code epoch} or {@code priority} is negative
     */
    public NodeReport {
        requireNonNull(node, "node");
        requireNonNull(shard, "shard");
        requireNonNull(position, "position");
        if (epoch < 0) {
            throw new IllegalArgumentException("epoch must be at least 0: " + epoch);
        }
        if (priority < 0) {
            throw new IllegalArgumentException("priority must be at least 0: " + priority);
        }
    }

    /** {@return whether the node acts as the primary of {@code epoch}} */
    public boolean leads(long epoch) {
        return primary && this.epoch == epoch;
    }
}
