package io.kvorum.failover;

import io.kvorum.failover.SentinelFact.Obstacle;
import io.kvorum.slots.topology.Membership;
import io.kvorum.slots.topology.NodeId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Whether a failover can succeed, by the latest reports. It needs the promises of a majority of complete members, and
 * one of those that have the most data must have a priority above 0. To begin without that prospect would depose a
 * primary that may still serve, and put nobody in its place.
 *
 * @param obstacle what stands in the way, or null if nothing does
 * @param missing the members that do not answer
 * @param incomplete the members that answer but count for nothing: incomplete, in another incarnation, or unable to
 *     save a promise
 */
record Prospect(@Nullable Obstacle obstacle, List<NodeId> missing, List<NodeId> incomplete) {
    /** What is to come about, and so what it needs. */
    enum Kind {
        /** A failover that loses nothing. */
        FAILOVER,
        /** A failover that may lose data: one complete member suffices, whatever others have. */
        LOSSY_FAILOVER,
        /** A switchover: whoever is to lead catches up first. */
        SWITCHOVER
    }

    /** Judges reports of nodes that are able to save a promise. */
    static Prospect of(Kind kind, List<NodeId> watched, Collection<NodeReport> fresh) {
        return of(kind, watched, fresh, report -> true);
    }

    /**
     * Judges reports.
     *
     * @param kind what is to come about
     * @param watched the nodes that are watched, which stand in for the members where no list is known
     * @param fresh the latest report of each node that answers
     * @param canPromise whether the node of a report is able to save a promise
     */
    static Prospect of(
            Kind kind, List<NodeId> watched, Collection<NodeReport> fresh, Predicate<NodeReport> canPromise) {
        Membership membership = Answers.newest(fresh);
        List<NodeId> missing = new ArrayList<>();
        List<NodeId> incomplete = new ArrayList<>();
        List<NodeReport> complete = new ArrayList<>();
        for (NodeId node : membership == null ? watched : membership.nodes()) {
            NodeReport report = find(node, membership, fresh);
            if (report == null) {
                missing.add(node);
            } else if (membership == null
                    || !report.complete()
                    || !membership.isMember(report.member())
                    || !canPromise.test(report)) {
                incomplete.add(node);
            } else {
                complete.add(report);
            }
        }
        return new Prospect(obstacle(kind, membership, complete), List.copyOf(missing), List.copyOf(incomplete));
    }

    private static @Nullable Obstacle obstacle(Kind kind, @Nullable Membership membership, List<NodeReport> complete) {
        if (membership == null) {
            return Obstacle.NO_MEMBER_LIST;
        }
        boolean enough = kind == Kind.LOSSY_FAILOVER
                ? !complete.isEmpty()
                : membership.isMajority(member ->
                        complete.stream().anyMatch(report -> report.member().equals(member)));
        if (!enough) {
            return Obstacle.TOO_FEW_MEMBERS;
        }
        boolean any = kind != Kind.FAILOVER;
        return new Selection(null, null, null, List.of(), any).choose(complete) == null
                ? Obstacle.NO_ELIGIBLE_MEMBER
                : null;
    }

    /** Finds the report of a node; of several incarnations, that of the one that counts. */
    private static @Nullable NodeReport find(
            NodeId node, @Nullable Membership membership, Collection<NodeReport> fresh) {
        NodeReport found = null;
        for (NodeReport report : fresh) {
            boolean counts = membership != null && membership.isMember(report.member());
            if (report.node().equals(node) && (found == null || counts)) {
                found = report;
            }
        }
        return found;
    }

    /** {@return the members that stand in the way: those that are missing, else the incomplete ones} */
    List<NodeId> obstructing() {
        return missing.isEmpty() ? incomplete : missing;
    }

    /** {@return why it is given up, if it has an obstacle} */
    AbortReason reason() {
        return obstacle == Obstacle.NO_ELIGIBLE_MEMBER ? AbortReason.NO_ELIGIBLE_NODE : AbortReason.NO_MAJORITY;
    }

    boolean isGood() {
        return obstacle == null;
    }
}
