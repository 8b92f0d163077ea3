package io.kvorum.failover;

import java.time.Duration;
import java.util.Objects;

/**
 * How a sentinel works. All sentinels of a cluster should have the same.
 *
 * <p>Immutable.
 *
 * @param quorum how many sentinels must hold a primary down before it is failed over; at least 1, at most all
 * @param tickPeriod how often the owner calls the sentinel for time. A sentinel that is called later than that takes
 *     itself to have been paused, and doesn't count that time as a node's silence; positive
 * @param pingPeriod how often every node is asked to describe itself; positive
 * @param askPeriod how often sentinels tell each other their opinions; an opinion older than five periods doesn't
 *     count; positive
 * @param downAfter the silence after which a node is held down; positive
 * @param roleLimit how long a primary may say that it isn't one, before it is held down; positive
 * @param electionJitter the longest random delay before an election, which keeps candidates apart; at least 0
 * @param electionTimeout how long a candidate waits for votes, and a voter for the sentinel it has voted for; positive
 * @param resendPeriod how often an unanswered request of a failover is repeated; positive
 * @param fenceGrace how long a leader that can go on waits for the promises of the other nodes; at least 0
 * @param attemptTimeout how long a leader may take from its election to the promotion; positive
 * @param pauseLimit how long a switchover may hold writes back; positive
 * @param repairDelay how long a node may follow the wrong primary before any sentinel corrects it; at least 0
 * @param abstention how long a sentinel without its state gives no votes; at least 0
 * @param parallelSyncs how many replicas are re-pointed at the same time; at least 1
 * @param allowLossyFailover whether a primary may be replaced when fewer than a majority of the shard's nodes can be
 *     asked for their logs, so that writes acknowledged by a majority may be lost
 * @param detector makes the failure detectors
 */
public record SentinelSettings(
        int quorum,
        Duration tickPeriod,
        Duration pingPeriod,
        Duration askPeriod,
        Duration downAfter,
        Duration roleLimit,
        Duration electionJitter,
        Duration electionTimeout,
        Duration resendPeriod,
        Duration fenceGrace,
        Duration attemptTimeout,
        Duration pauseLimit,
        Duration repairDelay,
        Duration abstention,
        int parallelSyncs,
        boolean allowLossyFailover,
        FailureDetector.Factory detector) {
    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if a value is out of its range
     */
    public SentinelSettings {
        checkAtLeastOne("quorum", quorum);
        checkPositive("tickPeriod", tickPeriod);
        checkPositive("pingPeriod", pingPeriod);
        checkPositive("askPeriod", askPeriod);
        checkPositive("downAfter", downAfter);
        checkPositive("roleLimit", roleLimit);
        checkNotNegative("electionJitter", electionJitter);
        checkPositive("electionTimeout", electionTimeout);
        checkPositive("resendPeriod", resendPeriod);
        checkNotNegative("fenceGrace", fenceGrace);
        checkPositive("attemptTimeout", attemptTimeout);
        checkPositive("pauseLimit", pauseLimit);
        checkNotNegative("repairDelay", repairDelay);
        checkNotNegative("abstention", abstention);
        checkAtLeastOne("parallelSyncs", parallelSyncs);
        Objects.requireNonNull(detector, "detector");
    }

    /**
     * {@return settings for sentinels and nodes in one process or on a fast network: a quorum of 2, down after a second
     * of silence, and a failover in some tenths of a second after that}
     */
    public static SentinelSettings defaults() {
        return new SentinelSettings(
                2,
                Duration.ofMillis(10),
                Duration.ofMillis(100),
                Duration.ofMillis(100),
                Duration.ofSeconds(1),
                Duration.ofMillis(500),
                Duration.ofMillis(50),
                Duration.ofMillis(250),
                Duration.ofMillis(50),
                Duration.ofMillis(100),
                Duration.ofSeconds(1),
                Duration.ofMillis(500),
                Duration.ofSeconds(1),
                Duration.ofSeconds(2),
                1,
                false,
                DeadlineDetector::new);
    }

    /** {@return these settings with another quorum} */
    public SentinelSettings withQuorum(int quorum) {
        return new SentinelSettings(
                quorum,
                tickPeriod,
                pingPeriod,
                askPeriod,
                downAfter,
                roleLimit,
                electionJitter,
                electionTimeout,
                resendPeriod,
                fenceGrace,
                attemptTimeout,
                pauseLimit,
                repairDelay,
                abstention,
                parallelSyncs,
                allowLossyFailover,
                detector);
    }

    /** {@return these settings with another tickPeriod} */
    public SentinelSettings withTickPeriod(Duration tickPeriod) {
        return new SentinelSettings(
                quorum,
                tickPeriod,
                pingPeriod,
                askPeriod,
                downAfter,
                roleLimit,
                electionJitter,
                electionTimeout,
                resendPeriod,
                fenceGrace,
                attemptTimeout,
                pauseLimit,
                repairDelay,
                abstention,
                parallelSyncs,
                allowLossyFailover,
                detector);
    }

    /** {@return these settings with another pingPeriod} */
    public SentinelSettings withPingPeriod(Duration pingPeriod) {
        return new SentinelSettings(
                quorum,
                tickPeriod,
                pingPeriod,
                askPeriod,
                downAfter,
                roleLimit,
                electionJitter,
                electionTimeout,
                resendPeriod,
                fenceGrace,
                attemptTimeout,
                pauseLimit,
                repairDelay,
                abstention,
                parallelSyncs,
                allowLossyFailover,
                detector);
    }

    /** {@return these settings with another askPeriod} */
    public SentinelSettings withAskPeriod(Duration askPeriod) {
        return new SentinelSettings(
                quorum,
                tickPeriod,
                pingPeriod,
                askPeriod,
                downAfter,
                roleLimit,
                electionJitter,
                electionTimeout,
                resendPeriod,
                fenceGrace,
                attemptTimeout,
                pauseLimit,
                repairDelay,
                abstention,
                parallelSyncs,
                allowLossyFailover,
                detector);
    }

    /** {@return these settings with another downAfter} */
    public SentinelSettings withDownAfter(Duration downAfter) {
        return new SentinelSettings(
                quorum,
                tickPeriod,
                pingPeriod,
                askPeriod,
                downAfter,
                roleLimit,
                electionJitter,
                electionTimeout,
                resendPeriod,
                fenceGrace,
                attemptTimeout,
                pauseLimit,
                repairDelay,
                abstention,
                parallelSyncs,
                allowLossyFailover,
                detector);
    }

    /** {@return these settings with another roleLimit} */
    public SentinelSettings withRoleLimit(Duration roleLimit) {
        return new SentinelSettings(
                quorum,
                tickPeriod,
                pingPeriod,
                askPeriod,
                downAfter,
                roleLimit,
                electionJitter,
                electionTimeout,
                resendPeriod,
                fenceGrace,
                attemptTimeout,
                pauseLimit,
                repairDelay,
                abstention,
                parallelSyncs,
                allowLossyFailover,
                detector);
    }

    /** {@return these settings with another electionJitter} */
    public SentinelSettings withElectionJitter(Duration electionJitter) {
        return new SentinelSettings(
                quorum,
                tickPeriod,
                pingPeriod,
                askPeriod,
                downAfter,
                roleLimit,
                electionJitter,
                electionTimeout,
                resendPeriod,
                fenceGrace,
                attemptTimeout,
                pauseLimit,
                repairDelay,
                abstention,
                parallelSyncs,
                allowLossyFailover,
                detector);
    }

    /** {@return these settings with another electionTimeout} */
    public SentinelSettings withElectionTimeout(Duration electionTimeout) {
        return new SentinelSettings(
                quorum,
                tickPeriod,
                pingPeriod,
                askPeriod,
                downAfter,
                roleLimit,
                electionJitter,
                electionTimeout,
                resendPeriod,
                fenceGrace,
                attemptTimeout,
                pauseLimit,
                repairDelay,
                abstention,
                parallelSyncs,
                allowLossyFailover,
                detector);
    }

    /** {@return these settings with another resendPeriod} */
    public SentinelSettings withResendPeriod(Duration resendPeriod) {
        return new SentinelSettings(
                quorum,
                tickPeriod,
                pingPeriod,
                askPeriod,
                downAfter,
                roleLimit,
                electionJitter,
                electionTimeout,
                resendPeriod,
                fenceGrace,
                attemptTimeout,
                pauseLimit,
                repairDelay,
                abstention,
                parallelSyncs,
                allowLossyFailover,
                detector);
    }

    /** {@return these settings with another fenceGrace} */
    public SentinelSettings withFenceGrace(Duration fenceGrace) {
        return new SentinelSettings(
                quorum,
                tickPeriod,
                pingPeriod,
                askPeriod,
                downAfter,
                roleLimit,
                electionJitter,
                electionTimeout,
                resendPeriod,
                fenceGrace,
                attemptTimeout,
                pauseLimit,
                repairDelay,
                abstention,
                parallelSyncs,
                allowLossyFailover,
                detector);
    }

    /** {@return these settings with another attemptTimeout} */
    public SentinelSettings withAttemptTimeout(Duration attemptTimeout) {
        return new SentinelSettings(
                quorum,
                tickPeriod,
                pingPeriod,
                askPeriod,
                downAfter,
                roleLimit,
                electionJitter,
                electionTimeout,
                resendPeriod,
                fenceGrace,
                attemptTimeout,
                pauseLimit,
                repairDelay,
                abstention,
                parallelSyncs,
                allowLossyFailover,
                detector);
    }

    /** {@return these settings with another pauseLimit} */
    public SentinelSettings withPauseLimit(Duration pauseLimit) {
        return new SentinelSettings(
                quorum,
                tickPeriod,
                pingPeriod,
                askPeriod,
                downAfter,
                roleLimit,
                electionJitter,
                electionTimeout,
                resendPeriod,
                fenceGrace,
                attemptTimeout,
                pauseLimit,
                repairDelay,
                abstention,
                parallelSyncs,
                allowLossyFailover,
                detector);
    }

    /** {@return these settings with another repairDelay} */
    public SentinelSettings withRepairDelay(Duration repairDelay) {
        return new SentinelSettings(
                quorum,
                tickPeriod,
                pingPeriod,
                askPeriod,
                downAfter,
                roleLimit,
                electionJitter,
                electionTimeout,
                resendPeriod,
                fenceGrace,
                attemptTimeout,
                pauseLimit,
                repairDelay,
                abstention,
                parallelSyncs,
                allowLossyFailover,
                detector);
    }

    /** {@return these settings with another abstention} */
    public SentinelSettings withAbstention(Duration abstention) {
        return new SentinelSettings(
                quorum,
                tickPeriod,
                pingPeriod,
                askPeriod,
                downAfter,
                roleLimit,
                electionJitter,
                electionTimeout,
                resendPeriod,
                fenceGrace,
                attemptTimeout,
                pauseLimit,
                repairDelay,
                abstention,
                parallelSyncs,
                allowLossyFailover,
                detector);
    }

    /** {@return these settings with another parallelSyncs} */
    public SentinelSettings withParallelSyncs(int parallelSyncs) {
        return new SentinelSettings(
                quorum,
                tickPeriod,
                pingPeriod,
                askPeriod,
                downAfter,
                roleLimit,
                electionJitter,
                electionTimeout,
                resendPeriod,
                fenceGrace,
                attemptTimeout,
                pauseLimit,
                repairDelay,
                abstention,
                parallelSyncs,
                allowLossyFailover,
                detector);
    }

    /** {@return these settings with another allowLossyFailover} */
    public SentinelSettings withAllowLossyFailover(boolean allowLossyFailover) {
        return new SentinelSettings(
                quorum,
                tickPeriod,
                pingPeriod,
                askPeriod,
                downAfter,
                roleLimit,
                electionJitter,
                electionTimeout,
                resendPeriod,
                fenceGrace,
                attemptTimeout,
                pauseLimit,
                repairDelay,
                abstention,
                parallelSyncs,
                allowLossyFailover,
                detector);
    }

    /** {@return these settings with another detector} */
    public SentinelSettings withDetector(FailureDetector.Factory detector) {
        return new SentinelSettings(
                quorum,
                tickPeriod,
                pingPeriod,
                askPeriod,
                downAfter,
                roleLimit,
                electionJitter,
                electionTimeout,
                resendPeriod,
                fenceGrace,
                attemptTimeout,
                pauseLimit,
                repairDelay,
                abstention,
                parallelSyncs,
                allowLossyFailover,
                detector);
    }

    private static void checkAtLeastOne(String name, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " must be at least 1: " + value);
        }
    }

    private static void checkPositive(String name, Duration value) {
        if (value.isNegative() || value.isZero()) {
            throw new IllegalArgumentException(name + " must be positive: " + value);
        }
    }

    private static void checkNotNegative(String name, Duration value) {
        if (value.isNegative()) {
            throw new IllegalArgumentException(name + " must not be negative: " + value);
        }
    }
}
