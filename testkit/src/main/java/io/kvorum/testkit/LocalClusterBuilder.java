package io.kvorum.testkit;

import static java.util.Objects.requireNonNull;

import io.kvorum.failover.SentinelSettings;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.ReplicatedState;
import io.kvorum.replication.ReplicationLog;
import io.kvorum.replication.ReplicationSettings;
import io.kvorum.slots.topology.NodeId;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Collects the parts of a {@link LocalCluster}. What isn't set is as in {@link LocalClusterSettings#defaults}; time is
 * real.
 *
 * <p>For use by one thread.
 */
public final class LocalClusterBuilder {
    private static final Duration VIRTUAL_MIN_LATENCY = Duration.ofNanos(100_000);
    private static final Duration VIRTUAL_MAX_LATENCY = Duration.ofNanos(500_000);

    private LocalClusterSettings settings = LocalClusterSettings.defaults();
    private @Nullable Long seed;
    private @Nullable Function<? super ReplicationLog, ? extends ReplicatedState> state;
    private final Map<NodeId, Integer> priorities = new HashMap<>();
    private @Nullable Duration minLatency;
    private @Nullable Duration maxLatency;

    /** The parts of a cluster. */
    record Parts(
            LocalClusterSettings settings,
            @Nullable Function<? super ReplicationLog, ? extends ReplicatedState> state,
            Map<NodeId, Integer> priorities,
            boolean virtual,
            long seed,
            Duration minLatency,
            Duration maxLatency) {}

    LocalClusterBuilder() {}

    /**
     * Sets the shape and the timings, all at once.
     *
     * @param value the settings
     * @return this builder
     */
    public LocalClusterBuilder settings(LocalClusterSettings value) {
        settings = requireNonNull(value, "settings");
        return this;
    }

    /**
     * Sets the number of shards, which share the slots evenly.
     *
     * @param count how many; from 1 to 16384
     * @return this builder
     * @throws IllegalArgumentException if it is out of range
     */
    public LocalClusterBuilder shards(int count) {
        return with(now -> now.withShards(count));
    }

    /**
     * Sets the number of replicas of each shard.
     *
     * @param count how many beside the primary; 0 to 1,023
     * @return this builder
     * @throws IllegalArgumentException if it is out of range
     */
    public LocalClusterBuilder replicas(int count) {
        return with(now -> now.withReplicas(count));
    }

    /**
     * Sets the number of sentinels, and the quorum to their majority.
     *
     * @param count how many; 1 to 1,023
     * @return this builder
     * @throws IllegalArgumentException if it is out of range
     */
    public LocalClusterBuilder sentinels(int count) {
        if (count < 1) {
            throw new IllegalArgumentException("sentinels must be at least 1: " + count);
        }
        SentinelSettings failover = settings.failover().withQuorum(count / 2 + 1);
        return count < settings.sentinels()
                ? with(now -> now.withFailover(failover).withSentinels(count))
                : with(now -> now.withSentinels(count).withFailover(failover));
    }

    /**
     * Sets how many nodes must have each change of the client.
     *
     * @param level the level
     * @return this builder
     */
    public LocalClusterBuilder acknowledgement(Acknowledgement level) {
        return with(now -> now.withAcknowledgement(level));
    }

    /**
     * Sets how long an operation of the client may take in all.
     *
     * @param limit the limit; positive
     * @return this builder
     * @throws IllegalArgumentException if it is not positive
     */
    public LocalClusterBuilder timeout(Duration limit) {
        return with(now -> now.withTimeout(limit));
    }

    /**
     * Sets the settings of the nodes.
     *
     * @param value the settings
     * @return this builder
     */
    public LocalClusterBuilder replication(ReplicationSettings value) {
        return with(now -> now.withReplication(value));
    }

    /**
     * Has each node replicate a state of the test's instead of a key-value store. {@link LocalNode#state} returns it;
     * its writers append to the log that it was given, and wait for {@link LocalNode#driver} to tell who has what they
     * wrote. The cluster has no {@linkplain LocalCluster#client client} then, and its nodes no
     * {@linkplain LocalNode#store store}.
     *
     * @param value makes the state of a node, empty, of the node's log; called whenever the node starts
     * @return this builder
     */
    public LocalClusterBuilder state(Function<? super ReplicationLog, ? extends ReplicatedState> value) {
        state = requireNonNull(value, "state");
        return this;
    }

    /**
     * Sets the priority of a node in failovers, 100 by default.
     *
     * @param node the node, such as {@code node-1.2}
     * @param value lower values are preferred; 0 means never promoted
     * @return this builder
     * @throws IllegalArgumentException if {@code value} is negative
     */
    public LocalClusterBuilder priority(NodeId node, int value) {
        if (value < 0) {
            throw new IllegalArgumentException("priority must be at least 0: " + value);
        }
        priorities.put(requireNonNull(node, "node"), value);
        return this;
    }

    /**
     * Sets the settings of the sentinels.
     *
     * @param value the settings
     * @return this builder
     */
    public LocalClusterBuilder failover(SentinelSettings value) {
        return with(now -> now.withFailover(value));
    }

    /**
     * Has the cluster run in virtual time: on the thread of the test, only while that waits, and without any delay. Two
     * clusters of one seed that are used alike do the same. A message takes from 100 to 500 microseconds, unless a
     * latency is set.
     *
     * @param drawnFrom the seed of all that is random
     * @return this builder
     */
    public LocalClusterBuilder virtualTime(long drawnFrom) {
        seed = drawnFrom;
        return this;
    }

    /**
     * Sets how long a message takes.
     *
     * @param min the shortest time; at least 0
     * @param max the longest time; at most a hundred years
     * @return this builder
     * @throws IllegalArgumentException if a time is out of range, or {@code max} is less than {@code min}
     */
    public LocalClusterBuilder latency(Duration min, Duration max) {
        LinkFaults.requireRange(min, max);
        minLatency = min;
        maxLatency = max;
        return this;
    }

    private LocalClusterBuilder with(UnaryOperator<LocalClusterSettings> change) {
        settings = change.apply(settings);
        return this;
    }

    /**
     * Starts the cluster. Its nodes and sentinels run when this returns, but may not know each other yet.
     *
     * @return the cluster, which the caller closes
     * @throws IllegalArgumentException if a node with a {@linkplain #priority priority} is not one of the cluster
     */
    public LocalCluster start() {
        boolean virtual = seed != null;
        Duration min = minLatency != null ? minLatency : virtual ? VIRTUAL_MIN_LATENCY : Duration.ZERO;
        Duration max = maxLatency != null ? maxLatency : virtual ? VIRTUAL_MAX_LATENCY : Duration.ZERO;
        long drawnFrom = seed == null ? ThreadLocalRandom.current().nextLong() : seed;
        return LocalCluster.begin(new Parts(settings, state, Map.copyOf(priorities), virtual, drawnFrom, min, max));
    }
}
