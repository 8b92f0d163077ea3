package io.kvorum.failover;

import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.Membership;
import io.kvorum.slots.topology.NodeId;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The answers to one question: the latest report of each member that answered it.
 *
 * <p>Majorities are counted over the newest member lists among the answers, which are those of the complete member with
 * the greatest position. A node that lost its promise answers as another member and counts for nothing until the list
 * names its new incarnation.
 */
final class Answers {
    private final Map<Member, NodeReport> reports = new LinkedHashMap<>();

    void add(NodeReport report) {
        reports.put(report.member(), report);
    }

    Collection<NodeReport> reports() {
        return reports.values();
    }

    boolean isFrom(NodeId node) {
        return reports.keySet().stream().anyMatch(member -> member.node().equals(node));
    }

    /** {@return the highest epoch that any of them has promised; 0 without an answer} */
    long highestEpoch() {
        return reports.values().stream().mapToLong(NodeReport::epoch).max().orElse(0);
    }

    /** {@return whether complete members that answered are a majority} */
    boolean isCompleteMajority() {
        Membership newest = newest(reports.values());
        return newest != null && newest.isMajority(this::isComplete);
    }

    /**
     * {@return the complete members that may lead} Those of both lists, as long as the newest is not known to be
     * committed: a write that was committed before the change began may be on a member that only the older list names.
     */
    List<NodeReport> candidates() {
        Membership newest = newest(reports.values());
        return newest == null
                ? List.of()
                : reports.values().stream()
                        .filter(report -> report.complete() && newest.isMember(report.member()))
                        .toList();
    }

    private boolean isComplete(Member member) {
        NodeReport report = reports.get(member);
        return report != null && report.complete();
    }

    /**
     * {@return the offset up to which the log of one of them is known to be committed, at least; -1 if it is not} What
     * another one knows of its own log holds for this log only as far as both are certain to be the same.
     */
    long committed(NodeReport of) {
        return isListCommitted(of, reports.values())
                ? Math.max(of.committed(), of.membersAt().offset())
                : of.committed();
    }

    /**
     * {@return the newest member lists that any complete node reports, or null if none does} A node forgets over a
     * restart that its list is committed; the list before it counts only if no complete node knows better.
     */
    static @Nullable Membership newest(Collection<NodeReport> reports) {
        NodeReport newest = null;
        for (NodeReport report : reports) {
            if (report.complete()
                    && report.membership() != null
                    && (newest == null || report.position().compareTo(newest.position()) > 0)) {
                newest = report;
            }
        }
        Membership membership = newest == null ? null : newest.membership();
        return newest != null && membership != null && isListCommitted(newest, reports)
                ? Membership.committed(membership.current())
                : membership;
    }

    /** Whether a complete node knows that the newest list of this one is committed: the same record is in its log. */
    private static boolean isListCommitted(NodeReport of, Collection<NodeReport> reports) {
        return reports.stream()
                .anyMatch(report -> report.complete()
                        && report.isListCommitted()
                        && report.membersAt().equals(of.membersAt()));
    }
}
