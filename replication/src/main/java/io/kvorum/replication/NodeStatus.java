package io.kvorum.replication;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import org.jspecify.annotations.Nullable;

/**
 * Where a node stands.
 *
 * <p>Immutable.
 *
 * @param node the node
 * @param shard its shard
 * @param role its role
 * @param epoch the highest epoch that it has promised; at a primary, the epoch of its leadership
 * @param primary the primary as far as the node knows: itself, the one it follows, or none
 * @param position the position after its last record
 * @param committed the offset up to which the node knows that a majority holds the records; -1 if it does not
 * @param lag how many bytes the node is behind what it last heard of its primary; 0 at a primary
 * @param synced whether its data is complete up to its position; only then it counts for acknowledgements and can be
 *     promoted
 * @param writable whether it takes writes
 * @param priority its priority in a failover: the lowest is preferred, 0 is never promoted
 */
public record NodeStatus(
        NodeId node,
        ShardId shard,
        NodeRole role,
        long epoch,
        @Nullable NodeId primary,
        LogPosition position,
        long committed,
        long lag,
        boolean synced,
        boolean writable,
        int priority) {}
