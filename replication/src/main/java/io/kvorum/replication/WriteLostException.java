package io.kvorum.replication;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;

/**
 * The answer to a question about a write of an earlier leadership: it is not part of the shard's history, and never
 * will be. A retry is safe.
 *
 * <p>No stack trace is recorded. Not meant for Java serialization, which would drop the identities.
 */
public final class WriteLostException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient ShardId shard;
    private final transient NodeId node;
    private final transient LogPosition position;

    /**
     * Describes the lost write.
     *
     * @param shard the shard
     * @param node the primary that says so
     * @param position the position that is not in the shard's history
     */
    public WriteLostException(ShardId shard, NodeId node, LogPosition position) {
        super("write lost, says " + node + " of " + shard + ", position " + position, null, false, false);
        this.shard = shard;
        this.node = node;
        this.position = position;
    }

    /** {@return the shard} */
    public ShardId shard() {
        return shard;
    }

    /** {@return the primary that says so} */
    public NodeId node() {
        return node;
    }

    /** {@return the position that is not in the shard's history} */
    public LogPosition position() {
        return position;
    }
}
