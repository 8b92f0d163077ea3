package io.kvorum.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.kvorum.slots.topology.NodeId;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Some of the runs that {@link LossRuns} makes, and one that shows that it notices a loss. */
@Tag("long")
final class AcknowledgedWritesTest {
    @TempDir
    Path directory = Path.of("");

    @BeforeEach
    void requireServer() {
        assumeFalse(RealServer.executables().isEmpty(), "no server to test with");
    }

    /** Seeds with a primary that is cut off. */
    @Test
    void whatAMajorityHasConfirmedIsNotLost() {
        try (LossRuns runs = new LossRuns(directory, 1)) {
            for (long seed = 3; seed < 5; seed++) {
                LossRuns.Count count = runs.run(seed);

                assertEquals(List.of(), count.lost(), "seed " + seed);
                assertTrue(count.acknowledged() > 0, "seed " + seed);
            }
        }
    }

    @Test
    void whatOnlyAPrimaryThatWasCutOffHasConfirmedIsLost() {
        try (LossRuns runs = new LossRuns(directory, 0)) {
            RedisShard shard = runs.shard();
            NodeId before = shard.primary();
            NodeId other = shard.replicas().get(0);
            LossRuns.Count count = runs.run("cut:", () -> {
                shard.machines().isolate(before);
                RealServers.await(
                        "another one is announced",
                        () -> !before.equals(shard.sentinelAt(other).topology().primaryOf(0)));
                shard.machines().join(before);
            });

            assertFalse(count.lost().isEmpty());
        }
    }
}
