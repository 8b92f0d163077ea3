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
 * @param membersAt the position after the record of its newest member list; {@link LogPosition#START} if it knows none
 * @param joining the nodes that its log says are to become members
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
        LogPosition membersAt,
        List<NodeId> joining,
        int priority,
        long strays,
        List<ReplicaStatus> replicas) {
    /** Copies the lists. */
    public NodeStatus {
        joining = List.copyOf(joining);
        replicas = List.copyOf(replicas);
    }

    /** {@return where a node stands, which leads or follows} */
    static NodeStatus of(
            NodeIdentity identity,
            Promise promise,
            Follower follower,
            @Nullable Leadership leading,
            MachineLog.Snapshot view,
            long strays,
            long now) {
        return new NodeStatus(
                identity.node(),
                identity.shard(),
                promise.incarnation(),
                promise.life(),
                leading == null ? NodeRole.REPLICA : NodeRole.PRIMARY,
                promise.epoch(),
                leading == null ? follower.following() : identity.node(),
                view.end(),
                leading == null ? follower.committed() : leading.committed(),
                leading == null ? follower.lag() : 0,
                follower.isComplete(),
                promise.begun(),
                view.writable(),
                leading == null ? view.members().membership(follower.committed()) : leading.membership(),
                view.members().at(),
                view.members().joining(),
                identity.priority(),
                strays,
                leading == null ? List.of() : leading.replicas(now));
    }
}
