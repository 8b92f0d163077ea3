package io.kvorum.failover;

import io.kvorum.failover.SentinelFact.DownReason;
import io.kvorum.failover.SentinelFact.SubjectivelyDown;
import io.kvorum.failover.SentinelFact.SubjectivelyUp;
import io.kvorum.slots.topology.Membership;
import io.kvorum.slots.topology.NodeId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Watches the nodes of one shard: pings them, keeps their latest reports, and judges which of them are down. It watches
 * the nodes that the topology lists and the members that the nodes report.
 *
 * <p>This is where a failover starts: a ping that is not answered makes no noise; once the detector's limit is over the
 * node is <em>subjectively down</em>, and for a primary {@link ShardSentinel} tells the other sentinels.
 */
final class Watch {
    private final ShardContext context;
    private final NodeCommand ping;
    private final Map<NodeId, Watched> nodes = new TreeMap<>();
    /** The keys of the map, until they change. */
    private @Nullable List<NodeId> ids;

    private final long tolerance;
    private long pingAt;
    /** Whether only the primary was pinged last. */
    private boolean othersRest;

    private final Span primaryDenies = new Span();
    /** Whether a denial was heard more than once in that time: one answer may be older than the promotion. */
    private boolean deniesAgain;

    private final Span outrun = new Span();

    private boolean begun;
    /** How long the shard has not been begun, as far as was heard. */
    private final Span unbegun = new Span();

    Watch(ShardContext context, Collection<NodeId> nodes, long now) {
        this.context = context;
        ping = new NodeCommand.Describe(context.shard(), 0);
        tolerance = context.settings().tolerance().toNanos();
        pingAt = now;
        for (NodeId node : nodes) {
            watch(node, now);
        }
    }

    /** {@return the nodes that are watched, in order} */
    List<NodeId> nodes() {
        List<NodeId> known = ids;
        if (known == null) {
            known = List.copyOf(nodes.keySet());
            ids = known;
        }
        return known;
    }

    boolean knows(NodeId node) {
        return nodes.containsKey(node);
    }

    /** {@return whether this node was not watched before} */
    boolean watch(NodeId node, long now) {
        if (nodes.containsKey(node)) {
            return false;
        }
        SentinelSettings settings = context.settings();
        nodes.put(node, new Watched(settings.detector().create(settings.downAfter(), now)));
        ids = null;
        return true;
    }

    /** Watches only these nodes, the primary and the reported members from now on, if it knows the members. */
    void keepOnly(Collection<NodeId> listed, NodeId primary) {
        Membership members = membership();
        if (members != null) {
            nodes.keySet().removeIf(node -> !listed.contains(node) && !members.knows(node) && !node.equals(primary));
            nodes.values().forEach(watched -> watched.named = null); // each names its members anew
            ids = null;
        }
    }

    boolean isDown(NodeId node) {
        Watched watched = nodes.get(node);
        return watched == null || watched.down != null;
    }

    /** {@return the latest report of a node; null before the first, and while the node is silent} */
    @Nullable
    NodeReport report(NodeId node) {
        Watched watched = nodes.get(node);
        return watched == null || watched.down == DownReason.SILENT ? null : watched.report;
    }

    /** {@return whether the latest report of a node came after a moment} */
    boolean reportedSince(NodeId node, long moment) {
        Watched watched = nodes.get(node);
        return watched != null && watched.report != null && watched.reportedAt - moment > 0;
    }

    /** {@return the latest report of each node that is not silent} */
    List<NodeReport> reports() {
        List<NodeReport> reports = new ArrayList<>(nodes.size());
        for (Watched watched : nodes.values()) {
            if (watched.report != null && watched.down != DownReason.SILENT) {
                reports.add(watched.report);
            }
        }
        return reports;
    }

    /** {@return the newest member lists by the latest reports, or null if none is known} */
    @Nullable
    Membership membership() {
        return Answers.newest(reports());
    }

    /** {@return whether a failover can succeed, by the latest reports} */
    Prospect prospect() {
        return Prospect.of(context.failover(), nodes(), reports(), this::canSave);
    }

    private boolean canSave(NodeReport report) {
        Watched watched = nodes.get(report.node());
        return watched == null || watched.canSave;
    }

    /** {@return the highest epoch that any node has been heard to promise} */
    long highestEpoch() {
        long highest = 0;
        for (Watched watched : nodes.values()) {
            highest = watched.report == null ? highest : Math.max(highest, watched.report.epoch());
        }
        return highest;
    }

    /**
     * This sentinel did not run since a moment: for as long as a ping has been due by then, that says nothing about the
     * nodes.
     */
    void observerPaused(long since, long now) {
        long nanos = now - (pingAt - since > 0 ? pingAt : since);
        if (nanos <= tolerance) {
            return;
        }
        for (Watched watched : nodes.values()) {
            watched.detector.observerWasLate(nanos);
        }
        primaryDenies.lateness.add(nanos);
        outrun.lateness.add(nanos);
        unbegun.lateness.add(nanos);
    }

    /**
     * Pings the nodes if it is time; the primary alone every other time while nothing is to be learned of the others.
     *
     * @param quiet whether nothing is under way that needs the reports of the others
     */
    void pingIfDue(ShardPrimary primary, boolean quiet, long now) {
        if (now - pingAt < 0) {
            return;
        }
        pingAt = now + context.settings().pingPeriod().toNanos();
        othersRest = !othersRest && quiet && isCalm();
        for (Map.Entry<NodeId, Watched> entry : nodes.entrySet()) {
            if (!othersRest || entry.getKey().equals(primary.primary())) {
                entry.getValue().asked = true;
                context.send(entry.getKey(), ping);
            }
        }
    }

    /**
     * Whether all nodes are up and complete, have answered the last ping, and nothing that they said is to be watched.
     */
    private boolean isCalm() {
        if (!context.settings().othersMayRest() || !begun || primaryDenies.open || outrun.open) {
            return false;
        }
        for (Watched watched : nodes.values()) {
            NodeReport report = watched.report;
            if (watched.asked || watched.down != null || report == null || !report.complete() || !watched.canSave) {
                return false;
            }
        }
        return true;
    }

    /** {@return whether the next ping is yet to come, and is what falls due first} */
    boolean isPingNext(long due, long now) {
        return due == pingAt && now - pingAt < 0;
    }

    /** {@return whether an answer to a ping says of a node that is up what its latest report has said} */
    boolean isNoNews(NodeAnswer answer) {
        Watched watched = nodes.get(answer.report().node());
        return watched != null
                && watched.down == null
                && watched.canSave
                && watched.report != null
                && !primaryDenies.open
                && answer.done()
                && answer.command() instanceof NodeCommand.Describe
                && answer.report().repeats(watched.report);
    }

    /** {@return whether the report names members that were not watched before} */
    boolean heard(NodeAnswer answer, ShardPrimary primary, long now) {
        NodeReport report = answer.report();
        Watched watched = nodes.get(report.node());
        if (watched == null) {
            return false;
        }
        watched.detector.heard(now);
        watched.asked = false;
        if (!begun && (report.begun() || report.membership() != null)) {
            begun = true;
            primaryDenies.end(); // it was no primary yet
            outrun.end();
        }
        if (watched.canSave && isOvertaken(report, watched.report)) { // what it could not save it may have forgotten
            return false;
        }
        watched.report = report;
        watched.reportedAt = now;
        watched.canSave = answer.outcome() != NodeAnswer.Outcome.NOT_SAVED;
        if (report.node().equals(primary.primary())) {
            deniesAgain = primaryDenies.open;
            primaryDenies.set(!report.leads(primary.epoch()), now);
        }
        return report.complete() && watchAll(watched, report, now);
    }

    /** {@return whether a report names members that were not watched before} */
    private boolean watchAll(Watched reporting, NodeReport report, long now) {
        NodeReport last = reporting.named;
        if (last != null
                && Objects.equals(last.membership(), report.membership())
                && last.joining().equals(report.joining())
                && last.isListCommitted() == report.isListCommitted()) {
            return false; // as with nearly every ping
        }
        boolean more = false;
        for (NodeId node : report.nodes()) {
            more |= watch(node, now);
        }
        reporting.named = report;
        return more;
    }

    /** Whether a report was overtaken by a later one: a node never goes back on a promise. */
    private static boolean isOvertaken(NodeReport report, @Nullable NodeReport latest) {
        return latest != null && latest.incarnation() == report.incarnation() && latest.epoch() > report.epoch();
    }

    /** Starts the judgement of the primary anew, for another one; what that reported before says nothing about it. */
    void adopted(ShardPrimary primary, long now) {
        Watched watched = nodes.get(primary.primary());
        if (watched != null) {
            watched.detector.heard(now); // by whoever promoted it
        }
        primaryDenies.end();
        outrun.end();
    }

    /** Judges all nodes and tells what has changed. */
    void judge(ShardPrimary primary, long now) {
        begun |= primary.epoch() > 0;
        unbegun.set(!begun, now);
        outrun.set(isOutrun(primary), now);
        for (Map.Entry<NodeId, Watched> entry : nodes.entrySet()) {
            NodeId node = entry.getKey();
            Watched watched = entry.getValue();
            boolean isPrimary = node.equals(primary.primary());
            DownReason reason = reason(watched, isPrimary, now);
            if (reason != null && watched.down == null) {
                context.tell(new SubjectivelyDown(context.shard(), primary.epoch(), node, isPrimary, reason), now);
            } else if (reason == null && watched.down != null) {
                context.tell(new SubjectivelyUp(context.shard(), primary.epoch(), node, isPrimary), now);
            }
            watched.down = reason;
        }
    }

    private @Nullable DownReason reason(Watched watched, boolean primary, long now) {
        if (watched.detector.isDown(now)) {
            return DownReason.SILENT;
        }
        if (!begun) {
            return null; // nobody leads yet
        }
        long roleLimit = context.settings().roleLimit().toNanos();
        if (primary && deniesAgain && primaryDenies.lasts(now, roleLimit)) {
            return DownReason.NOT_PRIMARY;
        }
        if (primary && outrun.lasts(now, roleLimit)) {
            return DownReason.OUTRUN;
        }
        return null;
    }

    /** Whether a node that answers cannot follow the primary, because it has promised a later epoch. */
    private boolean isOutrun(ShardPrimary primary) {
        for (Watched watched : nodes.values()) {
            NodeReport report = watched.report;
            if (report != null && watched.down != DownReason.SILENT && report.epoch() > primary.epoch()) {
                return true;
            }
        }
        return false;
    }

    /** {@return whether the shard was begun, as far as was heard by the latest judgement} */
    boolean hasBegun() {
        return begun;
    }

    /**
     * {@return whether nobody has been heard to say that the shard was begun, for so long that somebody should have}
     */
    boolean isNotBegun(long now) {
        return unbegun.lasts(now, context.settings().downAfter().toNanos());
    }

    /** {@return the nodes that do not answer} */
    List<NodeId> silent() {
        return nodes().stream().filter(node -> report(node) == null).toList();
    }

    /** {@return the nodes that are down} */
    List<NodeId> down() {
        List<NodeId> down = new ArrayList<>();
        nodes.forEach((node, watched) -> {
            if (watched.down != null) {
                down.add(node);
            }
        });
        return down;
    }

    /** {@return when the next ping is due, or a node may have to be held down, after a judgement} */
    long dueAt(long now) {
        long due = pingAt;
        for (Watched watched : nodes.values()) {
            if (watched.down == null) {
                due = ShardContext.earlier(due, watched.detector.downAt());
            }
        }
        long roleLimit = context.settings().roleLimit().toNanos();
        due = unbegun.dueBy(due, now, context.settings().downAfter().toNanos());
        due = deniesAgain ? primaryDenies.dueBy(due, now, roleLimit) : due;
        return outrun.dueBy(due, now, roleLimit);
    }

    private static final class Watched {
        private final FailureDetector detector;
        /** Whether nothing was heard since the last ping. */
        private boolean asked;

        private @Nullable NodeReport report;
        private long reportedAt;
        /** The report whose members are all watched, unless some were dropped since. */
        private @Nullable NodeReport named;
        /** Whether the node was able to save its promise, as last heard. */
        private boolean canSave = true;
        /** Why the node is held down, as last told; null while it is up. */
        private @Nullable DownReason down;

        private Watched(FailureDetector detector) {
            this.detector = detector;
        }
    }

    /** How long something has been the case. */
    private static final class Span {
        private final Lateness lateness = new Lateness();
        private boolean open;
        private long since;

        private void set(boolean holds, long now) {
            if (holds && !open) {
                since = now;
                lateness.reset();
            }
            open = holds;
        }

        private void end() {
            open = false;
        }

        private boolean lasts(long now, long limit) {
            return open && now - end(limit) >= 0;
        }

        private long dueBy(long due, long now, long limit) {
            return open && now - end(limit) < 0 ? ShardContext.earlier(due, end(limit)) : due;
        }

        private long end(long limit) {
            return since + limit + lateness.nanos();
        }
    }
}
