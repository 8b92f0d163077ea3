package io.kvorum.slots.topology;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A change that a topology refused. Nothing was changed. The caller reads the topology again and decides anew.
 *
 * <p>No stack trace is recorded: losing a race is an expected answer. Not meant for Java serialization, which would
 * drop the identities.
 */
public final class TopologyConflictException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Which rule a change broke. */
    public enum Kind {
        /** The topology has another version than the change was made for. */
        STALE_VERSION,
        /** The epoch is not higher than the one in which the shard is led, or was removed. */
        STALE_EPOCH,
        /** The shard to add is there already. */
        SHARD_EXISTS,
        /** The shard is not there. */
        UNKNOWN_SHARD,
        /** The shard to remove still owns slots. */
        SHARD_OWNS_SLOTS,
        /** A slot to assign has an owner. */
        SLOT_OWNED,
        /** A slot to take away is not owned by the shard it is to be taken from. */
        SLOT_NOT_OWNED,
        /** The node to add belongs to a shard already. */
        NODE_EXISTS,
        /** The node is not one of the shard's nodes, or not one of its replicas. */
        UNKNOWN_NODE,
        /** The topology knows as many shards as it can, removed ones counted. */
        TOO_MANY_SHARDS
    }

    private final Kind kind;
    private final long version;
    private final transient @Nullable ShardId shard;
    private final transient @Nullable NodeId node;
    private final int slot;

    TopologyConflictException(
            Kind kind, String message, long version, @Nullable ShardId shard, @Nullable NodeId node, int slot) {
        super(message, null, false, false);
        this.kind = Objects.requireNonNull(kind, "kind");
        this.version = version;
        this.shard = shard;
        this.node = node;
        this.slot = slot;
    }

    /** {@return the rule that was broken} */
    public Kind kind() {
        return kind;
    }

    /** {@return the version of the topology that refused} */
    public long version() {
        return version;
    }

    /** {@return the shard it is about, if any; for a slot that has an owner, the owner} */
    public @Nullable ShardId shard() {
        return shard;
    }

    /** {@return the node it is about, if any} */
    public @Nullable NodeId node() {
        return node;
    }

    /** {@return the lowest slot it is about, or -1} */
    public int slot() {
        return slot;
    }
}
