package io.kvorum.failover;

import io.kvorum.failover.SentinelEvent.DownReason;
import io.kvorum.failover.SentinelEvent.SubjectivelyDown;
import io.kvorum.failover.SentinelEvent.SubjectivelyUp;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Watches the nodes of one shard: pings them, keeps what they last said, and judges which of them are down. */
final class Watch {
    private final ShardId shard;
    private final SentinelSettings settings;
    private final Outbox outbox;
    private final Map<NodeId, Watched> nodes = new LinkedHashMap<>();
    private long pingedAt;
    private final Span primaryDenies = new Span();
    private final Span outrun = new Span();

    Watch(ShardId shard, List<NodeId> nodes, SentinelSettings settings, Outbox outbox, long now) {
        this.shard = shard;
        this.settings = settings;
        this.outbox = outbox;
        pingedAt = now - settings.pingPeriod().toNanos();
        for (NodeId node : nodes.stream().sorted().toList()) {
            this.nodes.put(node, new Watched(settings.detector().create(settings.downAfter(), now)));
        }
    }

    /** {@return the nodes of the shard, in order} */
    List<NodeId> nodes() {
        return List.copyOf(nodes.keySet());
    }

    boolean knows(NodeId node) {
        return nodes.containsKey(node);
    }

    boolean isDown(NodeId node) {
        Watched watched = nodes.get(node);
        return watched == null || watched.down != null;
    }

    /** {@return what the node last said; null before its first word, and while it is silent} */
    @Nullable
    NodeReport report(NodeId node) {
        Watched watched = nodes.get(node);
        return watched == null || watched.down == DownReason.SILENT ? null : watched.report;
    }

    /** {@return whether so many nodes are heard that a majority of them can promise an epoch} */
    boolean hearsMajority() {
        int heard = 0;
        for (Watched watched : nodes.values()) {
            if (watched.down != DownReason.SILENT) {
                heard++;
            }
        }
        return heard >= majority(nodes.size());
    }

    static int majority(int of) {
        return of / 2 + 1;
    }

    /** Time in which this sentinel was not running says nothing about the nodes. */
    void observerWasLate(long nanos) {
        for (Watched watched : nodes.values()) {
            watched.detector.observerWasLate(nanos);
        }
        primaryDenies.shift(nanos);
        outrun.shift(nanos);
    }

    void ping(long now) {
        if (now - pingedAt >= settings.pingPeriod().toNanos()) {
            pingedAt = now;
            for (NodeId node : nodes.keySet()) {
                outbox.send(node, new NodeCommand.Describe(shard));
            }
        }
    }

    void heard(NodeReport report, Configuration configuration, long now) {
        Watched watched = nodes.get(report.node());
        if (watched == null) {
            return;
        }
        watched.detector.heard(now);
        watched.report = report;
        if (report.node().equals(configuration.primary())) {
            primaryDenies.set(!report.leads(configuration.epoch()), now);
        }
    }

    /** Starts the judgement anew, with another primary. */
    void adopted(Configuration configuration, long now) {
        NodeReport report = report(configuration.primary());
        primaryDenies.end();
        primaryDenies.set(report != null && !report.leads(configuration.epoch()), now);
        outrun.end();
    }

    /** Judges all nodes and announces what has changed. */
    void judge(Configuration configuration, long now) {
        outrun.set(isOutrun(configuration), now);
        for (Map.Entry<NodeId, Watched> entry : nodes.entrySet()) {
            NodeId node = entry.getKey();
            Watched watched = entry.getValue();
            boolean primary = node.equals(configuration.primary());
            DownReason reason = reason(watched, primary, now);
            if (reason != null && watched.down == null) {
                outbox.add(
                        new SubjectivelyDown(now, outbox.self(), shard, configuration.epoch(), node, primary, reason));
            } else if (reason == null && watched.down != null) {
                outbox.add(new SubjectivelyUp(now, outbox.self(), shard, configuration.epoch(), node, primary));
            }
            watched.down = reason;
        }
    }

    private @Nullable DownReason reason(Watched watched, boolean primary, long now) {
        if (watched.detector.isDown(now)) {
            return DownReason.SILENT;
        }
        if (primary && primaryDenies.lasts(now, settings.roleLimit().toNanos())) {
            return DownReason.NOT_PRIMARY;
        }
        if (primary && outrun.lasts(now, settings.roleLimit().toNanos())) {
            return DownReason.OUTRUN;
        }
        return null;
    }

    /** Whether a node that is heard cannot follow the primary, for it has promised a later epoch. */
    private boolean isOutrun(Configuration configuration) {
        for (Watched watched : nodes.values()) {
            NodeReport report = watched.report;
            if (report != null && watched.down != DownReason.SILENT && report.epoch() > configuration.epoch()) {
                return true;
            }
        }
        return false;
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

    private static final class Watched {
        private final FailureDetector detector;
        private @Nullable NodeReport report;
        /** Why the node is held down, as it was last announced. */
        private @Nullable DownReason down;

        private Watched(FailureDetector detector) {
            this.detector = detector;
        }
    }

    /** How long something has been the case. */
    private static final class Span {
        private boolean open;
        private long since;

        private void set(boolean holds, long now) {
            if (holds && !open) {
                since = now;
            }
            open = holds;
        }

        private void end() {
            open = false;
        }

        private void shift(long nanos) {
            since += nanos;
        }

        private boolean lasts(long now, long limit) {
            return open && now - since >= limit;
        }
    }
}
