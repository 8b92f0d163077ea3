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
import static io.kvorum.slots.topology.TwoShards.changed;
import static io.kvorum.slots.topology.TwoShards.ownerOf5;
import static io.kvorum.slots.topology.TwoShards.shard;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
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
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What becomes of two topologies that were changed apart, and what leads from one to another. */
final class MergedTopologyTest {
    @Test
    void laterAddressWinsInAMerge() {
        ClusterTopology once = changed(TWO_SHARDS, new SetAddress(A1, new NodeAddress("z", 1)));
        ClusterTopology twice = changed(once, new SetAddress(A1, new NodeAddress("a", 1)));
        ClusterTopology atOnce = changed(once, new SetAddress(A1, new NodeAddress("b", 1)));
        ClusterTopology other = changed(TWO_SHARDS, new SetAddress(B1, new NodeAddress("b", 1)));

        assertSame(twice, twice.merge(once));
        assertEquals(twice, once.merge(twice));
        assertEquals(atOnce, twice.merge(atOnce));
        assertSame(atOnce, atOnce.merge(twice));
        assertEquals(new NodeAddress("a", 1), twice.merge(other).addressOf(A1));
        assertEquals(new NodeAddress("b", 1), twice.merge(other).addressOf(B1));
        assertEquals(twice.merge(other), other.merge(twice));
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
    void mergeTakesTheHigherEpochAndTheLaterMemberListEachByItself() {
        ClusterTopology promoted = changed(TWO_SHARDS, new Promote(A, Epoch.of(2, 1), A2));
        ClusterTopology listed = changed(TWO_SHARDS, new SetMembers(A, new LogPosition(1, 64), List.of(A1, A2)));
        ClusterTopology listedLater = changed(listed, new SetMembers(A, new LogPosition(1, 99), List.of(A2, A3)));

        ClusterTopology merged = promoted.merge(listed);

        assertEquals(A2, shard(merged, A).primary());
        assertEquals(List.of(A1), shard(merged, A).replicas());
        assertEquals(merged, listed.merge(promoted));
        assertTrue(merged.version() > listed.version());
        assertTrue(merged.version() > promoted.version());
        assertEquals(List.of(A3), shard(merged.merge(listedLater), A).replicas());
        assertEquals(merged.merge(listedLater), listedLater.merge(promoted));
        assertSame(listedLater, listedLater.merge(listed));
    }

    @Test
    void memberListsThatWereMissedMakeNoDifference() {
        SetMembers last = new SetMembers(A, new LogPosition(Epoch.of(2, 1), 300), List.of(A1, A3));
        ClusterTopology all = changed(TWO_SHARDS, new SetMembers(A, new LogPosition(Epoch.of(1, 1), 64), List.of(A1)));
        all = changed(changed(all, new SetMembers(A, new LogPosition(Epoch.of(1, 1), 200), List.of(A1, A2))), last);

        assertEquals(changed(TWO_SHARDS, last), all);
    }

    @Test
    void memberListThatTakesTheLogBackRaisesTheVersionToo() {
        ClusterTopology lost = changed(TWO_SHARDS, new SetMembers(A, new LogPosition(1, 1_000_000), List.of(A1, A2)));
        ClusterTopology back = changed(lost, new SetMembers(A, new LogPosition(2, 50), List.of(A1, A3)));
        ClusterTopology other = changed(TWO_SHARDS, new SetMembers(A, new LogPosition(2, 50), List.of(A1, A3)));

        assertEquals(back, back.merge(other));
        assertEquals(back, other.merge(back));
        assertEquals(List.of(A3), shard(lost.merge(other), A).replicas());
        assertEquals(lost.merge(other), other.merge(lost));
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
        assertSame(back, back.merge(given));
        ClusterTopology backBefore = changed(removed, new AddShard(C, 2, new NodeId("c1"), List.of()));
        assertEquals(back, backBefore.merge(given));
        assertEquals(back, given.merge(backBefore));
        assertEquals(A, ownerOf5(changed(merged, new AssignSlots(SlotSet.of(5), A))));
    }

    @Test
    void changesToALaterTopologyAreListed() {
        List<TopologyChange> changes = List.of(
                new AddShard(C, 3, new NodeId("c1"), List.of()),
                new SetMembers(A, new LogPosition(1, 64), List.of(A2, A3, new NodeId("a4"))),
                new Promote(A, 2, new NodeId("a4")),
                new SetAddress(A2, new NodeAddress("host", 7000)),
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
    void changesToATopologyWithAShardAddedAnewReplaceIt() {
        NodeId a9 = new NodeId("a9");
        ClusterTopology later = TWO_SHARDS.apply(
                TWO_SHARDS.version(),
                List.of(
                        new MoveSlots(SlotSet.ofRange(0, 9), A, B),
                        new UnassignSlots(SlotSet.ofRange(10, 99), A),
                        new RemoveShard(A),
                        new AddShard(A, 0, a9, List.of()),
                        new AssignSlots(SlotSet.ofRange(50, 99), A)));

        List<TopologyChange> changes = TWO_SHARDS.changesTo(later);

        assertEquals(
                List.of(
                        new UnassignSlots(SlotSet.ofRange(0, 99), A),
                        new RemoveShard(A),
                        new AddShard(A, 0, a9, List.of()),
                        new AssignSlots(SlotSet.ofRange(0, 9), B),
                        new AssignSlots(SlotSet.ofRange(50, 99), A)),
                changes);
        assertEquals(
                later.shards(), TWO_SHARDS.apply(TWO_SHARDS.version(), changes).shards());
    }

    @Test
    void changesNameTheAddressesThatDiffer() {
        SetAddress change = new SetAddress(A2, new NodeAddress("host", 7000));
        ClusterTopology later = changed(TWO_SHARDS, change);
        ClusterTopology forgotten = changed(later, new SetAddress(A2, null));

        assertEquals(List.of(change), TWO_SHARDS.changesTo(later));
        assertEquals(List.of(new SetAddress(A2, null)), later.changesTo(forgotten));
        assertEquals(List.of(), TWO_SHARDS.changesTo(forgotten));
    }
}
