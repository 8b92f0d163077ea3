package io.kvorum.slots.topology;

import io.kvorum.slots.SlotSet;
import java.util.List;
import java.util.Objects;

/**
 * One change of a {@link ClusterTopology}. A change is only a description; {@link ClusterTopology#apply} checks it
 * against a topology and either makes the next one or refuses.
 *
 * <p>Each kind says when it is refused. Immutable.
 */
public sealed interface TopologyChange {
    /** {@return the shard it is about; for a move of slots the one that gives them} */
    ShardId shard();

    /**
     * Adds a shard without slots. Refused if the shard is there already, if one of the nodes belongs to another shard,
     * or if the shard was removed before in this epoch or a higher one.
     *
     * @param shard the new shard
     * @param epoch the epoch in which its primary leads it; at least 0
     * @param primary the node that leads it
     * @param replicas the other nodes of the shard
     */
    record AddShard(ShardId shard, long epoch, NodeId primary, List<NodeId> replicas) implements TopologyChange {
        /**
         * Checks the parts, and puts the replicas in order.
         *
         * @throws IllegalArgumentException if {@code epoch} is negative or a node is named twice
         */
        public AddShard {
            Objects.requireNonNull(shard, "shard");
            Shard.checkEpoch(epoch);
            replicas = Shard.sortedReplicas(primary, replicas);
        }
    }

    /**
     * Removes a shard that owns no slots. Refused if it is not there or owns a slot.
     *
     * @param shard the shard to remove
     */
    record RemoveShard(ShardId shard) implements TopologyChange {
        /** Checks that the shard is named. */
        public RemoveShard {
            Objects.requireNonNull(shard, "shard");
        }
    }

    /**
     * Gives slots that nobody owns to a shard. Refused if the shard is not there or if one of the slots has an owner.
     *
     * @param slots the slots; at least one
     * @param shard the shard that gets them
     */
    record AssignSlots(SlotSet slots, ShardId shard) implements TopologyChange {
        /**
         * Checks the parts.
         *
         * @throws IllegalArgumentException if {@code slots} is empty
         */
        public AssignSlots {
            checkSlots(slots);
            Objects.requireNonNull(shard, "shard");
        }
    }

    /**
     * Takes slots from a shard and gives them to nobody. Refused if the shard is not there or does not own all of them.
     *
     * @param slots the slots; at least one
     * @param shard the shard that owns them
     */
    record UnassignSlots(SlotSet slots, ShardId shard) implements TopologyChange {
        /**
         * Checks the parts.
         *
         * @throws IllegalArgumentException if {@code slots} is empty
         */
        public UnassignSlots {
            checkSlots(slots);
            Objects.requireNonNull(shard, "shard");
        }
    }

    /**
     * Moves slots from one shard to another. Refused if either is not there, or if the first does not own all of them.
     *
     * @param slots the slots; at least one
     * @param from the shard that owns them
     * @param to the shard that gets them; another one
     */
    record MoveSlots(SlotSet slots, ShardId from, ShardId to) implements TopologyChange {
        /**
         * Checks the parts.
         *
         * @throws IllegalArgumentException if {@code slots} is empty, or {@code from} is {@code to}
         */
        public MoveSlots {
            checkSlots(slots);
            Objects.requireNonNull(from, "from");
            Objects.requireNonNull(to, "to");
            if (from.equals(to)) {
                throw new IllegalArgumentException("slots must move to another shard: " + to);
            }
        }

        @Override
        public ShardId shard() {
            return from;
        }
    }

    /**
     * Makes a node of a shard its primary; the primary until then becomes a replica. Refused if the shard is not there,
     * if the node is not one of its nodes, or if the epoch is not higher than the shard's. The node may lead already:
     * then only the epoch rises.
     *
     * @param shard the shard
     * @param epoch the epoch of the promotion
     * @param primary the node that leads from now on
     */
    record Promote(ShardId shard, long epoch, NodeId primary) implements TopologyChange {
        /**
         * Checks the parts.
         *
         * @throws IllegalArgumentException if {@code epoch} is negative
         */
        public Promote {
            Objects.requireNonNull(shard, "shard");
            Shard.checkEpoch(epoch);
            Objects.requireNonNull(primary, "primary");
        }
    }

    /**
     * Adds a replica to a shard. Refused if the shard is not there, or if the node belongs to it or another already.
     *
     * @param shard the shard
     * @param replica the node to add
     */
    record AddReplica(ShardId shard, NodeId replica) implements TopologyChange {
        /** Checks that both are named. */
        public AddReplica {
            Objects.requireNonNull(shard, "shard");
            Objects.requireNonNull(replica, "replica");
        }
    }

    /**
     * Removes a replica from a shard. Refused if the shard is not there, or if the node is not one of its replicas.
     *
     * @param shard the shard
     * @param replica the node to remove
     */
    record RemoveReplica(ShardId shard, NodeId replica) implements TopologyChange {
        /** Checks that both are named. */
        public RemoveReplica {
            Objects.requireNonNull(shard, "shard");
            Objects.requireNonNull(replica, "replica");
        }
    }

    private static void checkSlots(SlotSet slots) {
        if (slots.isEmpty()) {
            throw new IllegalArgumentException("slots of a change must not be empty");
        }
    }
}
