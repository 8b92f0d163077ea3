package io.kvorum.slots.topology;

import io.kvorum.slots.SlotSet;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * A topology's record of one shard, removed or not, in a form that merges.
 *
 * <p>Adding a shard begins a <em>generation</em>, removing it ends the generation. Of two entries, the one of the later
 * generation wins, and within a generation the removal. So no news from before a removal, whatever its epoch, brings a
 * shard back. Within a generation two parts change independently:
 *
 * <ul>
 *   <li>the primary: the higher epoch wins;
 *   <li>the nodes: the later position of the member list in the shard's log wins.
 * </ul>
 *
 * <p>The rest of the entry breaks ties, as between two shards that were added under one id at once.
 *
 * <p>Each part has a number that only grows; a merge takes the higher of both sides. Their sum is the entry's share of
 * the topology's version. A promotion adds the rise of the epoch, a member list the rise of its position, so a topology
 * that missed some of them has the same version after the last one.
 *
 * @param generation how often the shard was added, 1 or more
 * @param present the shard in this generation; {@code null} if it is removed
 * @param epochTotal the rises of the epoch in all generations
 * @param membersTotal the rises of the member list's position in all generations
 * @param fields the fields that only a later release understands, by name
 */
record ShardEntry(
        ShardId id,
        int generation,
        @Nullable Present present,
        long epochTotal,
        long membersTotal,
        SortedMap<String, String> fields) {

    /**
     * A shard that is not removed.
     *
     * @param epoch the epoch in which {@code primary} leads
     * @param membersAt the position of the member list in the shard's log
     * @param nodes the nodes of that list, in ascending order; the primary may be missing among them
     */
    record Present(long epoch, NodeId primary, LogPosition membersAt, List<NodeId> nodes) {}

    /** Adds a shard that never was in the topology. */
    static ShardEntry first(ShardId id, Present present) {
        return new ShardEntry(id, 0, null, 0, 0, Collections.emptySortedMap()).added(present);
    }

    boolean isRemoved() {
        return present == null;
    }

    /** Returns the entry's share of the topology's version. It grows with each change and never falls in a merge. */
    long weight() {
        return Math.addExact(Math.addExact(epochTotal, membersTotal), tenure());
    }

    /** Returns the generation and whether the shard is removed as one number that only grows. */
    long tenure() {
        return 2L * generation + (present == null ? 0 : -1);
    }

    /** Returns the owner of slots that are given to the shard now. */
    SlotTable.Owner owner() {
        return new SlotTable.Owner(id, generation);
    }

    /** Says whether an owner of slots is this shard in its present generation. */
    boolean isOwner(SlotTable.Owner owner) {
        return present != null && generation == owner.generation() && id.equals(owner.shard());
    }

    ShardEntry added(Present next) {
        return new ShardEntry(
                id,
                Math.addExact(generation, 1),
                next,
                Math.addExact(epochTotal, next.epoch),
                Math.addExact(membersTotal, weight(next.membersAt)),
                fields);
    }

    ShardEntry removed() {
        return new ShardEntry(id, generation, null, epochTotal, membersTotal, fields);
    }

    ShardEntry promoted(long epoch, NodeId primary) {
        Present before = known();
        return new ShardEntry(
                id,
                generation,
                new Present(epoch, primary, before.membersAt, before.nodes),
                Math.addExact(epochTotal, epoch - before.epoch),
                membersTotal,
                fields);
    }

    ShardEntry withMembers(LogPosition membersAt, List<NodeId> nodes) {
        Present before = known();
        long rise = Math.max(1, weight(membersAt) - weight(before.membersAt));
        return new ShardEntry(
                id,
                generation,
                new Present(before.epoch, before.primary, membersAt, nodes),
                epochTotal,
                Math.addExact(membersTotal, rise),
                fields);
    }

    /** Returns the content of a shard that must not be removed. */
    Present known() {
        return Objects.requireNonNull(present, "present");
    }

    /** Returns the shard with these slots, or {@code null} if it is removed. */
    @Nullable
    Shard shard(SlotSet slots) {
        return present == null
                ? null
                : new Shard(
                        id, generation, present.epoch, present.primary, replicas(present), present.membersAt, slots);
    }

    private static List<NodeId> replicas(Present present) {
        return present.nodes.stream()
                .filter(node -> !node.equals(present.primary))
                .toList();
    }

    ShardEntry merge(ShardEntry other) {
        int byTenure = Long.compare(tenure(), other.tenure());
        boolean wins = byTenure > 0 || (byTenure == 0 && compareLeadership(other) >= 0);
        ShardEntry winner = wins ? this : other;
        ShardEntry loser = wins ? other : this;
        Present merged = byTenure == 0 ? latestMembers(winner.present, loser.present) : winner.present;
        long mostEpochs = Math.max(epochTotal, other.epochTotal);
        long mostMembers = Math.max(membersTotal, other.membersTotal);
        ShardEntry result = new ShardEntry(id, winner.generation, merged, mostEpochs, mostMembers, winner.fields);
        return result.equals(this) ? this : result;
    }

    private static @Nullable Present latestMembers(@Nullable Present winner, @Nullable Present loser) {
        if (winner == null || loser == null) {
            return winner; // in one tenure both are removed or neither is
        }
        int byPosition = loser.membersAt.compareTo(winner.membersAt);
        boolean later = byPosition > 0 || (byPosition == 0 && compare(loser.nodes, winner.nodes) > 0);
        return later ? new Present(winner.epoch, winner.primary, loser.membersAt, loser.nodes) : winner;
    }

    private int compareLeadership(ShardEntry other) {
        if (present != null && other.present != null) {
            int byEpoch = Long.compare(present.epoch, other.present.epoch);
            int byLeadership = byEpoch != 0 ? byEpoch : present.primary.compareTo(other.present.primary);
            if (byLeadership != 0) {
                return byLeadership;
            }
        }
        return fields.equals(other.fields) ? 0 : fields.toString().compareTo(other.fields.toString());
    }

    private static int compare(List<NodeId> one, List<NodeId> other) {
        return one.equals(other) ? 0 : one.toString().compareTo(other.toString());
    }

    /** Returns a number that grows along the positions of one log. */
    static long weight(LogPosition position) {
        return Math.addExact(position.epoch(), position.offset());
    }
}
