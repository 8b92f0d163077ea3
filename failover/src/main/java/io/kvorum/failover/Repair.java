package io.kvorum.failover;

import io.kvorum.failover.SentinelEvent.FollowSent;
import io.kvorum.failover.SentinelEvent.NodeRepointed;
import io.kvorum.slots.topology.NodeId;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Sees to it that the nodes of one shard follow the primary of the configuration, a few at a time. The leader of a
 * failover does so at once; every other sentinel only for a node that has been astray for a while, in case the leader
 * is gone. A node that still acts as the primary of an earlier epoch is corrected at once by everybody.
 */
final class Repair {
    private final SentinelSettings settings;
    private final Watch watch;
    private final Outbox outbox;
    /** The nodes that do not follow the primary, or not yet completely. */
    private final Map<NodeId, Astray> astray = new LinkedHashMap<>();

    private boolean prompt;

    private static final class Astray {
        private final long since;
        private boolean told;
        private long toldAt;
        private long sentAt;

        private Astray(long since) {
            this.since = since;
        }
    }

    Repair(SentinelSettings settings, Watch watch, Outbox outbox) {
        this.settings = settings;
        this.watch = watch;
        this.outbox = outbox;
    }

    /** Starts anew for a later configuration. */
    void adopted(boolean byOwnFailover) {
        astray.clear();
        prompt = byOwnFailover;
    }

    void tick(Configuration configuration, long now) {
        if (watch.isDown(configuration.primary())) {
            return; // there is nobody to follow
        }
        int busy = 0;
        for (Astray each : astray.values()) {
            if (isBusy(each, now)) {
                busy++;
            }
        }
        for (NodeId node : watch.nodes()) {
            NodeReport report = watch.report(node);
            if (node.equals(configuration.primary()) || report == null || report.epoch() > configuration.epoch()) {
                astray.remove(node);
                continue;
            }
            boolean follows = follows(report, configuration);
            Astray each = astray.get(node);
            if (follows && report.synced()) {
                arrived(node, astray.remove(node), configuration, now);
                continue;
            }
            if (follows) {
                continue; // it is being synced
            }
            if (each == null) {
                each = new Astray(now);
                astray.put(node, each);
            }
            if (isDue(each, report, now) && (isBusy(each, now) || busy < settings.parallelSyncs())) {
                if (!isBusy(each, now)) {
                    busy++;
                }
                tell(node, each, configuration, now);
            }
        }
    }

    private static boolean follows(NodeReport report, Configuration configuration) {
        return !report.primary()
                && report.epoch() == configuration.epoch()
                && configuration.primary().equals(report.following());
    }

    private boolean isDue(Astray each, NodeReport report, long now) {
        if (each.told && now - each.sentAt < settings.resendPeriod().toNanos()) {
            return false;
        }
        return prompt
                || report.primary()
                || now - each.since >= settings.repairDelay().toNanos();
    }

    /** Whether the node is taken to be syncing: it was told to follow, not too long ago. */
    private boolean isBusy(Astray each, long now) {
        return each.told && now - each.toldAt < settings.attemptTimeout().toNanos();
    }

    private void tell(NodeId node, Astray each, Configuration configuration, long now) {
        if (!isBusy(each, now)) {
            each.told = true;
            each.toldAt = now;
            outbox.add(new FollowSent(
                    now, outbox.self(), configuration.shard(), configuration.epoch(), node, configuration.primary()));
        }
        each.sentAt = now;
        outbox.send(
                node, new NodeCommand.Follow(configuration.shard(), configuration.epoch(), configuration.primary()));
    }

    private void arrived(NodeId node, @Nullable Astray each, Configuration configuration, long now) {
        if (each != null && each.told) {
            outbox.add(new NodeRepointed(
                    now, outbox.self(), configuration.shard(), configuration.epoch(), node, configuration.primary()));
        }
    }
}
