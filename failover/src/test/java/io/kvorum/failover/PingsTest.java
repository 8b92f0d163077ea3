package io.kvorum.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.failover.SentinelFact.SubjectivelyDown;
import io.kvorum.slots.topology.NodeId;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** How often a sentinel asks the nodes of a shard to report. */
final class PingsTest {
    private static final SentinelSettings SETTINGS = SentinelSettings.defaults();
    private static final Duration LONG = SETTINGS.downAfter().multipliedBy(10);
    private static final NodeId A = new NodeId("a");
    private static final NodeId B = new NodeId("b");
    private static final NodeId C = new NodeId("c");

    private FakeCluster cluster = started(SETTINGS);
    private final Map<NodeId, Integer> pings = new HashMap<>();

    /** One sentinel, so that nobody is failed over. */
    private static FakeCluster started(SentinelSettings settings) {
        FakeCluster cluster = new FakeCluster(settings.withQuorum(1), 1, 3, 1, true, 1);
        cluster.run(Duration.ofSeconds(2));
        return cluster;
    }

    /** Counts the pings that each node is sent in ten times the silence that condemns it. */
    private void count() {
        pings.clear();
        cluster.onSent = (from, to, what) -> {
            if (what instanceof NodeCommand.Describe) {
                pings.merge(to, 1, Integer::sum);
            }
        };
        cluster.run(LONG);
    }

    @Test
    void replicasAreAskedEveryOtherTimeWhileNothingHappens() {
        count();

        assertEquals(Map.of(A, 40, B, 20, C, 20), pings);
        assertTrue(cluster.facts(SubjectivelyDown.class).isEmpty());
    }

    /** A replica must be asked twice in the silence that condemns it. */
    @Test
    void replicasAreAskedEachTimeIfTheyWouldBeAskedTooRarely() {
        cluster = started(SETTINGS.withPingPeriod(SETTINGS.downAfter().dividedBy(3)));
        count();

        assertEquals(Map.of(A, 30, B, 30, C, 30), pings);
    }

    /** A node that misses one ping is asked again after one period, and so are all others. */
    @Test
    void allAreAskedEachTimeWhileOneDoesNotAnswer() {
        cluster.isolate(C);
        cluster.run(SETTINGS.pingPeriod().multipliedBy(2));
        count();

        assertEquals(Map.of(A, 40, B, 40, C, 40), pings);
    }

    /** An answer that is lost on its way condemns no replica, however often that happens. */
    @Test
    void aReplicaWhoseAnswerIsLostIsAskedAgainInTime() {
        int[] answers = {0};
        cluster.delay = (from, to, what) ->
                from.equals(B) && what instanceof NodeAnswer && answers[0]++ % 2 == 0 ? -1 : FakeCluster.MILLI;
        cluster.run(LONG);

        assertTrue(answers[0] > 20);
        assertTrue(cluster.facts(SubjectivelyDown.class).isEmpty());
    }

    /** A replica is held down as soon as ever after the last answer. */
    @Test
    void aReplicaIsHeldDownOnceItHasBeenSilentForTheLimit() {
        cluster.isolate(B);
        cluster.run(SETTINGS.downAfter());

        assertEquals(B, cluster.facts(SubjectivelyDown.class).get(0).node());
    }
}
