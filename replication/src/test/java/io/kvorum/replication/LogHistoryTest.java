package io.kvorum.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.kvorum.slots.topology.LogPosition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class LogHistoryTest {
    private static final LogHistory HISTORY =
            LogHistory.EMPTY.with(1, 0).with(3, 100).with(4, 250);

    @ParameterizedTest(name = "{0}:{1} -> {2}")
    @CsvSource({
        "0,   0, true", // the empty log is a prefix of every log
        "0,   1, false",
        "1,   0, false", // epoch 1 has no record before its first
        "1,   1, true",
        "1, 100, true",
        "1, 101, false", // more of epoch 1 than this log has
        "2,  50, false", // an epoch that this log never had
        "3, 100, false",
        "3, 101, true",
        "3, 250, true",
        "3, 251, false",
        "4, 250, false",
        "4, 251, true",
        "4, 300, true",
        "4, 301, false", // after the end
        "5, 300, false",
    })
    void containsThePrefixesOfItsLog(long epoch, long offset, boolean expected) {
        assertEquals(expected, HISTORY.contains(new LogPosition(epoch, offset), 300));
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "1, 1", "100, 1", "101, 3", "250, 3", "251, 4"})
    void knowsTheEpochOfTheLastRecordBeforeAnOffset(long offset, long epoch) {
        assertEquals(new LogPosition(epoch, offset), HISTORY.positionAt(offset));
    }

    @Test
    void findsWhereTwoLogsPart() {
        LogHistory same = LogHistory.EMPTY.with(1, 0).with(3, 100);
        LogHistory longer = LogHistory.EMPTY.with(1, 0).with(2, 80);
        LogHistory foreign = LogHistory.EMPTY.with(7, 0);

        assertEquals(250, HISTORY.commonPrefix(300, same, 280)); // same had 30 bytes more in epoch 3
        assertEquals(180, HISTORY.commonPrefix(300, same, 180));
        assertEquals(80, HISTORY.commonPrefix(300, longer, 500));
        assertEquals(0, HISTORY.commonPrefix(300, foreign, 500));
        assertEquals(300, HISTORY.commonPrefix(300, HISTORY, 300));
    }

    @Test
    void neitherEpochNorOffsetGoesBack() {
        assertThrows(IllegalArgumentException.class, () -> HISTORY.with(4, 300));
        assertThrows(IllegalArgumentException.class, () -> HISTORY.with(5, 249));
    }

    @Test
    void remembersABoundedNumberOfLeaderships() {
        LogHistory history = LogHistory.EMPTY;
        for (int epoch = 1; epoch <= LogHistory.MAX_LEADERSHIPS + 5; epoch++) {
            history = history.with(epoch, epoch * 10L);
        }

        assertEquals(LogHistory.MAX_LEADERSHIPS, history.leaderships().size());
        assertEquals(6, history.leaderships().get(0).epoch());
    }

    @Test
    void printsItsLeaderships() {
        assertEquals("1@0 3@100 4@250", HISTORY.toString());
    }
}
