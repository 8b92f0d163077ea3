package io.kvorum.slots.topology;

import io.kvorum.slots.SlotSet;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * What a topology remembers of one shard, removed or not, so that two topologies can be merged.
 *
 * <p>Of two entries of a shard the one of the higher epoch wins, then the one of the higher revision; whatever is left
 * (two changes made at once) is decided by comparing the rest. The count of changes is no part of that rank: it is the
 * highest seen on either side, so that it never falls, not even where the winner has seen fewer changes.
 *
 * @param primary the node that leads it; {@code null} if the shard is removed
 * @param revision the number of the last change of this entry, promotions left out
 * @param changes the highest revision seen in any entry of this shard; at least {@code revision}
 * @param fields what a later release knows of the shard and this one only keeps, by name
 */
record ShardEntry(
        ShardId id,
        long epoch,
        long revision,
        long changes,
        @Nullable NodeId primary,
        List<NodeId> replicas,
        SortedMap<String, String> fields) {

    static ShardEntry first(ShardId id, long epoch, NodeId primary, List<NodeId> replicas) {
        return new ShardEntry(id, epoch, 1, 1, primary, replicas, Collections.emptySortedMap());
    }

    boolean isRemoved() {
        return primary == null;
    }

    /** What the entry adds to the version of its topology: grows with each change and never falls in a merge. */
    long weight() {
        return epoch + changes;
    }

    ShardEntry changed(long newEpoch, @Nullable NodeId newPrimary, List<NodeId> newReplicas) {
        return new ShardEntry(id, newEpoch, changes + 1, changes + 1, newPrimary, newReplicas, fields);
    }

    /**
     * Takes a promotion over. It counts as no change beside its epoch: whoever learns of promotions by itself may have
     * missed some in between, and must come to the same version all the same.
     */
    ShardEntry promoted(long newEpoch, NodeId newPrimary) {
        List<NodeId> others = new ArrayList<>(replicas);
        if (primary != null && !newPrimary.equals(primary)) {
            others.remove(newPrimary);
            others.add(primary);
            others.sort(null);
        }
        return new ShardEntry(id, newEpoch, revision, changes, newPrimary, List.copyOf(others), fields);
    }

    ShardEntry withReplica(NodeId replica) {
        List<NodeId> more = new ArrayList<>(replicas);
        more.add(replica);
        more.sort(null);
        return changed(epoch, primary, List.copyOf(more));
    }

    ShardEntry withoutReplica(NodeId replica) {
        List<NodeId> fewer = new ArrayList<>(replicas);
        fewer.remove(replica);
        return changed(epoch, primary, List.copyOf(fewer));
    }

    ShardEntry removed() {
        return changed(epoch, null, List.of());
    }

    ShardEntry revived(long newEpoch, NodeId newPrimary, List<NodeId> newReplicas) {
        return changed(newEpoch, newPrimary, newReplicas);
    }

    /** Shows the entry to users of the topology: as a shard with these slots, or as {@code null} if it is removed. */
    @Nullable
    Shard shard(SlotSet slots) {
        return primary == null ? null : new Shard(id, epoch, primary, replicas, slots);
    }

    ShardEntry merge(ShardEntry other) {
        ShardEntry winner = compareRank(other) >= 0 ? this : other;
        long most = Math.max(changes, other.changes);
        return winner.changes == most
                ? winner
                : new ShardEntry(
                        id, winner.epoch, winner.revision, most, winner.primary, winner.replicas, winner.fields);
    }

    private int compareRank(ShardEntry other) {
        int byEpoch = Long.compare(epoch, other.epoch);
        if (byEpoch != 0) {
            return byEpoch;
        }
        int byRevision = Long.compare(revision, other.revision);
        return byRevision != 0 ? byRevision : content().compareTo(other.content());
    }

    /** All that the rank leaves open, as one text: equal for two entries only if they are equal in all of it. */
    private String content() {
        return primary + " " + replicas + " " + fields;
    }
}
