package io.kvorum.slots.topology;

import io.kvorum.slots.SlotSet;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A shard of a topology: its primary, its replicas, and its slots.
 *
 * <p>Immutable.
 *
 * @param id the id of the shard
 * @param generation how often the shard was added, 1 or more: a shard that was removed and added again is another one
 *     under the same id
 * @param epoch the {@linkplain Epoch epoch} in which its primary was promoted
 * @param primary the node that leads it
 * @param replicas the other nodes of the shard, in ascending order, without the primary
 * @param membersAt the position of the member list in the shard's log that these nodes were taken from;
 *     {@link LogPosition#START} for the nodes that the shard was added with
 * @param slots the slots that the shard owns
 */
public record Shard(
        ShardId id,
        int generation,
        long epoch,
        NodeId primary,
        List<NodeId> replicas,
        LogPosition membersAt,
        SlotSet slots) {
    /**
     * Checks the parts and sorts the replicas.
     *
     * @throws IllegalArgumentException if {@code generation} is below 1, {@code epoch} is no epoch, or a node is named
     *     twice
     */
    public Shard {
        Objects.requireNonNull(id, "id");
        if (generation < 1) {
            throw new IllegalArgumentException("generation must be at least 1: " + generation);
        }
        Epoch.check(epoch);
        replicas = sortedReplicas(primary, replicas);
        Objects.requireNonNull(membersAt, "membersAt");
        Objects.requireNonNull(slots, "slots");
    }

    /** {@return the nodes of the shard: the primary, then the replicas} */
    public List<NodeId> nodes() {
        List<NodeId> nodes = new ArrayList<>(replicas.size() + 1);
        nodes.add(primary);
        nodes.addAll(replicas);
        return List.copyOf(nodes);
    }

    static List<NodeId> sortedReplicas(NodeId primary, List<NodeId> replicas) {
        Objects.requireNonNull(primary, "primary");
        List<NodeId> sorted = sortedNodes(replicas);
        if (sorted.contains(primary)) {
            throw namedTwice(primary);
        }
        return sorted;
    }

    static List<NodeId> sortedNodes(List<NodeId> nodes) {
        List<NodeId> sorted = nodes.stream().sorted().toList();
        for (int i = 1; i < sorted.size(); i++) {
            if (sorted.get(i).equals(sorted.get(i - 1))) {
                throw namedTwice(sorted.get(i));
            }
        }
        return sorted;
    }

    private static IllegalArgumentException namedTwice(NodeId node) {
        return new IllegalArgumentException("node must be named once in a shard: " + node);
    }

    /** {@return the parts in one line, for logs} */
    @Override
    public String toString() {
        return "Shard[id=" + id + ", generation=" + generation + ", epoch=" + Epoch.toString(epoch) + ", primary="
                + primary + ", replicas=" + replicas + ", membersAt=" + membersAt + ", slots=" + slots + "]";
    }
}
