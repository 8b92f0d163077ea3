package io.kvorum.failover;

import static java.util.Objects.requireNonNull;

import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import org.jspecify.annotations.Nullable;

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
     * <p>With a target the operation succeeds only once that node leads. If a failover is under way, it waits for its
     * end and then switches over to the target if necessary. A target that may not lead is refused before anything has
     * changed: {@link AbortReason#NOT_A_MEMBER}, {@link AbortReason#NODES_MISSING} if it is silent,
     * {@link AbortReason#NODE_INCOMPLETE}, or {@link AbortReason#NO_ELIGIBLE_NODE} if its priority is 0. That is judged
     * by what the target reports after the order.
     *
     * @param shard the shard
     * @param target the node that is to lead, or null for any but the present primary
     */
    record FailOver(ShardId shard, @Nullable NodeId target) implements Operation {
        /** Checks the parts. */
        public FailOver {
            requireNonNull(shard, "shard");
        }

        /**
         * Without a target.
         *
         * @param shard the shard
         */
        public FailOver(ShardId shard) {
            this(shard, null);
        }

        /** {@return the shard, and the target if there is one} */
        @Override
        public String toString() {
            return "FailOver[shard=" + shard + (target == null ? "" : ", target=" + target) + "]";
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
