package io.kvorum.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A replica that cannot be fed is left alone for longer each time, and never for longer than the suspension. */
final class RetryPauseTest {
    private static final Duration HALF_A_DAY = Duration.ofHours(12);
    private static final Duration DAY = Duration.ofDays(1);

    @ParameterizedTest
    @CsvSource({"2, 400", "3, 800", "5, 3200", "6, 30000", "7, 30000"})
    void theDefaultsDoubleUpToTheLastTry(int failures, long millis) {
        assertEquals(
                Duration.ofMillis(millis).toNanos(),
                ReplicationSettings.defaults().retryNanos(failures));
    }

    @ParameterizedTest
    @CsvSource({"1", "2", "17", "18", "19", "40", "63", "64", "100"})
    void theLongestHeartbeatsOverflowNothing(int failures) {
        ReplicationSettings settings = ReplicationSettings.defaults()
                .withSuspension(DAY)
                .withReplicaTimeout(DAY)
                .withHeartbeatInterval(HALF_A_DAY)
                .withMaxSyncTries(1_000);

        assertEquals(DAY.toNanos(), settings.retryNanos(failures));
    }
}
