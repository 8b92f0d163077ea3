package io.kvorum.failover;

import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.Membership;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An operation under way on one shard. It ends when what it waits for has come about, or cannot, or its time is over.
 *
 * <pre>
 * AwaitingPrimary -> HandingOver   the primary reports that it leads: a switchover begins
 * AwaitingPrimary -> (end)         the wanted primary came up by a failover, none can come up, the target may not
 *                                  lead, or the time is over
 * HandingOver     -> (end)         the switchover succeeded or was given up, or the time is over
 * BeginningShard  -> (end)         the shard was begun, or that was given up
 * Replacing       -> (end)         the changed member list is committed, or the time is over
 * </pre>
 */
sealed interface ShardOperation {
    /** {@return the number that it was started with} */
    long request();

    /** {@return the operation} */
    Operation operation();

    /** {@return when its time is over} */
    long endsAt();

    /** A manual failover until the primary is heard from. */
    record AwaitingPrimary(long request, Operation.FailOver operation, ShardPrimary before, long since, long endsAt)
            implements ShardOperation {
        /** {@return whether nothing is left to do if this is the primary and it is well} */
        boolean isReached(ShardPrimary primary) {
            NodeId target = operation.target();
            return target == null
                    ? primary.epoch() > before.epoch()
                    : primary.primary().equals(target);
        }

        /** {@return whether by the latest reports the target may lead, if there is a target} */
        TargetCheck check(Watch watch, ShardPrimary primary) {
            NodeId target = operation.target();
            if (target == null) {
                return new TargetCheck(null, true);
            }
            Membership membership = watch.membership();
            if (membership == null || !membership.knows(target)) {
                return new TargetCheck(AbortReason.NOT_A_MEMBER, watch.reportedSince(primary.primary(), since));
            }
            NodeReport report = watch.report(target);
            if (report == null || watch.isDown(target)) {
                return new TargetCheck(AbortReason.NODES_MISSING, watch.isDown(target));
            }
            return new TargetCheck(obstacleOf(report, membership), watch.reportedSince(target, since));
        }

        private static @Nullable AbortReason obstacleOf(NodeReport target, Membership membership) {
            if (!membership.isMember(target.member())) {
                return AbortReason.NOT_A_MEMBER;
            }
            if (!target.complete()) {
                return AbortReason.NODE_INCOMPLETE;
            }
            return target.priority() == 0 ? AbortReason.NO_ELIGIBLE_NODE : null;
        }
    }

    /**
     * Whether a target may lead.
     *
     * @param obstacle why it may not; null if it may
     * @param isNews whether that was heard since the order; if not, it may have changed by then
     */
    record TargetCheck(@Nullable AbortReason obstacle, boolean isNews) {}

    /** A switchover from its election to its publication. */
    record HandingOver(long request, Operation.FailOver operation, ShardPrimary before, long endsAt)
            implements ShardOperation {}

    /** A bootstrap, or a shard that is begun anew. */
    record BeginningShard(long request, Operation operation, ShardPrimary before, long endsAt)
            implements ShardOperation {}

    /** The replacement of a member, which the primary of the moment is told again and again. */
    record Replacing(long request, Operation operation, NodeId outgoing, NodeId incoming, long resendAt, long endsAt)
            implements ShardOperation {
        Replacing sentAgain(long next) {
            return new Replacing(request, operation, outgoing, incoming, next, endsAt);
        }

        /** {@return whether a committed list shows the replacement} */
        boolean isDone(Membership membership) {
            MemberList current = membership.current();
            return membership.previous() == null
                    && current.member(incoming) != null
                    && current.member(outgoing) == null;
        }

        NodeCommand command(ShardId shard, long epoch) {
            return new NodeCommand.Replace(shard, epoch, outgoing, incoming);
        }
    }

    /** {@return the earlier of {@code due} and the moment when something is due here} */
    default long dueBy(long due) {
        long own = this instanceof Replacing replacing
                ? ShardContext.earlier(replacing.resendAt, replacing.endsAt)
                : endsAt();
        return ShardContext.earlier(due, own);
    }

    /** {@return how it ended, if it failed} */
    static OperationOutcome.Failed failed(long epoch, AbortReason reason, List<NodeId> nodes) {
        return new OperationOutcome.Failed(epoch, reason, nodes);
    }
}
