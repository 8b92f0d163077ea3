package io.kvorum.failover;

import io.kvorum.slots.LogPosition;
import io.kvorum.slots.NodeId;
import io.kvorum.slots.ShardId;
import java.time.Duration;
import java.util.List;
import java.util.Objects;

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
            Objects.requireNonNull(shard, "shard");
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
        /** Checks the parts. */
        public Fence {
            Objects.requireNonNull(shard, "shard");
            checkEpoch(epoch);
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
        /** Checks the parts. */
        public Promote {
            Objects.requireNonNull(shard, "shard");
            checkEpoch(epoch);
            Objects.requireNonNull(expected, "expected");
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
        /** Checks the parts. */
        public Follow {
            Objects.requireNonNull(shard, "shard");
            if (epoch < 0) {
                throw new IllegalArgumentException("epoch must be at least 0: " + epoch);
            }
            Objects.requireNonNull(primary, "primary");
        }
    }

    /**
     * Asks the primary of an epoch to hold its writes back. The position in the answer is final until the pause ends,
     * which it does by itself after the limit; a repetition starts the limit anew.
     *
     * @param shard the shard
     * @param epoch the epoch that the node leads
     * @param limit how long to hold the writes back at most; positive
     */
    record Pause(ShardId shard, long epoch, Duration limit) implements NodeCommand {
        /** Checks the parts. */
        public Pause {
            Objects.requireNonNull(shard, "shard");
            if (limit.isNegative() || limit.isZero()) {
                throw new IllegalArgumentException("limit must be positive: " + limit);
            }
        }
    }

    /**
     * Ends the pause of the primary of an epoch.
     *
     * @param shard the shard
     * @param epoch the epoch that the node leads
     */
    record Resume(ShardId shard, long epoch) implements NodeCommand {
        /** Checks the parts. */
        public Resume {
            Objects.requireNonNull(shard, "shard");
        }
    }

    private static void checkEpoch(long epoch) {
        if (epoch < 1) {
            throw new IllegalArgumentException("epoch must be at least 1: " + epoch);
        }
    }
}
