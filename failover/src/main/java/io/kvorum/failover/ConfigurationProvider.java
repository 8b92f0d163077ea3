package io.kvorum.failover;

import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Tells an application who leads which shard. What it tells may be out of date, as a failover may just have happened,
 * so whoever acts on it must be prepared for a refusal by a node that knows better.
 *
 * <p>Safe for use by any number of threads.
 */
public interface ConfigurationProvider {
    /** {@return the latest topology} */
    ClusterTopology topology();

    /**
     * The primary of a shard by the latest topology.
     *
     * @param shard the shard
     * @return its primary, or null if there is no such shard
     */
    @Nullable
    NodeId primaryOf(ShardId shard);

    /**
     * Delivers the current topology and then each new one, in the order of their numbers. A subscriber that is slower
     * than the changes misses those in between, never the latest.
     *
     * @param listener takes the topologies, one at a time
     * @return ends the subscription when closed; a delivery under way is not waited for
     */
    Subscription subscribe(Consumer<TopologySnapshot> listener);

    /** A subscription that can be ended. */
    interface Subscription extends AutoCloseable {
        /** Ends the subscription. Repeating it changes nothing. */
        @Override
        void close();
    }
}
