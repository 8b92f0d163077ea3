package io.kvorum.replication;

import static io.kvorum.replication.TestShard.A;
import static io.kvorum.replication.TestShard.B;
import static io.kvorum.replication.TestShard.C;
import static io.kvorum.replication.TestShard.SENTINEL;
import static io.kvorum.replication.TestShard.epoch;
import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.replication.ControlAnswer.Outcome;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.Membership;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Who leads, who has promised what, and what follows from it; beside the scripts, which show the answers. */
final class ShardNodeFencingTest extends ShardTest {
    @Test
    void aFencedPrimaryTakesNoMoreWritesAndItsPositionIsFinal() {
        a.write("key", "value");
        long request = request(a, Acknowledgement.MAJORITY);
        ControlAnswer answer = a.node.fence(epoch(2), SENTINEL);
        shard.collect(a);

        assertEquals(Outcome.DONE, answer.outcome());
        assertEquals(a.end(), answer.status().position());
        RefusedException refused = assertThrows(RefusedException.class, () -> a.write("key", "late"));
        assertEquals(RefusedException.Kind.FENCED, refused.kind());
        assertEquals(epoch(2), refused.epoch());
        assertEquals("key=value", a.state.toString());
        assertEquals("DEPOSED", outcome(request));
        assertEquals(
                List.of(new ReplicationEvent.Deposed(A, epoch(1), epoch(2), a.end())),
                shard.events(ReplicationEvent.Deposed.class));
    }

    /** Whatever was promised is to be saved with the answer, and the first thing that a life says is its number. */
    @Test
    void everyPromiseIsSavedBeforeItIsAnswered() {
        Promise before = b.promise();
        assertEquals(Outcome.DONE, b.node.fence(epoch(2), SENTINEL).outcome());
        assertTrue(b.node.hasNewPromise());
        assertEquals(before.withEpoch(epoch(2), SENTINEL), b.node.ready().toSave());
        assertFalse(b.node.hasNewPromise());

        b.restartWithData();
        assertEquals(before.life() + 1, b.promise().life());
    }

    @Test
    void epochZeroIsNoPromise() {
        useUnbegun(new TestShard(A));
        assertEquals(Outcome.STALE_EPOCH, a.node.fence(0, SENTINEL).outcome());
        assertEquals(Outcome.STALE_EPOCH, a.node.follow(0, B, shard.now).outcome());
        assertEquals(
                Outcome.NOT_FENCED,
                a.node.promote(0, SENTINEL, 1, LogPosition.START, -1, 0).outcome());
    }

    /** Heard through a primary, a promise has no holder, and nobody can be promoted on it. */
    @Test
    void anEpochThatHasAPrimaryIsPromisedToNobody() {
        shard.isolate(C);
        shard.elect(B, 2, A, B);
        shard.heal();
        shard.settle();
        assertEquals(epoch(2), c.status().epoch());

        assertEquals(
                Outcome.STALE_EPOCH, c.node.fence(epoch(2), new NodeId("S2")).outcome());
        assertEquals(Outcome.STALE_EPOCH, c.node.fence(epoch(2), SENTINEL).outcome());
        assertEquals(
                Outcome.OTHER_PRIMARY,
                c.node.promote(epoch(2), SENTINEL, c.status().incarnation(), c.end(), -1, shard.now)
                        .outcome());
    }

    @Test
    void aPromiseOutlivesARestartAndItsHolderToo() {
        shard.fence(2, B);
        b.restartWithData();

        assertEquals(
                Outcome.OTHER_HOLDER, b.node.fence(epoch(2), new NodeId("S2")).outcome());
        assertEquals(
                Outcome.STALE_EPOCH,
                b.node.fence(Epoch.of(1, 9), new NodeId("S2")).outcome());
        assertEquals(Outcome.DONE, promoteAsIs(b, 2));
    }

    private Outcome promoteAsIs(TestShard.Node node, int round) {
        return shard.promote(node.id, round);
    }

    /** P22: after a majority has promised a later epoch, the old primary acknowledges nothing at MAJORITY. */
    @Test
    void anOldPrimaryThatNobodyToldAcknowledgesNothing() {
        shard.isolate(A);
        shard.elect(B, 2, B, C);
        a.write("key", "lost");
        long request = request(a, Acknowledgement.MAJORITY);
        shard.settle();
        assertEquals("WAITING", outcome(request));

        shard.heal();
        shard.settle();
        assertEquals("DEPOSED", outcome(request));
        shard.assertEqual();
        assertTrue(a.state.map.isEmpty());
    }

    /** One replica that promised a later epoch is enough to stop the primary. */
    @Test
    void aPrimaryThatLearnsOfALaterEpochStops() {
        shard.fence(7, C);
        shard.settle();

        assertEquals(NodeRole.REPLICA, a.status().role());
        assertEquals(epoch(7), a.status().epoch());
        assertThrows(RefusedException.class, () -> a.write("key", "value"));
    }

    @Test
    void theNewPrimaryHasWhatAMajorityHad() {
        shard.isolate(C);
        a.write("key", "kept");
        long request = request(a, Acknowledgement.MAJORITY);
        shard.step();
        assertEquals("ACKNOWLEDGED", outcome(request));
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
        use(new TestShard(TestShard.SETTINGS.withBatchBytes(1), 1 << 16, A, B, C)); // a record in each message
        long committed = a.status().committed();
        shard.isolate(A);
        a.write("key", "old"); // only at a, epoch 1
        LogPosition old = a.end();
        shard.settle();
        shard.elect(B, 2, B, C);
        shard.heal();
        shard.isolate(B);
        // a comes back by an election of its own; c has its old record, but not yet that of its epoch
        shard.elect(A, 3, A, C);
        a.node.await(1, old, Acknowledgement.MAJORITY, shard.now + FOREVER);
        shard.lost = sent -> {
            boolean begins = sent.message() instanceof ReplicationMessage.Append append
                    && append.previous().equals(old);
            return begins || sent.to().equals(B);
        };
        shard.step();
        assertEquals(committed, a.status().committed());
        assertEquals("WAITING", outcome(1L));

        shard.isolate(B);
        shard.settle();
        assertEquals(a.end().offset(), a.status().committed());
        assertEquals("ACKNOWLEDGED", outcome(1L));
    }

    /** What a replica holds of another history is not committed because the primary's offset has passed it. */
    @Test
    void aReplicaLearnsOfCommitsOnlyOnceItsLogIsThePrimarys() {
        long committed = a.status().committed();
        shard.isolate(A);
        for (int i = 0; i < 10; i++) {
            a.write("key" + i, "lost");
        }
        shard.elect(B, 2, B, C);
        shard.settle();
        shard.lost = sent -> sent.message() instanceof ReplicationMessage.SnapshotPart;
        shard.settle();

        assertEquals(epoch(2), a.status().epoch());
        assertTrue(b.status().committed() > committed);
        assertEquals(committed, a.status().committed());
        shard.heal();
        shard.settle();
        shard.assertEqual();
        assertEquals(b.status().committed(), a.status().committed());
    }

    @Test
    void followingIsRefusedInALowerEpochAndBesideAnotherPrimary() {
        assertEquals(Outcome.DONE, b.node.follow(epoch(1), A, 0).outcome());
        assertEquals(Outcome.OTHER_PRIMARY, b.node.follow(epoch(1), C, 0).outcome());
        assertEquals(Outcome.STALE_EPOCH, b.node.follow(1, A, 0).outcome());
        assertEquals(Outcome.OTHER_PRIMARY, a.node.follow(epoch(1), B, 0).outcome());
        assertEquals(Outcome.DONE, a.node.follow(epoch(2), B, 0).outcome());
        assertEquals(Outcome.NOT_PRIMARY, c.node.follow(epoch(2), C, 0).outcome());
        assertEquals(B, a.status().primary());
        assertEquals(NodeRole.REPLICA, a.status().role());
    }

    @Test
    void aPauseHoldsWritesBackAndEndsByItself() {
        assertEquals(Outcome.DONE, a.node.pause(epoch(1), shard.now + 100).outcome());
        RefusedException refused = assertThrows(RefusedException.class, () -> a.write("key", "value"));
        assertEquals(RefusedException.Kind.PAUSED, refused.kind());
        assertEquals(shard.now + 100, a.node.ready().wakeAt());
        shard.now += 99;
        shard.step();
        assertFalse(a.log.isWritable());
        shard.now += 1;
        shard.step();
        a.write("key", "value");
    }

    @Test
    void aClosedNodeAnswersThatItIsClosed() {
        useUnbegun(new TestShard(A));
        shard.begin();
        a.node.close();
        assertEquals(Outcome.CLOSED, a.node.fence(epoch(2), SENTINEL).outcome());
        assertEquals(Outcome.CLOSED, promoteAsIs(a, 2));
        assertEquals(Outcome.CLOSED, a.node.follow(epoch(2), B, 0).outcome());
        assertEquals(Outcome.CLOSED, a.node.pause(epoch(1), 9).outcome());
        a.node.await(1, a.end(), Acknowledgement.MAJORITY, 9);
        a.node.confirm(2, 9);
        shard.collect(a);
        assertEquals("CLOSED", outcome(1L));
        assertEquals("CLOSED", outcome(2L));
    }

    @Test
    void aNodeThatWasNeverPartOfItsShardHasNoCompleteData() {
        assertThrows(
                IllegalArgumentException.class,
                () -> new ShardNode(
                        TestShard.SETTINGS,
                        new NodeIdentity(TestShard.SHARD, A),
                        ReplicationLog.inMemory(1 << 10),
                        new MapState(),
                        UnpooledByteBufAllocator.DEFAULT,
                        new Promise(1, 1, 0, null, false),
                        true,
                        0));
    }

    /** All members lost their data: begun anew, the shard has one history, and no earlier position continues in it. */
    @Test
    void aShardThatIsBegunAnewContinuesFromNobodysPosition() {
        a.write("key", "value");
        shard.settle();
        LogPosition before = a.end();
        a.restartEmpty();
        shard.fence(2, A, C);
        shard.isolate(B); // keeps its data, and is not reached
        assertEquals(Outcome.ALREADY_BEGUN, begin(false));
        assertEquals(Outcome.DONE, begin(true));
        assertNotEquals(before, a.end());
        assertEquals(Membership.committed(shard.members(A)), a.status().membership());
        shard.settle();

        assertTrue(a.log.isWritable());
        a.write("new", "value");
        long request = request(a, Acknowledgement.MAJORITY);
        shard.settle();
        assertEquals("ACKNOWLEDGED", outcome(request));
        assertEquals("new=value", c.state.toString());
        assertEquals(Membership.committed(shard.members(A, C)), a.status().membership());
        assertEquals(List.of(B), a.status().joining());

        shard.heal();
        shard.settle();
        shard.assertEqual();
        assertEquals(Membership.committed(shard.members(A, B, C)), b.status().membership());
        assertEquals(List.of(), b.status().joining());
    }

    /** The next primary knows from its log who is to join. */
    @Test
    void whoIsToJoinIsTakenInByALaterPrimaryToo() {
        shard.fence(2, A, C);
        shard.isolate(B);
        begin(true);
        shard.settle();
        shard.lost = sent -> true;
        shard.elect(C, 3, A, C);
        shard.isolate(B);
        shard.settle();
        assertEquals(List.of(B), c.status().joining());

        b.restartWithoutPromise();
        shard.heal();
        shard.settle();
        shard.assertEqual();
        assertEquals(Membership.committed(shard.members(A, B, C)), c.status().membership());
    }

    /** Those who still have the shard's old data must not make a majority before they have the new. */
    @Test
    void whoIsToJoinCountsForNothing() {
        shard.lost = sent -> true;
        shard.fence(2, A, B, C);
        begin(true);

        a.write("key", "value");
        long majority = request(a, Acknowledgement.MAJORITY);
        long one = request(a, Acknowledgement.replicas(1));
        shard.step();
        assertEquals("ACKNOWLEDGED", outcome(majority));
        assertEquals("WAITING", outcome(one));
        assertFalse(requireNonNull(a.status().membership()).knows(B));
    }

    /** A command that comes late, after the node has lost its data, must not begin the epoch a second time. */
    @Test
    void aBeginningUsesThePromiseUp() {
        shard.fence(2, A);
        assertEquals(Outcome.DONE, begin(true));
        assertNull(a.promise().holder());
        assertEquals(Outcome.DONE, begin(true)); // repeated
        a.restartEmpty();

        assertEquals(Outcome.NOT_FENCED, begin(true));
        assertEquals(Outcome.STALE_EPOCH, a.node.fence(epoch(2), SENTINEL).outcome());
        assertEquals(NodeRole.REPLICA, a.status().role());
    }

    /** A node that has lost its promise since is another member, and begins nothing under the name of the lost one. */
    @Test
    void aBeginningNamesTheIncarnation() {
        MemberList lost = shard.members(A);
        a.restartWithoutPromise();
        shard.fence(2, A);

        assertEquals(
                Outcome.OTHER_INCARNATION,
                a.node.begin(epoch(2), SENTINEL, lost, List.of(), false, shard.now)
                        .outcome());
        assertEquals(
                Outcome.NOT_MEMBER,
                a.node.begin(epoch(2), SENTINEL, shard.members(B), List.of(), false, shard.now)
                        .outcome());
    }

    private Outcome begin(boolean dataLost) {
        ControlAnswer answer = a.node.begin(epoch(2), SENTINEL, shard.members(A), List.of(B, C), dataLost, shard.now);
        shard.collect(a);
        return answer.outcome();
    }
}
