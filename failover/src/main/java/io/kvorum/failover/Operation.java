package io.kvorum.failover;

import static java.util.Objects.requireNonNull;

import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;

/**
 * An order of an operator to a sentinel. Every operation ends within the time that the settings state for it, with an
 * {@link OperationOutcome}. A shard takes one operation at a time.
 *
 * <p>Immutable.
 */
public sealed interface Operation {
    /** {@return the shard that the operation is about} */
    ShardId shard();

    /**
     * Gives a shard another primary. If the present primary is well this is a switchover, which loses no write. If the
     * primary is objectively down, the operation ends with the failover that this causes anyway, or at once if that
     * cannot succeed. If neither is known, the operation waits to hear from the primary; it never fails over a primary
     * that may be well.
     *
     * @param shard the shard
     */
    record FailOver(ShardId shard) implements Operation {
        /** Checks the parts. */
        public FailOver {
            requireNonNull(shard, "shard");
        }
    }

    /**
     * Begins a new shard: once in its life, with all nodes that the topology lists. All of them must answer, and none
     * may ever have been part of a shard's history. The topology's primary leads first.
     *
     * @param shard the shard
     */
    record Bootstrap(ShardId shard) implements Operation {
        /** Checks the parts. */
        public Bootstrap {
            requireNonNull(shard, "shard");
        }
    }

    /**
     * Begins a shard anew whose data is lost, with the nodes that answer. The node with the most complete data leads.
     * <em>Every write that it lacks is lost for good, acknowledged or not.</em> Use it only if the shard can never have
     * a majority of complete members again; it is refused if such a majority answers.
     *
     * @param shard the shard
     */
    record BeginAnew(ShardId shard) implements Operation {
        /** Checks the parts. */
        public BeginAnew {
            requireNonNull(shard, "shard");
        }
    }

    /**
     * Replaces a member of a shard by another node. It ends once the new node has caught up and the changed member list
     * is committed.
     *
     * @param shard the shard
     * @param outgoing the member to remove
     * @param incoming the node to take in
     */
    record Replace(ShardId shard, NodeId outgoing, NodeId incoming) implements Operation {
        /**
         * Checks the parts.
         *
         * @throws IllegalArgumentException if both nodes are the same
         */
        public Replace {
            requireNonNull(shard, "shard");
            requireNonNull(outgoing, "outgoing");
            requireNonNull(incoming, "incoming");
            if (outgoing.equals(incoming)) {
                throw new IllegalArgumentException("incoming must differ from outgoing: " + incoming);
            }
        }
    }
}
