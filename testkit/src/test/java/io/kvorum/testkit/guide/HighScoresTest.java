package io.kvorum.testkit.guide;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kvorum.replication.Acknowledgement;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.LocalNode;
import io.kvorum.testkit.junit.KvorumCluster;
import java.time.Duration;
import org.junit.jupiter.api.Test;

@KvorumCluster(shards = 1, state = HighScores.class)
final class HighScoresTest {
    private static final ShardId SHARD = new ShardId("shard-1");
    private static final Duration LIMIT = Duration.ofSeconds(30);

    @Test
    void aScoreSurvivesItsPrimaryAndReachesANodeThatComesBackEmpty(LocalCluster cluster) {
        LocalNode first = cluster.primaryOf(SHARD);
        enter(first, "ada", 90);

        first.crash();
        cluster.awaitReady(LIMIT); // waits for the failover, in virtual time
        LocalNode second = cluster.primaryOf(SHARD);
        assertEquals(90, scores(second).best("ada"));
        enter(second, "ada", 120);

        first.restart(); // with a new, empty HighScores
        assertEquals(0, scores(first).best("ada"));
        cluster.awaitReady(LIMIT);
        assertEquals(120, scores(first).best("ada"));
    }

    private static HighScores scores(LocalNode node) {
        return node.state(HighScores.class);
    }

    /** Enters a score at a primary, and waits until a majority has it. */
    private static void enter(LocalNode primary, String player, int score) {
        LogPosition position = scores(primary).enter(player, score);
        primary.driver()
                .acknowledged(position, Acknowledgement.MAJORITY, LIMIT)
                .toCompletableFuture()
                .join(); // in virtual time, too
    }
}
