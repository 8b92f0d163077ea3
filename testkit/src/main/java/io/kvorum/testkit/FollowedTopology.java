package io.kvorum.testkit;

import io.kvorum.slots.topology.ClusterTopology;

/**
 * The latest topology that any of several sources has told. The order in which they tell does not matter.
 *
 * <p>Safe for use by any number of threads.
 */
final class FollowedTopology {
    private volatile ClusterTopology latest;

    FollowedTopology(ClusterTopology initial) {
        this.latest = initial;
    }

    ClusterTopology latest() {
        return latest;
    }

    synchronized void learn(ClusterTopology news) {
        latest = latest.merge(news);
    }
}
