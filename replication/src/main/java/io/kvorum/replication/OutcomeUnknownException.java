package io.kvorum.replication;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.util.Objects;

/**
 * A write, or a confirmed read, whose outcome this node cannot tell: it was applied here, but not acknowledged as
 * demanded before the timeout or before the node lost its leadership.
 *
 * <p>The write may survive or vanish, entirely in either case. A retry is safe only if the operation is idempotent. A
 * read has changed nothing; its retry is always safe.
 *
 * <p>No stack trace is recorded. Not meant for Java serialization, which would drop the identities.
 */
public final class OutcomeUnknownException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Why the outcome is unknown. */
    public enum Reason {
        /** Too few nodes answered in time. */
        TIMEOUT,
        /** The node is no longer the primary in the epoch of the write. */
        DEPOSED,
        /** The node was closed. */
        CLOSED,
        /** The caller was interrupted while it waited. */
        INTERRUPTED,
        /** The node has as many requests waiting as it can hold. */
        OVERLOADED
    }

    private final Reason reason;
    private final transient ShardId shard;
    private final transient NodeId node;
    private final transient LogPosition position;
    private final int acknowledged;

    /**
     * Describes an unknown outcome of which no replica is known to have the position.
     *
     * @param reason why the outcome is unknown
     * @param shard the shard
     * @param node the node that took the request
     * @param position the position whose acknowledgement was awaited
     */
    public OutcomeUnknownException(Reason reason, ShardId shard, NodeId node, LogPosition position) {
        this(reason, shard, node, position, 0);
    }

    /**
     * Describes an unknown outcome.
     *
     * @param reason why the outcome is unknown
     * @param shard the shard
     * @param node the node that took the request
     * @param position the position whose acknowledgement was awaited
     * @param acknowledged how many replicas were known to have the position
     */
    public OutcomeUnknownException(Reason reason, ShardId shard, NodeId node, LogPosition position, int acknowledged) {
        super(
                "outcome unknown (" + reason + ") at " + node + " of " + shard + ", position " + position
                        + ", replicas that have it: " + acknowledged,
                null,
                false,
                false);
        this.acknowledged = acknowledged;
        this.reason = Objects.requireNonNull(reason, "reason");
        this.shard = shard;
        this.node = node;
        this.position = position;
    }

    /** {@return why the outcome is unknown} */
    public Reason reason() {
        return reason;
    }

    /** {@return the shard} */
    public ShardId shard() {
        return shard;
    }

    /** {@return the node that took the request} */
    public NodeId node() {
        return node;
    }

    /** {@return the position whose acknowledgement was awaited} */
    public LogPosition position() {
        return position;
    }

    /** {@return how many replicas were known to have the position} */
    public int acknowledged() {
        return acknowledged;
    }
}
