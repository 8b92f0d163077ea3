package io.kvorum.testkit;

import static java.util.Objects.requireNonNull;

import io.kvorum.failover.SentinelEvent;
import io.kvorum.replication.ReplicationEvent;

/**
 * Something that happened in a {@link LocalCluster}.
 *
 * <p>Immutable.
 */
public sealed interface ClusterEvent {
    /** {@return when it happened, in nanoseconds of {@link System#nanoTime}} */
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
     * A listener was too slow, and missed events.
     *
     * @param at when the last of them happened
     * @param count how many were lost
     */
    record EventsLost(long at, long count) implements ClusterEvent {}
}
