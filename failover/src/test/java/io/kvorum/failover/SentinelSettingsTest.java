package io.kvorum.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class SentinelSettingsTest {
    private static final SentinelSettings DEFAULTS = SentinelSettings.defaults();

    private static Duration millis(long millis) {
        return Duration.ofMillis(millis);
    }

    static Stream<Arguments> contradictions() {
        return Stream.of(
                refused(s -> s.withQuorum(0), "quorum must be at least 1: 0"),
                refused(s -> s.withDownAfter(Duration.ZERO), "downAfter must be positive: PT0S"),
                refused(s -> s.withDownAfter(Duration.ofDays(2)), "downAfter must be at most a day: PT48H"),
                refused(s -> s.withPingPeriod(millis(501)), "2 x pingPeriod must be at most downAfter, PT1S: PT1.002S"),
                refused(s -> s.withAskPeriod(millis(1001)), "askPeriod must be at most downAfter, PT1S: PT1.001S"),
                refused(
                        s -> s.withElectionTimeout(millis(199)),
                        "2 x askPeriod must be at most electionTimeout, PT0.199S: PT0.2S"),
                refused(
                        s -> s.withElectionStep(millis(251)),
                        "electionStep must be at most electionTimeout, PT0.25S: PT0.251S"),
                refused(
                        s -> s.withResendPeriod(millis(126)),
                        "2 x resendPeriod must be at most electionTimeout, PT0.25S: PT0.252S"),
                refused(
                        s -> s.withPauseLimit(millis(99)),
                        "2 x resendPeriod must be at most pauseLimit, PT0.099S: PT0.1S"),
                refused(
                        s -> s.withFenceGrace(millis(1001)),
                        "fenceGrace must be at most attemptTimeout, PT1S: PT1.001S"),
                refused(
                        s -> s.withAttemptTimeout(millis(249)),
                        "electionTimeout must be at most attemptTimeout, PT0.249S: PT0.25S"),
                refused(
                        s -> s.withAttemptTimeout(millis(10_000)),
                        "2 x electionTimeout + 2 x attemptTimeout + pauseLimit must be at most operationTimeout, PT5S:"
                                + " PT21S"),
                refused(
                        s -> s.withReplaceTimeout(millis(4_999)),
                        "operationTimeout must be at most replaceTimeout, PT4.999S: PT5S"),
                refused(
                        s -> s.withFailoverDelayLimit(millis(-1)),
                        "failoverDelayLimit must not be negative: PT-0.001S"),
                refused(s -> s.withParallelSyncs(0), "parallelSyncs must be at least 1: 0"));
    }

    private static Arguments refused(UnaryOperator<SentinelSettings> change, String message) {
        return Arguments.of(change, message);
    }

    @ParameterizedTest
    @MethodSource("contradictions")
    void aContradictionIsRefusedWithBothValues(UnaryOperator<SentinelSettings> change, String message) {
        assertEquals(
                message,
                assertThrows(
                                IllegalArgumentException.class,
                                () -> change.apply(DEFAULTS).checked())
                        .getMessage());
    }

    /** Each step alone would contradict the values that are not set yet. */
    @Test
    void theOrderInWhichValuesAreSetDoesNotMatter() {
        SentinelSettings one = DEFAULTS.withDownAfter(millis(20))
                .withAttemptTimeout(millis(100))
                .withElectionTimeout(millis(40))
                .withPauseLimit(millis(50))
                .withResendPeriod(millis(10))
                .withElectionStep(millis(5));
        SentinelSettings another = DEFAULTS.withElectionStep(millis(5))
                .withResendPeriod(millis(10))
                .withPauseLimit(millis(50))
                .withElectionTimeout(millis(40))
                .withAttemptTimeout(millis(100))
                .withDownAfter(millis(20));

        assertEquals(one.checked().toString(), another.checked().toString());
    }

    @Test
    void aSentinelIsNotStartedWithAContradiction() {
        NodeId me = new NodeId("S1");
        SentinelSettings wrong = DEFAULTS.withQuorum(1).withPauseLimit(millis(99));

        assertThrows(
                IllegalArgumentException.class,
                () -> new Sentinel(
                        wrong, me, SentinelList.of(me), ClusterTopology.EMPTY, null, new SplittableRandom(1), 0));
    }

    @Test
    void theBoundariesThemselvesAreAllowed() {
        assertEquals(millis(500), DEFAULTS.withPingPeriod(millis(500)).checked().pingPeriod());
        assertEquals(
                millis(200), DEFAULTS.withElectionTimeout(millis(200)).checked().electionTimeout());
        assertEquals(millis(100), DEFAULTS.withPauseLimit(millis(100)).checked().pauseLimit());
    }

    @Test
    void thePeriodsOfDetectionFollowItsLimit() {
        SentinelSettings fast = DEFAULTS.withDownAfter(millis(200));

        assertEquals(millis(50), fast.pingPeriod());
        assertEquals(millis(20), fast.askPeriod());
        assertEquals(millis(100), fast.opinionLife());
        assertEquals(millis(100), fast.roleLimit());
        assertEquals(millis(1_600), fast.failoverDelayLimit());
        assertEquals(
                Duration.ofDays(1), DEFAULTS.withDownAfter(Duration.ofDays(1)).failoverDelayLimit());
        assertEquals(
                Duration.ofSeconds(1),
                DEFAULTS.withDownAfter(Duration.ofSeconds(30)).pingPeriod());
        assertEquals(millis(100), DEFAULTS.withDownAfter(Duration.ofSeconds(30)).askPeriod());
    }

    @Test
    void aPeriodThatIsSetStays() {
        assertEquals(
                millis(50),
                DEFAULTS.withPingPeriod(millis(50)).withDownAfter(millis(200)).pingPeriod());
        assertEquals(
                Duration.ZERO,
                DEFAULTS.withFailoverDelayLimit(Duration.ZERO)
                        .withDownAfter(millis(200))
                        .failoverDelayLimit());
    }
}
