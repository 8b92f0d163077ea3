package io.kvorum.testkit;

import static java.util.Objects.requireNonNull;

import io.kvorum.failover.SentinelEvent;
import io.kvorum.replication.ReplicationEvent;
import io.kvorum.slots.topology.NodeId;
import java.util.List;

/**
 * Something that happened in a {@link LocalCluster}.
 *
 * <p>Immutable.
 */
public sealed interface ClusterEvent {
    /** {@return when it happened, in nanoseconds of the cluster's {@link LocalCluster#scheduler}} */
    long at();

    /**
     * Something that happened at a node.
     *
     * @param at when
     * @param event what
     */
    record OfNode(long at, ReplicationEvent event) implements ClusterEvent {
        /** Checks the parts. */
        public OfNode {
            requireNonNull(event, "event");
        }
    }

    /**
     * Something that happened at a sentinel.
     *
     * @param event what
     */
    record OfSentinel(SentinelEvent event) implements ClusterEvent {
        /** Checks the parts. */
        public OfSentinel {
            requireNonNull(event, "event");
        }

        @Override
        public long at() {
            return event.at();
        }
    }

    /**
     * The test did something to the cluster.
     *
     * @param at when
     * @param kind what
     * @param parties to whom
     * @param detail more of it; may be empty
     */
    record Fault(long at, Kind kind, List<NodeId> parties, String detail) implements ClusterEvent {
        /** What a test can do. */
        public enum Kind {
            /** They were ended at once. */
            CRASH,
            /** They were started again. */
            RESTART,
            /** They were stopped for a while. */
            PAUSE,
            /** They go on. */
            RESUME,
            /** Their steps begin late. */
            SLOW_STEPS,
            /** Their time of day was set. */
            CLOCK_JUMP,
            /** They can't save what they must remember. */
            DISK_FULL,
            /** They can save again. */
            DISK_FREE,
            /** What they send, or what is sent to them, does not arrive. */
            CUT,
            /** What they send is late, lost, repeated or mixed up. */
            NETWORK,
            /** The network carries everything again. */
            HEAL
        }

        /** Checks the parts. */
        public Fault {
            requireNonNull(kind, "kind");
            parties = List.copyOf(parties);
            requireNonNull(detail, "detail");
        }
    }

    /**
     * A listener was too slow, and missed events.
     *
     * @param at when the last of them happened
     * @param count how many were lost
     */
    record EventsLost(long at, long count) implements ClusterEvent {}
}
