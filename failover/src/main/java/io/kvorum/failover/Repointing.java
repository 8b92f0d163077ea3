package io.kvorum.failover;

import io.kvorum.failover.SentinelFact.FollowSent;
import io.kvorum.failover.SentinelFact.NodeRepointed;
import io.kvorum.slots.topology.NodeId;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Sees to it that the nodes of one shard follow its primary, a few at a time. The sentinel that brought the primary
 * about does so at once; every other one only for a node that has been astray for a while, in case that sentinel is
 * gone. A node that still acts as the primary of an earlier epoch is corrected at once by everyone who hears it say so.
 */
final class Repointing {
    private final ShardContext context;
    private final SentinelSettings settings;
    private final Watch watch;
    /** The nodes that do not follow the primary, or have not been complete since they do. */
    private final Map<NodeId, Astray> astray = new LinkedHashMap<>();

    private boolean prompt;
    private long adoptedAt;

    /**
     * A node that does not follow the primary.
     *
     * @param since when it was first seen astray
     * @param told when it was told to follow, or null if it was not
     */
    private record Astray(long since, @Nullable Told told) {}

    /**
     * An order to follow.
     *
     * @param since when it was first given
     * @param sentAt when it was last sent
     */
    private record Told(long since, long sentAt) {}

    Repointing(ShardContext context, Watch watch, long now) {
        adoptedAt = now;
        this.context = context;
        this.watch = watch;
        settings = context.settings();
    }

    /** Starts anew for a later primary. */
    void adopted(boolean byOwnFailover, long now) {
        astray.clear();
        adoptedAt = now;
        prompt = byOwnFailover;
    }

    /** {@return whether all nodes are where they should be, as far as was seen} */
    boolean isDone() {
        return astray.isEmpty();
    }

    void advance(ShardPrimary primary, long now) {
        if (primary.epoch() == 0 || watch.isDown(primary.primary())) {
            return; // there is no one to follow
        }
        astray.keySet().removeIf(node -> !watch.knows(node));
        int busy = 0;
        for (Astray each : astray.values()) {
            busy += isBusy(each, now) ? 1 : 0;
        }
        for (NodeId node : watch.nodes()) {
            NodeReport report = watch.report(node);
            Astray each = astray.get(node);
            if (node.equals(primary.primary()) || report == null || report.epoch() > primary.epoch()) {
                astray.remove(node);
            } else if (follows(report, primary)) {
                if (report.complete()) {
                    astray.remove(node);
                    arrived(node, each, primary, now);
                }
            } else {
                Astray seen = each == null ? new Astray(now, null) : each;
                astray.put(node, seen);
                boolean busyNow = isBusy(seen, now);
                boolean actsAsPrimary = report.primary() && watch.reportedSince(node, adoptedAt);
                if (now - dueAt(seen, actsAsPrimary) >= 0 && (busyNow || busy < settings.parallelSyncs())) {
                    busy += busyNow ? 0 : 1;
                    tell(node, seen, primary, now);
                }
            }
        }
    }

    private static boolean follows(NodeReport report, ShardPrimary primary) {
        return !report.primary()
                && report.epoch() == primary.epoch()
                && primary.primary().equals(report.following());
    }

    private long dueAt(Astray each, boolean actsAsPrimary) {
        if (each.told != null) {
            return each.told.sentAt + settings.resendPeriod().toNanos();
        }
        return prompt || actsAsPrimary
                ? each.since
                : each.since + settings.repointingDelay().toNanos();
    }

    /** Whether a node is taken to be on its way: it was told to follow, not too long ago. */
    private boolean isBusy(Astray each, long now) {
        return each.told != null
                && now - each.told.since < settings.attemptTimeout().toNanos();
    }

    private void tell(NodeId node, Astray each, ShardPrimary primary, long now) {
        Told before = isBusy(each, now) ? each.told : null;
        if (before == null) {
            context.tell(new FollowSent(context.shard(), primary.epoch(), node, primary.primary()), now);
        }
        astray.put(node, new Astray(each.since, new Told(before == null ? now : before.since, now)));
        context.send(node, new NodeCommand.Follow(context.shard(), primary.epoch(), primary.primary()));
    }

    private void arrived(NodeId node, @Nullable Astray each, ShardPrimary primary, long now) {
        if (each != null && each.told != null) {
            context.tell(new NodeRepointed(context.shard(), primary.epoch(), node, primary.primary()), now);
        }
    }

    /** {@return the earlier of {@code due} and the moment when a node may have to be told} */
    long dueBy(long due, long now) {
        for (Astray each : astray.values()) {
            long at = dueAt(each, false);
            if (now - at < 0) { // one that is overdue waits for its turn, which comes with a report
                due = ShardContext.earlier(due, at);
            }
        }
        return due;
    }
}
