package io.kvorum.failover;

import static java.util.Objects.requireNonNull;

import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;

/**
 * Who leads a shard in an epoch. For a shard and an epoch there is at most one configuration ever, so of two the one
 * with the higher epoch is the later.
 *
 * <p>Immutable.
 *
 * @param shard the shard
 * @param epoch the epoch; at least 0, the epoch of a shard that was never failed over may be 0
 * @param primary the primary of that epoch
 */
public record Configuration(ShardId shard, long epoch, NodeId primary) {
    /**
     * Checks the parts.
     *
     * @throws IllegalArgumentException if {@code epoch} is negative
     */
    public Configuration {
        requireNonNull(shard, "shard");
        requireNonNull(primary, "primary");
        if (epoch < 0) {
            throw new IllegalArgumentException("epoch must be at least 0: " + epoch);
        }
    }
}
