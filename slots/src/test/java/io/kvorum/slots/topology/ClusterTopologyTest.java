package io.kvorum.slots.topology;

import static io.kvorum.slots.topology.TwoShards.A;
import static io.kvorum.slots.topology.TwoShards.A1;
import static io.kvorum.slots.topology.TwoShards.A2;
import static io.kvorum.slots.topology.TwoShards.A3;
import static io.kvorum.slots.topology.TwoShards.B;
import static io.kvorum.slots.topology.TwoShards.B1;
import static io.kvorum.slots.topology.TwoShards.B2;
import static io.kvorum.slots.topology.TwoShards.C;
import static io.kvorum.slots.topology.TwoShards.TWO_SHARDS;
import static io.kvorum.slots.topology.TwoShards.assertConflict;
import static io.kvorum.slots.topology.TwoShards.changed;
import static io.kvorum.slots.topology.TwoShards.conflict;
import static io.kvorum.slots.topology.TwoShards.ownerOf5;
import static io.kvorum.slots.topology.TwoShards.shard;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.TopologyChange.AddShard;
import io.kvorum.slots.topology.TopologyChange.AssignSlots;
import io.kvorum.slots.topology.TopologyChange.MoveSlots;
import io.kvorum.slots.topology.TopologyChange.Promote;
import io.kvorum.slots.topology.TopologyChange.RemoveShard;
import io.kvorum.slots.topology.TopologyChange.SetAddress;
import io.kvorum.slots.topology.TopologyChange.SetMembers;
import io.kvorum.slots.topology.TopologyChange.UnassignSlots;
import io.kvorum.slots.topology.TopologyConflictException.Kind;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class ClusterTopologyTest {
    @Test
    void emptyTopologyCoversNothing() {
        assertEquals(0, ClusterTopology.EMPTY.version());
        assertEquals(List.of(), ClusterTopology.EMPTY.shards());
        assertEquals(SlotSet.ALL, ClusterTopology.EMPTY.uncovered());
        assertNull(ClusterTopology.EMPTY.shardOf(0));
        assertNull(ClusterTopology.EMPTY.primaryOf(16_383));
        assertNull(ClusterTopology.EMPTY.shard(A));
        assertNull(ClusterTopology.EMPTY.shardOf(A1));
    }

    @Test
    void shardsAreFoundByIdSlotAndNode() {
        Shard a = new Shard(A, 1, 1, A1, List.of(A2, A3), LogPosition.START, SlotSet.ofRange(0, 99));
        Shard b = new Shard(B, 1, 1, B1, List.of(B2), LogPosition.START, SlotSet.ofRange(100, 199));

        assertEquals(List.of(a, b), TWO_SHARDS.shards());
        assertEquals(a, TWO_SHARDS.shard(A));
        assertEquals(b, TWO_SHARDS.shard(B));
        assertNull(TWO_SHARDS.shard(C));
        assertEquals(a, TWO_SHARDS.shardOf(0));
        assertEquals(a, TWO_SHARDS.shardOf(99));
        assertEquals(b, TWO_SHARDS.shardOf(100));
        assertNull(TWO_SHARDS.shardOf(200));
        assertEquals(A1, TWO_SHARDS.primaryOf(99));
        assertEquals(B1, TWO_SHARDS.primaryOf(100));
        assertNull(TWO_SHARDS.primaryOf(200));
        assertEquals(a, TWO_SHARDS.shardOf(A1));
        assertEquals(b, TWO_SHARDS.shardOf(B2));
        assertNull(TWO_SHARDS.shardOf(new NodeId("c1")));
        assertEquals(SlotSet.ofRange(200, 16_383), TWO_SHARDS.uncovered());
    }

    @Test
    void lookupOfWhatIsNoSlotIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> TWO_SHARDS.shardOf(-1));
        assertThrows(IllegalArgumentException.class, () -> TWO_SHARDS.primaryOf(16_384));
    }

    @Test
    void shardListsThePrimaryFirst() {
        Shard shard = new Shard(A, 1, 1, A3, List.of(A2, A1), LogPosition.START, SlotSet.EMPTY);

        assertEquals(List.of(A3, A1, A2), shard.nodes());
        assertEquals(List.of(A1, A2), shard.replicas());
    }

    @Test
    void nodeIsNamedOnceInAShard() {
        assertThrows(
                IllegalArgumentException.class,
                () -> new Shard(A, 1, 1, A1, List.of(A1), LogPosition.START, SlotSet.EMPTY));
        assertThrows(IllegalArgumentException.class, () -> new AddShard(A, 1, A1, List.of(A2, A3, A2)));
    }

    @Test
    void generationIsAtLeast1() {
        assertThrows(
                IllegalArgumentException.class,
                () -> new Shard(A, 0, 1, A1, List.of(), LogPosition.START, SlotSet.EMPTY));
    }

    @Test
    void epochIsNeverNegative() {
        assertThrows(
                IllegalArgumentException.class,
                () -> new Shard(A, 1, -1, A1, List.of(), LogPosition.START, SlotSet.EMPTY));
        assertThrows(IllegalArgumentException.class, () -> new AddShard(A, -1, A1, List.of()));
        assertThrows(IllegalArgumentException.class, () -> new Promote(A, -1, A1));
    }

    @Test
    void changeOfSlotsNeedsSlotsAndTwoShards() {
        assertThrows(IllegalArgumentException.class, () -> new AssignSlots(SlotSet.EMPTY, A));
        assertThrows(IllegalArgumentException.class, () -> new UnassignSlots(SlotSet.EMPTY, A));
        assertThrows(IllegalArgumentException.class, () -> new MoveSlots(SlotSet.EMPTY, A, B));
        assertThrows(IllegalArgumentException.class, () -> new MoveSlots(SlotSet.of(1), A, A));
    }

    @Test
    void promotionTurnsTheOldPrimaryIntoAReplica() {
        ClusterTopology next = changed(TWO_SHARDS, new Promote(A, 4, A3));

        assertEquals(new Shard(A, 1, 4, A3, List.of(A1, A2), LogPosition.START, SlotSet.ofRange(0, 99)), next.shard(A));
        assertEquals(A3, next.primaryOf(7));
        assertEquals(A1, TWO_SHARDS.primaryOf(7));
    }

    @Test
    void promotionOfThePrimaryOnlyRaisesTheEpoch() {
        ClusterTopology next = changed(TWO_SHARDS, new Promote(A, 2, A1));

        assertEquals(new Shard(A, 1, 2, A1, List.of(A2, A3), LogPosition.START, SlotSet.ofRange(0, 99)), next.shard(A));
    }

    @Test
    void promotionsThatWereMissedMakeNoDifference() {
        ClusterTopology all = TWO_SHARDS;
        all = all.apply(all.version(), new Promote(A, 5, A2));
        all = all.apply(all.version(), new Promote(A, 7, A1));
        ClusterTopology last = TWO_SHARDS.apply(TWO_SHARDS.version(), new Promote(A, 7, A1));

        assertEquals(last, all);
        assertEquals(last.version(), all.version());
    }

    @Test
    void slotsMove() {
        ClusterTopology next = changed(TWO_SHARDS, new MoveSlots(SlotSet.of(0, 50), A, B));

        assertEquals("1-49,51-99", shard(next, A).slots().toString());
        assertEquals("0,50,100-199", shard(next, B).slots().toString());
        assertEquals(B1, next.primaryOf(50));
        assertEquals(A1, next.primaryOf(51));
    }

    @Test
    void slotsAreUnassigned() {
        ClusterTopology next = changed(TWO_SHARDS, new UnassignSlots(SlotSet.of(3), A));

        assertNull(next.shardOf(3));
        assertEquals("3,200-16383", next.uncovered().toString());
        assertEquals(99, shard(next, A).slots().size());
    }

    @Test
    void nodesFollowTheMemberList() {
        LogPosition at = new LogPosition(Epoch.of(1, 1), 64);
        NodeId b0 = new NodeId("b0");
        ClusterTopology more = changed(TWO_SHARDS, new SetMembers(B, at, List.of(B2, b0, B1)));
        ClusterTopology fewer = changed(more, new SetMembers(B, new LogPosition(at.epoch(), 128), List.of(B1, b0)));

        assertEquals(new Shard(B, 1, 1, B1, List.of(b0, B2), at, SlotSet.ofRange(100, 199)), more.shard(B));
        assertEquals(List.of(b0), shard(fewer, B).replicas());
        assertNull(fewer.shardOf(B2));
    }

    @Test
    void primaryStaysListedAsLongAsItLeads() {
        ClusterTopology without = changed(TWO_SHARDS, new SetMembers(A, new LogPosition(1, 64), List.of(A2, A3)));
        ClusterTopology promoted = changed(without, new Promote(A, 2, A2));

        assertEquals(List.of(A1, A2, A3), shard(without, A).nodes());
        assertEquals(List.of(A2, A3), shard(promoted, A).nodes());
        assertConflict(Kind.UNKNOWN_NODE, promoted, new Promote(A, 3, A1));
        assertEquals(
                A1,
                shard(changed(promoted, new AddShard(C, 1, A1, List.of())), C).primary());
    }

    @Test
    void memberListMustBeLater() {
        LogPosition at = new LogPosition(Epoch.of(7, 2), 64);
        ClusterTopology topology = changed(TWO_SHARDS, new SetMembers(A, at, List.of(A1, A2)));

        assertConflict(Kind.STALE_MEMBERS, topology, new SetMembers(A, at, List.of(A1, A2, A3)));
        TopologyConflictException e =
                conflict(topology, new SetMembers(A, new LogPosition(Epoch.of(7, 1), 99), List.of(A1)));
        assertEquals(Kind.STALE_MEMBERS, e.kind());
        assertEquals("member list of a must be later than 7.2:64: 7.1:99", e.getMessage());
        assertThrows(IllegalArgumentException.class, () -> new SetMembers(A, LogPosition.START, List.of(A1)));
        assertThrows(IllegalArgumentException.class, () -> new SetMembers(A, at, List.of(A1, A2, A1)));
        assertThrows(IllegalArgumentException.class, () -> new SetMembers(A, at, List.of()));
    }

    @Test
    void shardHasAtMost65Nodes() {
        List<NodeId> nodes =
                IntStream.range(0, 65).mapToObj(i -> new NodeId("n" + i)).toList();
        LogPosition at = new LogPosition(1, 64);

        assertEquals(
                65,
                shard(changed(TWO_SHARDS, new AddShard(C, 1, nodes.get(0), nodes.subList(1, 65))), C)
                        .nodes()
                        .size());
        assertThrows(IllegalArgumentException.class, () -> new AddShard(C, 1, A1, nodes));
        assertEquals(65, new SetMembers(A, at, nodes).nodes().size());
        assertThrows(
                IllegalArgumentException.class,
                () -> new SetMembers(
                        A, at, Stream.concat(nodes.stream(), Stream.of(A1)).toList()));
    }

    @Test
    void shardWithoutSlotsIsRemovedAndMayComeBackInAnyEpoch() {
        ClusterTopology empty = changed(TWO_SHARDS, new UnassignSlots(SlotSet.ofRange(0, 99), A));
        ClusterTopology removed = changed(empty, new RemoveShard(A));

        assertNull(removed.shard(A));
        assertEquals(1, removed.shards().size());
        assertNull(removed.shardOf(A1));
        assertConflict(Kind.UNKNOWN_SHARD, removed, new RemoveShard(A));
        assertConflict(Kind.UNKNOWN_SHARD, removed, new Promote(A, 9, A1));

        ClusterTopology back = changed(removed, new AddShard(A, 0, A2, List.of()));
        assertEquals(new Shard(A, 2, 0, A2, List.of(), LogPosition.START, SlotSet.EMPTY), back.shard(A));
    }

    @Test
    void removedShardIsNotBroughtBackByOldNews() {
        ClusterTopology three = changed(TWO_SHARDS, new AddShard(C, 1, new NodeId("c1"), List.of()));
        ClusterTopology removed = changed(three, new RemoveShard(C));
        ClusterTopology promoted = changed(three, new Promote(C, Epoch.of(99, 1), new NodeId("c1")));

        assertNull(removed.merge(promoted).shard(C));
        assertEquals(removed.merge(promoted), promoted.merge(removed));
        assertTrue(removed.merge(promoted).version() > promoted.version());

        ClusterTopology back = changed(removed, new AddShard(C, 0, new NodeId("c2"), List.of()));
        assertEquals(new NodeId("c2"), shard(back.merge(promoted), C).primary());
        assertEquals(back.merge(promoted), promoted.merge(back));
        assertTrue(back.merge(promoted).version() > promoted.version());
        assertNull(changed(back, new RemoveShard(C)).merge(back).merge(promoted).shard(C));
    }

    @Test
    void addressIsAnAttributeOfANode() {
        NodeAddress first = new NodeAddress("10.0.0.1", 7000);
        ClusterTopology topology = changed(TWO_SHARDS, new SetAddress(A1, first));
        ClusterTopology moved = changed(topology, new SetAddress(A1, new NodeAddress("fe80::1", 7000)));
        ClusterTopology forgotten = changed(moved, new SetAddress(A1, null));

        assertNull(TWO_SHARDS.addressOf(A1));
        assertEquals(first, topology.addressOf(A1));
        assertNull(topology.addressOf(A2));
        assertEquals(TWO_SHARDS.shards(), topology.shards());
        assertEquals(new NodeAddress("fe80::1", 7000), moved.addressOf(A1));
        assertNull(forgotten.addressOf(A1));
        assertConflict(Kind.UNKNOWN_NODE, TWO_SHARDS, new SetAddress(new NodeId("x"), first));
    }

    @Test
    void staleVersionIsRefused() {
        TopologyConflictException e = assertThrows(
                TopologyConflictException.class,
                () -> TWO_SHARDS.apply(TWO_SHARDS.version() - 1, new Promote(A, 2, A2)));

        assertEquals(Kind.STALE_VERSION, e.kind());
        assertEquals(TWO_SHARDS.version(), e.version());
        assertEquals(
                "expected version must be the current one, " + TWO_SHARDS.version() + ": " + (TWO_SHARDS.version() - 1),
                e.getMessage());
    }

    @Test
    void ofTwoMoversOneSucceeds() {
        ClusterTopology three = changed(TWO_SHARDS, new AddShard(C, 1, new NodeId("c1"), List.of()));
        ClusterTopology winner = three.apply(three.version(), new MoveSlots(SlotSet.of(5), A, B));

        TopologyConflictException e = assertThrows(
                TopologyConflictException.class,
                () -> winner.apply(three.version(), new MoveSlots(SlotSet.of(5), A, C)));

        assertEquals(Kind.STALE_VERSION, e.kind());
        assertEquals(B, ownerOf5(winner));
    }

    @Test
    void impossibleChangesAreRefused() {
        assertConflict(Kind.SHARD_EXISTS, TWO_SHARDS, new AddShard(A, 9, new NodeId("x"), List.of()));
        assertConflict(Kind.NODE_EXISTS, TWO_SHARDS, new AddShard(C, 9, B2, List.of()));
        assertConflict(Kind.NODE_EXISTS, TWO_SHARDS, new AddShard(C, 9, new NodeId("x"), List.of(A1)));
        assertConflict(Kind.UNKNOWN_SHARD, TWO_SHARDS, new SetMembers(C, new LogPosition(1, 1), List.of(A1)));
        assertConflict(Kind.UNKNOWN_SHARD, TWO_SHARDS, new RemoveShard(C));
        assertConflict(Kind.SHARD_OWNS_SLOTS, TWO_SHARDS, new RemoveShard(B));
        assertConflict(Kind.UNKNOWN_SHARD, TWO_SHARDS, new AssignSlots(SlotSet.of(300), C));
        assertConflict(Kind.SLOT_OWNED, TWO_SHARDS, new AssignSlots(SlotSet.of(300, 150), A));
        assertConflict(Kind.SLOT_OWNED, TWO_SHARDS, new AssignSlots(SlotSet.of(50), A));
        assertConflict(Kind.SLOT_OWNED, TWO_SHARDS, new AssignSlots(SlotSet.of(0), B));
        assertConflict(Kind.UNKNOWN_SHARD, TWO_SHARDS, new UnassignSlots(SlotSet.of(300), C));
        assertConflict(Kind.SLOT_NOT_OWNED, TWO_SHARDS, new UnassignSlots(SlotSet.of(99, 100), A));
        assertConflict(Kind.UNKNOWN_SHARD, TWO_SHARDS, new MoveSlots(SlotSet.of(0), A, C));
        assertConflict(Kind.UNKNOWN_SHARD, TWO_SHARDS, new MoveSlots(SlotSet.of(0), C, A));
        assertConflict(Kind.SLOT_NOT_OWNED, TWO_SHARDS, new MoveSlots(SlotSet.of(99, 200), A, B));
        assertConflict(Kind.UNKNOWN_SHARD, TWO_SHARDS, new Promote(C, 2, A1));
        assertConflict(Kind.UNKNOWN_NODE, TWO_SHARDS, new Promote(A, 2, B1));
        assertConflict(Kind.STALE_EPOCH, TWO_SHARDS, new Promote(A, 1, A2));
    }

    @Test
    void conflictNamesWhatItIsAbout() {
        TopologyConflictException e = conflict(TWO_SHARDS, new AssignSlots(SlotSet.of(300, 150), A));

        assertEquals("slot to assign must have no owner: 150 is owned by b", e.getMessage());
        assertEquals(B, e.shard());
        assertEquals(150, e.slot());
        assertNull(e.node());
        assertEquals(TWO_SHARDS.version(), e.version());

        TopologyConflictException exists = conflict(TWO_SHARDS, new AddShard(C, 1, A1, List.of(B1)));
        assertEquals("node to add must not belong to a shard: a1 belongs to a", exists.getMessage());
        assertEquals(A1, exists.node());
        assertEquals(-1, exists.slot());
    }

    @Test
    void severalChangesAreAppliedAllOrNone() {
        TopologyConflictException e = assertThrows(
                TopologyConflictException.class,
                () -> TWO_SHARDS.apply(
                        TWO_SHARDS.version(),
                        List.of(new MoveSlots(SlotSet.of(0), A, B), new MoveSlots(SlotSet.of(0), A, B))));

        assertEquals(Kind.SLOT_NOT_OWNED, e.kind());
        assertSame(TWO_SHARDS, TWO_SHARDS.apply(TWO_SHARDS.version(), List.of()));
    }

    @Test
    void shardsWithoutReplicasAreReported() {
        ClusterTopology topology = changed(TWO_SHARDS, new SetMembers(B, new LogPosition(1, 64), List.of(B1)));

        assertEquals(List.of(), TWO_SHARDS.shardsWithoutReplicas());
        assertEquals(List.of(B), topology.shardsWithoutReplicas());
    }

    @Test
    void lossOfANodeIsSurvivedIfAllSlotsHaveThreeNodes() {
        ClusterTopology covered = changed(TWO_SHARDS, new AssignSlots(TWO_SHARDS.uncovered(), A));
        ClusterTopology threeNodes =
                changed(covered, new SetMembers(B, new LogPosition(1, 64), List.of(B1, B2, new NodeId("b3"))));
        ClusterTopology emptyShard = changed(threeNodes, new AddShard(C, 1, new NodeId("c1"), List.of()));

        assertFalse(covered.survivesLossOfAnyNode());
        assertTrue(threeNodes.survivesLossOfAnyNode());
        assertTrue(emptyShard.survivesLossOfAnyNode());
        assertFalse(changed(threeNodes, new UnassignSlots(SlotSet.of(5), A)).survivesLossOfAnyNode());
    }

    @Test
    void changesAreWrittenWithReadableEpochs() {
        assertEquals(
                "AddShard[shard=a, epoch=7.2, primary=a1, replicas=[a2]]",
                new AddShard(A, Epoch.of(7, 2), A1, List.of(A2)).toString());
        assertEquals("Promote[shard=a, epoch=7.2, primary=a1]", new Promote(A, Epoch.of(7, 2), A1).toString());
        assertEquals(
                "epoch of a must be higher than 0.1: 0.1",
                conflict(TWO_SHARDS, new Promote(A, 1, A2)).getMessage());
    }

    @Test
    void textForLogsNamesVersionAndShards() {
        ClusterTopology topology = ClusterTopology.EMPTY.apply(0, new AddShard(A, 1, A1, List.of(A2)));

        assertEquals(
                "ClusterTopology[version=2, shards=[Shard[id=a, generation=1, epoch=0.1, primary=a1, replicas=[a2], "
                        + "membersAt=0.0:0, slots=]]]",
                topology.toString());
    }

    @Test
    void equalContentIsEqual() {
        ClusterTopology same = TWO_SHARDS.merge(ClusterTopology.EMPTY);

        assertEquals(TWO_SHARDS, same);
        assertEquals(
                TWO_SHARDS.hashCode(), ClusterTopology.EMPTY.merge(TWO_SHARDS).hashCode());
        assertNotEquals(TWO_SHARDS, changed(TWO_SHARDS, new Promote(A, 2, A2)));
        assertNotEquals(
                TWO_SHARDS.hashCode(),
                changed(TWO_SHARDS, new Promote(A, 2, A2)).hashCode());
        assertNotEquals(TWO_SHARDS, null);
    }
}
