package io.kvorum.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.failover.SentinelFact.PrimaryChanged;
import io.kvorum.failover.SentinelFact.SubjectivelyDown;
import io.kvorum.slots.topology.NodeId;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A primary is judged by what it has reported since it became one. */
final class PrimaryRoleTest {
    private static final NodeId A = new NodeId("a");
    private static final Duration SECOND = Duration.ofSeconds(1);

    /** The others still have its report from before the promotion, for longer than the limit. */
    @ParameterizedTest
    @ValueSource(ints = {10, 100, 240})
    void aNewPrimaryIsNotHeldDownForWhatItReportedBefore(int roleLimit) {
        SentinelSettings settings = SentinelSettings.defaults()
                .withPingPeriod(Duration.ofMillis(250))
                .withRoleLimit(Duration.ofMillis(roleLimit));
        FakeCluster cluster = new FakeCluster(settings, 1, 3, 3, true, 1);
        cluster.run(SECOND);
        int before = cluster.facts(PrimaryChanged.class).size();
        cluster.isolate(A);
        cluster.run(SECOND.multipliedBy(5));

        assertEquals(
                List.of(A, A, A),
                cluster.facts(SubjectivelyDown.class).stream()
                        .map(SubjectivelyDown::node)
                        .toList());
        assertEquals(3, cluster.facts(PrimaryChanged.class).size() - before);
    }

    /** One that goes on denying is held down, however short the limit. */
    @Test
    void aPrimaryThatKeepsDenyingIsHeldDown() {
        SentinelSettings settings = SentinelSettings.defaults().withRoleLimit(Duration.ofMillis(10));
        FakeCluster cluster = new FakeCluster(settings, 1, 3, 3, true, 1);
        cluster.run(SECOND);
        cluster.restart("a", true, true);
        cluster.run(settings.pingPeriod().multipliedBy(3));

        assertTrue(cluster.facts(SubjectivelyDown.class).stream()
                .allMatch(fact -> fact.node().equals(A) && fact.reason() == SentinelFact.DownReason.NOT_PRIMARY));
        assertTrue(cluster.runUntil(cluster::isWhole, SECOND));
        assertEquals(3, cluster.facts(SubjectivelyDown.class).size());
    }
}
