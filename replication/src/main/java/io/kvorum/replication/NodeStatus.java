package io.kvorum.replication;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.Membership;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where a node stands.
 *
 * <p>Immutable.
 *
 * @param node the node
 * @param shard its shard
 * @param incarnation its incarnation; see {@link Promise}
 * @param life the life of the incarnation
 * @param role its role
 * @param epoch the highest epoch that it has promised; at a primary, the epoch of its leadership
 * @param primary the primary as far as the node knows: itself, the one it follows, or none
 * @param position the position after its last record
 * @param committed the offset up to which the node knows that a majority holds the records; -1 if it does not
 * @param lag how many bytes the node is behind what it last heard of its primary; 0 at a primary
 * @param complete whether its data is complete up to its position; only then it counts for acknowledgements and can be
 *     promoted
 * @param begun whether it has ever been part of the shard's history
 * @param writable whether it takes writes
 * @param membership the members that its log knows, or {@code null} if it knows none
 * @param priority its priority in a failover: the lowest is preferred, 0 is never promoted
 * @param strays how many messages it has ignored because they were of another shard or of a sender it does not know
 * @param replicas at a primary, what it knows of the nodes that it feeds, by node; otherwise empty
 */
public record NodeStatus(
        NodeId node,
        ShardId shard,
        long incarnation,
        long life,
        NodeRole role,
        long epoch,
        @Nullable NodeId primary,
        LogPosition position,
        long committed,
        long lag,
        boolean complete,
        boolean begun,
        boolean writable,
        @Nullable Membership membership,
        int priority,
        long strays,
        List<ReplicaStatus> replicas) {
    /** Copies the list. */
    public NodeStatus {
        replicas = List.copyOf(replicas);
    }
}
