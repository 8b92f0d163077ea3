package io.kvorum.slots.topology;

import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.TopologyChange.AddReplica;
import io.kvorum.slots.topology.TopologyChange.AddShard;
import io.kvorum.slots.topology.TopologyChange.AssignSlots;
import io.kvorum.slots.topology.TopologyChange.MoveSlots;
import io.kvorum.slots.topology.TopologyChange.Promote;
import io.kvorum.slots.topology.TopologyChange.RemoveReplica;
import io.kvorum.slots.topology.TopologyChange.RemoveShard;
import io.kvorum.slots.topology.TopologyChange.UnassignSlots;
import io.kvorum.slots.topology.TopologyConflictException.Kind;
import java.util.Objects;

/** The step from one version of a topology to the next: what each change demands of it, and what the change makes. */
final class TopologyStep {
    private final ClusterTopology topology;

    TopologyStep(ClusterTopology topology) {
        this.topology = topology;
    }

    /** Makes the next version, or refuses with a {@link TopologyConflictException}. */
    ClusterTopology after(TopologyChange change) {
        if (change instanceof AddShard add) {
            return add(add);
        } else if (change instanceof RemoveShard remove) {
            return remove(remove);
        } else if (change instanceof AssignSlots assign) {
            topology.known(assign.shard());
            checkUnowned(assign.slots());
            return topology.withOwner(assign.slots(), null, assign.shard());
        } else if (change instanceof UnassignSlots unassign) {
            checkOwned(unassign.slots(), unassign.shard());
            return topology.withOwner(unassign.slots(), unassign.shard(), null);
        } else if (change instanceof MoveSlots move) {
            topology.known(move.to());
            checkOwned(move.slots(), move.from());
            return topology.withOwner(move.slots(), move.from(), move.to());
        } else if (change instanceof Promote promote) {
            return promote(promote);
        } else if (change instanceof AddReplica add) {
            ShardEntry entry = knownEntry(add.shard());
            checkFree(add.replica());
            return topology.withEntry(entry.withReplica(add.replica()));
        } else if (change instanceof RemoveReplica remove) {
            return remove(remove);
        }
        throw new AssertionError(change);
    }

    private ClusterTopology add(AddShard add) {
        ShardEntry entry = topology.entry(add.shard());
        if (entry != null && !entry.isRemoved()) {
            throw topology.conflict(
                    Kind.SHARD_EXISTS, "shard to add must not be there already: " + add.shard(), add.shard(), null);
        }
        checkFree(add.primary());
        add.replicas().forEach(this::checkFree);
        if (entry == null) {
            return topology.withEntry(ShardEntry.first(add.shard(), add.epoch(), add.primary(), add.replicas()));
        }
        checkEpoch(entry, add.epoch());
        return topology.withoutClaims(add.shard()).withEntry(entry.revived(add.epoch(), add.primary(), add.replicas()));
    }

    private ClusterTopology remove(RemoveShard remove) {
        Shard shard = topology.known(remove.shard());
        if (!shard.slots().isEmpty()) {
            throw slotConflict(
                    Kind.SHARD_OWNS_SLOTS,
                    "shard to remove must own no slots: " + shard.id() + " owns " + shard.slots(),
                    shard.id(),
                    shard.slots().next(0));
        }
        return topology.withEntry(knownEntry(remove.shard()).removed());
    }

    private ClusterTopology promote(Promote promote) {
        Shard shard = topology.known(promote.shard());
        if (!shard.nodes().contains(promote.primary())) {
            throw topology.conflict(
                    Kind.UNKNOWN_NODE,
                    "node to promote must be one of " + shard.id() + ": " + promote.primary(),
                    shard.id(),
                    promote.primary());
        }
        ShardEntry entry = knownEntry(promote.shard());
        checkEpoch(entry, promote.epoch());
        return topology.withEntry(entry.promoted(promote.epoch(), promote.primary()));
    }

    private ClusterTopology remove(RemoveReplica remove) {
        Shard shard = topology.known(remove.shard());
        if (!shard.replicas().contains(remove.replica())) {
            throw topology.conflict(
                    Kind.UNKNOWN_NODE,
                    "node to remove must be a replica of " + shard.id() + ": " + remove.replica(),
                    shard.id(),
                    remove.replica());
        }
        return topology.withEntry(knownEntry(remove.shard()).withoutReplica(remove.replica()));
    }

    private void checkFree(NodeId node) {
        Shard shard = topology.shardOf(node);
        if (shard != null) {
            throw topology.conflict(
                    Kind.NODE_EXISTS,
                    "node to add must belong to no shard: " + node + " belongs to " + shard.id(),
                    shard.id(),
                    node);
        }
    }

    private void checkEpoch(ShardEntry entry, long epoch) {
        if (epoch <= entry.epoch()) {
            throw topology.conflict(
                    Kind.STALE_EPOCH,
                    "epoch of " + entry.id() + " must be higher than " + entry.epoch() + ": " + epoch,
                    entry.id(),
                    null);
        }
    }

    private void checkUnowned(SlotSet slots) {
        for (int slot = slots.next(0); slot >= 0; slot = slots.next(slot + 1)) {
            Shard owner = topology.shardOf(slot);
            if (owner != null) {
                throw slotConflict(
                        Kind.SLOT_OWNED,
                        "slot to assign must have no owner: " + slot + " is owned by " + owner.id(),
                        owner.id(),
                        slot);
            }
        }
    }

    private void checkOwned(SlotSet slots, ShardId id) {
        SlotSet others = slots.minus(topology.known(id).slots());
        if (!others.isEmpty()) {
            int slot = others.next(0);
            throw slotConflict(
                    Kind.SLOT_NOT_OWNED, "slot to take from " + id + " must be owned by it: " + slot, id, slot);
        }
    }

    private ShardEntry knownEntry(ShardId id) {
        topology.known(id);
        return Objects.requireNonNull(topology.entry(id));
    }

    private TopologyConflictException slotConflict(Kind kind, String message, ShardId shard, int slot) {
        return new TopologyConflictException(kind, message, topology.version(), shard, null, slot);
    }
}
