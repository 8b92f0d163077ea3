package io.kvorum.replication;

import static java.util.Objects.requireNonNull;

import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;

/**
 * Who a node is.
 *
 * <p>Immutable.
 *
 * @param shard the shard it belongs to
 * @param node its own id, unique in the cluster and kept over restarts
 * @param priority its priority in a failover: the lowest is preferred, 0 is never promoted; at least 0. While a node of
 *     priority 0 has a write that the others lack, none of them is promoted either: if the primary is gone for good,
 *     the shard can then only be failed over with a loss that the sentinels must be set to allow
 */
public record NodeIdentity(ShardId shard, NodeId node, int priority) {
    /** The priority of a node for which none is given. */
    public static final int DEFAULT_PRIORITY = 100;

    /**
     * Checks the parts.
     *
     * @throws IllegalArgumentException if {@code priority} is negative
     */
    public NodeIdentity {
        requireNonNull(shard, "shard");
        requireNonNull(node, "node");
        if (priority < 0) {
            throw new IllegalArgumentException("priority must be at least 0: " + priority);
        }
    }

    /**
     * Makes an identity with the default priority.
     *
     * @param shard the shard it belongs to
     * @param node its own id
     */
    public NodeIdentity(ShardId shard, NodeId node) {
        this(shard, node, DEFAULT_PRIORITY);
    }
}
