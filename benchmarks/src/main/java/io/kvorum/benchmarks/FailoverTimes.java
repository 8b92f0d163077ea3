package io.kvorum.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.kvorum.core.KeyValueStore;
import io.kvorum.core.replicated.ReadLevel;
import io.kvorum.failover.SentinelFact;
import io.kvorum.failover.SentinelSettings;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.testkit.ClusterEvent;
import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.LocalNode;
import java.time.Duration;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * How long a shard of three is without a primary when that is killed: from the kill until a quorum of three sentinels
 * finds it down, and from there until a node has taken a write that a majority acknowledges.
 *
 * <p>A writer tries the nodes that are left a few times in each millisecond, as a node's own application would; it does
 * not wait as a client does between its tries.
 */
final class FailoverTimes {
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final long TRY_NANOS = 100_000;
    private static final long EVENTS_NANOS = 1_000_000_000;

    private final LocalCluster cluster;
    private final ShardId shard = new ShardId("shard-1");
    private final ConcurrentMap<NodeId, Long> down = new ConcurrentHashMap<>();
    private final ConcurrentMap<NodeId, Long> promoted = new ConcurrentHashMap<>();

    private FailoverTimes(LocalCluster cluster) {
        this.cluster = cluster;
        cluster.onEvent(this::heard);
    }

    private void heard(ClusterEvent event) {
        if (event instanceof ClusterEvent.OfSentinel of) {
            if (of.event().fact() instanceof SentinelFact.ObjectivelyDown fact) {
                down.putIfAbsent(fact.node(), event.at());
            } else if (of.event().fact() instanceof SentinelFact.NodePromoted fact) {
                promoted.putIfAbsent(fact.node(), event.at());
            }
        }
    }

    static String table() {
        return """
                | detection | failovers | kill to objectively down, ms: p50, p99 | from there to the first \
                acknowledged write, ms: first, p50, p90, p99 | of it until promoted, p50 |
                |---|---|---|---|---|
                """
                + row(Duration.ofMillis(50), Integer.getInteger("failovers", 60))
                + row(SentinelSettings.defaults().downAfter(), Integer.getInteger("failovers.default", 10));
    }

    private static String row(Duration detection, int count) {
        Samples toDown = new Samples();
        Samples beyond = new Samples();
        Samples toPromotion = new Samples();
        long first = 0;
        int disturbed = 0;
        try (LocalCluster cluster = LocalCluster.builder()
                .shards(1)
                .failover(SentinelSettings.defaults().withDownAfter(detection))
                .start()) {
            FailoverTimes times = new FailoverTimes(cluster);
            for (int i = 0; i < count; i++) {
                cluster.awaitReady(LIMIT);
                long[] outcome = times.killPrimary();
                if (outcome == null) {
                    disturbed++;
                    continue;
                }
                toDown.add(outcome[0]);
                toPromotion.add(outcome[1]);
                beyond.add(outcome[2]);
                first = first == 0 ? outcome[2] : first;
            }
        }
        return String.format(
                Locale.ROOT,
                "| %d ms | %d | %.1f, %.1f | %.1f, %.1f, %.1f, %.1f | %.1f |%n",
                detection.toMillis(),
                count - disturbed,
                millis(toDown.median()),
                millis(toDown.quantile(0.99)),
                millis(first),
                millis(beyond.median()),
                millis(beyond.quantile(0.9)),
                millis(beyond.quantile(0.99)),
                millis(toPromotion.median()));
    }

    private static double millis(long nanos) {
        return nanos / 1e6;
    }

    /**
     * Returns the times until it was found down, and from there until another was promoted and took a write; or null if
     * a machine that is too busy for the detection had another node promoted already.
     */
    private long @Nullable [] killPrimary() {
        LocalNode old = cluster.primaryOf(shard);
        down.clear();
        promoted.clear();
        long killed = cluster.scheduler().nanoTime();
        old.crash();
        long written = write(old);
        cluster.runUntil(() -> told(old) || cluster.scheduler().nanoTime() - written > EVENTS_NANOS, LIMIT);
        old.restart();
        if (!told(old)) {
            return null;
        }
        long found = Objects.requireNonNull(down.get(old.id()), "down");
        long promotion = promoted.values().iterator().next();
        return new long[] {found - killed, promotion - found, written - found};
    }

    private boolean told(LocalNode old) {
        return down.containsKey(old.id()) && !promoted.isEmpty();
    }

    /** Returns when a write was acknowledged. */
    private long write(LocalNode old) {
        byte[] key = "key".getBytes(US_ASCII);
        long limit = System.nanoTime() + LIMIT.toNanos();
        while (System.nanoTime() - limit < 0) {
            for (LocalNode node : cluster.nodes(shard)) {
                if (node != old && node.status().writable() && writes(node, key)) {
                    return cluster.scheduler().nanoTime();
                }
            }
            LockSupport.parkNanos(TRY_NANOS);
        }
        throw new AssertionError("no write was taken within " + LIMIT);
    }

    private static boolean writes(LocalNode node, byte[] key) {
        KeyValueStore store = node.store().store(Acknowledgement.MAJORITY, ReadLevel.LOCAL, LIMIT);
        try {
            store.set(key, key);
            return true;
        } catch (RefusedException e) { // not yet
            return false;
        }
    }
}
