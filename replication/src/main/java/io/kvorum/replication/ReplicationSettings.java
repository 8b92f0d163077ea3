package io.kvorum.replication;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/**
 * The settings of a node's replication. All nodes of a shard should have the same.
 *
 * <p>Start from {@link #defaults()} and change values one by one. Values are checked, also against each other, when a
 * change is made: where two depend on each other, raise the greater one first.
 *
 * <p>Immutable.
 */
public final class ReplicationSettings {
    private static final Duration MAX_DURATION = Duration.ofDays(1);
    private static final ReplicationSettings DEFAULTS = new ReplicationSettings(new Values());

    /** The values, copied and changed by the methods that make other settings. */
    private static final class Values {
        Duration heartbeatInterval = Duration.ofMillis(100);
        Duration replicaTimeout = Duration.ofSeconds(1);
        Duration linger = Duration.ofMillis(1);

        int batchBytes = 64 << 10;
        int windowBytes = 1 << 20;
        int windowParts = 4;

        LagPolicy lagPolicy = LagPolicy.SLOW_WRITERS;
        int maxSyncTries = 5;
        Duration suspension = Duration.ofSeconds(30);

        Duration replaceTimeout = Duration.ofMinutes(5);

        int minReplicas;
        int maxWaiting = 1 << 16;

        Values copy() {
            Values copy = new Values();
            copy.heartbeatInterval = heartbeatInterval;
            copy.replicaTimeout = replicaTimeout;
            copy.linger = linger;
            copy.batchBytes = batchBytes;
            copy.windowBytes = windowBytes;
            copy.windowParts = windowParts;
            copy.lagPolicy = lagPolicy;
            copy.maxSyncTries = maxSyncTries;
            copy.suspension = suspension;
            copy.replaceTimeout = replaceTimeout;
            copy.minReplicas = minReplicas;
            copy.maxWaiting = maxWaiting;
            return copy;
        }
    }

    private interface Change {
        void apply(Values values);
    }

    private final Values values;
    private final long heartbeatNanos;
    private final long replicaTimeoutNanos;
    private final long suspensionNanos;

    private ReplicationSettings(Values values) {
        requirePositive("heartbeatInterval", values.heartbeatInterval);
        requirePositive("replicaTimeout", values.replicaTimeout);
        if (values.replicaTimeout.compareTo(values.heartbeatInterval) <= 0) {
            throw new IllegalArgumentException("replicaTimeout must be longer than heartbeatInterval: "
                    + values.replicaTimeout + " and " + values.heartbeatInterval);
        }
        if (values.linger.isNegative() || values.linger.compareTo(values.heartbeatInterval) > 0) {
            throw new IllegalArgumentException("linger must be at most heartbeatInterval, and not negative: "
                    + values.linger + " and " + values.heartbeatInterval);
        }
        requireAtLeast("batchBytes", values.batchBytes, 1);
        if (values.windowBytes < values.batchBytes) {
            throw new IllegalArgumentException(
                    "windowBytes must be at least batchBytes: " + values.windowBytes + " and " + values.batchBytes);
        }
        requireAtLeast("windowParts", values.windowParts, 1);
        requireNonNull(values.lagPolicy, "lagPolicy");
        requireAtLeast("maxSyncTries", values.maxSyncTries, 1);
        requirePositive("suspension", values.suspension);
        if (values.suspension.compareTo(values.replicaTimeout) < 0) {
            throw new IllegalArgumentException("suspension must be at least replicaTimeout: " + values.suspension
                    + " and " + values.replicaTimeout);
        }
        requirePositive("replaceTimeout", values.replaceTimeout);
        requireAtLeast("minReplicas", values.minReplicas, 0);
        requireAtLeast("maxWaiting", values.maxWaiting, 1);
        this.values = values;
        this.heartbeatNanos = values.heartbeatInterval.toNanos();
        this.replicaTimeoutNanos = values.replicaTimeout.toNanos();
        this.suspensionNanos = values.suspension.toNanos();
    }

    /**
     * {@return settings for nodes in one JVM or one data centre: heartbeats each 100 ms, a replica counts for 1 s,
     * writes linger for 1 ms, batches of 64 KiB, 1 MiB and 4 parts under way, writers wait for replicas, 5 tries of a
     * full sync before a pause of 30 s, 5 minutes for a replacement, no minimum of replicas, 65,536 waiting requests}
     */
    public static ReplicationSettings defaults() {
        return DEFAULTS;
    }

    // ---- time

    /**
     * {@return how often a primary tells its replicas that it is there; positive, at most a day} While they have
     * everything and have answered, it does so twice in {@link #replicaTimeout()}, but not more often than this nor
     * five times less often; once an answer is missing, it does so at this interval again. By a heartbeat it also finds
     * a replica that was restarted.
     */
    public Duration heartbeatInterval() {
        return values.heartbeatInterval;
    }

    /**
     * {@return how long a replica counts as connected after it was heard, and as caught up after it was; longer than
     * {@link #heartbeatInterval()}, at most a day. Must also be twice as long as a message of {@link #batchBytes()}
     * takes: at rest, half of it may be over when one is sent}
     */
    public Duration replicaTimeout() {
        return values.replicaTimeout;
    }

    // ---- batches

    /**
     * {@return how long a write that nobody waits for may wait for others to be sent with it; 0 to
     * {@link #heartbeatInterval()}}
     */
    public Duration linger() {
        return values.linger;
    }

    /** {@return about how many bytes of records one message carries; at least 1} */
    public int batchBytes() {
        return values.batchBytes;
    }

    /** {@return about how many bytes may be under way to one replica; at least {@link #batchBytes()}} */
    public int windowBytes() {
        return values.windowBytes;
    }

    /**
     * {@return how many parts of a full sync may be under way; at least 1. A part is up to two batches, and is kept in
     * memory until all replicas that share the full sync have it}
     */
    public int windowParts() {
        return values.windowParts;
    }

    // ---- replicas that cannot keep up

    /** {@return what gives way when a replica takes records more slowly than they are written} */
    public LagPolicy lagPolicy() {
        return values.lagPolicy;
    }

    /**
     * {@return how many full syncs of a replica may fail in a row, with growing pauses, before the primary leaves it
     * alone for {@link #suspension()}; at least 1}
     */
    public int maxSyncTries() {
        return values.maxSyncTries;
    }

    /** {@return how long a replica is left alone after its last try; from {@link #replicaTimeout()} to a day} */
    public Duration suspension() {
        return values.suspension;
    }

    // ---- members

    /**
     * {@return how long a node that is to replace a member has to become complete, after which the primary gives it up;
     * positive, at most a day}
     */
    public Duration replaceTimeout() {
        return values.replaceTimeout;
    }

    // ---- writes

    /** {@return how many replicas must be connected and caught up for a write to be taken; 0 asks for none} */
    public int minReplicas() {
        return values.minReplicas;
    }

    /** {@return how many requests may wait for an acknowledgement at once; at least 1} */
    public int maxWaiting() {
        return values.maxWaiting;
    }

    /**
     * {@return these settings with another {@link #heartbeatInterval()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public ReplicationSettings withHeartbeatInterval(Duration value) {
        return with(v -> v.heartbeatInterval = value);
    }

    /**
     * {@return these settings with another {@link #replicaTimeout()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public ReplicationSettings withReplicaTimeout(Duration value) {
        return with(v -> v.replicaTimeout = value);
    }

    /**
     * {@return these settings with another {@link #linger()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public ReplicationSettings withLinger(Duration value) {
        return with(v -> v.linger = value);
    }

    /**
     * {@return these settings with another {@link #batchBytes()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public ReplicationSettings withBatchBytes(int value) {
        return with(v -> v.batchBytes = value);
    }

    /**
     * {@return these settings with another {@link #windowBytes()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public ReplicationSettings withWindowBytes(int value) {
        return with(v -> v.windowBytes = value);
    }

    /**
     * {@return these settings with another {@link #windowParts()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public ReplicationSettings withWindowParts(int value) {
        return with(v -> v.windowParts = value);
    }

    /**
     * {@return these settings with another {@link #lagPolicy()}}
     *
     * @param value the new value
     */
    public ReplicationSettings withLagPolicy(LagPolicy value) {
        return with(v -> v.lagPolicy = value);
    }

    /**
     * {@return these settings with another {@link #maxSyncTries()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public ReplicationSettings withMaxSyncTries(int value) {
        return with(v -> v.maxSyncTries = value);
    }

    /**
     * {@return these settings with another {@link #suspension()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public ReplicationSettings withSuspension(Duration value) {
        return with(v -> v.suspension = value);
    }

    /**
     * {@return these settings with another {@link #replaceTimeout()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public ReplicationSettings withReplaceTimeout(Duration value) {
        return with(v -> v.replaceTimeout = value);
    }

    /**
     * {@return these settings with another {@link #minReplicas()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public ReplicationSettings withMinReplicas(int value) {
        return with(v -> v.minReplicas = value);
    }

    /**
     * {@return these settings with another {@link #maxWaiting()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public ReplicationSettings withMaxWaiting(int value) {
        return with(v -> v.maxWaiting = value);
    }

    long heartbeatNanos() {
        return heartbeatNanos;
    }

    long restingHeartbeatNanos() {
        return Math.max(heartbeatNanos, Math.min(replicaTimeoutNanos / 2, 5 * heartbeatNanos));
    }

    long replicaTimeoutNanos() {
        return replicaTimeoutNanos;
    }

    /** {@return the pause before a replica is fed again after a number of failures in a row} */
    long retryNanos(int failures) {
        int shift = Math.min(failures, 62);
        return heartbeatNanos << shift >> shift == heartbeatNanos && failures <= maxSyncTries()
                ? Math.min(heartbeatNanos << shift, suspensionNanos)
                : suspensionNanos;
    }

    long suspensionNanos() {
        return suspensionNanos;
    }

    private ReplicationSettings with(Change change) {
        Values changed = values.copy();
        change.apply(changed);
        return new ReplicationSettings(changed);
    }

    private static void requirePositive(String name, Duration value) {
        if (value.isNegative() || value.isZero() || value.compareTo(MAX_DURATION) > 0) {
            throw new IllegalArgumentException(name + " must be positive and at most " + MAX_DURATION + ": " + value);
        }
    }

    private static void requireAtLeast(String name, int value, int least) {
        if (value < least) {
            throw new IllegalArgumentException(name + " must be at least " + least + ": " + value);
        }
    }

    /** {@return the values, by name} */
    @Override
    public String toString() {
        return "ReplicationSettings[heartbeatInterval=" + heartbeatInterval() + ", replicaTimeout=" + replicaTimeout()
                + ", linger=" + linger() + ", batchBytes=" + batchBytes() + ", windowBytes=" + windowBytes()
                + ", windowParts=" + windowParts()
                + ", lagPolicy=" + lagPolicy() + ", maxSyncTries=" + maxSyncTries() + ", suspension=" + suspension()
                + ", replaceTimeout=" + replaceTimeout() + ", minReplicas=" + minReplicas() + ", maxWaiting="
                + maxWaiting() + "]";
    }
}
