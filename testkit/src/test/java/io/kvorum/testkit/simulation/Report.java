package io.kvorum.testkit.simulation;

import static java.util.Objects.requireNonNull;

import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.testkit.ClusterTimeline;
import io.kvorum.testkit.TimelineOfSimulation;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a run ended.
 *
 * @param plan what was drawn for it
 * @param violation the invariant that it broke, or null
 * @param digest the digest of all its events
 * @param virtualTime how long it ran, in nanoseconds of virtual time
 * @param events how many events there were
 * @param operations how many operations of clients were checked
 * @param coverage what happened how often
 * @param measured what was measured
 * @param topology the shards and their nodes
 * @param sentinels the sentinels
 * @param trace its timeline, if there is one
 */
record Report(
        Plan plan,
        @Nullable Violation violation,
        long digest,
        long virtualTime,
        long events,
        long operations,
        Coverage coverage,
        Measured measured,
        ClusterTopology topology,
        List<NodeId> sentinels,
        @Nullable Trace trace) {
    /**
     * What was measured.
     *
     * @param failovers how long failovers took, by what the primary was lost by
     * @param majorityWrites how many writes a majority had acknowledged
     * @param localWrites how many writes of clients the primary alone had acknowledged
     * @param localLost how many of these a later primary lacked
     */
    record Measured(List<Outages.Outage> failovers, long majorityWrites, long localWrites, long localLost) {}

    /** {@return the last lines of the timeline, without what clients did} */
    List<String> tail(int lines) {
        return trace == null ? List.of() : trace.tail(lines);
    }

    /** {@return the whole timeline} */
    List<String> timeline() {
        return trace == null ? List.of() : trace.full();
    }

    /**
     * {@return a page that shows the nodes and sentinels until the end} Only of a run that kept its timeline.
     *
     * @param title what it is called
     */
    ClusterTimeline page(String title) {
        ClusterTimeline page = TimelineOfSimulation.of(
                title, topology, sentinels, requireNonNull(trace).events(), virtualTime);
        return violation == null ? page : page.withFailure(violation);
    }

    /** {@return this report without what takes memory} */
    Report withoutTrace() {
        return new Report(
                plan,
                violation,
                digest,
                virtualTime,
                events,
                operations,
                coverage,
                measured,
                topology,
                sentinels,
                null);
    }
}
