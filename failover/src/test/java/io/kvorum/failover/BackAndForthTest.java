package io.kvorum.failover;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.failover.SentinelFact.FailoverDelayed;
import io.kvorum.failover.SentinelFact.PrimaryChanged;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A primary that a quorum cannot reach while another quorum cannot reach its successor. */
final class BackAndForthTest {
    private static final SentinelSettings SETTINGS = SentinelSettings.defaults().withPingPeriod(Duration.ofMillis(100));
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final ShardId SHARD = new ShardId("shard1");
    private static final NodeId A = new NodeId("a");
    private static final NodeId B = new NodeId("b");
    private static final NodeId C = new NodeId("c");

    private final FakeCluster cluster = new FakeCluster(SETTINGS, 1, 3, 3, true, 1);

    /** Two of the three sentinels do not reach a, and two do not reach b; each sees two members. */
    private void cutBoth() {
        cut(A, "S1", "S2");
        cut(B, "S2", "S3");
    }

    private void cut(NodeId node, String... sentinels) {
        for (String sentinel : sentinels) {
            cluster.cut(node, new NodeId(sentinel));
            cluster.cut(new NodeId(sentinel), node);
        }
    }

    /** {@return after how many milliseconds the shard had each new primary} */
    private List<Long> movesWithin(Duration time) {
        List<Long> moves = new ArrayList<>();
        long start = cluster.elapsed();
        cluster.onEvent = event -> {
            if (event.fact() instanceof PrimaryChanged && event.sentinel().equals(new NodeId("S1"))) {
                moves.add((cluster.elapsed() - start) / FakeCluster.MILLI);
            }
        };
        cluster.run(time);
        return moves;
    }

    @Test
    void itGoesToAThirdNodeThatIsAsGood() {
        cluster.run(SECOND);
        cutBoth();

        assertEquals(2, movesWithin(SECOND.multipliedBy(20)).size());
        assertEquals(C, cluster.primary());
    }

    @Test
    void itMovesEverMoreSeldomWhereNoOtherIsAsGood() {
        List<Long> moves = movesBetweenTwo(SECOND.multipliedBy(40));

        // one once a is found silent, and one back; from then on each waits for twice as long as the one before
        assertEquals(8, moves.size(), moves::toString);
        assertPauses(moves, 1, 1, 2, 4, 8, 8, 8);
    }

    @Test
    void aPrimaryThatDiesMeanwhileIsReplacedOnceTheTimeIsOver() {
        movesBetweenTwo(SECOND.multipliedBy(10)); // b leads since a second ago; the next failover waits for eight
        assertEquals(B, cluster.primary());
        cluster.heal();
        cluster.node("b").up = false;
        cluster.node("c").priority = 100;
        List<Long> moves = movesWithin(SECOND.multipliedBy(9));

        assertEquals(1, moves.size(), moves::toString);
        assertTrue(moves.get(0) > 6_000 && moves.get(0) < 7_200, moves::toString);
        assertEquals(
                4,
                cluster.facts(FailoverDelayed.class)
                        .get(cluster.facts(FailoverDelayed.class).size() - 1)
                        .returns());
    }

    @Test
    void anOperatorNeedNotWait() {
        movesBetweenTwo(SECOND.multipliedBy(9));
        cluster.run(SECOND.multipliedBy(2)); // two sentinels hold b down, and wait
        long request = cluster.sentinel("S3").start(new Operation.FailOver(SHARD));
        cluster.run(SECOND);

        assertInstanceOf(OperationOutcome.Succeeded.class, cluster.outcomes.get(request));
        assertEquals(A, cluster.primary());
    }

    @Test
    void itIsForgottenOnceAPrimaryHasLedForLong() {
        movesBetweenTwo(SECOND.multipliedBy(9));
        cluster.heal();
        cluster.run(SETTINGS.failoverDelayLimit().plus(SETTINGS.downAfter()).multipliedBy(2));
        cutBoth();
        List<Long> moves = movesWithin(SECOND.multipliedBy(6));

        assertEquals(4, moves.size(), moves::toString);
        assertPauses(moves, 1, 1, 2);
    }

    @Test
    void nodesThatDieOneAfterTheOtherAreReplacedAtOnce() {
        cluster.run(SECOND);
        for (int death = 0; death < 6; death++) {
            assertReplacedAtOnce("died", SETTINGS.downAfter());
        }
        assertEquals(List.of(), cluster.facts(FailoverDelayed.class));
    }

    /** So soon that no sentinel finds them silent. */
    @Test
    void nodesThatRestartOneAfterTheOtherAreReplacedAtOnce() {
        cluster.run(SECOND);
        for (int restart = 0; restart < 6; restart++) {
            assertReplacedAtOnce("restarted", SETTINGS.roleLimit());
        }
        assertEquals(List.of(), cluster.facts(FailoverDelayed.class));
    }

    /** As above, and nothing that they had is lost; only for its priority does another node take the place of each. */
    @Test
    void nodesThatRestartWithTheirDataAreReplacedAtOnce() {
        cluster.run(SECOND);
        for (int restart = 0; restart < 10; restart++) {
            cluster.nodes.values().forEach(node -> node.priority = node.id.equals(cluster.primary()) ? 2 : 1);
            assertReplacedAtOnce("restarted with its data", SETTINGS.roleLimit());
        }
        assertEquals(List.of(), cluster.facts(FailoverDelayed.class));
    }

    private void assertReplacedAtOnce(String how, Duration detection) {
        String primary = requireNonNull(cluster.primary()).value();
        cluster.node(primary).up = false;
        if (how.startsWith("restarted")) {
            cluster.restart(primary, how.endsWith("data"), true);
        }
        assertTrue(
                cluster.runUntil(
                        () -> cluster.primary() != null
                                && !requireNonNull(cluster.primary()).value().equals(primary),
                        detection.plusMillis(200)),
                primary);
        if (how.equals("died")) {
            cluster.restart(primary, false, true);
        }
        assertTrue(cluster.runUntil(cluster::isWholeOfAll, SECOND));
    }

    @Test
    void switchoversDoNotCount() {
        cluster.run(SECOND);
        for (int i = 0; i < 6; i++) {
            long request = cluster.sentinel("S1").start(new Operation.FailOver(SHARD));
            assertTrue(cluster.runUntil(() -> cluster.outcomes.containsKey(request), SECOND));
            cluster.run(Duration.ofMillis(100));
        }
        cluster.node(requireNonNull(cluster.primary()).value()).up = false;
        cluster.run(SECOND.multipliedBy(2));

        assertTrue(cluster.isWhole());
        assertEquals(List.of(), cluster.facts(FailoverDelayed.class));
    }

    /** Has the primary move between a and b, and returns its moves. */
    private List<Long> movesBetweenTwo(Duration time) {
        cluster.writes = false;
        cluster.node("c").priority = 0;
        cluster.run(SECOND);
        cutBoth();
        return movesWithin(time);
    }

    private static void assertPauses(List<Long> moves, int... seconds) {
        for (int i = 0; i < seconds.length; i++) {
            long pause = moves.get(i + 1) - moves.get(i);
            assertTrue(pause >= seconds[i] * 900L && pause <= seconds[i] * 1_000L + 200, moves::toString);
        }
    }
}
