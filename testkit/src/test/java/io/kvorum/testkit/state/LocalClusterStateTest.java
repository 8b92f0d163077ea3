package io.kvorum.testkit.state;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.failover.SentinelSettings;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.replication.ReplicatedState;
import io.kvorum.replication.ReplicationEvent;
import io.kvorum.replication.Restoration;
import io.kvorum.replication.SnapshotScan;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.testkit.ClusterEvent;
import io.kvorum.testkit.FaultSchedule;
import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.LocalClusterBuilder;
import io.kvorum.testkit.LocalNode;
import io.kvorum.testkit.Simulation;
import io.kvorum.testkit.SimulationBuilder;
import io.kvorum.testkit.SimulationCheck;
import io.kvorum.testkit.SimulationResult;
import io.kvorum.testkit.guide.HighScores;
import io.netty.buffer.ByteBuf;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/** A cluster whose nodes replicate a state of the test's. */
final class LocalClusterStateTest {
    private static final ShardId FIRST = new ShardId("shard-1");
    /** Each wait ends as soon as its condition holds; this is only for failures, and for machines that are busy. */
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private static LocalCluster started(LocalClusterBuilder builder) {
        LocalCluster cluster = builder.shards(1).state(HighScores::new).start();
        cluster.awaitReady(LIMIT);
        return cluster;
    }

    private static LocalCluster virtual(long seed) {
        return started(LocalCluster.builder().virtualTime(seed));
    }

    private static HighScores scores(LocalNode node) {
        return node.state(HighScores.class);
    }

    /** Enters a score, and waits until a majority has it. */
    private static void enter(LocalNode node, String player, int score) {
        LogPosition position = scores(node).enter(player, score);
        try {
            node.driver()
                    .acknowledged(position, Acknowledgement.MAJORITY, PATIENCE)
                    .toCompletableFuture()
                    .join();
        } catch (CompletionException e) {
            throw (RuntimeException) e.getCause();
        }
    }

    private static boolean happened(LocalCluster cluster, Predicate<ReplicationEvent> wanted) {
        return cluster.timeline().events().stream()
                .anyMatch(event -> event instanceof ClusterEvent.OfNode node && wanted.test(node.event()));
    }

    @Test
    void itIsReplicatedAndAReplicaRefusesToChangeIt() {
        try (LocalCluster cluster = virtual(1)) {
            LocalNode primary = cluster.primaryOf(FIRST);
            enter(primary, "ada", 90);
            cluster.awaitReady(LIMIT);

            for (LocalNode node : cluster.nodes()) {
                assertEquals(90, scores(node).best("ada"), node.toString());
                if (node != primary) {
                    assertThrows(RefusedException.class, () -> scores(node).enter("ada", 100));
                    assertEquals(90, scores(node).best("ada"));
                }
            }
        }
    }

    @Test
    void itSurvivesACrashAndANodeThatIsRestartedHasANewOneThatAFullSyncFills() {
        try (LocalCluster cluster = virtual(2)) {
            LocalNode crashed = cluster.primaryOf(FIRST);
            for (int i = 1; i <= 1_000; i++) {
                enter(crashed, "player-" + i, i);
            }
            HighScores before = scores(crashed);
            crashed.crash();
            assertThrows(IllegalStateException.class, () -> scores(crashed));
            assertThrows(IllegalStateException.class, crashed::driver);
            assertThrows(RefusedException.class, () -> before.enter("ada", 1)); // as by a process that is gone
            cluster.awaitReady(LIMIT);
            assertNotEquals(crashed, cluster.primaryOf(FIRST));
            assertEquals(1_000, scores(cluster.primaryOf(FIRST)).best("player-1000"));

            crashed.restart();

            assertNotSame(before, scores(crashed));
            assertEquals(0, scores(crashed).best("player-1000"));
            cluster.awaitReady(LIMIT);
            for (int i = 1; i <= 1_000; i++) {
                assertEquals(i, scores(crashed).best("player-" + i));
            }
            cluster.runUntil(
                    () -> happened(
                            cluster,
                            event -> event instanceof ReplicationEvent.FullSyncCompleted
                                    && event.node().equals(crashed.id())),
                    LIMIT);
        }
    }

    @Test
    void whatAnIsolatedPrimaryTookIsNotAcknowledgedAndGone() {
        try (LocalCluster cluster = virtual(3)) {
            LocalNode isolated = cluster.primaryOf(FIRST);
            enter(isolated, "ada", 90);
            isolated.isolate();

            assertEquals(SlotSet.ALL, cluster.uncovered());
            assertThrows(OutcomeUnknownException.class, () -> enter(isolated, "ada", 200));

            cluster.runUntil(() -> cluster.primaryOf(FIRST) != isolated, LIMIT);
            enter(cluster.primaryOf(FIRST), "bob", 50);
            cluster.heal();
            cluster.awaitReady(LIMIT);
            assertEquals(90, scores(isolated).best("ada"));
            assertEquals(50, scores(isolated).best("bob"));
            assertEquals(SlotSet.EMPTY, cluster.uncovered());
        }
    }

    @Test
    void aFailoverInGoodOrderLosesNothing() {
        try (LocalCluster cluster = virtual(4)) {
            LocalNode before = cluster.primaryOf(FIRST);
            enter(before, "ada", 90);

            LocalNode after = cluster.failOver(FIRST);

            assertNotEquals(before, after);
            enter(after, "ada", 100);
            cluster.awaitReady(LIMIT);
            assertEquals(100, scores(before).best("ada"));
        }
    }

    @Test
    void itRunsInRealTimeToo() {
        SentinelSettings quick = SentinelSettings.defaults()
                .withPingPeriod(Duration.ofMillis(20))
                .withDownAfter(Duration.ofSeconds(1));
        try (LocalCluster cluster = started(LocalCluster.builder().failover(quick))) {
            enter(cluster.primaryOf(FIRST), "ada", 90);
            cluster.primaryOf(FIRST).crash();
            cluster.awaitReady(LIMIT);
            assertEquals(90, scores(cluster.primaryOf(FIRST)).best("ada"));
        }
    }

    // ---- under drawn faults

    /** Players enter ever better scores while things go wrong; returns all that happened, and what was confirmed. */
    private static List<String> play(LocalCluster cluster, long seed) {
        List<String> told = new ArrayList<>();
        cluster.onEvent(event -> told.add(event.toString()));
        FaultSchedule faults = FaultSchedule.begin(cluster, seed, Duration.ofMinutes(1));
        Map<String, Integer> confirmed = new TreeMap<>();
        List<CompletionStage<?>> players = new ArrayList<>();
        for (String player : List.of("ada", "bob")) {
            players.add(cluster.actor(player, () -> {
                for (int score = 1; !faults.isOver(); score++) {
                    try {
                        enter(cluster.primaryOf(FIRST), player, score);
                        confirmed.put(player, score);
                    } catch (RefusedException | OutcomeUnknownException | IllegalStateException e) {
                        told.add(player + " is told " + e); // later, with a better score
                    }
                    cluster.advance(Duration.ofMillis(200));
                }
            }));
        }
        players.forEach(player -> player.toCompletableFuture().join());
        faults.finish(LIMIT);
        confirmed.forEach((player, score) -> cluster.nodes().forEach(node -> {
            int best = scores(node).best(player);
            assertTrue(best >= score, () -> node + " has " + best + " for " + player + ", confirmed was " + score);
        }));
        told.add("confirmed " + confirmed);
        return told;
    }

    @Test
    void whatIsConfirmedUnderDrawnFaultsIsThereAndTheSameSeedIsTheSameRun() {
        List<String> story;
        try (LocalCluster cluster = virtual(5)) {
            story = play(cluster, 5);
            assertTrue(story.stream().anyMatch(line -> line.contains("Promoted")), "no failover");
        }
        try (LocalCluster cluster = virtual(5)) {
            assertEquals(story, play(cluster, 5));
        }
        try (LocalCluster cluster = virtual(6)) {
            assertNotEquals(story, play(cluster, 6));
        }
    }

    @Test
    void aSimulationLeavesOutTheChecksThatNeedAStore() {
        SimulationBuilder<LocalCluster> simulation = Simulation.of(cluster -> cluster)
                .cluster((cluster, random) -> cluster.shards(1).state(HighScores::new))
                .length(Duration.ofSeconds(10))
                .workload("ada", run -> {
                    for (int score = 1; !run.isOver(); score++) {
                        try {
                            enter(run.cluster().primaryOf(FIRST), "ada", score);
                        } catch (RefusedException | OutcomeUnknownException | IllegalStateException e) {
                            run.sleep(Duration.ofMillis(500));
                        }
                        run.sleep(Duration.ofMillis(100));
                    }
                })
                .check("nodes are equal", run -> {
                    int best = scores(run.cluster().primaryOf(FIRST)).best("ada");
                    assertTrue(best > 0);
                    run.cluster()
                            .nodes()
                            .forEach(node -> assertEquals(best, scores(node).best("ada")));
                });
        SimulationResult refused = simulation.build().run(1, 1);
        assertEquals(
                SimulationCheck.EQUAL_DATA.name(),
                requireNonNull(refused.failure()).violated());

        simulation
                .without(SimulationCheck.EQUAL_DATA, SimulationCheck.NOTHING_LOST)
                .build()
                .run(1, 3)
                .orThrow();
    }

    /** Fails at a record as long as it is told to. */
    private record Failing(HighScores scores, AtomicBoolean told) implements ReplicatedState {
        @Override
        public void apply(int slot, ByteBuf payload) {
            if (told.get()) {
                throw new IllegalStateException("the state is told to fail");
            }
            scores.apply(slot, payload);
        }

        @Override
        public SnapshotScan snapshot() {
            return scores.snapshot();
        }

        @Override
        public Restoration restore() {
            return scores.restore();
        }
    }

    @Test
    void whatItThrowsIsToldAndAFullSyncMendsIt() {
        AtomicBoolean told = new AtomicBoolean();
        try (LocalCluster cluster = LocalCluster.builder()
                .shards(1)
                .state(log -> new Failing(new HighScores(log), told))
                .virtualTime(9)
                .start()) {
            cluster.awaitReady(LIMIT);
            told.set(true);
            cluster.primaryOf(FIRST).state(Failing.class).scores().enter("ada", 90);

            cluster.awaitEvent(
                    event -> event instanceof ClusterEvent.OfNode of
                            && of.event() instanceof ReplicationEvent.RecordNotApplied failed
                            && failed.reason().contains("the state is told to fail"),
                    LIMIT);
            told.set(false);
            cluster.awaitReady(LIMIT);
            cluster.nodes()
                    .forEach(node ->
                            assertEquals(90, node.state(Failing.class).scores().best("ada")));
        }
    }

    private interface OtherState extends ReplicatedState {}

    // ---- what is not there, and what is not shared

    @Test
    void whatNeedsAStoreIsRefusedWithTheReason() {
        try (LocalCluster cluster = virtual(7)) {
            LocalNode node = cluster.nodes().get(0);
            String reason = "node must have a key-value store: node-1.1 has a state of its owner's, "
                    + HighScores.class.getName();
            assertEquals(
                    reason,
                    assertThrows(IllegalStateException.class, node::store).getMessage());
            assertEquals(
                    reason,
                    assertThrows(IllegalStateException.class, node::size).getMessage());
            assertEquals(
                    reason,
                    assertThrows(IllegalStateException.class, node::digest).getMessage());
            assertEquals(
                    "nodes must have a key-value store for a client: those of " + cluster
                            + " have a state of the test's",
                    assertThrows(IllegalStateException.class, cluster::client).getMessage());
            assertThrows(IllegalStateException.class, cluster::clusterClient);
            assertEquals(
                    "node must have a " + OtherState.class.getName() + ": node-1.1 has " + HighScores.class.getName(),
                    assertThrows(IllegalStateException.class, () -> node.state(OtherState.class))
                            .getMessage());
        }
        try (LocalCluster cluster = LocalCluster.builder().virtualTime(7).start()) {
            assertEquals(
                    "node must have a " + HighScores.class.getName() + ": node-1.1 has a key-value store",
                    assertThrows(
                                    IllegalStateException.class,
                                    () -> scores(cluster.nodes().get(0)))
                            .getMessage());
        }
    }

    @Test
    void twoClustersBesideEachOtherShareNothing() {
        try (LocalCluster one = virtual(8);
                LocalCluster other = virtual(8)) {
            enter(one.primaryOf(FIRST), "ada", 90);
            enter(other.primaryOf(FIRST), "ada", 10);
            one.primaryOf(FIRST).crash();
            one.awaitReady(LIMIT);
            other.awaitReady(LIMIT);

            one.nodes().stream()
                    .filter(LocalNode::isRunning)
                    .forEach(node -> assertEquals(90, scores(node).best("ada")));
            other.nodes().forEach(node -> assertEquals(10, scores(node).best("ada")));
            assertFalse(happened(
                    other,
                    event -> event instanceof ReplicationEvent.Promoted promoted
                            && !promoted.node().equals(other.nodes().get(0).id())));
        }
    }
}
