package io.kvorum.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.failover.FakeCluster.CrashPoint;
import io.kvorum.failover.FakeCluster.Host;
import io.kvorum.failover.SentinelEvent.AbortReason;
import io.kvorum.failover.SentinelEvent.Candidacy;
import io.kvorum.failover.SentinelEvent.ConfigurationAdopted;
import io.kvorum.failover.SentinelEvent.FailoverAborted;
import io.kvorum.failover.SentinelEvent.LeaderElected;
import io.kvorum.failover.SentinelEvent.NodeFenced;
import io.kvorum.failover.SentinelEvent.NodePromoted;
import io.kvorum.failover.SentinelEvent.NodeSelected;
import io.kvorum.failover.SentinelEvent.ShardEvent;
import io.kvorum.failover.SentinelEvent.SubjectivelyDown;
import io.kvorum.failover.SentinelEvent.Switched;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a whole group of sentinels does about its nodes, in virtual time. */
final class FailoverTest {
    private static final SentinelSettings SETTINGS = SentinelSettings.defaults();
    private static final Duration SECOND = Duration.ofSeconds(1);
    /** Silence, a ping, agreement, the jitter, a handful of round trips. */
    private static final Duration BOUND = SETTINGS.downAfter().plusMillis(300);

    // Liveness.

    @ParameterizedTest
    @ValueSource(ints = {3, 5})
    void aCrashedPrimaryIsReplacedWithinItsBound(int sentinels) {
        List<Long> took = new ArrayList<>();
        for (long seed = 1; seed <= 100; seed++) {
            FakeCluster cluster = started(3, sentinels, seed);
            long start = cluster.now;
            cluster.node("a").up = false;
            assertTrue(cluster.runUntil(cluster::isWhole, Duration.ofSeconds(5)), "seed=" + seed);
            took.add(cluster.now - start);
        }
        took.sort(null);
        assertTrue(took.get(98) <= BOUND.toNanos(), () -> "p99 in ms: " + took.get(98) / FakeCluster.MILLI);
    }

    @Test
    void manyShardsFailOverAsFastAsOne() {
        FakeCluster cluster = new FakeCluster(SETTINGS, 200, 3, 5, 1);
        cluster.run(SECOND);
        cluster.nodes.values().stream().filter(FakeNode::isPrimary).forEach(node -> node.up = false);

        assertTrue(cluster.runUntil(cluster::isWhole, BOUND.plus(SETTINGS.electionTimeout())));
        assertEquals(
                200,
                cluster.events(Switched.class).stream()
                        .map(Switched::shard)
                        .distinct()
                        .count());
    }

    @Test
    void anotherShardsFailoverIsNoConcern() {
        FakeCluster cluster = new FakeCluster(SETTINGS, 2, 3, 3, 1);
        cluster.run(SECOND);
        cluster.node("s1-a").up = false;
        assertTrue(cluster.runUntil(cluster::isWhole, BOUND));

        assertEquals(2, cluster.epoch("shard1"));
        assertEquals(1, cluster.epoch("shard2"));
        assertTrue(cluster.events.stream()
                .map(ShardEvent.class::cast)
                .allMatch(event -> event.shard().equals(new ShardId("shard1"))));
    }

    @Test
    void theNewPrimaryMayDieWhileOthersAreRepointed() {
        FakeCluster cluster = started(5, 3, 1);
        cluster.node("a").up = false;
        cluster.onEvent = event -> {
            if (event instanceof NodePromoted promoted && promoted.epoch() == 2) {
                cluster.node(promoted.node().value()).up = false;
            }
        };
        assertTrue(cluster.runUntil(() -> cluster.epoch("shard1") == 3 && cluster.isWhole(), BOUND.multipliedBy(2)));
    }

    @Test
    void aReturningPrimaryFollows() {
        FakeCluster cluster = started(3, 3, 1);
        NodeId old = new NodeId("a");
        cluster.isolate(old);
        cluster.runUntil(() -> cluster.epoch("shard1") == 2, BOUND);
        assertTrue(cluster.node("a").isPrimary(), "nobody could tell it");
        cluster.heal();

        assertTrue(cluster.runUntil(cluster::isWhole, Duration.ofMillis(200)));
        assertEquals(2, cluster.epoch("shard1"));
    }

    static Stream<Class<? extends SentinelEvent>> stepsOfALeader() {
        return Stream.of(
                Candidacy.class,
                LeaderElected.class,
                NodeFenced.class,
                NodeSelected.class,
                NodePromoted.class,
                ConfigurationAdopted.class,
                Switched.class,
                SentinelEvent.FollowSent.class);
    }

    @ParameterizedTest
    @MethodSource("stepsOfALeader")
    void aLeaderMayDieAtAnyStep(Class<? extends SentinelEvent> step) {
        for (CrashPoint point : CrashPoint.values()) {
            for (boolean returns : new boolean[] {true, false}) {
                leaderDiesAt(step, point, returns);
            }
        }
    }

    private static void leaderDiesAt(Class<? extends SentinelEvent> step, CrashPoint point, boolean returns) {
        FakeCluster cluster = started(3, 3, 7);
        cluster.node("a").up = false;
        boolean[] died = {false};
        cluster.onEvent = event -> {
            if (!died[0] && step.isInstance(event)) {
                died[0] = true;
                Host leader = cluster.sentinel(event.sentinel().value());
                leader.crashAt = point;
                if (returns) {
                    cluster.after(FakeCluster.MILLI, () -> {
                        if (!leader.up) {
                            leader.start();
                        }
                    });
                }
            }
        };
        assertTrue(
                cluster.runUntil(() -> died[0] && cluster.isWhole(), Duration.ofSeconds(4)),
                () -> step + " " + point + " " + returns);
        cluster.run(SECOND);
        assertTrue(cluster.isWhole());
    }

    // No failover without need.

    @Test
    void aPausedSentinelAccusesNobody() {
        FakeCluster cluster = started(3, 3, 1);
        cluster.sentinel("S1").paused = true;
        cluster.run(Duration.ofSeconds(30));
        cluster.sentinel("S1").resume();
        cluster.run(Duration.ofSeconds(3));

        assertEquals(List.of(), cluster.events);
    }

    @Test
    void aPauseOfEverySentinelAccusesNobody() {
        FakeCluster cluster = started(3, 3, 1);
        cluster.sentinels.values().forEach(host -> host.paused = true);
        cluster.run(Duration.ofSeconds(30));
        cluster.sentinels.values().forEach(Host::resume);
        cluster.run(Duration.ofSeconds(3));

        assertEquals(List.of(), cluster.events);
    }

    @Test
    void oneBrokenLinkIsNoReason() {
        FakeCluster cluster = started(3, 3, 1);
        cluster.cut(new NodeId("a"), new NodeId("S1"));
        cluster.run(Duration.ofSeconds(10));

        assertEquals(1, cluster.events(SubjectivelyDown.class).size());
        assertEquals(1, cluster.events.size());
        assertEquals(1, highest(cluster));
    }

    @Test
    void lossAndDelayWithinTheLimitAreNoReason() {
        FakeCluster cluster = started(3, 3, 1);
        cluster.loss = 0.25;
        cluster.maxDelay = 50 * FakeCluster.MILLI;
        cluster.duplication = 0.5;
        cluster.run(Duration.ofSeconds(60));

        assertEquals(1, highest(cluster));
    }

    @Test
    void anIsolatedSentinelUsesUpNoEpochAndDeposesNobody() {
        FakeCluster cluster = new FakeCluster(SETTINGS.withQuorum(1), 1, 3, 3, 1);
        cluster.run(SECOND);
        cluster.isolate(new NodeId("S1"));
        cluster.run(Duration.ofSeconds(20));
        cluster.heal();
        cluster.run(Duration.ofSeconds(5));

        assertEquals(1, highest(cluster));
        assertTrue(cluster.isWhole());
    }

    @Test
    void aMinorityElectsNobody() {
        FakeCluster cluster = started(3, 3, 1);
        cluster.node("a").up = false;
        cluster.isolate(new NodeId("S1"));
        cluster.sentinel("S2").crash();
        cluster.run(Duration.ofSeconds(20));

        assertEquals(List.of(), cluster.events(LeaderElected.class));
        assertEquals(1, highest(cluster));
    }

    @Test
    void withoutAMajorityOfNodesNoEpochIsUsedUp() {
        FakeCluster cluster = started(3, 3, 1);
        cluster.node("a").up = false;
        cluster.node("b").up = false;
        cluster.run(Duration.ofSeconds(30));
        assertTrue(highest(cluster) <= 2, () -> "highest epoch: " + highest(cluster));
        assertEquals(1, cluster.epoch("shard1"));

        cluster.node("b").restart(true);
        assertTrue(cluster.runUntil(cluster::isWhole, SECOND));
    }

    // Whom it promotes.

    @Test
    void aReplicaThatLacksDataIsNotPromotedWhateverItsPriority() {
        FakeCluster cluster = started(3, 3, 1);
        cluster.node("b").priority = 1;
        cluster.cut(new NodeId("a"), new NodeId("b"));
        cluster.run(Duration.ofMillis(500));
        cluster.node("a").up = false;
        assertTrue(cluster.runUntil(cluster::isWhole, BOUND));

        assertTrue(cluster.node("c").isPrimary());
    }

    @Test
    void aReplicaThatCameBackEmptyIsNeitherPromotedNorCounted() {
        FakeCluster cluster = started(3, 3, 1);
        cluster.cut(new NodeId("a"), new NodeId("b"));
        cluster.node("b").restart(false);
        cluster.run(Duration.ofMillis(100));
        cluster.node("a").up = false;
        cluster.run(Duration.ofSeconds(5));

        assertEquals(List.of(), cluster.events(NodePromoted.class));
        assertEquals(
                AbortReason.TOO_FEW_NODES,
                cluster.events(FailoverAborted.class).get(0).reason());
    }

    @Test
    void anEmptyReplicaCatchesUpAndCountsAgain() {
        FakeCluster cluster = started(3, 3, 1);
        cluster.node("b").restart(false);
        assertTrue(cluster.runUntil(cluster::isWhole, SETTINGS.repairDelay().plusMillis(300)));
        cluster.run(Duration.ofMillis(100));
        cluster.node("a").up = false;

        assertTrue(cluster.runUntil(() -> cluster.epoch("shard1") == 2 && cluster.isWhole(), BOUND));
    }

    @Test
    void priorityZeroIsNeverPromoted() {
        FakeCluster cluster = started(3, 3, 1);
        cluster.node("b").priority = 0;
        cluster.node("a").up = false;
        assertTrue(cluster.runUntil(cluster::isWhole, BOUND));

        assertTrue(cluster.node("c").isPrimary());
    }

    @Test
    void withAllPrioritiesZeroItSaysWhyItDoesNothing() {
        FakeCluster cluster = started(3, 3, 1);
        cluster.node("b").priority = 0;
        cluster.node("c").priority = 0;
        cluster.node("a").up = false;
        cluster.run(Duration.ofSeconds(3));

        assertEquals(
                AbortReason.NO_ELIGIBLE_NODE,
                cluster.events(FailoverAborted.class).get(0).reason());
        assertEquals(List.of(), cluster.events(NodeSelected.class));
    }

    @Test
    void aLossyShardMakesDoWithOneNode() {
        FakeCluster cluster = new FakeCluster(SETTINGS.withAllowLossyFailover(true), 1, 3, 3, 1);
        cluster.run(SECOND);
        cluster.node("a").up = false;
        cluster.node("b").up = false;

        assertTrue(cluster.runUntil(cluster::isWhole, BOUND));
    }

    @Test
    void twoNodesCanSwitchButNotFailOver() {
        FakeCluster cluster = started(2, 3, 1);
        cluster.sentinel("S1").failOver("shard1");
        assertTrue(cluster.runUntil(() -> cluster.node("b").isPrimary() && cluster.isWhole(), SECOND));
        cluster.node("b").up = false;
        cluster.run(Duration.ofSeconds(3));

        assertEquals(2, cluster.epoch("shard1"));
    }

    @Test
    void aVoteThatCannotBeSavedIsNotGiven() {
        FakeCluster cluster = started(3, 3, 1);
        cluster.sentinel("S2").canSave = false;
        cluster.sentinel("S3").canSave = false;
        cluster.node("a").up = false;
        cluster.run(Duration.ofSeconds(5));

        assertEquals(List.of(), cluster.events(LeaderElected.class));
    }

    private static FakeCluster started(int nodes, int sentinels, long seed) {
        FakeCluster cluster = new FakeCluster(SETTINGS, 1, nodes, sentinels, seed);
        cluster.run(SECOND);
        return cluster;
    }

    private static long highest(FakeCluster cluster) {
        long[] highest = {0};
        Consumer<SentinelState> look =
                state -> state.shards().forEach(memory -> highest[0] = Math.max(highest[0], memory.highestEpoch()));
        cluster.sentinels.values().forEach(host -> look.accept(host.machine().state()));
        return highest[0];
    }
}
