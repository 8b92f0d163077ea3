package io.kvorum.slots.topology;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.TopologyChange.AddShard;
import io.kvorum.slots.topology.TopologyChange.AssignSlots;
import io.kvorum.slots.topology.TopologyChange.Promote;
import io.kvorum.slots.topology.TopologyChange.RemoveShard;
import io.kvorum.slots.topology.TopologyChange.SetAddress;
import io.kvorum.slots.topology.TopologyChange.SetMembers;
import io.kvorum.slots.topology.TopologyChange.UnassignSlots;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A shard for each slot, and three nodes for each shard. */
@Tag("long")
final class LargeTopologyTest {
    private static final int NODES = 3;

    /**
     * Counts visits, not time: one for each look-up of a shard, and for each node, slot and shard that is gone over.
     */
    @ParameterizedTest
    @ValueSource(ints = {16, 1_024, HashSlot.COUNT})
    void listOfChangesCostsItsLength(int shards) {
        List<TopologyChange> changes = changes(shards);
        TopologyEdit edit = new TopologyEdit(ClusterTopology.EMPTY, changes);
        changes.forEach(edit::apply);
        ClusterTopology topology = edit.topology();

        assertEquals(shards, topology.shards().size());
        assertTrue(edit.work() <= 30L * shards, () -> edit.work() + " visits for " + shards + " shards");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 1_000, HashSlot.COUNT})
    void listOfChangesOfALargeTopologyCostsItsLengthAndOneVisitOfAll(int count) {
        ClusterTopology topology = topology(HashSlot.COUNT);
        List<TopologyChange> changes = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            changes.add(new Promote(shard(i), 9, node(i, 1)));
            changes.add(new SetMembers(shard(i), new LogPosition(9, 64), List.of(node(i, 1), node(i, 3))));
            changes.add(new UnassignSlots(SlotSet.of(i), shard(i)));
            changes.add(new RemoveShard(shard(i)));
            changes.add(new AddShard(shard(i), 1, node(i, 1), List.of()));
            changes.add(new AssignSlots(SlotSet.of(i), shard(i)));
        }
        TopologyEdit edit = new TopologyEdit(topology, changes);
        changes.forEach(edit::apply);

        assertEquals(HashSlot.COUNT, edit.topology().shards().size());
        long bound = 40L * count + (2 + NODES) * HashSlot.COUNT;
        assertTrue(edit.work() <= bound, () -> edit.work() + " visits for " + count + " shards");
    }

    @Test
    void topologyIsWrittenReadAndMerged() {
        ClusterTopology topology = topology(HashSlot.COUNT);
        ClusterTopology later = topology.apply(topology.version(), new Promote(shard(7), 2, node(7, 2)));

        assertEquals(topology, ClusterTopology.parse(topology.toText()));
        assertEquals(later, topology.merge(later));
        assertSame(later, later.merge(topology));
        assertEquals(List.of(new Promote(shard(7), 2, node(7, 2))), topology.changesTo(later));
        assertEquals(
                topology.shards(),
                ClusterTopology.EMPTY
                        .apply(0, ClusterTopology.EMPTY.changesTo(topology))
                        .shards());
    }

    @Test
    void slotsOfManyShardsArePlanned() {
        ClusterTopology topology = topology(HashSlot.COUNT);
        SlotPlan rebalance = SlotPlan.rebalance(topology, Map.of(shard(0), 0), 0);

        assertEquals(1, rebalance.movedSlots());
        assertEquals(1, SlotPlan.drain(topology, List.of(shard(5))).movedSlots());
    }

    private static ClusterTopology topology(int shards) {
        return ClusterTopology.EMPTY.apply(0, changes(shards));
    }

    private static List<TopologyChange> changes(int shards) {
        List<TopologyChange> changes = new ArrayList<>();
        for (int i = shards - 1; i >= 0; i--) {
            changes.add(new AddShard(shard(i), 1, node(i, 0), List.of(node(i, 1), node(i, 2))));
            changes.add(new AssignSlots(SlotSet.of(i), shard(i)));
            changes.add(new SetAddress(node(i, 0), new NodeAddress("10.0.0.1", 1 + i)));
        }
        return changes;
    }

    private static ShardId shard(int number) {
        return new ShardId("shard-" + number);
    }

    private static NodeId node(int shard, int number) {
        return new NodeId("shard-" + shard + "." + number);
    }
}
