package io.kvorum.failover;

import io.kvorum.slots.topology.LogPosition;
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

    /** {@return the newest member lists that any complete node reports, or null if none does} */
    static @Nullable Membership newest(Collection<NodeReport> reports) {
        Membership newest = null;
        LogPosition greatest = LogPosition.START;
        for (NodeReport report : reports) {
            Membership membership = report.membership();
            if (membership == null || !report.complete()) {
                continue;
            }
            int order = newest == null ? 1 : report.position().compareTo(greatest);
            if (order > 0 || (order == 0 && membership.previous() == null)) { // a list known to be committed
                newest = membership;
                greatest = report.position();
            }
        }
        return newest;
    }
}
