package io.kvorum.slots.topology;

import io.kvorum.slots.SlotSet;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A change of a {@link ClusterTopology}. A change is only a description; {@link ClusterTopology#apply} checks it
 * against a topology and either creates the next version or refuses.
 *
 * <p>Each kind documents when it is refused. Immutable.
 */
public sealed interface TopologyChange {
    /** The greatest number of nodes of a shard: a full member list, and a primary that is no longer in it. */
    int MAX_NODES = MemberList.MAX_SIZE + 1;

    /**
     * Adds a shard without slots. A shard that was removed may be added again, in any epoch: it starts anew, without
     * the slots it had. Refused if the shard exists or if one of the nodes belongs to a shard.
     *
     * @param shard the new shard
     * @param epoch the {@linkplain Epoch epoch} in which its primary leads it
     * @param primary the node that leads it
     * @param replicas the other nodes of the shard
     */
    record AddShard(ShardId shard, long epoch, NodeId primary, List<NodeId> replicas) implements TopologyChange {
        /**
         * Checks the parts and sorts the replicas.
         *
         * @throws IllegalArgumentException if {@code epoch} is no epoch, a node is named twice, or there are more than
         *     {@link #MAX_NODES}
         */
        public AddShard {
            Objects.requireNonNull(shard, "shard");
            Epoch.check(epoch);
            replicas = Shard.sortedReplicas(primary, replicas);
            checkCount(replicas.size() + 1);
        }

        /** {@return the primary and the replicas, in ascending order} */
        public List<NodeId> nodes() {
            List<NodeId> nodes = new ArrayList<>(replicas);
            nodes.add(primary);
            nodes.sort(null);
            return List.copyOf(nodes);
        }

        /** {@return the parts in one line, for logs} */
        @Override
        public String toString() {
            return "AddShard[shard=" + shard + ", epoch=" + Epoch.toString(epoch) + ", primary=" + primary
                    + ", replicas=" + replicas + "]";
        }
    }

    /**
     * Removes a shard. Refused if it doesn't exist or owns a slot.
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
     * Gives slots without an owner, and so without data, to a shard. Refused if the shard doesn't exist or one of the
     * slots has an owner.
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
     * Takes slots from a shard and leaves them without an owner. Their data is given up: whoever gets them next begins
     * with empty slots. To keep it, use {@link MoveSlots}. Refused if the shard doesn't exist or doesn't own all of
     * them.
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
     * Gives slots of one shard to another. Their data does not move by this: until {@link FinishMove} says that it has
     * arrived, the slots are {@linkplain ClusterTopology#moving() on their way}, and the new owner refuses every
     * operation on them instead of answering as if they were empty. Given back to the shard that has their data, they
     * are served at once. Refused if either shard doesn't exist, or if the first doesn't own all of the slots.
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
    }

    /**
     * Says that the data of slots on their way is at their owner, which serves them from now on. Refused if the shard
     * doesn't exist or doesn't own all of them, or if one of them isn't on its way.
     *
     * @param slots the slots; at least one
     * @param shard the shard that owns them
     */
    record FinishMove(SlotSet slots, ShardId shard) implements TopologyChange {
        /**
         * Checks the parts.
         *
         * @throws IllegalArgumentException if {@code slots} is empty
         */
        public FinishMove {
            checkSlots(slots);
            Objects.requireNonNull(shard, "shard");
        }
    }

    /**
     * Makes a node of a shard its primary; the former primary becomes a replica, if the member list has it. Refused if
     * the shard doesn't exist, if the node doesn't belong to it, or if the epoch is not higher than the shard's. The
     * node may be the primary already: then only the epoch rises.
     *
     * @param shard the shard
     * @param epoch the {@linkplain Epoch epoch} of the promotion
     * @param primary the new primary
     */
    record Promote(ShardId shard, long epoch, NodeId primary) implements TopologyChange {
        /**
         * Checks the parts.
         *
         * @throws IllegalArgumentException if {@code epoch} is no epoch
         */
        public Promote {
            Objects.requireNonNull(shard, "shard");
            Epoch.check(epoch);
            Objects.requireNonNull(primary, "primary");
        }

        /** {@return the parts in one line, for logs} */
        @Override
        public String toString() {
            return "Promote[shard=" + shard + ", epoch=" + Epoch.toString(epoch) + ", primary=" + primary + "]";
        }
    }

    /**
     * Sets the nodes of a shard to those of a member list in its log. A primary that is not in the list stays a node of
     * the shard as long as it leads. Refused if the shard doesn't exist, or if the topology has this list or a later
     * one.
     *
     * <p>The list is a fact of the log, so nodes that other shards have too are not refused.
     *
     * @param shard the shard
     * @param version the position of the list in the log; after {@link LogPosition#START}
     * @param nodes the nodes of the list, 1 to {@link #MAX_NODES}
     */
    record SetMembers(ShardId shard, LogPosition version, List<NodeId> nodes) implements TopologyChange {
        /**
         * Checks the parts and sorts the nodes.
         *
         * @throws IllegalArgumentException if {@code version} is {@link LogPosition#START}, a node is named twice, or
         *     there are too few or too many nodes
         */
        public SetMembers {
            Objects.requireNonNull(shard, "shard");
            if (version.equals(LogPosition.START)) {
                throw new IllegalArgumentException("position of a member list must be after the start of the log");
            }
            nodes = Shard.sortedNodes(nodes);
            checkCount(nodes.size());
        }
    }

    /**
     * Sets the address of a node. Refused if the node doesn't belong to a shard.
     *
     * @param node the node
     * @param address the address, or {@code null} to forget it
     */
    record SetAddress(NodeId node, @Nullable NodeAddress address) implements TopologyChange {
        /** Checks that the node is named. */
        public SetAddress {
            Objects.requireNonNull(node, "node");
        }
    }

    private static void checkSlots(SlotSet slots) {
        if (slots.isEmpty()) {
            throw new IllegalArgumentException("slots of a change must not be empty");
        }
    }

    private static void checkCount(int nodes) {
        if (nodes < 1 || nodes > MAX_NODES) {
            throw new IllegalArgumentException("shard must have 1 to " + MAX_NODES + " nodes: it has " + nodes);
        }
    }
}
