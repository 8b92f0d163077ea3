package io.kvorum.failover;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;

final class DeadlineDetectorTest {
    private static final Duration DOWN_AFTER = Duration.ofSeconds(1);
    private static final long LIMIT = DOWN_AFTER.toNanos();

    private final DeadlineDetector detector = new DeadlineDetector(DOWN_AFTER, 0);

    @Test
    void silenceShorterThanTheLimitIsUp() {
        assertFalse(detector.isDown(LIMIT - 1));
    }

    @Test
    void silenceAsLongAsTheLimitIsDown() {
        assertTrue(detector.isDown(LIMIT));
    }

    @Test
    void aSignOfLifeStartsTheSilenceAnew() {
        detector.heard(10);

        assertFalse(detector.isDown(LIMIT + 9));
        assertTrue(detector.isDown(LIMIT + 10));
    }

    @Test
    void aNodeThatIsHeardAgainIsUp() {
        assertTrue(detector.isDown(5 * LIMIT));
        detector.heard(5 * LIMIT);

        assertFalse(detector.isDown(5 * LIMIT));
    }

    @Test
    void theObserversOwnLatenessIsNoSilence() {
        detector.observerWasLate(3 * LIMIT);

        assertFalse(detector.isDown(4 * LIMIT - 1));
        assertTrue(detector.isDown(4 * LIMIT));
    }

    /** Many late steps in a row hide no more of the silence than two of the longest. */
    @Test
    void anObserverThatIsAlwaysLateStillNotices() {
        for (int i = 0; i < 10; i++) {
            detector.observerWasLate(i == 4 ? LIMIT / 5 : LIMIT / 10);
        }

        assertFalse(detector.isDown(LIMIT + 2 * LIMIT / 5 - 1));
        assertTrue(detector.isDown(LIMIT + 2 * LIMIT / 5));
    }

    @Test
    void aSignOfLifeEndsTheLateness() {
        detector.observerWasLate(3 * LIMIT);
        detector.heard(3 * LIMIT);

        assertTrue(detector.isDown(4 * LIMIT));
    }

    @Test
    void theClockMayWrap() {
        long start = Long.MAX_VALUE - 5;
        DeadlineDetector late = new DeadlineDetector(DOWN_AFTER, start);

        assertFalse(late.isDown(start + LIMIT - 1));
        assertTrue(late.isDown(start + LIMIT));
    }

    @Test
    void theLimitMustBePositive() {
        assertThrows(IllegalArgumentException.class, () -> new DeadlineDetector(Duration.ZERO, 0));
    }
}
