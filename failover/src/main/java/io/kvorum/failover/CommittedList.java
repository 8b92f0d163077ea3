package io.kvorum.failover;

import io.kvorum.slots.topology.LogPosition;
import org.jspecify.annotations.Nullable;

/** The latest committed member list that a shard's nodes have reported, until the topology has taken it over. */
final class CommittedList {
    private LogPosition at = LogPosition.START;
    private @Nullable NodeReport later;

    void heard(NodeReport report) {
        if (report.complete() && report.isListCommitted() && report.membersAt().compareTo(at) > 0) {
            at = report.membersAt();
            later = report;
        }
    }

    /** {@return the report of a list that the topology may lack, or null; once} */
    @Nullable
    NodeReport take() {
        NodeReport taken = later;
        later = null;
        return taken;
    }
}
