package io.kvorum.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.failover.SentinelState.ShardMemory;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class BallotTest {
    private static final ShardId SHARD = new ShardId("shard");
    private static final NodeId ALICE = new NodeId("alice");
    private static final NodeId BOB = new NodeId("bob");

    /** It knows the configuration of epoch 3, gave its vote in epoch 5 to alice, and has heard of epoch 6. */
    private final Ballot ballot = new Ballot(new ShardMemory(configuration(3), 6, 5, ALICE));

    @ParameterizedTest
    @CsvSource({
        "alice, 7, 3, yes",
        "alice, 6, 3, yes",
        "alice, 5, 3, yes", // the vote it has already
        "bob, 5, 3, ALREADY_VOTED",
        "bob, 6, 3, yes",
        "bob, 7, 3, yes",
        "alice, 4, 3, STALE_EPOCH",
        "alice, 3, 3, STALE_EPOCH",
        "bob, 7, 2, STALE_CONFIGURATION",
        "alice, 5, 2, STALE_CONFIGURATION",
        "bob, 7, 4, yes",
    })
    void aVoteIsGivenOncePerEpoch(String candidate, long epoch, long configuration, String answer) {
        var refusal = ballot.refusal(new NodeId(candidate), epoch, configuration(configuration));

        assertEquals(answer, refusal == null ? "yes" : refusal.name());
    }

    @Test
    void anEpochBelowOneHeardOfIsStale() {
        ballot.hear(9);

        assertEquals(SentinelMessage.Refusal.STALE_EPOCH, ballot.refusal(BOB, 8, configuration(3)));
        assertEquals(null, ballot.refusal(BOB, 9, configuration(3)));
    }

    @Test
    void nothingEverGoesBack() {
        ballot.hear(1);
        assertEquals(6, ballot.highest());
        assertThrows(IllegalStateException.class, () -> ballot.vote(BOB, 5));
        assertThrows(IllegalArgumentException.class, () -> ballot.adopt(configuration(3)));
        assertThrows(IllegalArgumentException.class, () -> ballot.adopt(configuration(2)));
    }

    @Test
    void eachChangeIsToBeSaved() {
        assertFalse(ballot.takeChanged());
        ballot.hear(7);
        assertTrue(ballot.takeChanged());
        ballot.vote(BOB, 8);
        assertTrue(ballot.takeChanged());
        ballot.adopt(configuration(8));
        assertTrue(ballot.takeChanged());
        ballot.hear(8);
        assertFalse(ballot.takeChanged());
        assertEquals(new ShardMemory(configuration(8), 8, 8, BOB), ballot.memory());
    }

    private static Configuration configuration(long epoch) {
        return new Configuration(SHARD, epoch, new NodeId("a"));
    }
}
