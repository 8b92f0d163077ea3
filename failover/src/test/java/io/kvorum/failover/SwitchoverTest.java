package io.kvorum.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.failover.SentinelEvent.AbortReason;
import io.kvorum.failover.SentinelEvent.Candidacy;
import io.kvorum.failover.SentinelEvent.FailoverAborted;
import io.kvorum.failover.SentinelEvent.FailoverRefused;
import io.kvorum.failover.SentinelEvent.LeaderElected;
import io.kvorum.failover.SentinelEvent.NodeFenced;
import io.kvorum.failover.SentinelEvent.NodeSelected;
import io.kvorum.failover.SentinelEvent.PrimaryPaused;
import io.kvorum.failover.SentinelEvent.SubjectivelyDown;
import io.kvorum.slots.topology.NodeId;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What happens when an operator asks for another primary, in virtual time. */
final class SwitchoverTest {
    private static final SentinelSettings SETTINGS = SentinelSettings.defaults();
    private static final Duration SECOND = Duration.ofSeconds(1);

    @Test
    void aSwitchoverLosesNothing() {
        FakeCluster cluster = started(3, 3, 1);
        cluster.sentinel("S2").failOver("shard1");
        assertTrue(cluster.runUntil(() -> cluster.epoch("shard1") == 2 && cluster.isWhole(), SECOND));

        var paused = cluster.events(PrimaryPaused.class).get(0);
        assertEquals(
                paused.position(), cluster.events(NodeSelected.class).get(0).position());
        assertEquals(List.of(), cluster.events(SubjectivelyDown.class));
        assertFalse(cluster.node("a").isPrimary());
    }

    @Test
    void aSwitchoverIsGivenUpWhenNoReplicaCatchesUp() {
        FakeCluster cluster = started(3, 3, 1);
        cluster.cut(new NodeId("a"), new NodeId("b"));
        cluster.cut(new NodeId("a"), new NodeId("c"));
        cluster.run(Duration.ofMillis(100));
        cluster.sentinel("S1").failOver("shard1");
        cluster.run(SETTINGS.pauseLimit().plusMillis(20));

        assertEquals(
                AbortReason.REPLICAS_BEHIND,
                cluster.events(FailoverAborted.class).get(0).reason());
        assertTrue(cluster.node("a").takesWrites(cluster.now));
        assertEquals(1, cluster.epoch("shard1"));
    }

    @Test
    void aPauseEndsByItselfWhenTheLeaderDies() {
        FakeCluster cluster = started(3, 3, 1);
        cluster.onEvent = event -> {
            if (event instanceof PrimaryPaused) {
                cluster.sentinel("S1").crash();
            }
        };
        cluster.sentinel("S1").failOver("shard1");
        cluster.run(Duration.ofMillis(100));
        assertFalse(cluster.node("a").takesWrites(cluster.now));
        cluster.run(SETTINGS.pauseLimit());

        assertTrue(cluster.node("a").takesWrites(cluster.now));
        cluster.run(SECOND);
        assertEquals(1, cluster.epoch("shard1"));
    }

    static Stream<Class<? extends SentinelEvent>> stepsOfASwitchover() {
        return Stream.of(
                Candidacy.class, LeaderElected.class, PrimaryPaused.class, NodeFenced.class, NodeSelected.class);
    }

    /** The target is b, by its id. */
    @ParameterizedTest
    @MethodSource("stepsOfASwitchover")
    void aDyingTargetLeavesOneWorkingPrimary(Class<? extends SentinelEvent> step) {
        aNodeDiesInASwitchover("b", step);
    }

    @ParameterizedTest
    @MethodSource("stepsOfASwitchover")
    void aDyingPrimaryLeavesOneWorkingPrimary(Class<? extends SentinelEvent> step) {
        aNodeDiesInASwitchover("a", step);
    }

    private static void aNodeDiesInASwitchover(String node, Class<? extends SentinelEvent> step) {
        FakeCluster cluster = started(3, 3, 1);
        cluster.onEvent = event -> {
            if (step.isInstance(event)) {
                cluster.node(node).up = false;
            }
        };
        cluster.sentinel("S1").failOver("shard1");
        cluster.run(Duration.ofMillis(50));
        assertFalse(cluster.node(node).up, "the step was not reached");

        assertTrue(cluster.runUntil(cluster::isWhole, Duration.ofSeconds(4)));
    }

    @Test
    void aTargetThatRefusesLeavesTheOldPrimaryInPlace() {
        FakeCluster cluster = started(3, 3, 1);
        cluster.node("b").deafTo = NodeCommand.Promote.class;
        cluster.sentinel("S1").failOver("shard1");
        cluster.run(Duration.ofMillis(100));
        assertFalse(cluster.isWhole());

        assertTrue(cluster.runUntil(cluster::isWhole, Duration.ofSeconds(4)));
        assertTrue(cluster.node("a").isPrimary());
        assertEquals(
                List.of(AbortReason.PROMOTION_TIMEOUT),
                cluster.events(FailoverAborted.class).stream()
                        .map(FailoverAborted::reason)
                        .toList());
    }

    @Test
    void aManualFailoverIsRefusedWhileAnotherIsUnderWay() {
        FakeCluster cluster = started(3, 3, 1);
        cluster.sentinel("S1").failOver("shard1");
        cluster.sentinel("S1").failOver("shard1");
        cluster.sentinel("S1").failOver("unknown");
        cluster.run(SECOND);

        List<AbortReason> reasons = cluster.events(FailoverRefused.class).stream()
                .map(FailoverRefused::reason)
                .toList();
        assertEquals(List.of(AbortReason.FAILOVER_IN_PROGRESS, AbortReason.UNKNOWN_SHARD), reasons);
        assertEquals(2, cluster.epoch("shard1"));
    }

    @Test
    void aManualFailoverOfADeadPrimaryIsAnOrdinaryOne() {
        FakeCluster cluster = new FakeCluster(SETTINGS.withQuorum(3), 1, 3, 3, 1);
        cluster.run(SECOND);
        cluster.cut(new NodeId("a"), new NodeId("S1"));
        cluster.cut(new NodeId("a"), new NodeId("S2"));
        cluster.run(Duration.ofSeconds(2));
        assertEquals(1, cluster.epoch("shard1"));
        cluster.sentinel("S1").failOver("shard1");

        assertTrue(cluster.runUntil(() -> cluster.epoch("shard1") == 2, Duration.ofMillis(100)));
        assertEquals(List.of(), cluster.events(PrimaryPaused.class));
        assertTrue(cluster.runUntil(cluster::isWhole, SETTINGS.repairDelay().plusMillis(300)));
    }

    private static FakeCluster started(int nodes, int sentinels, long seed) {
        FakeCluster cluster = new FakeCluster(SETTINGS, 1, nodes, sentinels, seed);
        cluster.run(SECOND);
        return cluster;
    }
}
