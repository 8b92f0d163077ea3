package io.kvorum.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.failover.OperationFailedException;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.slots.topology.Shard;
import java.time.Duration;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("long")
final class FaultScheduleTest {
    private static final Duration LIMIT = Duration.ofMinutes(1);
    private static final Duration LENGTH = Duration.ofMinutes(2);

    private static LocalCluster ready(long seed, int shards, int replicas) {
        LocalCluster cluster = LocalCluster.builder()
                .shards(shards)
                .replicas(replicas)
                .timeout(Duration.ofSeconds(2))
                .virtualTime(seed)
                .start();
        cluster.awaitReady(LIMIT);
        return cluster;
    }

    /** Over many seeds every kind happens, no acknowledged write is lost, and the cluster is whole again. */
    @Test
    void whatAMajorityHasAcknowledgedSurvivesEverySeed() {
        Map<FaultKind, Integer> happened = new EnumMap<>(FaultKind.class);
        for (long seed = 1; seed <= 12; seed++) {
            try (LocalCluster cluster = ready(seed, 2, 2)) {
                FaultSchedule faults = FaultSchedule.begin(cluster, seed, LENGTH);
                Map<String, Integer> acknowledged = new HashMap<>();
                Map<String, Integer> tried = new HashMap<>();
                for (int i = 1; !faults.isOver(); i++) {
                    String key = "key-" + i % 20;
                    tried.put(key, i);
                    try {
                        cluster.client()
                                .set(key.getBytes(UTF_8), Integer.toString(i).getBytes(UTF_8));
                        acknowledged.put(key, i);
                    } catch (RefusedException | OutcomeUnknownException e) {
                        cluster.advance(Duration.ofMillis(100)); // as an application would
                    }
                    cluster.advance(Duration.ofMillis(50));
                    assertAMajorityHasData(cluster);
                }
                faults.finish(LIMIT);
                assertTrue(acknowledged.size() > 5, "seed " + seed + " must acknowledge something");
                acknowledged.forEach((key, least) -> {
                    int found = Integer.parseInt(new String(cluster.client().get(key.getBytes(UTF_8)), UTF_8));
                    assertTrue(
                            found >= least && found <= tried.getOrDefault(key, 0),
                            "seed " + cluster.seed() + ": " + key);
                });
                faults.faults().forEach(fault -> {
                    happened.merge(fault.kind(), 1, Integer::sum);
                    assertTrue(faults.kinds().contains(fault.kind()));
                });
            }
        }
        assertEquals(EnumSet.allOf(FaultKind.class), EnumSet.copyOf(happened.keySet()));
    }

    private static void assertAMajorityHasData(LocalCluster cluster) {
        for (Shard shard : cluster.topology().shards()) {
            long complete = cluster.nodes(shard.id()).stream()
                    .filter(node -> node.isRunning() && node.status().complete())
                    .count();
            assertTrue(complete >= 2, "seed " + cluster.seed() + ": a majority must have its data");
        }
    }

    /** A pause ends with the last of those that overlap. */
    @Test
    void aPauseLastsAsLongAsItSays() {
        int overlaps = 0;
        for (long seed = 1; seed <= 20; seed++) {
            try (LocalCluster cluster = ready(seed, 1, 1)) {
                FaultSchedule faults = FaultSchedule.begin(cluster, seed, LENGTH, FaultKind.PAUSE);
                Map<String, Duration> until = new HashMap<>();
                int seen = 0;
                while (!faults.isOver()) {
                    Duration now = Duration.ofNanos(cluster.scheduler().nanoTime());
                    for (FaultSchedule.Fault fault :
                            faults.faults().subList(seen, faults.faults().size())) {
                        String[] what = fault.what().split(" for ", -1);
                        Duration end = Duration.ofNanos(fault.at()).plus(Duration.parse(what[1]));
                        Duration before = until.getOrDefault(what[0], Duration.ZERO);
                        overlaps += before.compareTo(Duration.ofNanos(fault.at())) > 0 ? 1 : 0;
                        until.put(what[0], before.compareTo(end) > 0 ? before : end);
                        seen++;
                    }
                    for (LocalNode node : cluster.nodes()) {
                        if (until.getOrDefault(node.toString(), Duration.ZERO).compareTo(now) > 0) {
                            assertTrue(node.isPaused(), () -> "seed " + cluster.seed() + " at " + now + ": " + node);
                        }
                    }
                    cluster.advance(Duration.ofMillis(100));
                }
            }
        }
        assertTrue(overlaps > 10, "the pauses of " + overlaps + " nodes overlap");
    }

    @Test
    void theEndUndoesEverything() {
        for (FaultKind kind : EnumSet.complementOf(EnumSet.of(FaultKind.PLACED_CRASH))) {
            try (LocalCluster cluster = ready(7, 1, 2)) {
                long before = cluster.clock().millis();
                FaultSchedule faults = FaultSchedule.begin(cluster, 7, LENGTH, kind);
                cluster.runUntil(() -> faults.faults().size() >= 3, LENGTH);
                faults.end();
                faults.end();
                assertTrue(faults.isOver());
                int then = faults.faults().size();
                cluster.advance(Duration.ofSeconds(30));
                cluster.awaitReady(Duration.ZERO);
                assertEquals(then, faults.faults().size(), "none may happen after the end");
                byte[] key = "key".getBytes(UTF_8);
                cluster.client().set(key, key, Duration.ofSeconds(5));
                assertArrayEquals(key, cluster.client().get(key));
                assertTrue(cluster.clock().millis() > before);
                assertEquals(
                        Duration.ofSeconds(5).toSeconds(),
                        Math.round(
                                cluster.client().timeToLive(key).orElseThrow().toMillis() / 1000.0),
                        "clocks must be right again");
            }
        }
    }

    @Test
    void aPlacedCrashWaitsForItsStopPoint() {
        try (LocalCluster cluster = ready(7, 1, 2)) {
            FaultSchedule faults = FaultSchedule.begin(cluster, 7, LENGTH, FaultKind.PLACED_CRASH);
            while (faults.faults().isEmpty() && !faults.isOver()) {
                cluster.advance(Duration.ofSeconds(5));
                try {
                    cluster.failOver(cluster.topology().shards().get(0).id());
                } catch (OperationFailedException e) {
                    cluster.advance(Duration.ofSeconds(1)); // somebody has crashed meanwhile
                }
            }
            faults.finish(LIMIT);

            FaultSchedule.Fault fault = faults.faults().get(0);
            assertEquals(FaultKind.PLACED_CRASH, fault.kind());
            assertTrue(
                    Stream.of(StopPoint.values()).anyMatch(point -> fault.what().contains(" at " + point + " for ")),
                    fault::what);
        }
    }

    @Test
    void aShardWithoutAMajorityToSpareLosesNoNode() {
        try (LocalCluster cluster = ready(3, 1, 1)) {
            FaultSchedule faults = FaultSchedule.begin(cluster, 3, LENGTH, FaultKind.CRASH, FaultKind.RESTART);
            cluster.advance(LENGTH);
            assertTrue(faults.isOver());
            assertFalse(faults.faults().isEmpty(), "sentinels may crash");
            faults.faults().forEach(fault -> assertTrue(fault.what().startsWith("sentinel"), fault::what));
        }
    }

    @Test
    void aLengthMustBePositive() {
        try (LocalCluster cluster = ready(3, 1, 0)) {
            assertThrows(IllegalArgumentException.class, () -> FaultSchedule.begin(cluster, 1, Duration.ZERO));
        }
    }
}
