package io.kvorum.failover;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/**
 * How a sentinel works. All sentinels of a cluster should have the same. No duration may be above a day.
 *
 * <p>Immutable.
 *
 * @param quorum how many sentinels must hold a primary down before it is failed over; at least 1, at most all
 * @param tickPeriod how often the owner calls the sentinel for time. A sentinel that is called later than that takes
 *     itself to have been paused, and does not count that time as a node's silence; positive
 * @param pingPeriod how often every node is asked to describe itself; positive
 * @param askPeriod how often sentinels tell each other their opinions; an opinion older than five periods does not
 *     count; positive
 * @param downAfter the silence after which a node is held down; positive
 * @param roleLimit how long a primary may say that it is not one, before it is held down; positive
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
    /** The longest duration that any of these may be: a day. */
    public static final Duration MAX_DURATION = Duration.ofDays(1);

    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if a value is out of its range
     */
    public SentinelSettings {
        requireAtLeast("quorum", quorum, 1);
        requirePositive("tickPeriod", tickPeriod);
        requirePositive("pingPeriod", pingPeriod);
        requirePositive("askPeriod", askPeriod);
        requirePositive("downAfter", downAfter);
        requirePositive("roleLimit", roleLimit);
        requireNotNegative("electionJitter", electionJitter);
        requirePositive("electionTimeout", electionTimeout);
        requirePositive("resendPeriod", resendPeriod);
        requireNotNegative("fenceGrace", fenceGrace);
        requirePositive("attemptTimeout", attemptTimeout);
        requirePositive("pauseLimit", pauseLimit);
        requireNotNegative("repairDelay", repairDelay);
        requireNotNegative("abstention", abstention);
        requireAtLeast("parallelSyncs", parallelSyncs, 1);
        requireNonNull(detector, "detector");
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

    /**
     * {@return these settings with another {@link #quorum()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public SentinelSettings withQuorum(int value) {
        return new SentinelSettings(
                value,
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

    /**
     * {@return these settings with another {@link #tickPeriod()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public SentinelSettings withTickPeriod(Duration value) {
        return new SentinelSettings(
                quorum,
                value,
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

    /**
     * {@return these settings with another {@link #pingPeriod()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public SentinelSettings withPingPeriod(Duration value) {
        return new SentinelSettings(
                quorum,
                tickPeriod,
                value,
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

    /**
     * {@return these settings with another {@link #askPeriod()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public SentinelSettings withAskPeriod(Duration value) {
        return new SentinelSettings(
                quorum,
                tickPeriod,
                pingPeriod,
                value,
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

    /**
     * {@return these settings with another {@link #downAfter()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public SentinelSettings withDownAfter(Duration value) {
        return new SentinelSettings(
                quorum,
                tickPeriod,
                pingPeriod,
                askPeriod,
                value,
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

    /**
     * {@return these settings with another {@link #roleLimit()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public SentinelSettings withRoleLimit(Duration value) {
        return new SentinelSettings(
                quorum,
                tickPeriod,
                pingPeriod,
                askPeriod,
                downAfter,
                value,
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

    /**
     * {@return these settings with another {@link #electionJitter()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public SentinelSettings withElectionJitter(Duration value) {
        return new SentinelSettings(
                quorum,
                tickPeriod,
                pingPeriod,
                askPeriod,
                downAfter,
                roleLimit,
                value,
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

    /**
     * {@return these settings with another {@link #electionTimeout()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public SentinelSettings withElectionTimeout(Duration value) {
        return new SentinelSettings(
                quorum,
                tickPeriod,
                pingPeriod,
                askPeriod,
                downAfter,
                roleLimit,
                electionJitter,
                value,
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

    /**
     * {@return these settings with another {@link #resendPeriod()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public SentinelSettings withResendPeriod(Duration value) {
        return new SentinelSettings(
                quorum,
                tickPeriod,
                pingPeriod,
                askPeriod,
                downAfter,
                roleLimit,
                electionJitter,
                electionTimeout,
                value,
                fenceGrace,
                attemptTimeout,
                pauseLimit,
                repairDelay,
                abstention,
                parallelSyncs,
                allowLossyFailover,
                detector);
    }

    /**
     * {@return these settings with another {@link #fenceGrace()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public SentinelSettings withFenceGrace(Duration value) {
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
                value,
                attemptTimeout,
                pauseLimit,
                repairDelay,
                abstention,
                parallelSyncs,
                allowLossyFailover,
                detector);
    }

    /**
     * {@return these settings with another {@link #attemptTimeout()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public SentinelSettings withAttemptTimeout(Duration value) {
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
                value,
                pauseLimit,
                repairDelay,
                abstention,
                parallelSyncs,
                allowLossyFailover,
                detector);
    }

    /**
     * {@return these settings with another {@link #pauseLimit()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public SentinelSettings withPauseLimit(Duration value) {
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
                value,
                repairDelay,
                abstention,
                parallelSyncs,
                allowLossyFailover,
                detector);
    }

    /**
     * {@return these settings with another {@link #repairDelay()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public SentinelSettings withRepairDelay(Duration value) {
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
                value,
                abstention,
                parallelSyncs,
                allowLossyFailover,
                detector);
    }

    /**
     * {@return these settings with another {@link #abstention()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public SentinelSettings withAbstention(Duration value) {
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
                value,
                parallelSyncs,
                allowLossyFailover,
                detector);
    }

    /**
     * {@return these settings with another {@link #parallelSyncs()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public SentinelSettings withParallelSyncs(int value) {
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
                value,
                allowLossyFailover,
                detector);
    }

    /**
     * {@return these settings with another {@link #allowLossyFailover()}}
     *
     * @param value the new value
     */
    public SentinelSettings withAllowLossyFailover(boolean value) {
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
                value,
                detector);
    }

    /**
     * {@return these settings with another {@link #detector()}}
     *
     * @param value the new value
     */
    public SentinelSettings withDetector(FailureDetector.Factory value) {
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
                value);
    }

    private static void requireAtLeast(String name, int value, int least) {
        if (value < least) {
            throw new IllegalArgumentException(name + " must be at least " + least + ": " + value);
        }
    }

    private static void requirePositive(String name, Duration value) {
        if (value.isNegative() || value.isZero()) {
            throw new IllegalArgumentException(name + " must be positive: " + value);
        }
        requireAtMostADay(name, value);
    }

    private static void requireNotNegative(String name, Duration value) {
        if (value.isNegative()) {
            throw new IllegalArgumentException(name + " must not be negative: " + value);
        }
        requireAtMostADay(name, value);
    }

    private static void requireAtMostADay(String name, Duration value) {
        if (value.compareTo(MAX_DURATION) > 0) {
            throw new IllegalArgumentException(name + " must be a day at the most: " + value);
        }
    }
}
