package io.kvorum.slots.topology;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Thrown when a node refuses a request, before anything changed. Carries the slot, shard, node and epoch in question;
 * the {@link #kind()} tells what to do next.
 *
 * <p>No stack trace is recorded, since a refusal is an expected answer, and some arrive by the thousand. Not meant for
 * Java serialization, which would drop the identities.
 */
public final class RefusedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The reason of a refusal. */
    public enum Kind {
        /** The keys of one atomic request are in different slots. Do not retry; give the keys a common hash tag. */
        CROSS_SLOT,
        /** The slot belongs to another shard. Retry at {@link #primary()}. */
        MOVED,
        /** The slot was given to this shard, and its data isn't there yet. Retry later. */
        MOVING,
        /** No node serves the slot at present. Retry later. */
        CLUSTER_DOWN,
        /** The node is a replica and takes no writes. Retry at {@link #primary()}, if that is known. */
        READ_ONLY,
        /** The node was the primary, but has promised a later epoch and takes no more writes. Find the new primary. */
        FENCED,
        /** The primary holds its writes back for a switchover. Retry shortly. */
        PAUSED,
        /** Fewer replicas are connected than the shard requires. Retry later. */
        TOO_FEW_REPLICAS,
        /** The replica is behind the position that the read requires. Retry later, or at {@link #primary()}. */
        LAGGING,
        /** The store is at its memory limit. Delete something, or retry later. */
        OUT_OF_MEMORY,
        /** The log is full of records that a replica still needs. Nothing was changed. Retry later. */
        OVERLOADED
    }

    private final Kind kind;
    private final int slot;
    private final transient @Nullable ShardId shard;
    private final transient @Nullable NodeId node;
    private final transient @Nullable NodeId primary;
    private final long epoch;

    /**
     * Creates the exception.
     *
     * @param kind the reason
     * @param message the broken rule, then the values
     * @param slot the slot in question, or -1
     * @param shard the shard in question, if any
     * @param node the node that refuses, if any
     * @param primary the node that may serve the request, if known
     * @param epoch the highest epoch of the shard that the refusing side knows, or -1
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

    /**
     * Makes the refusal of an operation on a slot {@linkplain ClusterTopology#moving() on its way}.
     *
     * @param topology a topology in which the slot is on its way
     * @param slot the slot
     * @param node the node that refuses, or {@code null} if a client does
     * @return the refusal
     */
    public static RefusedException moving(ClusterTopology topology, int slot, @Nullable NodeId node) {
        Shard owner = Objects.requireNonNull(topology.shardOf(slot), "a slot on its way has an owner");
        ShardId source = topology.sourceOf(slot);
        return new RefusedException(
                Kind.MOVING,
                "slot " + slot + " was given to " + owner.id() + ", but its data "
                        + (source == null ? "was at a shard that is gone" : "is still at " + source),
                slot,
                owner.id(),
                node,
                owner.primary(),
                owner.epoch());
    }

    /** {@return the reason} */
    public Kind kind() {
        return kind;
    }

    /** {@return the slot in question, or -1} */
    public int slot() {
        return slot;
    }

    /** {@return the shard in question, if any} */
    public @Nullable ShardId shard() {
        return shard;
    }

    /** {@return the node that refused, if any} */
    public @Nullable NodeId node() {
        return node;
    }

    /** {@return the node that may serve the request, if known} */
    public @Nullable NodeId primary() {
        return primary;
    }

    /** {@return the highest epoch of the shard that the refusing side knows, or -1} */
    public long epoch() {
        return epoch;
    }
}
