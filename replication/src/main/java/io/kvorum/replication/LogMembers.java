package io.kvorum.replication;

import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.Membership;
import org.jspecify.annotations.Nullable;

/**
 * The newest member list of a log and the one before it.
 *
 * <p>Immutable.
 *
 * @param current the newest list, or {@code null} if the log has had none
 * @param currentOffset the offset after the record of the newest list; 0 if there is none
 * @param previous the list before it, or {@code null} if there is none
 */
public record LogMembers(
        @Nullable MemberList current,
        long currentOffset,
        @Nullable MemberList previous) {
    /** The members of a log without a list. */
    public static final LogMembers NONE = new LogMembers(null, 0, null);

    /**
     * Checks the parts.
     *
     * @throws IllegalArgumentException if there is a previous list or an offset without a current list, or the offset
     *     is negative
     */
    public LogMembers {
        if (currentOffset < 0 || (current == null && (currentOffset != 0 || previous != null))) {
            throw new IllegalArgumentException(
                    "previous list and offset need a current list: " + currentOffset + ", " + previous);
        }
    }

    /**
     * Returns the membership that majorities are counted over.
     *
     * @param committed the greatest offset known to be committed
     * @return the current list, and the one before it unless the current one is committed; {@code null} without a list
     */
    public @Nullable Membership membership(long committed) {
        if (current == null) {
            return null;
        }
        return committed >= currentOffset ? Membership.committed(current) : new Membership(current, previous);
    }

    /** {@return these members with one more list, whose record ends at {@code offset}} */
    LogMembers with(MemberList next, long offset) {
        return new LogMembers(next, offset, current);
    }
}
