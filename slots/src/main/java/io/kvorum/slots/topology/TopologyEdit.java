package io.kvorum.slots.topology;

import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.TopologyChange.AddShard;
import io.kvorum.slots.topology.TopologyChange.AssignSlots;
import io.kvorum.slots.topology.TopologyChange.FinishMove;
import io.kvorum.slots.topology.TopologyChange.MoveSlots;
import io.kvorum.slots.topology.TopologyChange.Promote;
import io.kvorum.slots.topology.TopologyChange.RemoveShard;
import io.kvorum.slots.topology.TopologyChange.SetAddress;
import io.kvorum.slots.topology.TopologyChange.SetMembers;
import io.kvorum.slots.topology.TopologyChange.UnassignSlots;
import io.kvorum.slots.topology.TopologyConflictException.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * An edit of a topology: checks and applies a list of changes.
 *
 * <p>Changes are collected beside the topology and joined with it once, at the end. So the time is proportional to the
 * length of the list and the size of the topology, not to their product.
 */
final class TopologyEdit {
    /** A shard after the changes so far. */
    private static final class Draft {
        private ShardEntry entry;
        private int owned;

        Draft(ShardEntry entry, int owned) {
            this.entry = entry;
            this.owned = owned;
        }
    }

    private final ClusterTopology start;
    private final SortedMap<ShardId, Draft> drafts = new TreeMap<>();
    private final SlotTable.Draft slots;
    /** For each node that a change names, the shards that it belongs to. */
    private final SortedMap<NodeId, SortedSet<ShardId>> shardsOfNode = new TreeMap<>();
    /** The addresses, once one of them was changed. */
    private @Nullable SortedMap<NodeId, NodeEntry> nodes;

    private int added;
    private long work;

    /**
     * Begins an edit.
     *
     * @param changes all changes that will be applied
     */
    TopologyEdit(ClusterTopology start, List<? extends TopologyChange> changes) {
        this.start = start;
        slots = new SlotTable.Draft(start.slots());
        for (TopologyChange change : changes) {
            for (NodeId node : nodesIn(change)) {
                shardsOfNode.put(node, new TreeSet<>());
            }
        }
        if (!shardsOfNode.isEmpty()) {
            for (Shard shard : start.shards()) {
                shard.nodes().forEach(node -> belongs(node, shard.id()));
            }
        }
    }

    private static List<NodeId> nodesIn(TopologyChange change) {
        if (change instanceof AddShard add) {
            return add.nodes();
        } else if (change instanceof SetMembers set) {
            return set.nodes();
        } else if (change instanceof SetAddress set) {
            return List.of(set.node());
        }
        return List.of();
    }

    /** Applies a change, or refuses it with a {@link TopologyConflictException}. */
    void apply(TopologyChange change) {
        if (change instanceof AddShard add) {
            add(add);
        } else if (change instanceof RemoveShard remove) {
            remove(remove);
        } else if (change instanceof AssignSlots assign) {
            Draft taker = known(assign.shard());
            checkUnowned(assign.slots());
            give(assign.slots(), null, taker);
        } else if (change instanceof UnassignSlots unassign) {
            Draft giver = known(unassign.shard());
            checkOwned(unassign.slots(), giver.entry);
            give(unassign.slots(), giver, null);
        } else if (change instanceof MoveSlots move) {
            Draft taker = known(move.to());
            Draft giver = known(move.from());
            checkOwned(move.slots(), giver.entry);
            give(move.slots(), giver, taker);
        } else if (change instanceof FinishMove finish) {
            Draft owner = known(finish.shard());
            checkOwned(finish.slots(), owner.entry);
            checkMoving(finish.slots(), owner.entry);
            slots.finishMove(finish.slots());
        } else if (change instanceof Promote promote) {
            promote(promote);
        } else if (change instanceof SetMembers set) {
            setMembers(set);
        } else if (change instanceof SetAddress set) {
            setAddress(set);
        } else {
            throw new AssertionError(change);
        }
    }

    /** Returns the topology after all changes. */
    ClusterTopology topology() {
        List<ShardEntry> merged = new ArrayList<>(start.entries().size() + added);
        List<ShardEntry> before = start.entries();
        int next = 0;
        for (Draft draft : drafts.values()) {
            while (next < before.size() && before.get(next).id().compareTo(draft.entry.id()) < 0) {
                merged.add(before.get(next++));
            }
            if (next < before.size() && before.get(next).id().equals(draft.entry.id())) {
                next++;
            }
            merged.add(draft.entry);
        }
        merged.addAll(before.subList(next, before.size()));
        work += merged.size();
        return new ClusterTopology(
                merged.toArray(ShardEntry[]::new),
                slots.table(),
                nodes == null ? start.nodes() : nodes,
                start.otherLines(),
                start);
    }

    /** Returns the number of shards, nodes and slots that the edit has visited. */
    long work() {
        return work;
    }

    private void add(AddShard add) {
        Draft draft = draft(add.shard());
        if (draft != null && !draft.entry.isRemoved()) {
            throw start.conflict(Kind.SHARD_EXISTS, "shard to add must not exist: " + add.shard(), add.shard(), null);
        }
        add.nodes().forEach(this::checkFree);
        ShardEntry.Present present = new ShardEntry.Present(add.epoch(), add.primary(), LogPosition.START, add.nodes());
        if (draft != null) {
            draft.entry = draft.entry.added(present);
        } else if (start.entries().size() + added == ClusterTopology.MAX_SHARDS) {
            throw start.tooManyShards(add.shard());
        } else {
            added++;
            drafts.put(add.shard(), new Draft(ShardEntry.first(add.shard(), present), 0));
        }
        add.nodes().forEach(node -> belongs(node, add.shard()));
    }

    private void remove(RemoveShard remove) {
        Draft draft = known(remove.shard());
        if (draft.owned > 0) {
            SlotSet owned = ownedBy(draft.entry);
            throw slotConflict(
                    Kind.SHARD_OWNS_SLOTS,
                    "shard to remove must own no slots: " + remove.shard() + " owns " + owned,
                    remove.shard(),
                    owned.next(0));
        }
        draft.entry.known().nodes().forEach(node -> leaves(node, remove.shard()));
        leaves(draft.entry.known().primary(), remove.shard());
        draft.entry = draft.entry.removed();
    }

    private void promote(Promote promote) {
        Draft draft = known(promote.shard());
        ShardEntry.Present present = draft.entry.known();
        if (!promote.primary().equals(present.primary()) && !present.nodes().contains(promote.primary())) {
            throw start.conflict(
                    Kind.UNKNOWN_NODE,
                    "node to promote must be one of " + promote.shard() + ": " + promote.primary(),
                    promote.shard(),
                    promote.primary());
        }
        if (promote.epoch() <= present.epoch()) {
            throw start.conflict(
                    Kind.STALE_EPOCH,
                    "epoch of " + promote.shard() + " must be higher than " + Epoch.toString(present.epoch()) + ": "
                            + Epoch.toString(promote.epoch()),
                    promote.shard(),
                    null);
        }
        if (!present.nodes().contains(present.primary()) && !promote.primary().equals(present.primary())) {
            leaves(present.primary(), promote.shard()); // it stayed listed only because it led
        }
        draft.entry = draft.entry.promoted(promote.epoch(), promote.primary());
    }

    private void setMembers(SetMembers set) {
        Draft draft = known(set.shard());
        ShardEntry.Present present = draft.entry.known();
        if (set.version().compareTo(present.membersAt()) <= 0) {
            throw start.conflict(
                    Kind.STALE_MEMBERS,
                    "member list of " + set.shard() + " must be later than " + present.membersAt() + ": "
                            + set.version(),
                    set.shard(),
                    null);
        }
        present.nodes().stream()
                .filter(node -> !node.equals(present.primary()))
                .forEach(node -> leaves(node, set.shard()));
        draft.entry = draft.entry.withMembers(set.version(), set.nodes());
        set.nodes().forEach(node -> belongs(node, set.shard()));
    }

    private void setAddress(SetAddress set) {
        SortedSet<ShardId> shards = shardsOfNode.get(set.node());
        if (shards == null || shards.isEmpty()) {
            throw start.conflict(
                    Kind.UNKNOWN_NODE, "node with an address must belong to a shard: " + set.node(), null, set.node());
        }
        if (nodes == null) {
            nodes = new TreeMap<>(start.nodes());
            work += nodes.size();
        }
        NodeEntry entry = nodes.get(set.node());
        if (entry == null && nodes.size() == ClusterTopology.MAX_ADDRESSES) {
            throw start.tooManyAddresses(set.node());
        }
        nodes.put(set.node(), entry == null ? new NodeEntry(set.node(), 1, set.address()) : entry.with(set.address()));
    }

    /** Returns the draft of a shard that ever was there, or {@code null}. */
    private @Nullable Draft draft(ShardId id) {
        work++;
        Draft draft = drafts.get(id);
        if (draft == null) {
            ShardEntry entry = start.entry(id);
            if (entry == null) {
                return null;
            }
            Shard shard = start.shard(id);
            draft = new Draft(entry, shard == null ? 0 : shard.slots().size());
            drafts.put(id, draft);
        }
        return draft;
    }

    private Draft known(ShardId id) {
        Draft draft = draft(id);
        if (draft == null || draft.entry.isRemoved()) {
            throw start.unknownShard(id);
        }
        return draft;
    }

    private void belongs(NodeId node, ShardId shard) {
        work++;
        SortedSet<ShardId> shards = shardsOfNode.get(node);
        if (shards != null) {
            shards.add(shard);
        }
    }

    private void leaves(NodeId node, ShardId shard) {
        work++;
        SortedSet<ShardId> shards = shardsOfNode.get(node);
        if (shards != null) {
            shards.remove(shard);
        }
    }

    private void checkFree(NodeId node) {
        work++;
        SortedSet<ShardId> shards = shardsOfNode.get(node);
        if (shards != null && !shards.isEmpty()) {
            throw start.conflict(
                    Kind.NODE_EXISTS,
                    "node to add must not belong to a shard: " + node + " belongs to " + shards.first(),
                    shards.first(),
                    node);
        }
    }

    private void checkUnowned(SlotSet assigned) {
        SlotTable.Owner unowned = null; // the last one that was found to own nothing any more
        for (int slot = assigned.next(0); slot >= 0; slot = assigned.next(slot + 1)) {
            work++;
            SlotTable.Owner owner = slots.owner(slot);
            if (owner != null && !owner.equals(unowned)) {
                Draft draft = draft(owner.shard());
                if (draft != null && draft.entry.isOwner(owner)) {
                    throw slotConflict(
                            Kind.SLOT_OWNED,
                            "slot to assign must have no owner: " + slot + " is owned by " + owner.shard(),
                            owner.shard(),
                            slot);
                }
                unowned = owner;
            }
        }
    }

    private void checkOwned(SlotSet taken, ShardEntry giver) {
        work += taken.size();
        int slot = slots.firstWithout(giver.owner(), taken);
        if (slot >= 0) {
            throw slotConflict(
                    Kind.SLOT_NOT_OWNED,
                    "slot to take from " + giver.id() + " must be owned by it: " + slot,
                    giver.id(),
                    slot);
        }
    }

    private void checkMoving(SlotSet arrived, ShardEntry owner) {
        work += arrived.size();
        for (int slot = arrived.next(0); slot >= 0; slot = arrived.next(slot + 1)) {
            if (slots.source(slot) == null) {
                throw slotConflict(
                        Kind.SLOT_NOT_MOVING,
                        "slot whose move to " + owner.id() + " is to finish must be on its way: " + slot,
                        owner.id(),
                        slot);
            }
        }
    }

    private SlotSet ownedBy(ShardEntry entry) {
        SlotTable.Owner owner = entry.owner();
        return SlotSet.of(SlotSet.ALL.stream()
                .filter(slot -> owner.equals(slots.owner(slot)))
                .toArray());
    }

    /** Gives slots, which all belong to {@code from} or have no owner, to {@code to} or to none. */
    private void give(SlotSet given, @Nullable Draft from, @Nullable Draft to) {
        if (from != null && to != null) {
            slots.move(given, to.entry.owner());
        } else {
            slots.give(given, to == null ? null : to.entry.owner());
        }
        if (from != null) {
            from.owned -= given.size();
        }
        if (to != null) {
            to.owned += given.size();
        }
    }

    private TopologyConflictException slotConflict(Kind kind, String message, ShardId shard, int slot) {
        return new TopologyConflictException(kind, message, start.version(), shard, null, slot);
    }
}
