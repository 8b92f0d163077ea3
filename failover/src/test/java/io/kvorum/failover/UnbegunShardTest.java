package io.kvorum.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.failover.SentinelFact.NoFailoverPossible;
import io.kvorum.failover.SentinelFact.NotBegun;
import io.kvorum.failover.SentinelFact.ObjectivelyDown;
import io.kvorum.failover.SentinelFact.ShardBegun;
import io.kvorum.failover.SentinelFact.SubjectivelyDown;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A shard that was never begun has no primary that could be down: each sentinel says so once, when it is known. */
final class UnbegunShardTest {
    private static final ShardId SHARD = new ShardId("shard1");
    private static final NodeId C = new NodeId("c");
    private static final Set<@Nullable NodeId> NEXT = new HashSet<>(List.of(new NodeId("b"), C));
    private static final SentinelSettings SETTINGS = SentinelSettings.defaults();
    private static final Duration GRACE = SETTINGS.downAfter();
    private static final Duration MILLI = Duration.ofMillis(1);

    private final FakeCluster cluster = new FakeCluster(SETTINGS, 1, 3, 3, false, 1);

    private void bootstrap(String sentinel) {
        cluster.sentinel(sentinel).start(new Operation.Bootstrap(SHARD));
    }

    @Test
    void nothingIsSaidBeforeTheGraceIsOver() {
        cluster.run(GRACE.minus(MILLI));

        assertEquals(List.of(), cluster.facts(NotBegun.class));
    }

    @Test
    void itIsSaidOnceByEachSentinelAndNobodyIsHeldDown() {
        cluster.run(GRACE.multipliedBy(20));

        assertEquals(
                List.of(
                        new NotBegun(SHARD, 0, List.of()),
                        new NotBegun(SHARD, 0, List.of()),
                        new NotBegun(SHARD, 0, List.of())),
                cluster.facts(NotBegun.class));
        assertEquals(List.of(), cluster.facts(SubjectivelyDown.class));
        assertEquals(List.of(), cluster.facts(ObjectivelyDown.class));
        assertEquals(List.of(), cluster.facts(NoFailoverPossible.class));
    }

    @Test
    void itIsSaidWhichNodesAreSilent() {
        cluster.node("c").up = false;
        cluster.run(GRACE.multipliedBy(20));

        assertEquals(3, cluster.facts(NotBegun.class).size());
        assertTrue(cluster.facts(NotBegun.class).stream()
                .allMatch(fact -> fact.silent().equals(List.of(C))));
        assertTrue(cluster.facts(SubjectivelyDown.class).stream()
                .allMatch(fact -> fact.node().equals(C)));
    }

    @Test
    void aShardThatIsBegunInTimeIsNotSpokenOf() {
        bootstrap("S1");
        cluster.run(GRACE.multipliedBy(20));

        assertEquals(1, cluster.facts(ShardBegun.class).size());
        assertEquals(List.of(), cluster.facts(NotBegun.class));
        assertEquals(List.of(), cluster.facts(SubjectivelyDown.class));
    }

    /** By whom it is being begun will say how that ended. */
    @Test
    void aShardThatIsBeingBegunIsNotSpokenOf() {
        cluster.node("c").up = false;
        cluster.run(GRACE.minus(MILLI.multipliedBy(50)));
        bootstrap("S1");
        cluster.run(MILLI.multipliedBy(100));
        assertEquals(List.of(), cluster.facts(NotBegun.class));

        cluster.run(SETTINGS.attemptTimeout());
        assertEquals(3, cluster.facts(NotBegun.class).size());
    }

    @Test
    void aShardThatWasBegunAfterAllIsFailedOverAsAnyOther() {
        cluster.run(GRACE.multipliedBy(2));
        bootstrap("S2");
        assertTrue(cluster.runUntil(cluster::isWhole, GRACE));
        assertEquals(List.of(), cluster.facts(SubjectivelyDown.class));

        cluster.node("a").up = false;
        assertTrue(cluster.runUntil(() -> NEXT.contains(cluster.primary()), GRACE.multipliedBy(3)));
        assertEquals(3, cluster.facts(NotBegun.class).size());
    }

    @Test
    void aFailoverOfItIsRefusedAsSoonAsThatIsKnown() {
        assertFailOverIsRefused();
    }

    @Test
    void aRefusedFailoverNamesTheNodesThatMightKnowBetter() {
        cluster.node("c").up = false;
        assertFailOverIsRefused(C);
    }

    private void assertFailOverIsRefused(NodeId... silent) {
        cluster.sentinel("S1").start(new Operation.FailOver(SHARD));
        cluster.run(GRACE.plus(MILLI));

        assertEquals(
                List.of(new OperationOutcome.Failed(0, AbortReason.NOT_BEGUN, List.of(silent))),
                cluster.facts(SentinelFact.OperationEnded.class).stream()
                        .map(SentinelFact.OperationEnded::outcome)
                        .toList());
    }
}
