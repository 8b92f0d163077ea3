package io.kvorum.slots.topology;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class ClusterTopologyTest {
    private static final ShardId A = new ShardId("a");
    private static final ShardId B = new ShardId("b");
    private static final ShardId C = new ShardId("c");
    private static final NodeId A1 = new NodeId("a1");
    private static final NodeId A2 = new NodeId("a2");
    private static final NodeId A3 = new NodeId("a3");
    private static final NodeId B1 = new NodeId("b1");
    private static final NodeId B2 = new NodeId("b2");

    private static final ClusterTopology TWO_SHARDS = ClusterTopology.EMPTY.apply(
            0,
            List.of(
                    new AddShard(B, 1, B1, List.of(B2)),
                    new AddShard(A, 1, A1, List.of(A3, A2)),
                    new AssignSlots(SlotSet.ofRange(0, 99), A),
                    new AssignSlots(SlotSet.ofRange(100, 199), B)));

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
        Shard a = new Shard(A, 1, A1, List.of(A2, A3), SlotSet.ofRange(0, 99));
        Shard b = new Shard(B, 1, B1, List.of(B2), SlotSet.ofRange(100, 199));

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
        Shard shard = new Shard(A, 1, A3, List.of(A2, A1), SlotSet.EMPTY);

        assertEquals(List.of(A3, A1, A2), shard.nodes());
        assertEquals(List.of(A1, A2), shard.replicas());
    }

    @Test
    void nodeIsNamedOnceInAShard() {
        assertThrows(IllegalArgumentException.class, () -> new Shard(A, 1, A1, List.of(A1), SlotSet.EMPTY));
        assertThrows(IllegalArgumentException.class, () -> new AddShard(A, 1, A1, List.of(A2, A3, A2)));
    }

    @Test
    void epochIsNeverNegative() {
        assertThrows(IllegalArgumentException.class, () -> new Shard(A, -1, A1, List.of(), SlotSet.EMPTY));
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

        assertEquals(new Shard(A, 4, A3, List.of(A1, A2), SlotSet.ofRange(0, 99)), next.shard(A));
        assertEquals(A3, next.primaryOf(7));
        assertEquals(A1, TWO_SHARDS.primaryOf(7));
    }

    @Test
    void promotionOfThePrimaryOnlyRaisesTheEpoch() {
        ClusterTopology next = changed(TWO_SHARDS, new Promote(A, 2, A1));

        assertEquals(new Shard(A, 2, A1, List.of(A2, A3), SlotSet.ofRange(0, 99)), next.shard(A));
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
    void replicasComeAndGo() {
        ClusterTopology more = changed(TWO_SHARDS, new AddReplica(B, new NodeId("b0")));
        ClusterTopology fewer = changed(more, new RemoveReplica(B, B2));

        assertEquals(List.of(new NodeId("b0"), B2), shard(more, B).replicas());
        assertEquals(List.of(new NodeId("b0")), shard(fewer, B).replicas());
    }

    @Test
    void shardWithoutSlotsIsRemovedAndMayComeBackInAHigherEpoch() {
        ClusterTopology empty = changed(TWO_SHARDS, new UnassignSlots(SlotSet.ofRange(0, 99), A));
        ClusterTopology removed = changed(empty, new RemoveShard(A));

        assertNull(removed.shard(A));
        assertEquals(1, removed.shards().size());
        assertNull(removed.shardOf(A1));
        assertConflict(Kind.STALE_EPOCH, removed, new AddShard(A, 1, A1, List.of()));
        assertConflict(Kind.UNKNOWN_SHARD, removed, new RemoveShard(A));

        ClusterTopology back = changed(removed, new AddShard(A, 2, A2, List.of()));
        assertEquals(new Shard(A, 2, A2, List.of(), SlotSet.EMPTY), back.shard(A));
    }

    @Test
    void staleVersionIsRefused() {
        TopologyConflictException e = assertThrows(
                TopologyConflictException.class,
                () -> TWO_SHARDS.apply(TWO_SHARDS.version() - 1, new Promote(A, 2, A2)));

        assertEquals(Kind.STALE_VERSION, e.kind());
        assertEquals(TWO_SHARDS.version(), e.version());
        assertEquals(
                "version must be " + TWO_SHARDS.version() + ", the current one: " + (TWO_SHARDS.version() - 1),
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
        assertConflict(Kind.NODE_EXISTS, TWO_SHARDS, new AddReplica(A, B1));
        assertConflict(Kind.NODE_EXISTS, TWO_SHARDS, new AddReplica(A, A2));
        assertConflict(Kind.UNKNOWN_SHARD, TWO_SHARDS, new AddReplica(C, new NodeId("x")));
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
        assertConflict(Kind.UNKNOWN_SHARD, TWO_SHARDS, new RemoveReplica(C, A2));
        assertConflict(Kind.UNKNOWN_NODE, TWO_SHARDS, new RemoveReplica(A, A1));
        assertConflict(Kind.UNKNOWN_NODE, TWO_SHARDS, new RemoveReplica(A, B2));
    }

    @Test
    void conflictNamesWhatItIsAbout() {
        TopologyConflictException e = conflict(TWO_SHARDS, new AssignSlots(SlotSet.of(300, 150), A));

        assertEquals("slot to assign must have no owner: 150 is owned by b", e.getMessage());
        assertEquals(B, e.shard());
        assertEquals(A, new MoveSlots(SlotSet.of(1), A, B).shard());
        assertEquals(150, e.slot());
        assertNull(e.node());
        assertEquals(TWO_SHARDS.version(), e.version());

        TopologyConflictException exists = conflict(TWO_SHARDS, new AddReplica(A, B1));
        assertEquals("node to add must belong to no shard: b1 belongs to b", exists.getMessage());
        assertEquals(B1, exists.node());
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
    void mergeJoinsIndependentChanges() {
        ClusterTopology left = changed(TWO_SHARDS, new Promote(A, 2, A2));
        ClusterTopology right = changed(TWO_SHARDS, new Promote(B, 2, B2));

        ClusterTopology merged = left.merge(right);

        assertEquals(A2, merged.primaryOf(0));
        assertEquals(B2, merged.primaryOf(100));
        assertEquals(merged, right.merge(left));
        assertTrue(merged.version() > left.version());
        assertTrue(merged.version() > right.version());
    }

    @Test
    void mergeTakesTheHigherEpochEvenIfTheLowerSawMoreChanges() {
        ClusterTopology promoted = changed(TWO_SHARDS, new Promote(A, 2, A2));
        ClusterTopology busy = TWO_SHARDS;
        for (int i = 0; i < 10; i++) {
            busy = changed(busy, new AddReplica(A, new NodeId("x" + i)));
        }

        ClusterTopology merged = busy.merge(promoted);

        assertEquals(promoted.shard(A), merged.shard(A));
        assertEquals(merged, promoted.merge(busy));
        assertTrue(merged.version() > busy.version());
        assertTrue(merged.version() > promoted.version());
    }

    @Test
    void mergeTakesTheLaterMoveOfASlot() {
        ClusterTopology once = changed(TWO_SHARDS, new MoveSlots(SlotSet.of(5), A, B));
        ClusterTopology twice = changed(once, new MoveSlots(SlotSet.of(5), B, A));

        assertSame(twice, twice.merge(once));
        assertEquals(twice, once.merge(twice));
        assertEquals(A, ownerOf5(twice));
    }

    @Test
    void ofTwoMovesMadeAtOnceTheOneToTheHigherShardStays() {
        ClusterTopology three = changed(TWO_SHARDS, new AddShard(C, 1, new NodeId("c1"), List.of()));
        ClusterTopology toB = changed(three, new MoveSlots(SlotSet.of(5), A, B));
        ClusterTopology toC = changed(three, new MoveSlots(SlotSet.of(5), A, C));

        assertEquals(toC, toB.merge(toC));
        assertSame(toC, toC.merge(toB));
    }

    @Test
    void orderInWhichReplicasCameDoesNotMatter() {
        ClusterTopology topology =
                changed(changed(TWO_SHARDS, new AddReplica(B, new NodeId("b0"))), new AddReplica(B, new NodeId("b1a")));

        assertTrue(topology.toText().contains(" replicas=b0,b1a,b2\n"));
        assertTrue(
                changed(topology, new Promote(B, 2, new NodeId("b1a"))).toText().contains(" replicas=b0,b1,b2\n"));
    }

    @Test
    void mergeWithWhatIsKnownChangesNothing() {
        assertSame(TWO_SHARDS, TWO_SHARDS.merge(ClusterTopology.EMPTY));
        assertEquals(TWO_SHARDS, ClusterTopology.EMPTY.merge(TWO_SHARDS));
        assertSame(TWO_SHARDS, TWO_SHARDS.merge(TWO_SHARDS));
    }

    @Test
    void slotsGivenToAShardWhileItIsRemovedAreUncoveredAndStaySo() {
        ClusterTopology three = changed(TWO_SHARDS, new AddShard(C, 1, new NodeId("c1"), List.of()));
        ClusterTopology removed = changed(three, new RemoveShard(C));
        ClusterTopology given = changed(three, new MoveSlots(SlotSet.of(5), A, C));

        ClusterTopology merged = removed.merge(given);

        assertNull(merged.shard(C));
        assertNull(merged.shardOf(5));
        assertNull(merged.primaryOf(5));
        assertTrue(merged.uncovered().contains(5));
        ClusterTopology back = changed(merged, new AddShard(C, 2, new NodeId("c1"), List.of()));
        assertEquals(SlotSet.EMPTY, shard(back, C).slots());
        assertNull(back.shardOf(5));
        assertEquals(A, ownerOf5(changed(merged, new AssignSlots(SlotSet.of(5), A))));
    }

    @Test
    void shardsWithoutReplicasAreReported() {
        ClusterTopology topology = changed(TWO_SHARDS, new RemoveReplica(B, B2));

        assertEquals(List.of(), TWO_SHARDS.shardsWithoutReplicas());
        assertEquals(List.of(B), topology.shardsWithoutReplicas());
    }

    @Test
    void lossOfANodeIsSurvivedIfAllSlotsHaveThreeNodes() {
        ClusterTopology covered = changed(TWO_SHARDS, new AssignSlots(TWO_SHARDS.uncovered(), A));
        ClusterTopology threeNodes = changed(covered, new AddReplica(B, new NodeId("b3")));
        ClusterTopology emptyShard = changed(threeNodes, new AddShard(C, 1, new NodeId("c1"), List.of()));

        assertFalse(covered.survivesLossOfAnyNode());
        assertTrue(threeNodes.survivesLossOfAnyNode());
        assertTrue(emptyShard.survivesLossOfAnyNode());
        assertFalse(changed(threeNodes, new UnassignSlots(SlotSet.of(5), A)).survivesLossOfAnyNode());
    }

    @Test
    void changesToALaterTopologyAreListed() {
        List<TopologyChange> changes = List.of(
                new AddShard(C, 3, new NodeId("c1"), List.of()),
                new AddReplica(A, new NodeId("a4")),
                new Promote(A, 2, new NodeId("a4")),
                new RemoveReplica(A, A1),
                new MoveSlots(SlotSet.of(5, 7), A, B),
                new UnassignSlots(SlotSet.of(150), B),
                new AssignSlots(SlotSet.of(16_383), C));
        ClusterTopology later = TWO_SHARDS.apply(TWO_SHARDS.version(), changes);

        assertEquals(Set.copyOf(changes), Set.copyOf(TWO_SHARDS.changesTo(later)));
        assertEquals(
                later.shards(),
                TWO_SHARDS
                        .apply(TWO_SHARDS.version(), TWO_SHARDS.changesTo(later))
                        .shards());
        assertEquals(List.of(), later.changesTo(later));
    }

    @Test
    void changesToATopologyWithoutAShardEndWithItsRemoval() {
        ClusterTopology later = TWO_SHARDS.apply(
                TWO_SHARDS.version(), List.of(new MoveSlots(SlotSet.ofRange(100, 199), B, A), new RemoveShard(B)));

        assertEquals(
                List.of(new MoveSlots(SlotSet.ofRange(100, 199), B, A), new RemoveShard(B)),
                TWO_SHARDS.changesTo(later));
    }

    @Test
    void textForLogsNamesVersionAndShards() {
        ClusterTopology topology = ClusterTopology.EMPTY.apply(0, new AddShard(A, 1, A1, List.of(A2)));

        assertEquals(
                "ClusterTopology[version=2, shards=[Shard[id=a, epoch=1, primary=a1, replicas=[a2], slots=]]]",
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

    /** Applies a change that must succeed, and checks what every change promises. */
    private static ClusterTopology changed(ClusterTopology topology, TopologyChange change) {
        ClusterTopology next = topology.apply(topology.version(), change);
        assertTrue(next.version() > topology.version(), change.toString());
        return next;
    }

    private static Shard shard(ClusterTopology topology, ShardId id) {
        return Objects.requireNonNull(topology.shard(id));
    }

    private static ShardId ownerOf5(ClusterTopology topology) {
        return Objects.requireNonNull(topology.shardOf(5)).id();
    }

    private static void assertConflict(Kind kind, ClusterTopology topology, TopologyChange change) {
        assertEquals(kind, conflict(topology, change).kind(), change.toString());
    }

    private static TopologyConflictException conflict(ClusterTopology topology, TopologyChange change) {
        return assertThrows(
                TopologyConflictException.class, () -> topology.apply(topology.version(), change), change.toString());
    }
}
