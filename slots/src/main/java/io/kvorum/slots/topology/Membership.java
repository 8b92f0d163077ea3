package io.kvorum.slots.topology;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The member lists that a majority of a shard is counted over, and the only place that counts one.
 *
 * <p>While a change of the list is not known to be committed, a majority is one of the new list <em>and</em> one of the
 * list before it. So any two majorities, counted over neighbouring lists, have a member in common.
 *
 * <p>Immutable.
 *
 * @param current the newest list
 * @param previous the list before it, as long as {@code current} is not known to be committed; otherwise {@code null}
 */
public record Membership(MemberList current, @Nullable MemberList previous) {
    /** Checks that there is a current list. */
    public Membership {
        Objects.requireNonNull(current, "current");
    }

    /**
     * Creates the membership of a list that is known to be committed.
     *
     * @param members the list
     * @return the membership
     */
    public static Membership committed(MemberList members) {
        return new Membership(members, null);
    }

    /**
     * Says whether a majority has something, such as having given a promise.
     *
     * @param has whether one member has it; asked once for each list that the member is in
     * @return whether a majority of the current list has it and, if there is a previous list, a majority of that too
     */
    public boolean isMajority(Predicate<? super Member> has) {
        return isMajorityOf(current, has) && (previous == null || isMajorityOf(previous, has));
    }

    private static boolean isMajorityOf(MemberList list, Predicate<? super Member> has) {
        List<Member> members = list.members();
        int count = 0;
        for (int i = 0; i < members.size(); i++) {
            if (has.test(members.get(i))) {
                count++;
            }
        }
        return count >= list.majority();
    }

    /**
     * Returns the greatest value that a majority has reached, such as the offset up to which a log is acknowledged by a
     * majority. Allocates one small array.
     *
     * @param valueOf the value that one member has reached
     * @return the greatest number such that a majority of the current list and, if there is a previous list, a majority
     *     of that have reached it
     */
    public long majorityValue(ToLongFunction<? super Member> valueOf) {
        long[] scratch = new long[Math.max(current.size(), previous == null ? 0 : previous.size())];
        long value = majorityValueOf(current, valueOf, scratch);
        return previous == null ? value : Math.min(value, majorityValueOf(previous, valueOf, scratch));
    }

    private static long majorityValueOf(MemberList list, ToLongFunction<? super Member> valueOf, long[] scratch) {
        List<Member> members = list.members();
        int size = members.size();
        for (int i = 0; i < size; i++) {
            scratch[i] = valueOf.applyAsLong(members.get(i));
        }
        Arrays.sort(scratch, 0, size);
        return scratch[size - list.majority()];
    }

    /** {@return whether this member, in this incarnation, is in a list that counts} */
    public boolean isMember(Member member) {
        return current.contains(member) || (previous != null && previous.contains(member));
    }

    /** {@return whether a node, in any incarnation, is in a list that counts} */
    public boolean knows(NodeId node) {
        return current.member(node) != null || (previous != null && previous.member(node) != null);
    }

    /** {@return the nodes of both lists, each once, in ascending order} */
    public List<NodeId> nodes() {
        return previous == null
                ? current.nodes()
                : Stream.concat(current.nodes().stream(), previous.nodes().stream())
                        .sorted()
                        .distinct()
                        .toList();
    }

    /** {@return the current list, and in parentheses the previous one if it still counts} */
    @Override
    public String toString() {
        return previous == null ? current.toString() : current + " (and " + previous + ")";
    }
}
