package io.kvorum.replication;

import static java.util.Objects.requireNonNull;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.Membership;
import io.kvorum.slots.topology.NodeId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The newest member list of a log and the one before it.
 *
 * <p>Immutable.
 *
 * @param current the newest list, or {@code null} if the log has had none
 * @param at the position after the record of the newest list; {@link LogPosition#START} if there is none
 * @param previous the list before it, or {@code null} if there is none, or none that counts, because the shard was
 *     begun with the newest one
 * @param joining the nodes that are to become members once they are complete
 */
public record LogMembers(
        @Nullable MemberList current,
        LogPosition at,
        @Nullable MemberList previous,
        List<NodeId> joining) {
    /** The members of a log without a list. */
    public static final LogMembers NONE = new LogMembers(null, LogPosition.START, null, List.of());

    /**
     * Checks the parts.
     *
     * @throws IllegalArgumentException if there is a previous list, a position or a node to join without a current list
     */
    public LogMembers {
        requireNonNull(at, "at");
        joining = List.copyOf(joining);
        if (current == null && (!at.equals(LogPosition.START) || previous != null || !joining.isEmpty())) {
            throw new IllegalArgumentException("previous list, position and nodes to join need a current list: " + at
                    + ", " + previous + ", " + joining);
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
        return committed >= at.offset() ? Membership.committed(current) : new Membership(current, previous);
    }

    /** {@return the members of a shard that begins with a list, whose record ends at {@code next}} */
    static LogMembers first(Roster roster, LogPosition next) {
        return new LogMembers(roster.members(), next, null, roster.joining());
    }

    /** {@return these members with one more list, whose record ends at {@code next}} */
    LogMembers with(Roster roster, LogPosition next) {
        return new LogMembers(roster.members(), next, current, roster.joining());
    }
}
