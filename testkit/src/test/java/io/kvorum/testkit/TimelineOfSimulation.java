package io.kvorum.testkit;

import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import java.util.List;

/** Makes the timeline of a run that is not one of a {@link LocalCluster}. */
public final class TimelineOfSimulation {
    private TimelineOfSimulation() {}

    /**
     * {@return the timeline}
     *
     * @param title what it is called
     * @param topology the shards and their nodes
     * @param sentinels the sentinels
     * @param events what happened, oldest first
     * @param end when it ended, in nanoseconds
     */
    public static ClusterTimeline of(
            String title,
            ClusterTopology topology,
            List<NodeId> sentinels,
            List<? extends ClusterEvent> events,
            long end) {
        return new ClusterTimeline(title, topology, sentinels, events, end);
    }
}
