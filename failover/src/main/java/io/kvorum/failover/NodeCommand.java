package io.kvorum.failover;

import static java.util.Objects.requireNonNull;

import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.time.Duration;
import java.util.List;

/**
 * A command of a sentinel to a node.
 *
 * <p>Commands may be lost, delayed, repeated or overtaken by others. A node therefore answers a repeated command as it
 * did the first time, refuses a command for an epoch below the one it has promised, and refuses a command for another
 * shard.
 *
 * <p>Immutable.
 */
public sealed interface NodeCommand {
    /** {@return the shard that the command is for} */
    ShardId shard();

    /**
     * Asks the node for a report. Changes nothing; any answer is a sign of life.
     *
     * @param shard the shard
     * @param nonce identifies the question: a sentinel that needs a report no older than its question draws a random
     *     number and ignores answers to any other; 0 for an ordinary ping
     */
    record Describe(ShardId shard, long nonce) implements NodeCommand {
        /** Checks the parts. */
        public Describe {
            requireNonNull(shard, "shard");
        }
    }

    /**
     * Asks for the promise to refuse every epoch below this one. A node that gives it takes no more writes or records
     * of lower epochs, so that its position is final for them. The node saves the promise, together with its holder,
     * before it answers. It answers the same holder again; it refuses the same epoch to anyone else.
     *
     * @param shard the shard
     * @param epoch the epoch to promise; positive
     * @param holder the attempt of a sentinel that the promise is given to: the id of the sentinel and a number drawn
     *     for the attempt
     */
    record Fence(ShardId shard, long epoch, NodeId holder) implements NodeCommand {
        /**
         * Checks the parts.
         *
         * @throws IllegalArgumentException if {@code epoch} is not a positive epoch
         */
        public Fence {
            requireNonNull(shard, "shard");
            requireBegun(epoch);
            requireNonNull(holder, "holder");
        }
    }

    /**
     * Tells the node to lead an epoch that it has promised to the same holder. The node refuses unless it is complete,
     * is still the incarnation that gave the promise, and its log ends at the expected position. Repeated to the
     * primary of that epoch, the command changes nothing and is answered with {@link NodeAnswer.Outcome#DONE}.
     *
     * @param shard the shard
     * @param epoch the epoch to lead; positive
     * @param holder the attempt that the promise was given to
     * @param incarnation the incarnation of the node that gave the promise
     * @param expected where the log of the node must end
     * @param committed the offset up to which the fenced nodes know that log to be committed, at least; -1 if they do
     *     not. The node may have forgotten it over a restart, and with it that its member list is committed
     */
    record Promote(ShardId shard, long epoch, NodeId holder, long incarnation, LogPosition expected, long committed)
            implements NodeCommand {
        /**
         * Checks the parts.
         *
         * @throws IllegalArgumentException if {@code epoch} is not a positive epoch, or {@code committed} is below -1
         *     or after {@code expected}
         */
        public Promote {
            requireNonNull(shard, "shard");
            requireBegun(epoch);
            requireNonNull(holder, "holder");
            requireNonNull(expected, "expected");
            if (committed < -1 || committed > expected.offset()) {
                throw new IllegalArgumentException("committed must be -1 to " + expected.offset() + ": " + committed);
            }
        }
    }

    /**
     * Tells the node to begin the history of the shard and to lead it, in an epoch that it has promised to the same
     * holder. Without {@code dataLost} the node refuses if it ever was part of the shard's history. With it, the node
     * begins anew on whatever data it has. The command uses the promise up: a node that has carried it out does so at
     * most once in the epoch, whatever it loses afterwards.
     *
     * @param shard the shard
     * @param epoch the epoch to lead; positive
     * @param holder the attempt that the promise was given to
     * @param members the members that the shard begins with, the node among them
     * @param joining other nodes, which are fed and become members once they are complete
     * @param dataLost whether the shard had a history, which ends here
     */
    record Begin(ShardId shard, long epoch, NodeId holder, MemberList members, List<NodeId> joining, boolean dataLost)
            implements NodeCommand {
        /**
         * Checks the parts.
         *
         * @throws IllegalArgumentException if {@code epoch} is not a positive epoch, or too many nodes are to join
         */
        public Begin {
            requireNonNull(shard, "shard");
            requireBegun(epoch);
            requireNonNull(holder, "holder");
            requireNonNull(members, "members");
            joining = List.copyOf(joining);
            if (joining.size() > MemberList.MAX_SIZE) {
                throw new IllegalArgumentException(
                        "at most " + MemberList.MAX_SIZE + " nodes may be to join: " + joining.size());
            }
        }
    }

    /**
     * Tells the node to promise an epoch and to follow its primary.
     *
     * @param shard the shard
     * @param epoch the epoch that the primary leads; positive
     * @param primary the primary of that epoch
     */
    record Follow(ShardId shard, long epoch, NodeId primary) implements NodeCommand {
        /**
         * Checks the parts.
         *
         * @throws IllegalArgumentException if {@code epoch} is not a positive epoch
         */
        public Follow {
            requireNonNull(shard, "shard");
            requireBegun(epoch);
            requireNonNull(primary, "primary");
        }
    }

    /**
     * Asks the primary to hold back its writes. The position in the answer stays final until the pause ends. The pause
     * ends by itself after the limit; a repeated command restarts the limit.
     *
     * @param shard the shard
     * @param epoch the epoch that the node leads; positive
     * @param limit how long to hold the writes back at most; positive
     */
    record Pause(ShardId shard, long epoch, Duration limit) implements NodeCommand {
        /**
         * Checks the parts.
         *
         * @throws IllegalArgumentException if {@code epoch} is not a positive epoch, or {@code limit} is not positive
         */
        public Pause {
            requireNonNull(shard, "shard");
            requireBegun(epoch);
            if (limit.isNegative() || limit.isZero()) {
                throw new IllegalArgumentException("limit must be positive: " + limit);
            }
        }
    }

    /**
     * Ends the pause of the primary.
     *
     * @param shard the shard
     * @param epoch the epoch that the node leads; positive
     */
    record Resume(ShardId shard, long epoch) implements NodeCommand {
        /**
         * Checks the parts.
         *
         * @throws IllegalArgumentException if {@code epoch} is not a positive epoch
         */
        public Resume {
            requireNonNull(shard, "shard");
            requireBegun(epoch);
        }
    }

    /**
     * Tells the primary to replace a member by another node. The answer {@link NodeAnswer.Outcome#DONE} means that the
     * change is under way or complete. The primary feeds the new node, and changes the member list once that node has
     * caught up; the reports of the primary show the list.
     *
     * @param shard the shard
     * @param epoch the epoch that the node leads; positive
     * @param outgoing the member to remove
     * @param incoming the node to take in
     */
    record Replace(ShardId shard, long epoch, NodeId outgoing, NodeId incoming) implements NodeCommand {
        /**
         * Checks the parts.
         *
         * @throws IllegalArgumentException if {@code epoch} is not a positive epoch, or both nodes are the same
         */
        public Replace {
            requireNonNull(shard, "shard");
            requireBegun(epoch);
            requireNonNull(outgoing, "outgoing");
            requireNonNull(incoming, "incoming");
            if (outgoing.equals(incoming)) {
                throw new IllegalArgumentException("incoming must differ from outgoing: " + incoming);
            }
        }
    }

    private static void requireBegun(long epoch) {
        if (Epoch.check(epoch) == 0) {
            throw new IllegalArgumentException("epoch must be positive: 0");
        }
    }
}
