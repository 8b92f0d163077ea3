package io.kvorum.replication;

import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.slots.topology.ShardId;
import org.jspecify.annotations.Nullable;

/**
 * The reason why a log's gate is closed.
 *
 * @param kind the reason
 * @param end why the node takes no part in the shard any more, or null while it does
 * @param shard the shard, if known
 * @param node the node that refuses, if known
 * @param primary the node that may serve the request, if known
 * @param epoch the highest epoch that the node knows
 */
record Refusal(
        RefusedException.Kind kind,
        @Nullable End end,
        @Nullable ShardId shard,
        @Nullable NodeId node,
        @Nullable NodeId primary,
        long epoch) {
    /** Why a node takes no part any more. */
    enum End {
        /** It was closed. */
        CLOSED,
        /** It stopped after a defect of its own. */
        FAILED
    }

    /** The reason of a new log. */
    static final Refusal AT_FIRST = new Refusal(RefusedException.Kind.READ_ONLY, null, null, null, null, 0);

    /** {@return the reason of a node that does not lead} */
    static Refusal of(NodeIdentity identity, boolean fenced, @Nullable End end, @Nullable NodeId primary, long epoch) {
        RefusedException.Kind kind = fenced ? RefusedException.Kind.FENCED : RefusedException.Kind.READ_ONLY;
        return new Refusal(kind, end, identity.shard(), identity.node(), primary, epoch);
    }

    /** {@return the reason of the same node while its log is full in an epoch that it leads} */
    Refusal overloaded(long ledEpoch) {
        return new Refusal(RefusedException.Kind.OVERLOADED, null, shard, node, node, ledEpoch);
    }

    RefusedException exception(int slot) {
        String where = primary == null || kind == RefusedException.Kind.OVERLOADED ? "" : ", primary " + primary;
        return new RefusedException(
                kind,
                rule() + ": node " + node + " of " + shard + (slot < 0 ? "" : ", slot " + slot) + ", epoch "
                        + Epoch.toString(epoch) + where,
                slot,
                shard,
                node,
                primary,
                epoch);
    }

    private String rule() {
        if (end == End.FAILED) {
            return "the node stopped after a defect of its own and takes no writes";
        } else if (end == End.CLOSED) {
            return "the node is closed and takes no writes";
        }
        return switch (kind) {
            case FENCED -> "the node has promised a later epoch and takes no writes";
            case PAUSED -> "the primary pauses writes for a switchover";
            case TOO_FEW_REPLICAS -> "fewer replicas than the shard demands are connected";
            case CLUSTER_DOWN -> "the primary has not saved its promise yet and takes no writes";
            case OVERLOADED -> "the log is full of records that a replica still needs";
            default -> "a replica takes no writes";
        };
    }
}
