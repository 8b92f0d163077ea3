package io.kvorum.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class LocalClusterPriorityTest {
    private static final ShardId SHARD = new ShardId("shard-1");
    private static final Duration LIMIT = Duration.ofSeconds(10);

    @ParameterizedTest
    @ValueSource(strings = {"node-1.2", "node-1.3"})
    void theNodeOfTheLowestPriorityIsPromoted(String preferred) {
        NodeId node = new NodeId(preferred);
        try (LocalCluster cluster = LocalCluster.builder()
                .shards(1)
                .priority(node, 10)
                .virtualTime(3)
                .start()) {
            cluster.awaitReady(LIMIT);
            cluster.primaryOf(SHARD).crash();
            cluster.runUntil(() -> cluster.primaryOf(SHARD).isRunning(), LIMIT);

            assertEquals(node, cluster.primaryOf(SHARD).id());
            assertEquals(10, cluster.primaryOf(SHARD).status().priority());
        }
    }

    @Test
    void aNegativePriorityIsRefused() {
        LocalClusterBuilder builder = LocalCluster.builder();

        assertThrows(IllegalArgumentException.class, () -> builder.priority(new NodeId("node-1.1"), -1));
    }
}
