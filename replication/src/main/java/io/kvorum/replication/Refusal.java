package io.kvorum.replication;

import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.slots.topology.ShardId;
import org.jspecify.annotations.Nullable;

/**
 * The reason why a log's gate is closed.
 *
 * @param kind the reason
 * @param shard the shard, if known
 * @param node the node that refuses, if known
 * @param primary the node that may serve the request, if known
 * @param epoch the highest epoch that the node knows
 */
record Refusal(
        RefusedException.Kind kind,
        @Nullable ShardId shard,
        @Nullable NodeId node,
        @Nullable NodeId primary,
        long epoch) {
    /** The reason of a new log. */
    static final Refusal AT_FIRST = new Refusal(RefusedException.Kind.READ_ONLY, null, null, null, 0);

    RefusedException exception(int slot) {
        String rule = switch (kind) {
            case FENCED -> "the node has promised a later epoch and takes no writes";
            case PAUSED -> "the primary pauses writes for a switchover";
            case TOO_FEW_REPLICAS -> "fewer replicas than the shard demands are connected";
            case OVERLOADED -> "the log is full of records that a replica still needs";
            default -> "a replica takes no writes";
        };
        String where = primary == null || kind == RefusedException.Kind.OVERLOADED ? "" : ", primary " + primary;
        return new RefusedException(
                kind,
                rule + ": node " + node + " of " + shard + ", slot " + slot + ", epoch " + epoch + where,
                slot,
                shard,
                node,
                primary,
                epoch);
    }
}
