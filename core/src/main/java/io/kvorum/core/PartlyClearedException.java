package io.kvorum.core;

import io.kvorum.slots.SlotSet;
import java.util.Objects;

/**
 * Thrown by {@link KeyValueStore#clear} and {@link KeyValueStore#dropSlot} when they fail after they have deleted some
 * keys. The {@linkplain #getCause cause} is the failure, such as a {@link io.kvorum.slots.topology.RefusedException} or
 * an {@link io.kvorum.replication.OutcomeUnknownException}.
 *
 * <p>To go on, pass {@link #remaining} to {@link KeyValueStore#clear(SlotSet)}. To repeat the whole call is as safe,
 * but deletes what was set in the cleared slots meanwhile.
 *
 * <p>Not meant for Java serialization, which would drop the slots.
 */
public final class PartlyClearedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final long deleted;
    private final transient SlotSet cleared;
    private final transient SlotSet remaining;

    /**
     * Creates the exception.
     *
     * @param deleted how many keys were deleted
     * @param cleared the slots that were cleared
     * @param remaining the slots that are left, among them the one at which the call failed
     * @param cause the failure
     */
    public PartlyClearedException(long deleted, SlotSet cleared, SlotSet remaining, RuntimeException cause) {
        super(
                cleared.size() + " of " + (cleared.size() + remaining.size()) + " slots were cleared and " + deleted
                        + " keys deleted before slot " + remaining.next(0) + ": " + cause.getMessage(),
                Objects.requireNonNull(cause, "cause"));
        this.deleted = deleted;
        this.cleared = cleared;
        this.remaining = remaining;
    }

    /**
     * Decides what a call throws that clears several parts, one after the other, and fails at one of them.
     *
     * @param deleted how many keys were deleted in the parts before
     * @param cleared the slots of the parts before
     * @param remaining the slots of the part that failed and of those after it
     * @param failure what clearing that part has thrown
     * @return the failure itself if nothing was deleted before it, otherwise an exception of this class that tells of
     *     all parts
     */
    public static RuntimeException after(long deleted, SlotSet cleared, SlotSet remaining, RuntimeException failure) {
        if (failure instanceof PartlyClearedException part && part.getCause() instanceof RuntimeException cause) {
            return new PartlyClearedException(
                    deleted + part.deleted, cleared.union(part.cleared), remaining.minus(part.cleared), cause);
        }
        return deleted == 0 ? failure : new PartlyClearedException(deleted, cleared, remaining, failure);
    }

    /** {@return how many keys were deleted, expired ones among them} */
    public long deleted() {
        return deleted;
    }

    /** {@return the slots that were cleared: every key that they held when the call began is deleted} */
    public SlotSet cleared() {
        return cleared;
    }

    /** {@return the slots that may still hold keys from before the call} */
    public SlotSet remaining() {
        return remaining;
    }
}
