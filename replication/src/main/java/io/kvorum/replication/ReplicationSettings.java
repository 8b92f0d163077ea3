package io.kvorum.replication;

import java.time.Duration;

/**
 * The settings of a node's replication. All nodes of a shard should have the same.
 *
 * <p>Immutable.
 *
 * @param heartbeatInterval how often a primary tells its replicas that it is there; positive, at most a day
 * @param batchBytes about how many bytes of records one message carries; at least 1
 * @param windowBytes about how many bytes may be under way to one replica; at least {@code batchBytes}
 * @param windowParts how many parts of a full sync may be under way to one replica; at least 1
 * @param maxFullSyncs how many full syncs a primary serves at once; at least 1
 * @param maxWaiting how many requests may wait for an acknowledgement at once; at least 1
 * @param minReplicas how many replicas must be connected for a write to be taken; 0 asks for none
 * @param replicaTimeout after which silence a replica does not count as connected; positive, at most a day
 */
public record ReplicationSettings(
        Duration heartbeatInterval,
        int batchBytes,
        int windowBytes,
        int windowParts,
        int maxFullSyncs,
        int maxWaiting,
        int minReplicas,
        Duration replicaTimeout) {
    private static final Duration MAX_DURATION = Duration.ofDays(1);

    private static final ReplicationSettings DEFAULTS =
            new ReplicationSettings(Duration.ofMillis(100), 64 << 10, 1 << 20, 4, 2, 1 << 16, 0, Duration.ofSeconds(1));

    /**
     * Checks the settings.
     *
     * @throws IllegalArgumentException if one is out of range
     */
    public ReplicationSettings {
        requirePositive("heartbeatInterval", heartbeatInterval);
        requireAtLeast("batchBytes", batchBytes, 1);
        requireAtLeast("windowBytes", windowBytes, batchBytes);
        requireAtLeast("windowParts", windowParts, 1);
        requireAtLeast("maxFullSyncs", maxFullSyncs, 1);
        requireAtLeast("maxWaiting", maxWaiting, 1);
        requireAtLeast("minReplicas", minReplicas, 0);
        requirePositive("replicaTimeout", replicaTimeout);
    }

    /**
     * {@return settings for nodes in one JVM: heartbeats each 100 ms, batches of 64 KiB, 1 MiB and 4 parts under way, 2
     * full syncs, 65,536 waiting requests, no minimum of replicas, a replica counts for 1 s}
     */
    public static ReplicationSettings defaults() {
        return DEFAULTS;
    }

    /**
     * {@return these settings with another {@link #heartbeatInterval()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public ReplicationSettings withHeartbeatInterval(Duration value) {
        return new ReplicationSettings(
                value, batchBytes, windowBytes, windowParts, maxFullSyncs, maxWaiting, minReplicas, replicaTimeout);
    }

    /**
     * {@return these settings with another {@link #batchBytes()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public ReplicationSettings withBatchBytes(int value) {
        return new ReplicationSettings(
                heartbeatInterval,
                value,
                windowBytes,
                windowParts,
                maxFullSyncs,
                maxWaiting,
                minReplicas,
                replicaTimeout);
    }

    /**
     * {@return these settings with another {@link #windowBytes()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public ReplicationSettings withWindowBytes(int value) {
        return new ReplicationSettings(
                heartbeatInterval,
                batchBytes,
                value,
                windowParts,
                maxFullSyncs,
                maxWaiting,
                minReplicas,
                replicaTimeout);
    }

    /**
     * {@return these settings with another {@link #windowParts()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public ReplicationSettings withWindowParts(int value) {
        return new ReplicationSettings(
                heartbeatInterval,
                batchBytes,
                windowBytes,
                value,
                maxFullSyncs,
                maxWaiting,
                minReplicas,
                replicaTimeout);
    }

    /**
     * {@return these settings with another {@link #maxFullSyncs()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public ReplicationSettings withMaxFullSyncs(int value) {
        return new ReplicationSettings(
                heartbeatInterval,
                batchBytes,
                windowBytes,
                windowParts,
                value,
                maxWaiting,
                minReplicas,
                replicaTimeout);
    }

    /**
     * {@return these settings with another {@link #maxWaiting()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public ReplicationSettings withMaxWaiting(int value) {
        return new ReplicationSettings(
                heartbeatInterval,
                batchBytes,
                windowBytes,
                windowParts,
                maxFullSyncs,
                value,
                minReplicas,
                replicaTimeout);
    }

    /**
     * {@return these settings with another {@link #minReplicas()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public ReplicationSettings withMinReplicas(int value) {
        return new ReplicationSettings(
                heartbeatInterval,
                batchBytes,
                windowBytes,
                windowParts,
                maxFullSyncs,
                maxWaiting,
                value,
                replicaTimeout);
    }

    /**
     * {@return these settings with another {@link #replicaTimeout()}}
     *
     * @param value the new value
     * @throws IllegalArgumentException if it is out of range
     */
    public ReplicationSettings withReplicaTimeout(Duration value) {
        return new ReplicationSettings(
                heartbeatInterval, batchBytes, windowBytes, windowParts, maxFullSyncs, maxWaiting, minReplicas, value);
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
}
