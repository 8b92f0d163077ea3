package io.kvorum.testkit.story;

import io.kvorum.failover.SentinelFact;
import io.kvorum.replication.ReplicationEvent;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.testkit.ClusterEvent;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What happened in the cluster, to be told in rows.
 *
 * <p>Safe for use by any number of threads.
 */
final class Timeline {
    private final List<ClusterEvent> events = new ArrayList<>();

    synchronized void add(ClusterEvent event) {
        events.add(event);
    }

    /** {@return whether a failover of a shard was completed since a moment} */
    boolean hasSwitched(ShardId shard, long since) {
        return has(
                since,
                event -> event instanceof ClusterEvent.OfSentinel of
                        && of.event().fact() instanceof SentinelFact.Switched switched
                        && switched.shard().equals(shard));
    }

    /** {@return whether the sentinels agreed since a moment that a shard's primary is down} */
    boolean hasObjectivelyDown(ShardId shard, long since) {
        return has(
                since,
                event -> event instanceof ClusterEvent.OfSentinel of
                        && of.event().fact() instanceof SentinelFact.ObjectivelyDown down
                        && down.shard().equals(shard));
    }

    /** {@return whether a node has completed a full sync since a moment} */
    boolean hasFullSync(NodeId node, long since) {
        return has(
                since,
                event -> event instanceof ClusterEvent.OfNode of
                        && of.event() instanceof ReplicationEvent.FullSyncCompleted
                        && of.event().node().equals(node));
    }

    private synchronized boolean has(long since, Predicate<ClusterEvent> event) {
        return events.stream().anyMatch(candidate -> candidate.at() - since >= 0 && event.test(candidate));
    }

    /** {@return the steps of a shard's failover since a moment, as rows of milliseconds, who, and what} */
    synchronized List<List<String>> failover(ShardId shard, long since) {
        return events.stream()
                .filter(event -> event.at() - since >= 0)
                .sorted(Comparator.comparingLong(event -> event.at() - since))
                .map(event -> row(shard, since, event))
                .filter(row -> !row.isEmpty())
                .toList();
    }

    private static List<String> row(ShardId shard, long since, ClusterEvent event) {
        if (event instanceof ClusterEvent.OfSentinel of
                && of.event().fact() instanceof SentinelFact.ShardFact step
                && step.shard().equals(shard)) {
            String text = text(step);
            if (text != null) {
                String millis = String.format(Locale.ROOT, "+%.1f ms", (event.at() - since) / 1e6);
                return List.of(millis, of.event().sentinel().value(), text);
            }
        }
        return List.of();
    }

    private static @Nullable String text(SentinelFact.ShardFact event) {
        if (event instanceof SentinelFact.SubjectivelyDown e) {
            return e.primary() ? "subjectively down: " + e.node() : null;
        } else if (event instanceof SentinelFact.ObjectivelyDown e) {
            return "objectively down: " + e.node() + ", as " + e.agreeing() + " sentinels agree";
        } else if (event instanceof SentinelFact.VoteGiven e) {
            return "votes for " + e.candidate();
        } else if (event instanceof SentinelFact.LeaderElected e) {
            return "leads the failover with " + e.votes() + " votes";
        } else if (event instanceof SentinelFact.EpochTaken e) {
            return "takes epoch " + Epoch.toString(e.epoch());
        } else if (event instanceof SentinelFact.PrimaryPaused e) {
            return "paused: " + e.node() + " at " + e.position();
        } else if (event instanceof SentinelFact.NodeFenced e) {
            return "fenced: " + e.node() + " at " + e.position();
        } else if (event instanceof SentinelFact.NodeSelected e) {
            return "chosen: " + e.node() + " at " + e.position();
        } else if (event instanceof SentinelFact.NodePromoted e) {
            return "promoted: " + e.node();
        } else if (event instanceof SentinelFact.Switched e) {
            return "switched: " + e.primary() + " leads in epoch " + Epoch.toString(e.epoch());
        } else if (event instanceof SentinelFact.NodeRepointed e) {
            return "follows " + e.primary() + ": " + e.node();
        } else if (event instanceof SentinelFact.FailoverAborted e) {
            return "given up: " + e.reason();
        }
        return null;
    }
}
