package io.kvorum.slots.topology;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Thrown when a topology refuses a change. Nothing was changed. Read the topology again, then decide anew.
 *
 * <p>No stack trace is recorded, since losing a race is an expected answer. Not meant for Java serialization, which
 * would drop the identities.
 */
public final class TopologyConflictException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The rule that a change broke. */
    public enum Kind {
        /** The topology is at another version than the change was made for. */
        STALE_VERSION,
        /** The epoch is not higher than that of the shard. */
        STALE_EPOCH,
        /** The member list is not later than that of the shard. */
        STALE_MEMBERS,
        /** The shard to add exists. */
        SHARD_EXISTS,
        /** The shard doesn't exist. */
        UNKNOWN_SHARD,
        /** The shard to remove owns slots. */
        SHARD_OWNS_SLOTS,
        /** A slot to assign has an owner. */
        SLOT_OWNED,
        /** A slot to take from a shard is not owned by it. */
        SLOT_NOT_OWNED,
        /** A slot whose move is to finish is not on its way. */
        SLOT_NOT_MOVING,
        /** The node to add belongs to a shard. */
        NODE_EXISTS,
        /** The node doesn't belong to the shard, or, for an address, to any shard. */
        UNKNOWN_NODE,
        /** The topology has as many shards as it can, removed ones included. */
        TOO_MANY_SHARDS,
        /** The topology has as many nodes with an address as it can. */
        TOO_MANY_ADDRESSES
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

    /** {@return the broken rule} */
    public Kind kind() {
        return kind;
    }

    /** {@return the version of the topology that refused; of several changes, the version before the first} */
    public long version() {
        return version;
    }

    /** {@return the shard in question, if any; for a slot that has an owner, the owner} */
    public @Nullable ShardId shard() {
        return shard;
    }

    /** {@return the node in question, if any} */
    public @Nullable NodeId node() {
        return node;
    }

    /** {@return the lowest slot in question, or -1} */
    public int slot() {
        return slot;
    }
}
