package io.kvorum.failover;

import static java.util.Objects.requireNonNull;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.time.Duration;
import java.util.List;

/**
 * What a sentinel asks of a node. Every command may be lost, delayed, repeated or overtaken by another, so a node must
 * give the same answer to a repeated command, and must refuse one of an epoch below the one it has promised.
 *
 * <p>Immutable.
 */
public sealed interface NodeCommand {
    /** {@return the shard it is about; a node of another shard refuses} */
    ShardId shard();

    /**
     * Asks the node to describe itself; changes nothing. Any answer counts as a sign of life.
     *
     * @param shard the shard
     */
    record Describe(ShardId shard) implements NodeCommand {
        /** Checks the parts. */
        public Describe {
            requireNonNull(shard, "shard");
        }
    }

    /**
     * Asks the node to promise that it refuses every epoch below this one: it takes no more writes or records of lower
     * epochs, and its position is final. The promise is saved before it is answered.
     *
     * @param shard the shard
     * @param epoch the epoch to promise; positive
     */
    record Fence(ShardId shard, long epoch) implements NodeCommand {
        /**
         * Checks the parts.
         *
         * @throws IllegalArgumentException if {@code epoch} is not positive
         */
        public Fence {
            requireNonNull(shard, "shard");
            requireAtLeast("epoch", epoch, 1);
        }
    }

    /**
     * Asks the node to become the primary of an epoch that it has promised, provided that its log ends where it is
     * expected to. Repeated to the primary of that very epoch it changes nothing and is answered with
     * {@link NodeAnswer.Outcome#DONE}, wherever the log ends by then.
     *
     * @param shard the shard
     * @param epoch the epoch to lead; positive
     * @param expected where the node's log must end
     * @param nodes all nodes of the shard, this one among them
     */
    record Promote(ShardId shard, long epoch, LogPosition expected, List<NodeId> nodes) implements NodeCommand {
        /**
         * Checks the parts.
         *
         * @throws IllegalArgumentException if {@code epoch} is not positive
         */
        public Promote {
            requireNonNull(shard, "shard");
            requireAtLeast("epoch", epoch, 1);
            requireNonNull(expected, "expected");
            nodes = List.copyOf(nodes);
        }
    }

    /**
     * Asks the node to promise the epoch and to follow its primary.
     *
     * @param shard the shard
     * @param epoch the epoch that the primary leads; at least 0
     * @param primary the primary of that epoch
     */
    record Follow(ShardId shard, long epoch, NodeId primary) implements NodeCommand {
        /**
         * Checks the parts.
         *
         * @throws IllegalArgumentException if {@code epoch} is negative
         */
        public Follow {
            requireNonNull(shard, "shard");
            requireAtLeast("epoch", epoch, 0);
            requireNonNull(primary, "primary");
        }
    }

    /**
     * Asks the primary of an epoch to hold its writes back. The position in the answer is final until the pause ends,
     * which it does by itself after the limit; a repetition starts the limit anew.
     *
     * @param shard the shard
     * @param epoch the epoch that the node leads; at least 0
     * @param limit how long to hold the writes back at most; positive
     */
    record Pause(ShardId shard, long epoch, Duration limit) implements NodeCommand {
        /**
         * Checks the parts.
         *
         * @throws IllegalArgumentException if {@code epoch} is negative, or {@code limit} not positive
         */
        public Pause {
            requireNonNull(shard, "shard");
            requireAtLeast("epoch", epoch, 0);
            if (limit.isNegative() || limit.isZero()) {
                throw new IllegalArgumentException("limit must be positive: " + limit);
            }
        }
    }

    /**
     * Ends the pause of the primary of an epoch.
     *
     * @param shard the shard
     * @param epoch the epoch that the node leads; at least 0
     */
    record Resume(ShardId shard, long epoch) implements NodeCommand {
        /**
         * Checks the parts.
         *
         * @throws IllegalArgumentException if {@code epoch} is negative
         */
        public Resume {
            requireNonNull(shard, "shard");
            requireAtLeast("epoch", epoch, 0);
        }
    }

    private static void requireAtLeast(String name, long value, long least) {
        if (value < least) {
            throw new IllegalArgumentException(name + " must be at least " + least + ": " + value);
        }
    }
}
