package io.kvorum.failover;

import static java.util.Objects.requireNonNull;

import io.kvorum.slots.topology.NodeId;

/**
 * Something that a sentinel noticed, decided or did.
 *
 * <p>Immutable.
 *
 * @param number counts the events of one run of the sentinel, from 1, without gaps
 * @param at when it happened, in nanoseconds of the sentinel's clock
 * @param sentinel the sentinel
 * @param fact what happened
 */
public record SentinelEvent(long number, long at, NodeId sentinel, SentinelFact fact) {
    /**
     * Checks the parts.
     *
     * @throws IllegalArgumentException if {@code number} is not positive
     */
    public SentinelEvent {
        requireNonNull(sentinel, "sentinel");
        requireNonNull(fact, "fact");
        if (number < 1) {
            throw new IllegalArgumentException("number must be at least 1: " + number);
        }
    }
}
