package io.kvorum.replication;

import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.NodeId;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a record about members says: who they are, and who is to become one.
 *
 * <p>A node that is to join is fed as if it were a member and counts for nothing. Once it is complete, the primary
 * takes it in, in the incarnation that it has then. Immutable.
 *
 * @param members the members
 * @param joining the nodes that are to join, in ascending order; none of them is a member
 */
record Roster(MemberList members, List<NodeId> joining) {
    /**
     * Sorts those who are to join, and leaves those out who are members.
     *
     * @throws IllegalArgumentException if more than {@link MemberList#MAX_SIZE} are to join
     */
    Roster {
        joining = normal(members, joining);
    }

    private static List<NodeId> normal(MemberList members, Collection<NodeId> joining) {
        List<NodeId> normal = joining.stream()
                .filter(node -> members.member(node) == null)
                .distinct()
                .sorted()
                .toList();
        if (normal.size() > MemberList.MAX_SIZE) {
            throw new IllegalArgumentException(
                    "at most " + MemberList.MAX_SIZE + " nodes may be to join: " + normal.size());
        }
        return normal;
    }

    /**
     * {@return this with one more member, or null if that does not make a change} A node is taken in under a new
     * incarnation, in place of another one, or because it is to join.
     *
     * @param ready a node that is complete, in the incarnation that it has
     * @param replacement the replacement under way, if any
     */
    @Nullable
    Roster takingIn(Member ready, @Nullable Replacement replacement) {
        Member listed = members.member(ready.node());
        if (listed != null) {
            return listed.equals(ready) ? null : with(members.withIncarnation(ready));
        } else if (replacement != null && replacement.incoming().equals(ready.node())) {
            NodeId outgoing = replacement.outgoing();
            if (members.member(outgoing) != null) {
                return with(members.replacing(outgoing, ready));
            }
            return members.size() < MemberList.MAX_SIZE
                    ? withoutJoining(outgoing).with(members.with(ready))
                    : null;
        }
        boolean joins = joining.contains(ready.node()) && members.size() < MemberList.MAX_SIZE;
        return joins ? with(members.with(ready)) : null;
    }

    /**
     * Checks that a record of a log can hold this list, also once all nodes have joined.
     *
     * @param maxPayload the largest payload of a record of the log
     * @throws IllegalArgumentException if it cannot
     */
    void checkFits(int maxPayload) {
        int incarnations = joining.size() * Long.BYTES;
        int bytes = Records.payload(0, this).length + incarnations;
        if (bytes > maxPayload) {
            throw new IllegalArgumentException(
                    "a member list may have " + maxPayload + " bytes in this log: it needs " + bytes);
        }
    }

    /** {@return this with other members} */
    private Roster with(MemberList list) {
        return new Roster(list, joining);
    }

    /** {@return this without a node that was to join} */
    private Roster withoutJoining(NodeId node) {
        return new Roster(
                members, joining.stream().filter(each -> !each.equals(node)).toList());
    }
}
