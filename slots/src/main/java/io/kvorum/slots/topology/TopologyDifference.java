package io.kvorum.slots.topology;

import io.kvorum.slots.HashSlot;
import io.kvorum.slots.topology.TopologyChange.AddShard;
import io.kvorum.slots.topology.TopologyChange.FinishMove;
import io.kvorum.slots.topology.TopologyChange.Promote;
import io.kvorum.slots.topology.TopologyChange.RemoveShard;
import io.kvorum.slots.topology.TopologyChange.SetAddress;
import io.kvorum.slots.topology.TopologyChange.SetMembers;
import io.kvorum.slots.topology.TopologyChange.UnassignSlots;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The list of changes from one topology to a later one. */
final class TopologyDifference {
    private final ClusterTopology before;
    private final ClusterTopology after;
    private final List<TopologyChange> changes = new ArrayList<>();

    private TopologyDifference(ClusterTopology before, ClusterTopology after) {
        this.before = before;
        this.after = after;
    }

    static List<TopologyChange> between(ClusterTopology before, ClusterTopology after) {
        TopologyDifference difference = new TopologyDifference(before, after);
        difference.replaceShards();
        difference.changeShards();
        difference.changeOwners();
        difference.removeShards();
        difference.setAddresses();
        return List.copyOf(difference.changes);
    }

    /** Removes those shards first that were removed and then added again. */
    private void replaceShards() {
        for (Shard shard : before.shards()) {
            if (after.shard(shard.id()) != null && !continues(shard.id())) {
                if (!shard.slots().isEmpty()) {
                    changes.add(new UnassignSlots(shard.slots(), shard.id()));
                }
                changes.add(new RemoveShard(shard.id()));
            }
        }
    }

    private void changeShards() {
        for (Shard shard : after.shards()) {
            Shard old = continues(shard.id()) ? before.shard(shard.id()) : null;
            if (old == null) {
                changes.add(new AddShard(shard.id(), shard.epoch(), shard.primary(), shard.replicas()));
            }
            LogPosition knownMembers = old == null ? LogPosition.START : old.membersAt();
            if (shard.membersAt().compareTo(knownMembers) > 0) {
                changes.add(new SetMembers(shard.id(), shard.membersAt(), shard.nodes()));
            }
            if (old != null && (old.epoch() != shard.epoch() || !old.primary().equals(shard.primary()))) {
                changes.add(new Promote(shard.id(), shard.epoch(), shard.primary()));
            }
        }
    }

    private void changeOwners() {
        SlotRoutes detours = new SlotRoutes();
        SlotGroups<ShardId> settled = new SlotGroups<>();
        SlotRoutes routes = new SlotRoutes();
        SlotGroups<ShardId> arrived = new SlotGroups<>();
        for (int slot = 0; slot < HashSlot.COUNT; slot++) {
            ShardId from = ownerAfterReplacements(slot);
            ShardId to = idOf(after.shardOf(slot));
            ShardId detour = detour(slot, from, to);
            if (detour == null) {
                if (!Objects.equals(from, to)) {
                    routes.add(slot, from, to);
                }
                if (to != null && isOnItsWay(slot, from, to) && !after.isMoving(slot)) {
                    arrived.add(to, slot);
                }
            } else {
                if (!detour.equals(from)) {
                    detours.add(slot, from, detour);
                }
                if (from != null) {
                    settled.add(detour, slot);
                }
                routes.add(slot, detour, to);
            }
        }
        changes.addAll(detours.changes());
        settled.forEach((shard, slots) -> changes.add(new FinishMove(slots, shard)));
        changes.addAll(routes.changes());
        arrived.forEach((shard, slots) -> changes.add(new FinishMove(slots, shard)));
    }

    private @Nullable ShardId ownerAfterReplacements(int slot) {
        ShardId owner = idOf(before.shardOf(slot));
        return owner == null || isReplaced(owner) ? null : owner;
    }

    /**
     * Returns the shard that the data of a slot came to on the way and still is at, so that the way leads through it;
     * or {@code null} if the data is where the direct way leaves it, or nobody knows any more where it is.
     */
    private @Nullable ShardId detour(int slot, @Nullable ShardId from, @Nullable ShardId to) {
        if (to == null || !after.isMoving(slot)) {
            return null;
        }
        boolean onItsWay = isOnItsWay(slot, from, to);
        ShardId source = source(slot);
        ShardId wanted = after.sourceOf(slot);
        if (wanted != null) {
            return onItsWay && wanted.equals(source) ? null : wanted;
        }
        SlotTable.Owner gone = after.slots().source(slot);
        boolean leavesIt = onItsWay && (source == null || after.shard(source) == null);
        return leavesIt || gone == null || before.shard(gone.shard()) == null || after.shard(gone.shard()) != null
                ? null
                : gone.shard(); // it is removed last
    }

    /** Says whether the direct way leaves a slot without its data. */
    private boolean isOnItsWay(int slot, @Nullable ShardId from, ShardId to) {
        if (from == null) {
            return false;
        }
        return from.equals(to) ? before.isMoving(slot) : !to.equals(source(slot));
    }

    /** Returns the shard that had the data of a slot before and still has it, or {@code null}. */
    private @Nullable ShardId source(int slot) {
        ShardId source = before.isMoving(slot) ? before.sourceOf(slot) : idOf(before.shardOf(slot));
        return source == null || isReplaced(source) ? null : source;
    }

    private static @Nullable ShardId idOf(@Nullable Shard shard) {
        return shard == null ? null : shard.id();
    }

    private void removeShards() {
        for (Shard shard : before.shards()) {
            if (after.shard(shard.id()) == null) {
                changes.add(new RemoveShard(shard.id()));
            }
        }
    }

    private void setAddresses() {
        List<NodeEntry> different = after.nodes().values().stream()
                .filter(entry -> !Objects.equals(entry.address(), before.addressOf(entry.node())))
                .toList();
        if (!different.isEmpty()) {
            SortedSet<NodeId> nodes = new TreeSet<>();
            after.shards().forEach(shard -> nodes.addAll(shard.nodes()));
            for (NodeEntry entry : different) {
                if (nodes.contains(entry.node())) {
                    changes.add(new SetAddress(entry.node(), entry.address()));
                }
            }
        }
    }

    private boolean isReplaced(ShardId id) {
        return after.shard(id) != null && !continues(id);
    }

    /** Says whether a shard is in both topologies and was not removed in between. */
    private boolean continues(ShardId id) {
        return before.shard(id) != null && generation(before.entry(id)) == generation(after.entry(id));
    }

    private static int generation(@Nullable ShardEntry entry) {
        return entry == null ? 0 : entry.generation();
    }
}
