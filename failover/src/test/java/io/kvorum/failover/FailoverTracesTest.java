package io.kvorum.failover;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.failover.FakeCluster.CrashPoint;
import io.kvorum.failover.SentinelEvent.LeaderElected;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/**
 * What the sentinels of one shard do in typical cases, line by line. The files are rewritten with
 * {@code -Dtraces.rewrite} and reviewed as a diff. Times are in milliseconds since the fault.
 */
final class FailoverTracesTest {
    private static final Duration LIMIT = Duration.ofSeconds(5);

    @Test
    void aCrashedPrimaryIsReplaced() {
        FakeCluster cluster = started(SentinelSettings.defaults(), 1);
        long start = cluster.now;
        cluster.node("a").up = false;

        assertTrue(cluster.runUntil(cluster::isWhole, LIMIT));
        cluster.run(Duration.ofMillis(300));
        cluster.node("a").restart(true);
        cluster.run(Duration.ofMillis(300));

        GoldenTrace.check("healthy-failover", cluster.trace(start));
    }

    @Test
    void aLeaderThatDiesIsSucceeded() {
        FakeCluster cluster = started(SentinelSettings.defaults(), 2);
        long start = cluster.now;
        cluster.node("a").up = false;
        cluster.onEvent = event -> {
            if (event instanceof LeaderElected elected && elected.epoch() == 2) {
                cluster.sentinel(event.sentinel().value()).crashAt = CrashPoint.AFTER_SENDING;
            }
        };

        assertTrue(cluster.runUntil(cluster::isWhole, LIMIT));
        cluster.run(Duration.ofMillis(300));

        GoldenTrace.check("leader-crash", cluster.trace(start));
    }

    @Test
    void aSplitVoteIsHeldAgain() {
        SentinelSettings together = SentinelSettings.defaults().withElectionJitter(Duration.ZERO);
        FakeCluster cluster = started(together, 4);
        cluster.minDelay = cluster.maxDelay = 20 * FakeCluster.MILLI;
        cluster.run(Duration.ofSeconds(1));
        long start = cluster.now;
        cluster.node("a").up = false;

        assertTrue(cluster.runUntil(cluster::isWhole, LIMIT));
        cluster.run(Duration.ofMillis(300));

        GoldenTrace.check("split-vote", cluster.trace(start));
    }

    @Test
    void aLivePrimaryHandsOver() {
        FakeCluster cluster = started(SentinelSettings.defaults(), 4);
        long start = cluster.now;
        cluster.sentinel("S1").failOver("shard1");

        assertTrue(cluster.runUntil(() -> cluster.epoch("shard1") == 2 && cluster.isWhole(), LIMIT));
        cluster.run(Duration.ofMillis(300));

        GoldenTrace.check("switchover", cluster.trace(start));
    }

    private static FakeCluster started(SentinelSettings settings, long seed) {
        FakeCluster cluster = new FakeCluster(settings, 1, 3, 3, seed);
        cluster.run(Duration.ofSeconds(2));
        return cluster;
    }
}
