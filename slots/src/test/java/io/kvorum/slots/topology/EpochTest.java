package io.kvorum.slots.topology;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.MalformedTextException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class EpochTest {
    @ParameterizedTest
    @CsvSource({
        "0, 0, 0, 0.0",
        "0, 1, 1, 0.1",
        "1, 0, 1024, 1.0",
        "7, 2, 7170, 7.2",
        "7, 1023, 8191, 7.1023",
        "4503599627370496, 1023, 4611686018427388927, 4503599627370496.1023"
    })
    void epochHoldsRoundAndCandidate(long round, int candidate, long epoch, String text) {
        assertEquals(epoch, Epoch.of(round, candidate));
        assertEquals(round, Epoch.roundOf(epoch));
        assertEquals(candidate, Epoch.candidateOf(epoch));
        assertEquals(epoch, Epoch.check(epoch));
        assertEquals(text, Epoch.toString(epoch));
        assertEquals(epoch, Epoch.parse(text));
    }

    @ParameterizedTest
    @CsvSource({
        "-1, 0, round must be between 0 and 4503599627370496: -1",
        "4503599627370497, 0, round must be between 0 and 4503599627370496: 4503599627370497",
        "0, -1, candidate must be between 0 and 1023: -1",
        "0, 1024, candidate must be between 0 and 1023: 1024"
    })
    void roundAndCandidateMustBeInRange(long round, int candidate, String message) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> Epoch.of(round, candidate));

        assertEquals(message, e.getMessage());
    }

    @Test
    void laterRoundIsHigherWhicheverTheCandidate() {
        assertTrue(Epoch.of(2, 0) > Epoch.of(1, 1023));
        assertTrue(Epoch.of(1, 2) > Epoch.of(1, 1));
    }

    @Test
    void nextEpochIsInTheNextRound() {
        assertEquals(Epoch.of(1, 3), Epoch.next(0, 3));
        assertEquals(Epoch.of(8, 3), Epoch.next(Epoch.of(7, 1023), 3));
        assertEquals(Epoch.of(Epoch.MAX_ROUND, 0), Epoch.next(Epoch.of(Epoch.MAX_ROUND - 1, 1), 0));
        assertThrows(IllegalArgumentException.class, () -> Epoch.next(Epoch.of(Epoch.MAX_ROUND, 1), 1));
        assertThrows(IllegalArgumentException.class, () -> Epoch.next(0, 1024));
    }

    @Test
    void numberOutOfRangeIsNoEpoch() {
        IllegalArgumentException low = assertThrows(IllegalArgumentException.class, () -> Epoch.roundOf(-1));
        IllegalArgumentException high =
                assertThrows(IllegalArgumentException.class, () -> Epoch.candidateOf(Long.MAX_VALUE));

        assertEquals("epoch must be at least 0: -1", low.getMessage());
        assertEquals("round must be at most 4503599627370496: 9007199254740991.1023", high.getMessage());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'' | 0 | epoch must have the form round.candidate:",
                "7 | 1 | epoch must have the form round.candidate: 7",
                ".2 | 0 | round must have at least one digit",
                "7. | 2 | candidate must have at least one digit",
                "-7.2 | 0 | round must have only decimal digits",
                "7.2.3 | 3 | candidate must have only decimal digits",
                "7.1024 | 2 | candidate must be at most 1023",
                "7.99999999999999999999999 | 2 | candidate must be at most 1023",
                "4503599627370497.0 | 0 | round must be at most 4503599627370496"
            })
    void malformedEpochIsRefused(String text, int position, String rule) {
        MalformedTextException e = assertThrows(MalformedTextException.class, () -> Epoch.parse(text));

        assertEquals(rule, e.rule().strip());
        assertEquals(position, e.position());
    }
}
