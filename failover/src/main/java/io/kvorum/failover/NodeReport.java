package io.kvorum.failover;

import static java.util.Objects.requireNonNull;

import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.Membership;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The state of a node at one moment, as the node itself reports it.
 *
 * <p>Immutable.
 *
 * @param node the node
 * @param shard the shard that it belongs to
 * @param incarnation the incarnation of the node, drawn when its promise file was created; not 0
 * @param primary whether it leads {@code epoch}: it takes writes, or holds them back during a pause. A primary that has
 *     promised a later epoch than it leads no longer leads
 * @param epoch the highest epoch that it has promised; 0 if none
 * @param following the primary that it follows, or null if it follows none
 * @param position where its log ends
 * @param committed the offset up to which it knows its log to be committed; -1 if it does not
 * @param complete whether its data is complete up to its position; false for a node that restarted without its data and
 *     has not completed a full sync since
 * @param begun whether the node was ever part of the shard's history
 * @param membership the member lists that its log ends with; null while its log has none
 * @param membersAt the position after the record of the newest of these lists; {@link LogPosition#START} without one
 * @param joining the nodes that are to become members once they are complete, by the newest of these lists
 * @param priority the preference among nodes with equal logs: lower values are preferred, 0 means never. No other node
 *     is promoted either while it lacks a write that a promised node of priority 0 has, because a majority may have
 *     acknowledged that write
 */
public record NodeReport(
        NodeId node,
        ShardId shard,
        long incarnation,
        boolean primary,
        long epoch,
        @Nullable NodeId following,
        LogPosition position,
        long committed,
        boolean complete,
        boolean begun,
        @Nullable Membership membership,
        LogPosition membersAt,
        List<NodeId> joining,
        int priority) {
    /**
     * Checks the parts.
     *
     * @throws IllegalArgumentException if {@code incarnation} is 0, {@code epoch} is not an epoch, {@code committed} is
     *     below -1, too many nodes are to join, or {@code priority} is negative
     */
    public NodeReport {
        requireNonNull(node, "node");
        requireNonNull(shard, "shard");
        requireNonNull(position, "position");
        requireNonNull(membersAt, "membersAt");
        joining = List.copyOf(joining);
        if (joining.size() > MemberList.MAX_SIZE) {
            throw new IllegalArgumentException(
                    "at most " + MemberList.MAX_SIZE + " nodes may be to join: " + joining.size());
        }
        Epoch.check(epoch);
        if (incarnation == 0) {
            throw new IllegalArgumentException("incarnation of " + node + " must not be 0");
        }
        if (committed < -1) {
            throw new IllegalArgumentException("committed must be at least -1: " + committed);
        }
        if (priority < 0) {
            throw new IllegalArgumentException("priority must be at least 0: " + priority);
        }
    }

    /** {@return whether the node leads this epoch} */
    public boolean leads(long epoch) {
        return primary && this.epoch == epoch;
    }

    /** {@return whether it knows that its newest member list is committed} */
    boolean isListCommitted() {
        return membership != null && committed >= membersAt.offset();
    }

    /**
     * {@return whether it says what an earlier report of the node said, but for where the log ends and how much of it
     * is committed} The position of a member list stands for the list.
     */
    boolean repeats(NodeReport earlier) {
        return epoch == earlier.epoch
                && primary == earlier.primary
                && incarnation == earlier.incarnation
                && complete == earlier.complete
                && begun == earlier.begun
                && priority == earlier.priority
                && isListCommitted() == earlier.isListCommitted()
                && membersAt.equals(earlier.membersAt)
                && Objects.equals(following, earlier.following);
    }

    /** {@return the nodes of the lists that count, and those that are to join} */
    List<NodeId> nodes() {
        if (membership == null) {
            return List.of();
        }
        List<NodeId> members = isListCommitted() ? membership.current().nodes() : List.copyOf(membership.nodes());
        if (joining.isEmpty()) {
            return members;
        }
        return Stream.concat(members.stream(), joining.stream()).distinct().toList();
    }

    /** {@return the node in the incarnation that reported} */
    public Member member() {
        return new Member(node, incarnation);
    }
}
