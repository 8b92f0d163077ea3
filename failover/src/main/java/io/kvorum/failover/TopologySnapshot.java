package io.kvorum.failover;

import static java.util.Objects.requireNonNull;

import io.kvorum.slots.topology.ClusterTopology;

/**
 * A topology as one provider published it.
 *
 * <p>Immutable.
 *
 * @param number counts the topologies that the provider has published, from 1, without gaps: a subscriber that gets a
 *     number more than one above the last has missed those between
 * @param topology the topology
 */
public record TopologySnapshot(long number, ClusterTopology topology) {
    /**
     * Checks the parts.
     *
     * @throws IllegalArgumentException if {@code number} is not positive
     */
    public TopologySnapshot {
        requireNonNull(topology, "topology");
        if (number < 1) {
            throw new IllegalArgumentException("number must be at least 1: " + number);
        }
    }
}
