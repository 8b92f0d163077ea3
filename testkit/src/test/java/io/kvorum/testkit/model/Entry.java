package io.kvorum.testkit.model;

import static java.util.Objects.requireNonNull;

import org.jspecify.annotations.Nullable;

/**
 * A record of a log, and with it the whole log that ends in it: each entry knows the one before.
 *
 * <p>Two logs share entries as far as they are equal, so that a log costs one pointer. The position of an entry is its
 * epoch and its offset. Immutable.
 */
final class Entry {
    enum Kind {
        EMPTY,
        BEGIN,
        WRITE,
        MEMBERS
    }

    /** The end of an empty log. */
    static final Entry EMPTY = new Entry(Kind.EMPTY, null, -1, null, false, false);

    final Kind kind;
    final @Nullable Entry before;
    final long epoch;
    final int offset;
    /** The newest member list up to here, {@code null} in an empty log. */
    final @Nullable Members members;
    /** The offset of the record of that list. */
    final int membersOffset;
    /**
     * The list before it, {@code null} if there is none, or none that counts because the shard was begun with this one.
     */
    final @Nullable Members olderMembers;
    /** The record with which this history of the shard began, {@code null} in an empty log. */
    final @Nullable Entry history;

    private Entry(
            Kind kind,
            @Nullable Entry before,
            long epoch,
            @Nullable Members list,
            boolean newHistory,
            boolean newList) {
        this.kind = kind;
        this.before = before;
        this.epoch = epoch;
        offset = before == null ? 0 : before.offset + 1;
        history = newHistory ? this : before == null ? null : before.history;
        if (list != null) {
            members = list;
            membersOffset = offset;
            olderMembers = newList ? null : requireNonNull(before).members;
        } else {
            members = before == null ? null : before.members;
            membersOffset = before == null ? 0 : before.membersOffset;
            olderMembers = before == null ? null : before.olderMembers;
        }
    }

    /** Begins a leadership. */
    static Entry begin(Entry before, long epoch) {
        return new Entry(Kind.BEGIN, before, epoch, null, false, false);
    }

    /** Begins a leadership that may lack committed records: a history of its own, with the members of before. */
    static Entry beginLossy(Entry before, long epoch) {
        return new Entry(Kind.BEGIN, before, epoch, null, true, false);
    }

    /** Begins the shard, or begins it anew: a history of its own, with a list of its own. */
    static Entry beginShard(Entry before, long epoch, Members members) {
        return new Entry(Kind.BEGIN, before, epoch, members, true, true);
    }

    static Entry write(Entry before, long epoch) {
        return new Entry(Kind.WRITE, before, epoch, null, false, false);
    }

    static Entry members(Entry before, long epoch, Members members) {
        return new Entry(Kind.MEMBERS, before, epoch, members, false, false);
    }

    /** The list of a shard that was begun by a record without one. */
    static Entry firstMembers(Entry before, long epoch, Members members) {
        return new Entry(Kind.MEMBERS, before, epoch, members, false, true);
    }

    /** This record on top of another log. */
    Entry onTopOf(Entry log) {
        return new Entry(kind, log, epoch, kind == Kind.MEMBERS ? members : null, false, false);
    }

    boolean isAfter(Entry other) {
        return epoch > other.epoch || (epoch == other.epoch && offset > other.offset);
    }

    boolean samePosition(Entry other) {
        return epoch == other.epoch && offset == other.offset;
    }

    /** The entry of this log at an offset. */
    Entry at(int wanted) {
        Entry entry = this;
        while (entry.offset > wanted) {
            entry = requireNonNull(entry.before);
        }
        return entry;
    }

    /** Says whether a log that ends in the other entry is the beginning of this one. */
    boolean contains(Entry other) {
        return other.offset <= offset && at(other.offset) == other;
    }

    /** What a primary can know of it: whether it has a record at the position of the other entry. */
    boolean hasPosition(Entry other) {
        return other.offset <= offset && at(other.offset).epoch == other.epoch;
    }

    /**
     * Says whether there is a majority.
     *
     * @param committed up to where the log is known to be committed
     */
    boolean majority(int committed, Rules rules, Members.Test test) {
        return members != null
                && members.majority(test)
                && (membersOffset <= committed
                        || olderMembers == null
                        || !rules.on(Rule.JOINT_MAJORITIES)
                        || olderMembers.majority(test));
    }

    /** Says whether a node, in the incarnation that passes the test, is in a list that counts. */
    boolean isMember(int node, int committed, Rules rules, Members.Test test) {
        boolean older = membersOffset > committed && rules.on(Rule.CHOOSE_FROM_BOTH_LISTS);
        return isListed(members, node, test) || (older && isListed(olderMembers, node, test));
    }

    private static boolean isListed(@Nullable Members list, int node, Members.Test test) {
        return list != null && list.has(node) && test.has(node, list.incarnationOf(node));
    }

    @Override
    public String toString() {
        return kind + "@" + Epochs.toString(epoch) + ":" + offset + (kind == Kind.MEMBERS ? " " + members : "");
    }
}
