package io.kvorum.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.topology.Epoch;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Which rounds are counted and which are drawn. */
final class RoundsTest {
    private static final long COUNTED = Epoch.of(41, 7);
    private static final long DRAWN = Epoch.of(Rounds.FIRST_DRAWN + 41, 7);

    private final SplittableRandom random = new SplittableRandom(1);

    @Test
    void anAttemptWithAMajorityTakesTheNextRound() {
        assertEquals(Epoch.of(42, 3), Rounds.next(COUNTED, 3, random));
        assertEquals(Epoch.of(1, 3), Rounds.next(0, 3, random));
    }

    @Test
    void afterALossEveryRoundIsDrawn() {
        long one = Rounds.next(DRAWN, 3, random);
        long another = Rounds.next(DRAWN, 3, random);

        assertTrue(one > DRAWN && another > DRAWN);
        assertNotEquals(one, another);
    }

    @Test
    void whatRestsOnNoMajorityIsDrawnAboveAllThatWasPromised() {
        for (long promised : new long[] {0, COUNTED, DRAWN}) {
            long bootstrap = Rounds.first(promised, 3, random);
            long lossy = Rounds.lossy(promised, 3, random);

            assertTrue(bootstrap > promised && lossy > promised);
            assertNotEquals(bootstrap, Rounds.first(promised, 3, random));
            assertNotEquals(lossy, Rounds.lossy(promised, 3, random));
            assertTrue(Epoch.roundOf(lossy) >= Rounds.FIRST_DRAWN);
            assertEquals(3, Epoch.candidateOf(lossy));
        }
    }

    @Test
    void aBootstrapStaysFarBelowTheRoundsOfALoss() {
        for (int i = 0; i < 1_000; i++) {
            assertTrue(Epoch.roundOf(Rounds.first(COUNTED, 3, random)) < Rounds.FIRST_DRAWN / 128);
        }
    }
}
