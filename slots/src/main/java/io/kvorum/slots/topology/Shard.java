package io.kvorum.slots.topology;

import io.kvorum.slots.SlotSet;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * One shard as a topology sees it: who leads it, who follows, and which slots it owns.
 *
 * <p>Immutable.
 *
 * @param id which shard it is
 * @param epoch the epoch in which its primary was promoted; at least 0
 * @param primary the node that leads it
 * @param replicas the other nodes of the shard, in ascending order; the primary is not among them
 * @param slots the slots that the shard owns
 */
public record Shard(ShardId id, long epoch, NodeId primary, List<NodeId> replicas, SlotSet slots) {
    /**
     * Checks the parts, and puts the replicas in order.
     *
     * @throws IllegalArgumentException if {@code epoch} is negative or a node is named twice
     */
    public Shard {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(slots, "slots");
        checkEpoch(epoch);
        replicas = sortedReplicas(primary, replicas);
    }

    /** {@return the nodes of the shard: the primary, then the replicas} */
    public List<NodeId> nodes() {
        List<NodeId> nodes = new ArrayList<>(replicas.size() + 1);
        nodes.add(primary);
        nodes.addAll(replicas);
        return List.copyOf(nodes);
    }

    Shard withSlots(SlotSet newSlots) {
        return new Shard(id, epoch, primary, replicas, newSlots);
    }

    static void checkEpoch(long epoch) {
        if (epoch < 0) {
            throw new IllegalArgumentException("epoch must be at least 0: " + epoch);
        }
    }

    static List<NodeId> sortedReplicas(NodeId primary, List<NodeId> replicas) {
        List<NodeId> sorted = replicas.stream().sorted().toList();
        for (int i = 0; i < sorted.size(); i++) {
            NodeId replica = sorted.get(i);
            if (replica.equals(primary) || (i > 0 && replica.equals(sorted.get(i - 1)))) {
                throw new IllegalArgumentException("node must be named once in a shard: " + replica);
            }
        }
        Objects.requireNonNull(primary, "primary");
        return sorted;
    }
}
