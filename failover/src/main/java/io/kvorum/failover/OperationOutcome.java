package io.kvorum.failover;

import static java.util.Objects.requireNonNull;

import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.NodeId;
import java.util.List;

/**
 * The outcome of an {@link Operation}.
 *
 * <p>Immutable.
 */
public sealed interface OperationOutcome {
    /**
     * The operation was carried out.
     *
     * @param primary the primary of the shard now. After a switchover whose target was lost at the last moment it may
     *     be the same node as before, in a new epoch
     */
    record Succeeded(ShardPrimary primary) implements OperationOutcome {
        /** Checks the parts. */
        public Succeeded {
            requireNonNull(primary, "primary");
        }
    }

    /**
     * The operation was refused or given up.
     *
     * @param epoch the epoch of the attempt; that of the present primary if no epoch was taken
     * @param reason why
     * @param nodes the nodes that are the cause, such as those that did not answer; may be empty
     */
    record Failed(long epoch, AbortReason reason, List<NodeId> nodes) implements OperationOutcome {
        /** Checks the parts. */
        public Failed {
            Epoch.check(epoch);
            requireNonNull(reason, "reason");
            nodes = List.copyOf(nodes);
        }

        /** {@return the reason, the nodes and the epoch} */
        @Override
        public String toString() {
            return "Failed[" + reason + (nodes.isEmpty() ? "" : " " + nodes) + " in epoch " + Epoch.toString(epoch)
                    + "]";
        }
    }
}
