package io.kvorum.testkit.junit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.KeyValueStore;
import io.kvorum.testkit.FaultKind;
import io.kvorum.testkit.FaultSchedule;
import io.kvorum.testkit.LocalCluster;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SimulatedSeedTest {
    private static final byte[] KEY = "key".getBytes(UTF_8);
    private static final List<Long> SEEDS = new ArrayList<>();
    private static final List<String> TOLD = new ArrayList<>();

    @TempDir
    private Path reports;

    @BeforeEach
    void forget() {
        SEEDS.clear();
        TOLD.clear();
    }

    private Runs run(Class<?> tests, String... more) {
        List<String> parameters = new ArrayList<>(List.of("kvorum.reports", reports.toString()));
        parameters.addAll(List.of(more));
        return Runs.of(tests, parameters.toArray(String[]::new));
    }

    @KvorumCluster(shards = 1)
    static final class Small {
        private final LocalCluster fromConstructor;

        Small(LocalCluster cluster) {
            fromConstructor = cluster;
        }

        @SimulationTest(seeds = 3, first = 10, virtual = "20s")
        void runs(LocalCluster cluster, KeyValueStore store, FaultSchedule faults) {
            assertEquals(fromConstructor, cluster);
            SEEDS.add(cluster.seed());
            assertFalse(faults.isOver());
            var unused = cluster.actor("ends later", () -> {
                cluster.advance(Duration.ofSeconds(19));
                TOLD.add("ran on");
            });
        }

        @AfterEach
        void isWhole(LocalCluster cluster) {
            cluster.awaitReady(Duration.ZERO);
            TOLD.add("whole");
        }
    }

    @Test
    void eachSeedIsOneRunOnAClusterThatIsWholeAgainAtTheEnd() {
        Runs runs = run(Small.class);

        assertEquals(Map.of(), runs.failed());
        assertEquals(List.of("seed 10", "seed 11", "seed 12"), runs.succeeded());
        assertEquals(List.of(10L, 11L, 12L), SEEDS);
        assertEquals(List.of("ran on", "whole", "ran on", "whole", "ran on", "whole"), TOLD);
    }

    @Test
    void aParameterReplaysOneSeedOrRunsMany() {
        assertEquals(List.of("seed 77"), run(Small.class, "kvorum.seed", "77").succeeded());
        assertEquals(5, run(Small.class, "kvorum.seeds", "5").succeeded().size());
    }

    static final class Failing {
        @SimulationTest(seeds = 2, virtual = "30s", faults = FaultKind.CRASH)
        void fails(LocalCluster cluster, FaultSchedule faults) {
            cluster.runUntil(() -> !faults.faults().isEmpty(), Duration.ofMinutes(1));
            var unused = cluster.actor("actor", () -> {
                throw new IOException("of an actor, seed " + cluster.seed());
            });
        }
    }

    @Test
    void aFailureTellsTheSeedAndTheFaults() {
        Runs runs = run(Failing.class);

        assertEquals(Set.of("seed 1", "seed 2"), runs.failed().keySet());
        Throwable failure = runs.failed().get("seed 2");
        assertNotNull(failure);
        assertEquals("of an actor, seed 2", failure.getMessage());
        String told = String.valueOf(failure.getSuppressed()[0].getMessage());
        assertTrue(told.contains("#fails' -Dkvorum.seed=2"), told);
        assertTrue(told.contains(" crash ["), told);
    }

    @KvorumCluster(shards = 1, timeout = "30s")
    static final class Same {
        @SimulationTest(seeds = 1, virtual = "1m")
        void tells(LocalCluster cluster, FaultSchedule faults) {
            List<String> told = new ArrayList<>();
            cluster.onEvent(event -> told.add(event.toString()));
            for (int i = 0; i < 50; i++) {
                cluster.client().set(KEY, new byte[i]);
                cluster.advance(Duration.ofSeconds(1));
            }
            faults.finish(Duration.ofMinutes(1));
            TOLD.add(faults.faults() + " " + told);
        }
    }

    @Test
    void theSameSeedIsTheSameRun() {
        run(Same.class, "kvorum.seed", "4");
        run(Same.class, "kvorum.seed", "4");
        run(Same.class, "kvorum.seed", "5");
        assertEquals(3, TOLD.size());
        assertEquals(TOLD.get(0), TOLD.get(1));
        assertFalse(TOLD.get(0).equals(TOLD.get(2)));
    }
}
