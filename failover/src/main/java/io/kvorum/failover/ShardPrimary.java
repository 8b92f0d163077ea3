package io.kvorum.failover;

import static java.util.Objects.requireNonNull;

import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;

/**
 * The primary of a shard in one epoch. A shard has at most one primary per epoch, ever, so the value with the higher
 * epoch is the later one; a shard that was removed and added again is another one, of a later generation.
 *
 * <p>Immutable.
 *
 * @param shard the shard
 * @param generation how often the shard was added, 1 or more
 * @param epoch the epoch that the primary leads; 0 for a shard that was never begun, whose primary is only designated
 * @param primary the primary of that epoch
 */
public record ShardPrimary(ShardId shard, int generation, long epoch, NodeId primary) {
    /**
     * Checks the parts.
     *
     * @throws IllegalArgumentException if {@code generation} is below 1, or {@code epoch} is not an epoch
     */
    public ShardPrimary {
        requireNonNull(shard, "shard");
        if (generation < 1) {
            throw new IllegalArgumentException("generation must be at least 1: " + generation);
        }
        Epoch.check(epoch);
        requireNonNull(primary, "primary");
    }

    /** {@return the shard, its primary and the epoch, as in {@code s1: a in epoch 3.2}} */
    @Override
    public String toString() {
        return shard + ": " + primary + " in epoch " + Epoch.toString(epoch);
    }
}
