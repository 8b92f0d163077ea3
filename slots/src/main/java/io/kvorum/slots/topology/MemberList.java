package io.kvorum.slots.topology;

import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The members of a shard: 1 to {@link #MAX_SIZE} nodes, each in one incarnation.
 *
 * <p>A majority is counted over a {@link Membership}, which knows whether the list before this one still counts too.
 *
 * <p>Immutable.
 *
 * @param members the members, in ascending order
 */
public record MemberList(List<Member> members) {
    /** The greatest number of members. */
    public static final int MAX_SIZE = 64;

    /**
     * Sorts and checks the members.
     *
     * @throws IllegalArgumentException if there is none, if there are more than {@link #MAX_SIZE}, or if a node is
     *     named twice
     */
    public MemberList {
        members = members.stream().sorted().toList();
        if (members.isEmpty() || members.size() > MAX_SIZE) {
            throw new IllegalArgumentException(
                    "member list must have 1 to " + MAX_SIZE + " members: it has " + members.size());
        }
        for (int i = 1; i < members.size(); i++) {
            if (members.get(i).node().equals(members.get(i - 1).node())) {
                throw new IllegalArgumentException(
                        "node must be listed once: " + members.get(i - 1) + " and " + members.get(i));
            }
        }
    }

    /**
     * Creates a list.
     *
     * @param members the members, in any order
     * @return the list
     * @throws IllegalArgumentException as the constructor
     */
    public static MemberList of(Member... members) {
        return new MemberList(List.of(members));
    }

    /** {@return the nodes, in ascending order} */
    public List<NodeId> nodes() {
        NodeId[] nodes = new NodeId[members.size()];
        for (int i = 0; i < nodes.length; i++) {
            nodes[i] = members.get(i).node();
        }
        return List.of(nodes);
    }

    /** {@return how many members there are} */
    public int size() {
        return members.size();
    }

    /** {@return the smallest number of members that is more than half} */
    public int majority() {
        return members.size() / 2 + 1;
    }

    /** {@return whether exactly this member, in this incarnation, is in the list} */
    public boolean contains(Member member) {
        return member.equals(member(member.node()));
    }

    /** {@return the member that a node is, or {@code null} if the node is not in the list} */
    public @Nullable Member member(NodeId node) {
        for (int i = 0; i < members.size(); i++) {
            Member member = members.get(i);
            if (member.node().equals(node)) {
                return member;
            }
        }
        return null;
    }

    /**
     * Adds a member.
     *
     * @param member a member whose node is not in the list
     * @return the list with the member
     * @throws IllegalArgumentException if the node is in the list or the list is full
     */
    public MemberList with(Member member) {
        return new MemberList(Stream.concat(members.stream(), Stream.of(member)).toList());
    }

    /**
     * Removes a node.
     *
     * @param node the node
     * @return the list without the node
     * @throws IllegalArgumentException if the node is not in the list or is the only one
     */
    public MemberList without(NodeId node) {
        checkListed(node);
        return new MemberList(
                members.stream().filter(member -> !member.node().equals(node)).toList());
    }

    /**
     * Takes in a new incarnation of a listed node.
     *
     * @param member the node in its new incarnation
     * @return the list with this incarnation in place of the former one
     * @throws IllegalArgumentException if the node is not in the list
     */
    public MemberList withIncarnation(Member member) {
        return replacing(member.node(), member);
    }

    /**
     * Replaces a node.
     *
     * @param old the node to remove
     * @param replacement the member to add in its place; of the same node or of one that is not in the list
     * @return the new list
     * @throws IllegalArgumentException if {@code old} is not in the list, or the replacement's node is in it beside
     *     {@code old}
     */
    public MemberList replacing(NodeId old, Member replacement) {
        checkListed(old);
        return new MemberList(Stream.concat(
                        members.stream().filter(member -> !member.node().equals(old)), Stream.of(replacement))
                .toList());
    }

    private void checkListed(NodeId node) {
        if (member(node) == null) {
            throw new IllegalArgumentException("node must be in the list " + this + ": " + node);
        }
    }

    /** {@return the members in brackets, as in {@code [a#1f, b#2e]}} */
    @Override
    public String toString() {
        return members.toString();
    }
}
