package io.kvorum.failover;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.function.Consumer;

/**
 * The settings of a sentinel. All sentinels of a cluster should have the same.
 *
 * <p>Each value has a range, which is checked when it is set. Values that depend on each other are checked together
 * when a sentinel is started with them, or by {@link #checked()}, so the order in which they are set does not matter:
 * an exception names both. The periods of detection follow {@link #downAfter()} unless they are set.
 *
 * <p>No safety rests on any of these times. They decide how soon something is tried, and how long a sentinel waits
 * before it tries something else.
 *
 * <p>Immutable.
 */
public final class SentinelSettings {
    /** The longest duration that a setting may have: a day. */
    public static final Duration MAX_DURATION = Duration.ofDays(1);

    private static final Duration LONGEST_PING_PERIOD = Duration.ofSeconds(1);
    private static final Duration LONGEST_ASK_PERIOD = Duration.ofMillis(100);
    private static final Duration MILLI = Duration.ofMillis(1);

    /** The values; fixed once settings are made of them. */
    private static final class Values {
        private int quorum = 2;

        private Duration downAfter = Duration.ofSeconds(1);
        private Duration pingPeriod = LONGEST_PING_PERIOD;
        private Duration askPeriod = LONGEST_ASK_PERIOD;
        private Duration roleLimit = Duration.ofMillis(500);
        private boolean pingPeriodSet;
        private boolean askPeriodSet;
        private boolean roleLimitSet;
        private FailureDetector.Factory detector = DeadlineDetector::new;

        private Duration electionStep = Duration.ofMillis(20);
        private Duration electionTimeout = Duration.ofMillis(250);

        private Duration resendPeriod = Duration.ofMillis(50);
        private Duration fenceGrace = Duration.ofMillis(10);
        private Duration attemptTimeout = Duration.ofSeconds(1);
        private boolean allowLossyFailover;
        private Duration failoverDelayLimit = Duration.ofSeconds(8);
        private boolean failoverDelayLimitSet;

        private Duration pauseLimit = Duration.ofMillis(500);
        private Duration operationTimeout = Duration.ofSeconds(5);
        private Duration replaceTimeout = Duration.ofMinutes(5);

        private Duration repointingDelay = Duration.ofSeconds(1);
        private int parallelSyncs = 1;

        private Values() {}

        private Values(Values other) {
            quorum = other.quorum;
            downAfter = other.downAfter;
            pingPeriod = other.pingPeriod;
            askPeriod = other.askPeriod;
            roleLimit = other.roleLimit;
            pingPeriodSet = other.pingPeriodSet;
            askPeriodSet = other.askPeriodSet;
            roleLimitSet = other.roleLimitSet;
            detector = other.detector;
            electionStep = other.electionStep;
            electionTimeout = other.electionTimeout;
            resendPeriod = other.resendPeriod;
            fenceGrace = other.fenceGrace;
            attemptTimeout = other.attemptTimeout;
            allowLossyFailover = other.allowLossyFailover;
            failoverDelayLimit = other.failoverDelayLimit;
            failoverDelayLimitSet = other.failoverDelayLimitSet;
            pauseLimit = other.pauseLimit;
            operationTimeout = other.operationTimeout;
            replaceTimeout = other.replaceTimeout;
            repointingDelay = other.repointingDelay;
            parallelSyncs = other.parallelSyncs;
        }
    }

    private final Values values;

    private SentinelSettings(Values values) {
        this.values = values;
        derive(values);
        checkRanges(values);
    }

    /**
     * Checks whether the values fit each other.
     *
     * @return these settings
     * @throws IllegalArgumentException if two of the values contradict each other
     */
    public SentinelSettings checked() {
        checkRelations(values);
        return this;
    }

    private static void derive(Values v) {
        requirePositive("downAfter", v.downAfter);
        Duration half = longer(v.downAfter.dividedBy(2), Duration.ofNanos(1));
        if (!v.pingPeriodSet) {
            v.pingPeriod = shorter(half, longer(MILLI, shorter(LONGEST_PING_PERIOD, v.downAfter.dividedBy(4))));
        }
        if (!v.askPeriodSet) {
            v.askPeriod = shorter(half, longer(MILLI, shorter(LONGEST_ASK_PERIOD, v.downAfter.dividedBy(10))));
        }
        if (!v.roleLimitSet) {
            v.roleLimit = half;
        }
        if (!v.failoverDelayLimitSet) {
            v.failoverDelayLimit = shorter(MAX_DURATION, v.downAfter.multipliedBy(8));
        }
    }

    private static void checkRanges(Values v) {
        requireAtLeast("quorum", v.quorum, 1);
        requirePositive("pingPeriod", v.pingPeriod);
        requirePositive("askPeriod", v.askPeriod);
        requirePositive("roleLimit", v.roleLimit);
        requireNonNull(v.detector, "detector");
        requirePositive("electionStep", v.electionStep);
        requirePositive("electionTimeout", v.electionTimeout);
        requirePositive("resendPeriod", v.resendPeriod);
        requireNotNegative("fenceGrace", v.fenceGrace);
        requirePositive("attemptTimeout", v.attemptTimeout);
        requireNotNegative("failoverDelayLimit", v.failoverDelayLimit);
        requirePositive("pauseLimit", v.pauseLimit);
        requirePositive("operationTimeout", v.operationTimeout);
        requirePositive("replaceTimeout", v.replaceTimeout);
        requireNotNegative("repointingDelay", v.repointingDelay);
        requireAtLeast("parallelSyncs", v.parallelSyncs, 1);
    }

    private static void checkRelations(Values v) {
        // Two pings must fit into the silence that condemns a node, or one lost answer would.
        requireAtMost("2 x pingPeriod", v.pingPeriod.multipliedBy(2), "downAfter", v.downAfter);
        requireAtMost("askPeriod", v.askPeriod, "downAfter", v.downAfter);
        // A vote must last until the candidate has said twice that it is at work.
        requireAtMost("2 x askPeriod", v.askPeriod.multipliedBy(2), "electionTimeout", v.electionTimeout);
        requireAtMost("electionStep", v.electionStep, "electionTimeout", v.electionTimeout);
        // What is lost must be sent again before it is given up.
        requireAtMost("2 x resendPeriod", v.resendPeriod.multipliedBy(2), "electionTimeout", v.electionTimeout);
        requireAtMost("2 x resendPeriod", v.resendPeriod.multipliedBy(2), "attemptTimeout", v.attemptTimeout);
        requireAtMost("2 x resendPeriod", v.resendPeriod.multipliedBy(2), "pauseLimit", v.pauseLimit);
        requireAtMost("fenceGrace", v.fenceGrace, "attemptTimeout", v.attemptTimeout);
        // An attempt must not end before the votes for it do.
        requireAtMost("electionTimeout", v.electionTimeout, "attemptTimeout", v.attemptTimeout);
        // A switchover is an election by pre-votes and votes, a question, a pause and a promotion.
        Duration switchover = v.electionTimeout
                .multipliedBy(2)
                .plus(v.attemptTimeout.multipliedBy(2))
                .plus(v.pauseLimit);
        requireAtMost(
                "2 x electionTimeout + 2 x attemptTimeout + pauseLimit",
                switchover,
                "operationTimeout",
                v.operationTimeout);
        requireAtMost("operationTimeout", v.operationTimeout, "replaceTimeout", v.replaceTimeout);
    }

    /**
     * {@return settings for sentinels and nodes in one process or on a fast network: a quorum of 2, down after a second
     * of silence, and a failover within some milliseconds after that}
     */
    public static SentinelSettings defaults() {
        return new SentinelSettings(new Values());
    }

    // Agreement.

    /**
     * {@return how many sentinels must hold a primary down before it is failed over; at least 1, at most all} With
     * fewer than a majority, a primary that only these cannot reach is replaced, and again if they cannot reach its
     * successor.
     */
    public int quorum() {
        return values.quorum;
    }

    /** {@return these settings with another {@link #quorum()}} */
    public SentinelSettings withQuorum(int value) {
        return with(v -> v.quorum = value);
    }

    // Detection.

    /** {@return the silence after which a node is held down} */
    public Duration downAfter() {
        return values.downAfter;
    }

    /** {@return these settings with another {@link #downAfter()}, and with the periods that follow it} */
    public SentinelSettings withDownAfter(Duration value) {
        return with(v -> v.downAfter = value);
    }

    /**
     * {@return how often every node is asked to report; at most half of {@link #downAfter()}. Unless set, a quarter of
     * that, at most a second} While all nodes of a shard have answered and nothing is under way, its replicas are asked
     * every other time only, unless that would be less often than twice in {@link #downAfter()}.
     */
    public Duration pingPeriod() {
        return values.pingPeriod;
    }

    boolean othersMayRest() {
        return values.pingPeriod.multipliedBy(4).compareTo(values.downAfter) <= 0;
    }

    /** {@return these settings with a fixed {@link #pingPeriod()}} */
    public SentinelSettings withPingPeriod(Duration value) {
        return with(v -> {
            v.pingPeriod = value;
            v.pingPeriodSet = true;
        });
    }

    /**
     * {@return how often sentinels tell each other that they are up, and what they think of each shard where something
     * happens, and of some of the others; at most half of {@link #electionTimeout()}. Unless set, a tenth of
     * {@link #downAfter()}, at most 100 ms}
     */
    public Duration askPeriod() {
        return values.askPeriod;
    }

    /** {@return these settings with a fixed {@link #askPeriod()}} */
    public SentinelSettings withAskPeriod(Duration value) {
        return with(v -> {
            v.askPeriod = value;
            v.askPeriodSet = true;
        });
    }

    /** {@return how long an opinion of another sentinel counts: five {@link #askPeriod()}s} */
    public Duration opinionLife() {
        return values.askPeriod.multipliedBy(5);
    }

    /**
     * {@return how long a primary may report that it does not lead before it is held down: it must be heard to say so
     * at least twice. Should be longer than messages are late. Unless set, half of {@link #downAfter()}}
     */
    public Duration roleLimit() {
        return values.roleLimit;
    }

    /** {@return these settings with a fixed {@link #roleLimit()}} */
    public SentinelSettings withRoleLimit(Duration value) {
        return with(v -> {
            v.roleLimit = value;
            v.roleLimitSet = true;
        });
    }

    /**
     * {@return how late a sentinel may run before it takes itself to have been paused: a quarter of
     * {@link #pingPeriod()}}
     */
    public Duration tolerance() {
        return values.pingPeriod.dividedBy(4);
    }

    /** {@return what creates the failure detectors} */
    public FailureDetector.Factory detector() {
        return values.detector;
    }

    /** {@return these settings with another {@link #detector()}} */
    public SentinelSettings withDetector(FailureDetector.Factory value) {
        return with(v -> v.detector = value);
    }

    // Election.

    /**
     * {@return how much later a candidate starts than the one ranked before it, which keeps candidates apart; more than
     * sentinels need to exchange two messages}
     */
    public Duration electionStep() {
        return values.electionStep;
    }

    /** {@return these settings with another {@link #electionStep()}} */
    public SentinelSettings withElectionStep(Duration value) {
        return with(v -> v.electionStep = value);
    }

    /** {@return how long a candidate waits for votes, and how long a voter holds the vote that it gave} */
    public Duration electionTimeout() {
        return values.electionTimeout;
    }

    /** {@return these settings with another {@link #electionTimeout()}} */
    public SentinelSettings withElectionTimeout(Duration value) {
        return with(v -> v.electionTimeout = value);
    }

    // Failover.

    /** {@return how often an unanswered request or command is repeated} */
    public Duration resendPeriod() {
        return values.resendPeriod;
    }

    /** {@return these settings with another {@link #resendPeriod()}} */
    public SentinelSettings withResendPeriod(Duration value) {
        return with(v -> v.resendPeriod = value);
    }

    /**
     * {@return how long a failover that has the promises of a majority waits, from the moment it asked, for other
     * complete members that are up: they may have more of the writes that no majority had acknowledged}
     */
    public Duration fenceGrace() {
        return values.fenceGrace;
    }

    /** {@return these settings with another {@link #fenceGrace()}} */
    public SentinelSettings withFenceGrace(Duration value) {
        return with(v -> v.fenceGrace = value);
    }

    /**
     * {@return how long a failover may ask for reports, and then again how long from the first fence to the promotion}
     * A quarter of it is given to the node that an operator has named, if others have promised before.
     */
    public Duration attemptTimeout() {
        return values.attemptTimeout;
    }

    /** {@return these settings with another {@link #attemptTimeout()}} */
    public SentinelSettings withAttemptTimeout(Duration value) {
        return with(v -> v.attemptTimeout = value);
    }

    /**
     * {@return whether a primary may be replaced although fewer than a majority of complete members answer, so that
     * writes that a majority acknowledged may be lost}
     */
    public boolean allowLossyFailover() {
        return values.allowLossyFailover;
    }

    /** {@return these settings with another {@link #allowLossyFailover()}} */
    public SentinelSettings withAllowLossyFailover(boolean value) {
        return with(v -> v.allowLossyFailover = value);
    }

    /**
     * {@return the longest that a failover waits while the primary keeps moving back and forth, counted from when the
     * present one became known} It moves so while a quorum cannot reach one member and a quorum cannot reach another.
     * The delay begins at {@link #downAfter()} once the primary has returned to a node that was deposed, and doubles
     * with each further return. It ends once a primary has led for twice as long as this limit and {@code downAfter}
     * together. A primary that crashes during the delay is replaced after it. Nodes that crash one after the other
     * begin none, and operators never wait. Unless set, eight times {@code downAfter}; with 0 nothing waits
     */
    public Duration failoverDelayLimit() {
        return values.failoverDelayLimit;
    }

    /** {@return these settings with a fixed {@link #failoverDelayLimit()}} */
    public SentinelSettings withFailoverDelayLimit(Duration value) {
        return with(v -> {
            v.failoverDelayLimit = value;
            v.failoverDelayLimitSet = true;
        });
    }

    // Operations.

    /** {@return how long a switchover may hold writes back} */
    public Duration pauseLimit() {
        return values.pauseLimit;
    }

    /** {@return these settings with another {@link #pauseLimit()}} */
    public SentinelSettings withPauseLimit(Duration value) {
        return with(v -> v.pauseLimit = value);
    }

    /** {@return how often a switchover asks whether a replica has caught up: a tenth of {@link #resendPeriod()}} */
    public Duration catchUpPeriod() {
        return longer(values.resendPeriod.dividedBy(10), Duration.ofNanos(1));
    }

    /** {@return the time within which every operation ends, except for the replacement of a member} */
    public Duration operationTimeout() {
        return values.operationTimeout;
    }

    /** {@return these settings with another {@link #operationTimeout()}} */
    public SentinelSettings withOperationTimeout(Duration value) {
        return with(v -> v.operationTimeout = value);
    }

    /** {@return the time within which the replacement of a member ends, including the full sync of the new node} */
    public Duration replaceTimeout() {
        return values.replaceTimeout;
    }

    /** {@return these settings with another {@link #replaceTimeout()}} */
    public SentinelSettings withReplaceTimeout(Duration value) {
        return with(v -> v.replaceTimeout = value);
    }

    // Repointing.

    /** {@return how long a node may fail to follow the primary before any sentinel corrects it} */
    public Duration repointingDelay() {
        return values.repointingDelay;
    }

    /** {@return these settings with another {@link #repointingDelay()}} */
    public SentinelSettings withRepointingDelay(Duration value) {
        return with(v -> v.repointingDelay = value);
    }

    /** {@return how many replicas are told to follow a new primary at the same time} */
    public int parallelSyncs() {
        return values.parallelSyncs;
    }

    /** {@return these settings with another {@link #parallelSyncs()}} */
    public SentinelSettings withParallelSyncs(int value) {
        return with(v -> v.parallelSyncs = value);
    }

    private SentinelSettings with(Consumer<Values> change) {
        Values changed = new Values(values);
        change.accept(changed);
        return new SentinelSettings(changed);
    }

    private static Duration shorter(Duration a, Duration b) {
        return a.compareTo(b) <= 0 ? a : b;
    }

    private static Duration longer(Duration a, Duration b) {
        return a.compareTo(b) >= 0 ? a : b;
    }

    private static void requireAtLeast(String name, int value, int least) {
        if (value < least) {
            throw new IllegalArgumentException(name + " must be at least " + least + ": " + value);
        }
    }

    private static void requirePositive(String name, Duration value) {
        requireNotNegative(name, value);
        if (value.isZero()) {
            throw new IllegalArgumentException(name + " must be positive: " + value);
        }
    }

    private static void requireNotNegative(String name, Duration value) {
        requireNonNull(value, name);
        if (value.isNegative()) {
            throw new IllegalArgumentException(name + " must not be negative: " + value);
        }
        if (value.compareTo(MAX_DURATION) > 0) {
            throw new IllegalArgumentException(name + " must be at most a day: " + value);
        }
    }

    private static void requireAtMost(String name, Duration value, String limitName, Duration limit) {
        if (value.compareTo(limit) > 0) {
            throw new IllegalArgumentException(name + " must be at most " + limitName + ", " + limit + ": " + value);
        }
    }

    /** {@return the values that differ most between clusters} */
    @Override
    public String toString() {
        return "SentinelSettings[quorum=" + values.quorum + ", downAfter=" + values.downAfter + ", pingPeriod="
                + values.pingPeriod + ", electionTimeout=" + values.electionTimeout + ", attemptTimeout="
                + values.attemptTimeout + ", allowLossyFailover=" + values.allowLossyFailover + "]";
    }
}
