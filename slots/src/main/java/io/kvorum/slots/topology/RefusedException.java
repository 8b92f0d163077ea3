package io.kvorum.slots.topology;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A request that was refused before it changed anything. It says why, and about which slot, shard, node and epoch; what
 * the caller can do about it follows from {@link #kind()}.
 *
 * <p>No stack trace is recorded: a refusal is an expected answer, and some arrive by the thousand. Not meant for Java
 * serialization, which would drop the identities.
 */
public final class RefusedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Why a request was refused. */
    public enum Kind {
        /** The keys of one atomic request are in different slots. A retry is useless. */
        CROSS_SLOT,
        /** The slot belongs to another shard. Retry at {@link #primary()}. */
        MOVED,
        /** Nobody serves the slot now. Retry later. */
        CLUSTER_DOWN,
        /** The node is a replica and takes no writes. Retry at {@link #primary()}, if that is known. */
        READ_ONLY,
        /** The node was the primary, but has promised a later epoch and takes no more writes. Ask who leads now. */
        FENCED,
        /** The primary holds its writes back for a switchover. Retry shortly. */
        PAUSED,
        /** Fewer replicas than the shard demands are connected. Retry later. */
        TOO_FEW_REPLICAS,
        /** The replica has not yet what the read demands. Retry later, or at {@link #primary()}. */
        LAGGING,
        /** The store holds as much as it may. Delete something, or retry later. */
        OUT_OF_MEMORY
    }

    private final Kind kind;
    private final int slot;
    private final transient @Nullable ShardId shard;
    private final transient @Nullable NodeId node;
    private final transient @Nullable NodeId primary;
    private final long epoch;

    /**
     * Describes a refusal.
     *
     * @param kind the reason
     * @param message the rule that was broken, then the values
     * @param slot the slot it is about, or -1
     * @param shard the shard it is about, if any
     * @param node the node that refuses, if any
     * @param primary the node that may serve the request, if known
     * @param epoch the highest epoch that the refusing side knows for the shard, or -1
     */
    public RefusedException(
            Kind kind,
            String message,
            int slot,
            @Nullable ShardId shard,
            @Nullable NodeId node,
            @Nullable NodeId primary,
            long epoch) {
        super(message, null, false, false);
        this.kind = Objects.requireNonNull(kind, "kind");
        this.slot = slot;
        this.shard = shard;
        this.node = node;
        this.primary = primary;
        this.epoch = epoch;
    }

    /** {@return why the request was refused} */
    public Kind kind() {
        return kind;
    }

    /** {@return the slot it is about, or -1} */
    public int slot() {
        return slot;
    }

    /** {@return the shard it is about, if any} */
    public @Nullable ShardId shard() {
        return shard;
    }

    /** {@return the node that refused, if any} */
    public @Nullable NodeId node() {
        return node;
    }

    /** {@return the node that may serve the request, if it is known} */
    public @Nullable NodeId primary() {
        return primary;
    }

    /** {@return the highest epoch that the refusing side knows for the shard, or -1} */
    public long epoch() {
        return epoch;
    }
}
