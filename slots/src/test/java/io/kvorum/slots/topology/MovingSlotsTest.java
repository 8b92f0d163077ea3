package io.kvorum.slots.topology;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.MalformedTextException;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.TopologyChange.AddShard;
import io.kvorum.slots.topology.TopologyChange.AssignSlots;
import io.kvorum.slots.topology.TopologyChange.FinishMove;
import io.kvorum.slots.topology.TopologyChange.MoveSlots;
import io.kvorum.slots.topology.TopologyChange.RemoveShard;
import io.kvorum.slots.topology.TopologyChange.UnassignSlots;
import io.kvorum.slots.topology.TopologyConflictException.Kind;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Slots that were given to another shard, and whose data has not followed yet. */
final class MovingSlotsTest {
    private static final ShardId A = new ShardId("a");
    private static final ShardId B = new ShardId("b");
    private static final ShardId C = new ShardId("c");
    private static final SlotSet MOVED = SlotSet.ofRange(90, 99);

    private static final ClusterTopology START = ClusterTopology.EMPTY.apply(
            0,
            List.of(
                    new AddShard(A, 1, new NodeId("a1"), List.of()),
                    new AddShard(B, 1, new NodeId("b1"), List.of()),
                    new AddShard(C, 1, new NodeId("c1"), List.of()),
                    new AssignSlots(SlotSet.ofRange(0, 99), A)));

    private static ClusterTopology after(ClusterTopology topology, TopologyChange... changes) {
        return topology.apply(topology.version(), List.of(changes));
    }

    private static final ClusterTopology MOVING = after(START, new MoveSlots(MOVED, A, B));

    @Test
    void slotsWithoutAHistoryAreThereAtOnce() {
        assertEquals(SlotSet.EMPTY, START.moving());
        assertFalse(START.isMoving(0));
        assertNull(START.sourceOf(0));
    }

    @Test
    void aMovedSlotIsOnItsWayUntilItsMoveIsFinished() {
        assertEquals(MOVED, MOVING.moving());
        assertTrue(MOVING.isMoving(90));
        assertFalse(MOVING.isMoving(89));
        assertEquals(A, MOVING.sourceOf(90));
        assertEquals(B, MOVING.known(B).id());

        ClusterTopology some = after(MOVING, new FinishMove(SlotSet.of(90, 91), B));
        assertEquals(SlotSet.ofRange(92, 99), some.moving());
        assertNull(some.sourceOf(90));
        assertEquals(B, some.shardOf(90) == null ? null : some.shardOf(90).id());
        assertEquals(
                SlotSet.EMPTY,
                after(some, new FinishMove(SlotSet.ofRange(92, 99), B)).moving());
    }

    @Test
    void anOwnerServesWhatHasArrived() {
        assertEquals(SlotSet.ofRange(0, 99), START.servedBy(START.known(A)));
        assertEquals(SlotSet.ofRange(0, 89), MOVING.servedBy(MOVING.known(A)));
        assertEquals(SlotSet.EMPTY, MOVING.servedBy(MOVING.known(B)));
        ClusterTopology some = after(MOVING, new FinishMove(SlotSet.of(90, 91), B));
        assertEquals(SlotSet.of(90, 91), some.servedBy(some.known(B)));
    }

    @Test
    void aRefusalSaysWhereTheDataIs() {
        NodeId node = new NodeId("b2");
        RefusedException refusal = RefusedException.moving(MOVING, 90, node);
        assertEquals(RefusedException.Kind.MOVING, refusal.kind());
        assertEquals(90, refusal.slot());
        assertEquals(B, refusal.shard());
        assertEquals(node, refusal.node());
        assertEquals(new NodeId("b1"), refusal.primary());
        assertEquals(1, refusal.epoch());
        assertEquals("slot 90 was given to b, but its data is still at a", refusal.getMessage());

        ClusterTopology gone = after(MOVING, new UnassignSlots(SlotSet.ofRange(0, 89), A), new RemoveShard(A));
        assertEquals(
                "slot 90 was given to b, but its data was at a shard that is gone",
                RefusedException.moving(gone, 90, null).getMessage());
    }

    @Test
    void dataStaysWhereItIsThroughFurtherMoves() {
        ClusterTopology on = after(MOVING, new MoveSlots(MOVED, B, C));
        assertEquals(MOVED, on.moving());
        assertEquals(A, on.sourceOf(95));
        assertEquals(SlotSet.EMPTY, after(on, new MoveSlots(MOVED, C, A)).moving());
    }

    @Test
    void slotsThatAreGivenUpBeginEmpty() {
        ClusterTopology given = after(MOVING, new UnassignSlots(MOVED, B), new AssignSlots(MOVED, C));
        assertEquals(SlotSet.EMPTY, given.moving());
    }

    @Test
    void aSourceThatIsRemovedIsNamedNoMore() {
        ClusterTopology gone = after(MOVING, new UnassignSlots(SlotSet.ofRange(0, 89), A), new RemoveShard(A));
        assertEquals(MOVED, gone.moving());
        assertNull(gone.sourceOf(90));
        ClusterTopology back = after(gone, new AddShard(A, 1, new NodeId("a1"), List.of()));
        assertNull(back.sourceOf(90));
        assertEquals(MOVED, after(back, new MoveSlots(MOVED, B, A)).moving());
    }

    @Test
    void aMoveIsFinishedOnlyByWhoeverOwnsWhatIsOnItsWay() {
        for (FinishMove wrong : List.of(new FinishMove(MOVED, A), new FinishMove(SlotSet.of(5), B))) {
            TopologyConflictException conflict =
                    assertThrows(TopologyConflictException.class, () -> after(MOVING, wrong));
            assertEquals(Kind.SLOT_NOT_OWNED, conflict.kind());
        }
        TopologyConflictException conflict =
                assertThrows(TopologyConflictException.class, () -> after(START, new FinishMove(SlotSet.of(7), A)));
        assertEquals(Kind.SLOT_NOT_MOVING, conflict.kind());
        assertEquals(7, conflict.slot());
        assertThrows(IllegalArgumentException.class, () -> new FinishMove(SlotSet.EMPTY, A));
    }

    @Test
    void newsMergeInAnyOrder() {
        ClusterTopology finished = after(MOVING, new FinishMove(MOVED, B));
        for (ClusterTopology first : List.of(START, MOVING, finished)) {
            for (ClusterTopology second : List.of(START, MOVING, finished)) {
                ClusterTopology expected = first.version() > second.version() ? first : second;
                assertEquals(expected, first.merge(second));
            }
        }
        ClusterTopology toC = after(START, new MoveSlots(MOVED, A, C), new FinishMove(MOVED, C));
        ClusterTopology toB = after(MOVING, new MoveSlots(MOVED, B, C));
        assertEquals(toC.merge(toB), toB.merge(toC)); // the same owner with as many changes, on its way or not
    }

    @Test
    void theTextKeepsWhereTheDataIs() {
        assertEquals(MOVING, ClusterTopology.parse(MOVING.toText()));
        assertTrue(MOVING.toText().contains("slots owner=b from=a stamp=2 set=90-99"), MOVING.toText());
        String contradiction = MOVING.toText().replace("from=a", "from=b");
        assertThrows(MalformedTextException.class, () -> ClusterTopology.parse(contradiction));
        String unknown = MOVING.toText().replace("from=a", "from=nobody");
        assertThrows(MalformedTextException.class, () -> ClusterTopology.parse(unknown));
    }

    @Test
    void theDifferenceTellsOfMovesAndOfTheirEnd() {
        ClusterTopology finished = after(MOVING, new FinishMove(MOVED, B));
        assertEquals(List.of(new MoveSlots(MOVED, A, B)), START.changesTo(MOVING));
        assertEquals(List.of(new FinishMove(MOVED, B)), MOVING.changesTo(finished));
        assertEquals(List.of(new MoveSlots(MOVED, A, B), new FinishMove(MOVED, B)), START.changesTo(finished));
        assertEquals(List.of(new MoveSlots(MOVED, B, A)), MOVING.changesTo(after(MOVING, new MoveSlots(MOVED, B, A))));
    }

    /** Applied again, the difference leads to the same owners and to data in the same places. */
    private static void assertLeads(ClusterTopology from, ClusterTopology to) {
        ClusterTopology reached = from.apply(from.version(), from.changesTo(to));
        assertEquals(to.moving(), reached.moving());
        for (int slot : new int[] {0, 90, 99}) {
            assertEquals(to.primaryOf(slot), reached.primaryOf(slot));
            assertEquals(to.sourceOf(slot), reached.sourceOf(slot));
        }
    }

    @Test
    void theDifferenceTellsOfDataThatWentAwayAndStayedThere() {
        ClusterTopology back = after(MOVING, new FinishMove(MOVED, B), new MoveSlots(MOVED, B, A));
        assertEquals(
                List.of(new MoveSlots(MOVED, A, B), new FinishMove(MOVED, B), new MoveSlots(MOVED, B, A)),
                START.changesTo(back));
        assertLeads(START, back);
        assertLeads(MOVING, back);

        ClusterTopology on = after(MOVING, new FinishMove(MOVED, B), new MoveSlots(MOVED, B, C));
        assertLeads(START, on);
        assertEquals(List.of(new FinishMove(MOVED, B), new MoveSlots(MOVED, B, C)), MOVING.changesTo(on));
        assertLeads(MOVING, on);
    }

    @Test
    void theDifferenceTellsOfSlotsOfNobodyThatAreOnTheirWay() {
        ClusterTopology unowned = after(START, new UnassignSlots(MOVED, A));
        ClusterTopology given = after(unowned, new AssignSlots(MOVED, A), new MoveSlots(MOVED, A, B));
        assertEquals(List.of(new AssignSlots(MOVED, A), new MoveSlots(MOVED, A, B)), unowned.changesTo(given));
        assertLeads(unowned, given);
    }

    @Test
    void theDifferenceTellsOfDataThatWasLeftAtARemovedShard() {
        ClusterTopology left = after(MOVING, new FinishMove(MOVED, B), new MoveSlots(MOVED, B, C), new RemoveShard(B));
        assertEquals(MOVED, left.moving());
        assertNull(left.sourceOf(90));
        assertLeads(START, left);
        assertLeads(MOVING, left);
    }
}
