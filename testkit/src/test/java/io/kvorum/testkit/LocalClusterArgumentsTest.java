package io.kvorum.testkit;

import static io.kvorum.testkit.Clusters.FIRST;
import static io.kvorum.testkit.Clusters.LIMIT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Arguments that nobody should give: each is refused before anything is done, or means what it says. */
final class LocalClusterArgumentsTest {
    private static final Duration FOREVER = ChronoUnit.FOREVER.getDuration();
    private static final NodeId NODE = new NodeId("node-1.1");
    private static final NodeId STRANGER = new NodeId("node-9.9");

    private final LocalCluster cluster =
            LocalCluster.builder().shards(1).virtualTime(1).start();

    @AfterEach
    void close() {
        cluster.close();
    }

    static Stream<Named<Executable>> shapes() {
        return Stream.of(
                Named.of("no shards", () -> LocalCluster.builder().shards(0)),
                Named.of("too many shards", () -> LocalCluster.builder().shards(16_385)),
                Named.of("fewer than no replicas", () -> LocalCluster.builder().replicas(-1)),
                Named.of("countless replicas", () -> LocalCluster.builder().replicas(Integer.MAX_VALUE)),
                Named.of("no sentinels", () -> LocalCluster.builder().sentinels(0)),
                Named.of("countless sentinels", () -> LocalCluster.builder().sentinels(Integer.MAX_VALUE)),
                Named.of("no timeout", () -> LocalCluster.builder().timeout(Duration.ZERO)),
                Named.of(
                        "a negative latency",
                        () -> LocalCluster.builder().latency(Duration.ofMillis(-1), Duration.ZERO)),
                Named.of("an endless latency", () -> LocalCluster.builder().latency(Duration.ZERO, FOREVER)),
                Named.of("a negative priority", () -> LocalCluster.builder().priority(NODE, -1)),
                Named.of(
                        "the priority of a stranger",
                        () -> LocalCluster.builder().priority(STRANGER, 0).start()));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void aShapeThatNoClusterHasIsRefused(Executable shape) {
        List<OpenCluster> before = OpenCluster.all();

        assertThrows(IllegalArgumentException.class, shape);

        assertEquals(before, OpenCluster.all());
    }

    @Test
    void faultsOfStrangersAndOfImpossibleSizesAreRefusedAndLeaveNoTrace() {
        List<Executable> faults = List.of(
                () -> cluster.isolate(NODE, STRANGER),
                () -> cluster.partition(List.of(NODE, STRANGER)),
                () -> cluster.cut(List.of(NODE), List.of(STRANGER)),
                () -> cluster.delay(List.of(NODE), List.of(STRANGER), Duration.ZERO, Duration.ZERO),
                () -> cluster.delay(List.of(NODE), List.of(NODE), Duration.ofNanos(-1), Duration.ZERO),
                () -> cluster.delay(List.of(NODE), List.of(NODE), Duration.ZERO, FOREVER),
                () -> cluster.duplicate(1.1),
                () -> cluster.duplicate(Double.NaN),
                () -> cluster.reorder(-0.1),
                () -> cluster.node(NODE).slowSteps(Duration.ofNanos(-1)),
                () -> cluster.node(NODE).slowSteps(FOREVER),
                () -> cluster.sentinels().get(0).slowSteps(Duration.ofNanos(-1)),
                () -> cluster.node(NODE).clockJump(FOREVER),
                () -> cluster.node(NODE).clockJump(Duration.ofDays(-36_526)),
                () -> cluster.isOpen(NODE, STRANGER),
                () -> cluster.node(STRANGER),
                () -> cluster.sentinel(NODE),
                () -> cluster.primaryOf(new ShardId("shard-9")),
                () -> cluster.nodes(new ShardId("shard-9")),
                () -> cluster.timeline().lines(-1),
                () -> cluster.advance(Duration.ofNanos(-1)),
                () -> FaultSchedule.begin(cluster, 1, Duration.ZERO),
                () -> FaultSchedule.begin(cluster, 1, Duration.ofDays(36_526)),
                () -> FaultSchedule.begin(cluster, 1, FOREVER));
        int events = cluster.timeline().events().size();

        for (Executable fault : faults) {
            IllegalArgumentException refused = assertThrows(IllegalArgumentException.class, fault);
            assertTrue(refused.getMessage().contains("must"), refused::getMessage);
        }

        assertEquals(events, cluster.timeline().events().size());
        assertTrue(cluster.isOpen(NODE, new NodeId("node-1.2")));
        cluster.awaitReady(LIMIT);
    }

    @Test
    void whatIsMissingIsNamed() {
        List<Executable> calls = List.of(
                () -> cluster.await(null, LIMIT),
                () -> cluster.awaitEvent(null, LIMIT),
                () -> cluster.actor("nobody", null),
                () -> cluster.actor(null, () -> {}),
                () -> cluster.drop(null),
                () -> cluster.at(null, hit -> {}),
                () -> cluster.at(StopPoint.AFTER_VOTE, null),
                () -> cluster.onEvent(null),
                () -> cluster.onStartOrEnd(null),
                () -> cluster.failOver(null),
                () -> cluster.failOver(FIRST, null),
                () -> cluster.node(NODE).restartWith(null),
                () -> cluster.partition(null),
                () -> cluster.isolate((NodeId) null),
                () -> LocalCluster.start(null));
        for (Executable call : calls) {
            assertThrows(NullPointerException.class, call);
        }
        cluster.awaitReady(LIMIT);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aLimitMayBeForeverOrNothingAtAll(boolean virtual) {
        LocalClusterBuilder builder = LocalCluster.builder().shards(1);
        try (LocalCluster some = (virtual ? builder.virtualTime(1) : builder).start()) {
            some.awaitReady(FOREVER);
            assertTrue(some.await(() -> true, Duration.ZERO));
            assertTrue(some.await(() -> true, Duration.ofSeconds(-1)));
            assertFalse(some.await(() -> false, Duration.ZERO));
            some.runUntil(() -> true, FOREVER);
        }
    }

    @Test
    void theLatencyThatIsSetCountsInWhicheverOrderItIsSet() {
        try (LocalCluster before = LocalCluster.builder()
                        .shards(1)
                        .latency(Duration.ZERO, Duration.ZERO)
                        .virtualTime(1)
                        .start();
                LocalCluster after = LocalCluster.builder()
                        .shards(1)
                        .virtualTime(1)
                        .latency(Duration.ZERO, Duration.ZERO)
                        .start()) {
            before.awaitReady(LIMIT);
            after.awaitReady(LIMIT);

            assertEquals(after.timeline().toNdjson(), before.timeline().toNdjson());
        }
    }
}
