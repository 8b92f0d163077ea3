package io.kvorum.replication;

import static io.kvorum.replication.TestShard.A;
import static io.kvorum.replication.TestShard.B;
import static io.kvorum.replication.TestShard.C;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.replication.ControlAnswer.Outcome;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.RefusedException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Who leads, who has promised what, and what follows from it. */
final class ShardNodeFencingTest extends ShardTest {
    @Test
    void aFencedPrimaryTakesNoMoreWritesAndItsPositionIsFinal() {
        a.write("key", "value");
        long request = request(a, Acknowledgement.MAJORITY);
        ControlAnswer answer = a.node.fence(2);
        shard.collect(a);

        assertEquals(Outcome.DONE, answer.outcome());
        assertEquals(a.end(), answer.status().position());
        RefusedException refused = assertThrows(RefusedException.class, () -> a.write("key", "late"));
        assertEquals(RefusedException.Kind.FENCED, refused.kind());
        assertEquals(2, refused.epoch());
        assertEquals("key=value", a.state.toString());
        assertEquals("DEPOSED", outcome(request));
        assertEquals(
                List.of(new ReplicationEvent.Deposed(A, 1, 2, a.end())), shard.events(ReplicationEvent.Deposed.class));
    }

    @Test
    void aLowerFenceIsRefusedAndTheSameOneIsDone() {
        assertEquals(Outcome.DONE, b.node.fence(5).outcome());
        assertEquals(Outcome.DONE, b.node.fence(5).outcome());
        assertEquals(Outcome.STALE_EPOCH, b.node.fence(4).outcome());
        assertEquals(5, b.node.status().epoch());
    }

    @Test
    void promotionNeedsTheFenceTheDataAndThePosition() {
        assertEquals(
                Outcome.STALE_EPOCH, b.node.promote(0, b.end(), shard.ids()).outcome());
        assertEquals(
                Outcome.OTHER_PRIMARY, b.node.promote(1, b.end(), shard.ids()).outcome());
        assertEquals(Outcome.NOT_FENCED, b.node.promote(2, b.end(), shard.ids()).outcome());
        b.node.fence(2);
        assertEquals(
                Outcome.WRONG_POSITION,
                b.node.promote(2, new LogPosition(1, 1), shard.ids()).outcome());
        assertThrows(IllegalArgumentException.class, () -> b.node.promote(2, b.end(), List.of(A, C)));
        assertFalse(b.log.isWritable());
        assertEquals(Outcome.DONE, b.node.promote(2, b.end(), shard.ids()).outcome());
        assertEquals(
                Outcome.DONE, b.node.promote(2, LogPosition.START, shard.ids()).outcome());
        assertTrue(b.log.isWritable());
        shard.collect(b);
        c.restartEmpty();
        c.node.fence(3);
        assertEquals(Outcome.NOT_SYNCED, c.node.promote(3, c.end(), shard.ids()).outcome());
    }

    /** P22: after a majority has promised a later epoch, the old primary acknowledges nothing at MAJORITY. */
    @Test
    void anOldPrimaryThatNobodyToldAcknowledgesNothing() {
        shard.isolate(A);
        shard.elect(B, 2, B, C);
        a.write("key", "lost");
        long request = request(a, Acknowledgement.MAJORITY);
        shard.settle();
        assertEquals("waiting", outcome(request));

        shard.heal();
        shard.settle();
        assertEquals("DEPOSED", outcome(request));
        shard.assertEqual();
        assertTrue(a.state.map.isEmpty());
    }

    /** One replica that promised a later epoch is enough to stop the primary. */
    @Test
    void aPrimaryThatLearnsOfALaterEpochStops() {
        c.node.fence(7);
        shard.collect(c);
        shard.settle();

        assertEquals(NodeRole.REPLICA, a.node.status().role());
        assertEquals(7, a.node.status().epoch());
        assertThrows(RefusedException.class, () -> a.write("key", "value"));
    }

    @Test
    void theNewPrimaryHasWhatAMajorityHad() {
        shard.isolate(C);
        a.write("key", "kept");
        long request = request(a, Acknowledgement.MAJORITY);
        shard.step();
        assertEquals("acknowledged", outcome(request));
        shard.isolate(A);

        assertTrue(b.end().compareTo(c.end()) > 0);
        shard.elect(B, 2, B, C);
        shard.settle();

        assertEquals("key=kept", c.state.toString());
        shard.heal();
        shard.settle();
        shard.assertEqual();
        assertTrue(shard.events(ReplicationEvent.FullSyncStarted.class).isEmpty());
    }

    /**
     * Nothing counts as committed before a record of the primary's own epoch is on a majority: the case of figure 8 of
     * the Raft paper.
     */
    @Test
    void recordsOfEarlierEpochsAreNotCommittedByThemselves() {
        shard.isolate(A);
        a.write("key", "old"); // only at a, epoch 1
        shard.settle();
        shard.elect(B, 2, B, C);
        shard.heal();
        shard.isolate(B);
        // a comes back by an election of its own, and has c take its old record, but not yet that of its epoch
        a.node.fence(3);
        c.node.fence(3);
        assertEquals(Outcome.DONE, a.node.promote(3, a.end(), shard.ids()).outcome());
        shard.collect(a);
        shard.collect(c);
        LogPosition old = new LogPosition(1, a.end().offset() - Records.EPOCH_RECORD);
        assertEquals(-1, a.node.status().committed());
        a.node.await(1, old, Acknowledgement.MAJORITY, shard.now + FOREVER);
        shard.collect(a);
        assertEquals("DEPOSED", outcome(1L));

        shard.settle();
        assertEquals(a.end().offset(), a.node.status().committed());
    }

    @Test
    void followingIsRefusedInALowerEpochAndBesideAnotherPrimary() {
        assertEquals(Outcome.DONE, b.node.follow(1, A).outcome());
        assertEquals(Outcome.OTHER_PRIMARY, b.node.follow(1, C).outcome());
        assertEquals(Outcome.STALE_EPOCH, b.node.follow(0, A).outcome());
        assertEquals(Outcome.OTHER_PRIMARY, a.node.follow(1, B).outcome());
        assertEquals(Outcome.DONE, a.node.follow(2, B).outcome());
        assertEquals(Outcome.NOT_PRIMARY, c.node.follow(2, C).outcome());
        assertEquals(B, a.node.status().primary());
        assertEquals(NodeRole.REPLICA, a.node.status().role());
    }

    @Test
    void aPauseHoldsWritesBackAndEndsByItself() {
        assertEquals(Outcome.DONE, a.node.pause(1, shard.now + 100).outcome());
        RefusedException refused = assertThrows(RefusedException.class, () -> a.write("key", "value"));
        assertEquals(RefusedException.Kind.PAUSED, refused.kind());
        shard.now += 99;
        shard.step();
        assertFalse(a.log.isWritable());
        shard.now += 1;
        shard.step();
        a.write("key", "value");

        assertEquals(Outcome.DONE, a.node.pause(1, shard.now + 100).outcome());
        assertEquals(Outcome.DONE, a.node.resume(1, shard.now).outcome());
        a.write("key", "other");
        assertEquals(Outcome.NOT_PRIMARY, b.node.pause(1, shard.now + 100).outcome());
        assertEquals(Outcome.STALE_EPOCH, a.node.resume(0, shard.now).outcome());
    }
}
