package io.kvorum.replication;

import static io.kvorum.replication.TestShard.A;
import static io.kvorum.replication.TestShard.B;
import static io.kvorum.replication.TestShard.C;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.replication.ControlAnswer.Outcome;
import io.kvorum.slots.LogPosition;
import io.kvorum.slots.NodeId;
import io.kvorum.slots.RefusedException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ShardNodeTest {
    private static final long FOREVER = TimeUnit.DAYS.toNanos(1);

    private long requests = 1_000_000;
    private TestShard shard = TestShard.started();

    private TestShard.Member a = shard.member(A);
    private TestShard.Member b = shard.member(B);
    private TestShard.Member c = shard.member(C);

    @AfterEach
    void nothingLeaks() {
        shard.close();
    }

    private void use(TestShard other) {
        shard.close();
        shard = other;
        a = shard.member(A);
        b = shard.members.getOrDefault(B, a);
        c = shard.members.getOrDefault(C, a);
    }

    private long request(TestShard.Member member, Acknowledgement level) {
        long number = ++requests;
        member.node.await(number, member.end(), level, shard.now + FOREVER);
        shard.collect(member);
        return number;
    }

    private String outcome(long request) {
        Ready.Completion completion = shard.completions.get(request);
        if (completion == null) {
            return "waiting";
        }
        return completion.reason() == null
                ? "acknowledged"
                : completion.reason().name();
    }

    // --- writes and acknowledgements

    @Test
    void replicasHaveWhatThePrimaryWrote() {
        a.write("key-01", "value-01");
        a.write("key-02", "value-02");
        shard.step();

        shard.assertEqual();
        assertEquals("key-01=value-01 key-02=value-02", b.state.toString());
    }

    @Test
    void aReplicaRefusesWritesAndNamesThePrimary() {
        RefusedException refused = assertThrows(RefusedException.class, () -> b.write("key", "value"));

        assertEquals(RefusedException.Kind.READ_ONLY, refused.kind());
        assertEquals(A, refused.primary());
        assertEquals(B, refused.node());
        assertEquals(1, refused.epoch());
        assertTrue(b.state.map.isEmpty());
        assertEquals(a.end(), b.end());
    }

    @Test
    void majorityMeansOneReplicaOfTwo() {
        shard.isolate(C);
        a.write("key", "value");
        long request = request(a, Acknowledgement.MAJORITY);
        assertEquals("waiting", outcome(request));

        shard.step();

        assertEquals("acknowledged", outcome(request));
    }

    @Test
    void anAcknowledgementNeedsTheReplicas() {
        shard.lost = sent -> sent.from().equals(A);
        a.write("key", "value");
        long majority = request(a, Acknowledgement.MAJORITY);
        long both = request(a, Acknowledgement.replicas(2));
        shard.settle();
        assertEquals("waiting", outcome(majority));

        shard.isolate(C);
        shard.settle();
        assertEquals("acknowledged", outcome(majority));
        assertEquals("waiting", outcome(both));

        shard.heal();
        shard.settle();
        assertEquals("acknowledged", outcome(both));
    }

    @Test
    void moreReplicasThanThereAreIsNeverReached() {
        a.write("key", "value");
        long request = 7;
        a.node.await(request, a.end(), Acknowledgement.replicas(3), shard.now + 1);
        shard.settle();

        assertEquals("TIMEOUT", outcome(request));
    }

    /** P18: a timeout is an unknown outcome, never success. */
    @Test
    void aTimeoutIsAnUnknownOutcome() {
        shard.isolate(A);
        a.write("key", "value");
        a.node.await(1, a.end(), Acknowledgement.MAJORITY, shard.now + 100);
        shard.now += 99;
        shard.step();
        assertEquals("waiting", outcome(1L));

        shard.now += 1;
        shard.step();
        assertEquals("TIMEOUT", outcome(1L));
    }

    @Test
    void noMoreRequestsWaitThanAllowed() {
        use(new TestShard(TestShard.SETTINGS.withMaxWaiting(2), 1 << 16, A, B, C));
        shard.elect(A, 1, A, B, C);
        shard.isolate(A);
        a.write("key", "value");
        for (long request = 1; request <= 3; request++) {
            a.node.await(request, a.end(), Acknowledgement.MAJORITY, shard.now + FOREVER);
        }
        shard.step();

        assertEquals(List.of(3L), List.copyOf(shard.completions.keySet()));
        assertEquals("OVERLOADED", outcome(3L));
    }

    /** P11: heartbeats and idle time never change the log position. */
    @Test
    void idleTimeDoesNotMoveTheLog() {
        LogPosition before = a.end();
        shard.settle();
        shard.settle();

        assertEquals(before, a.end());
        assertEquals(before, b.end());
    }

    @Test
    void aShardOfOneAcknowledgesByItself() {
        use(new TestShard(A));
        shard.elect(A, 1, A);
        a.write("key", "value");
        long request = request(a, Acknowledgement.MAJORITY);
        a.node.confirm(2, shard.now + FOREVER);
        shard.step();

        assertEquals("acknowledged", outcome(request));
        assertEquals("acknowledged", outcome(2L));
    }

    /** P15: the gate of too few replicas refuses before anything is applied. */
    @Test
    void writesNeedTheMinimumOfReplicas() {
        use(new TestShard(TestShard.SETTINGS.withMinReplicas(1), 1 << 16, A, B, C));
        shard.elect(A, 1, A, B, C);
        shard.settle();
        a.write("key", "value");
        shard.isolate(A);
        shard.settle();
        LogPosition before = a.end();

        RefusedException refused = assertThrows(RefusedException.class, () -> a.write("key", "other"));

        assertEquals(RefusedException.Kind.TOO_FEW_REPLICAS, refused.kind());
        assertEquals(before, a.end());
        assertEquals("key=value", a.state.toString());
        shard.heal();
        shard.settle();
        a.write("key", "other");
    }

    // --- confirmed reads

    @Test
    void aMajorityConfirmsTheLeadership() {
        shard.isolate(C);
        a.write("key", "value");
        a.node.confirm(1, shard.now + FOREVER);
        assertEquals("waiting", outcome(1L));
        shard.step();

        assertEquals("acknowledged", outcome(1L));
    }

    /** P19: a deposed leader confirms nothing, whether it knows that it is deposed or not. */
    @Test
    void aDeposedPrimaryConfirmsNothing() {
        shard.isolate(A);
        shard.elect(B, 2, B, C);
        a.node.confirm(1, shard.now + FOREVER);
        shard.settle();
        assertEquals("waiting", outcome(1L));

        shard.heal();
        shard.settle();
        assertEquals("DEPOSED", outcome(1L));
    }

    @Test
    void anAnswerFromBeforeTheQuestionConfirmsNothing() {
        shard.advance(TestShard.SETTINGS.heartbeatInterval());
        a.node.tick(shard.now + TestShard.SETTINGS.heartbeatInterval().toNanos());
        shard.collect(a);
        a.node.confirm(1, shard.now + FOREVER); // the heartbeats on their way were sent before
        List<TestShard.Sent> before = List.copyOf(shard.network);
        shard.network.clear();
        assertEquals(2, before.size());
        before.forEach(shard::deliver);
        List<TestShard.Sent> answers = List.copyOf(shard.network);
        shard.network.clear();
        answers.forEach(shard::deliver);
        assertEquals("waiting", outcome(1L));

        shard.step();
        assertEquals("acknowledged", outcome(1L));
    }

    // --- fencing and promotion

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

    // --- partial sync

    /** P10: a suffix that is still retained never takes a full sync. */
    @Test
    void aReplicaThatWasAwayContinues() {
        shard.isolate(C);
        for (int i = 0; i < 100; i++) {
            a.write("key-" + i, "value-" + i);
        }
        shard.settle();
        shard.heal();
        shard.settle();

        shard.assertEqual();
        assertTrue(shard.events(ReplicationEvent.FullSyncStarted.class).isEmpty());
    }

    @Test
    void aReplicaThatMissedTwoPromotionsContinues() {
        shard.isolate(C);
        a.write("one", "1");
        shard.settle();
        shard.elect(B, 2, A, B);
        b.write("two", "2");
        shard.settle();
        shard.elect(A, 3, A, B);
        a.write("three", "3");
        shard.settle();
        shard.heal();
        shard.settle();

        shard.assertEqual();
        assertEquals("one=1 three=3 two=2", c.state.toString());
        assertTrue(shard.events(ReplicationEvent.FullSyncStarted.class).isEmpty());
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void lossDuplicationAndDisorderAreRepaired(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < 300; round++) {
            if (random.nextInt(3) == 0) {
                a.write("key-" + random.nextInt(20), "value-" + round);
            }
            shard.now += TimeUnit.MILLISECONDS.toNanos(random.nextInt(60));
            for (TestShard.Member member : shard.members.values()) {
                member.node.tick(shard.now);
                shard.collect(member);
            }
            for (int i = random.nextInt(8); i > 0 && !shard.network.isEmpty(); i--) {
                List<TestShard.Sent> waiting = new ArrayList<>(shard.network);
                TestShard.Sent sent = waiting.remove(random.nextInt(Math.min(5, waiting.size())));
                shard.network.clear();
                shard.network.addAll(waiting);
                switch (random.nextInt(10)) {
                    case 0 -> sent.message().release();
                    case 1 -> {
                        shard.network.add(new TestShard.Sent(
                                sent.from(), sent.to(), sent.message().copy()));
                        shard.deliver(sent);
                    }
                    default -> shard.deliver(sent);
                }
            }
        }
        shard.settle();

        shard.assertEqual();
        assertTrue(shard.events(ReplicationEvent.FullSyncStarted.class).isEmpty(), "seed=" + seed);
    }

    // --- full sync

    /** P12: records that the new primary never had are discarded, and counted. */
    @Test
    void aReturningPrimaryDiscardsWhatNobodyElseHad() {
        a.write("key", "kept");
        shard.settle();
        shard.isolate(A);
        a.write("key", "lost");
        a.write("other", "lost");
        LogPosition end = a.end();
        shard.elect(B, 2, B, C);
        b.write("key", "new");
        shard.settle();
        shard.heal();
        shard.settle();

        shard.assertEqual();
        assertEquals(Map.of("key", "new"), a.state.map);
        ReplicationEvent.RecordsDiscarded discarded =
                shard.events(ReplicationEvent.RecordsDiscarded.class).get(0);
        assertEquals(2, discarded.records());
        assertTrue(discarded.exact());
        assertEquals(end, discarded.end());
        assertEquals(
                List.of(new ReplicationEvent.FullSyncStarted(B, A, ReplicationEvent.FullSyncStarted.Reason.DIVERGED)),
                shard.events(ReplicationEvent.FullSyncStarted.class));
    }

    @Test
    void aReplicaTooFarBehindTakesOneFullSync() {
        use(new TestShard(TestShard.SETTINGS, 1 << 10, A, B, C));
        shard.elect(A, 1, A, B, C);
        shard.settle();
        shard.isolate(C);
        for (int i = 0; i < 100; i++) {
            a.write("key-" + i, "value-" + i);
            shard.step();
        }
        shard.heal();
        shard.settle();

        shard.assertEqual();
        assertEquals(
                List.of(new ReplicationEvent.FullSyncStarted(
                        A, C, ReplicationEvent.FullSyncStarted.Reason.TOO_FAR_BEHIND)),
                shard.events(ReplicationEvent.FullSyncStarted.class));
        assertTrue(shard.events(ReplicationEvent.RecordsDiscarded.class).isEmpty());
    }

    /** P13: a full sync under writes loses none and applies none twice in effect. */
    @Test
    void aFullSyncUnderWritesIsComplete() {
        for (int i = 0; i < 200; i++) {
            a.write("key-" + i, "value-" + i);
        }
        shard.settle();
        c.restartEmpty();
        int[] writes = {0};
        shard.lost = sent -> {
            if (sent.message() instanceof ReplicationMessage.SnapshotPart) {
                a.write("key-" + writes[0] * 7 % 250, "during-" + writes[0]++);
            }
            return false;
        };
        shard.settle();

        assertTrue(writes[0] > 10);
        shard.assertEqual();
        assertEquals(1, shard.events(ReplicationEvent.FullSyncStarted.class).size());
    }

    /** P13: a full sync that breaks off leaves the old data readable. */
    @Test
    void aFullSyncThatBreaksOffLeavesTheOldData() {
        a.write("key", "old");
        shard.settle();
        shard.isolate(A);
        a.write("key", "diverged");
        shard.elect(B, 2, B, C);
        for (int i = 0; i < 200; i++) {
            b.write("key-" + i, "value-" + i);
        }
        shard.settle();
        int[] parts = {0};
        shard.lost = sent -> sent.message() instanceof ReplicationMessage.SnapshotPart && parts[0]++ > 5;
        shard.settle();

        assertEquals("key=diverged", a.state.toString());
        assertEquals(1, a.state.restorations);
        shard.elect(C, 3, B, C); // the next primary begins again
        shard.heal();
        shard.settle();
        shard.assertEqual();
        assertEquals(2, a.state.restorations);
    }

    @Test
    void anEmptyNodeNeitherCountsNorIsPromotedBeforeItsFullSync() {
        a.write("key", "value");
        shard.settle();
        c.restartEmpty();
        shard.lost = sent -> sent.to().equals(B)
                || sent.from().equals(B)
                || sent.message() instanceof ReplicationMessage.SnapshotPart;
        a.write("key", "later");
        long request = request(a, Acknowledgement.MAJORITY);
        a.node.confirm(1, shard.now + FOREVER);
        shard.settle();
        assertEquals("waiting", outcome(request));
        assertEquals("waiting", outcome(1L));
        assertFalse(c.node.status().synced());

        shard.isolate(B);
        shard.settle();
        assertEquals("acknowledged", outcome(request));
        assertTrue(c.node.status().synced());
        assertEquals("key=later", c.state.toString());
    }

    @Test
    void aNodeThatCannotApplyARecordTakesAFullSync() {
        c.state.failing = true;
        a.write("key", "value");
        shard.settle();
        assertFalse(c.node.status().synced());
        c.state.failing = false;
        shard.settle();

        shard.assertEqual();
        assertFalse(shard.events(ReplicationEvent.RecordNotApplied.class).isEmpty());
    }

    /**
     * A full sync that the primary gave up, since the replica could go on after all, must not take the replica back
     * when its last part comes late.
     */
    @Test
    void aLatePartOfAnAbandonedFullSyncTakesNothingBack() {
        use(new TestShard(TestShard.SETTINGS, 1 << 10, A, B, C));
        shard.elect(A, 1, A, B, C);
        shard.settle();
        List<TestShard.Sent> parts = new ArrayList<>();
        List<TestShard.Sent> appends = new ArrayList<>();
        shard.lost = sent -> {
            if (!sent.to().equals(B)) {
                return false;
            }
            if (sent.message() instanceof ReplicationMessage.SnapshotPart) {
                parts.add(new TestShard.Sent(
                        sent.from(), sent.to(), sent.message().copy()));
                return true;
            }
            if (sent.message() instanceof ReplicationMessage.Append && parts.isEmpty()) {
                appends.add(new TestShard.Sent(
                        sent.from(), sent.to(), sent.message().copy()));
                return true;
            }
            return false;
        };
        for (int i = 0; i < 80; i++) { // more than the log retains: b seems too far behind
            a.write("key-" + i % 5, "value-" + i);
            a.node.tick(shard.now);
            shard.collect(a);
        }
        shard.settle();
        assertFalse(parts.isEmpty());
        appends.forEach(shard::deliver); // what was under way to b arrives, so that it can go on
        shard.heal();
        shard.settle();
        a.write("late", "kept");
        shard.settle();
        LogPosition before = b.end();
        assertEquals(a.end(), before);

        parts.forEach(shard::deliver);

        assertTrue(b.end().compareTo(before) >= 0, "b went back from " + before + " to " + b.end());
        assertEquals("kept", b.state.map.get("late"));
    }

    /** A full sync of a former life is no answer to what a node without its data asks for. */
    @Test
    void aFullSyncOfAFormerLifeDoesNotCount() {
        a.write("key", "value");
        shard.settle();
        b.restartEmpty();
        List<TestShard.Sent> copies = new ArrayList<>();
        shard.lost = sent -> {
            if (sent.to().equals(B) && sent.message() instanceof ReplicationMessage.SnapshotPart) {
                copies.add(new TestShard.Sent(
                        sent.from(), sent.to(), sent.message().copy()));
            }
            return false;
        };
        shard.settle();
        assertTrue(b.node.status().synced());
        assertFalse(copies.isEmpty());
        shard.isolate(C);
        a.write("key", "later");
        long request = request(a, Acknowledgement.MAJORITY);
        shard.settle();
        assertEquals("acknowledged", outcome(request));

        shard.isolate(A);
        b.restartEmpty();
        copies.forEach(copy -> b.node.receive(copy.from(), copy.message(), shard.now));
        shard.collect(b);

        assertFalse(b.node.status().synced());
        shard.heal();
        shard.settle();
        shard.assertEqual();
        assertEquals("later", b.state.map.get("key"));
    }

    /** A full sync whose answers were all lost, while the log went on, is begun anew. */
    @Test
    void aFullSyncThatTheLogHasLeftBehindIsBegunAnew() {
        use(new TestShard(TestShard.SETTINGS, 1 << 10, A, B, C));
        shard.elect(A, 1, A, B, C);
        shard.settle();
        c.restartEmpty();
        shard.lost = sent -> sent.from().equals(C) && c.node.status().synced();
        shard.settle();
        assertTrue(c.node.status().synced());
        for (int i = 0; i < 100; i++) {
            a.write("key-" + i, "value-" + i);
        }
        shard.settle();
        shard.heal();
        shard.settle();

        shard.assertEqual();
    }

    /** Replicas that fall silent during their full sync keep no other from its own. */
    @Test
    void aSilentReplicaGivesItsTurnOfAFullSyncUp() {
        use(new TestShard(TestShard.SETTINGS.withMaxFullSyncs(1), 1 << 16, A, B, C));
        shard.elect(A, 1, A, B, C);
        a.write("key", "value");
        shard.settle();
        b.restartEmpty();
        shard.lost = sent -> sent.message() instanceof ReplicationMessage.SnapshotPart;
        shard.settle();
        shard.isolate(B);
        c.restartEmpty();
        shard.settle();
        shard.settle();

        assertTrue(c.node.status().synced());
        assertEquals(a.end(), c.end());
    }

    @Test
    void noMoreFullSyncsThanAllowedRunAtOnce() {
        use(new TestShard(TestShard.SETTINGS.withMaxFullSyncs(1), 1 << 16, A, B, C));
        shard.elect(A, 1, A, B, C);
        for (int i = 0; i < 100; i++) {
            a.write("key-" + i, "value-" + i);
        }
        shard.settle();
        b.restartEmpty();
        c.restartEmpty();
        shard.lost = sent -> sent.message() instanceof ReplicationMessage.SnapshotPart;
        shard.settle();
        assertEquals(1, shard.events(ReplicationEvent.FullSyncStarted.class).size());

        shard.heal();
        shard.settle();
        shard.assertEqual();
        assertEquals(2, shard.events(ReplicationEvent.FullSyncStarted.class).size());
    }

    /** P14: what is under way to a replica that does not answer is bounded. */
    @Test
    void aSilentReplicaCostsABoundedWindow() {
        use(new TestShard(TestShard.SETTINGS.withWindowBytes(1024), 1 << 20, A, B, C));
        shard.elect(A, 1, A, B, C);
        shard.settle();
        shard.lost = sent -> sent.from().equals(C);
        int[] bytes = {0};
        for (int i = 0; i < 1000; i++) {
            a.write("key-" + i, "value-" + i);
        }
        shard.lost = sent -> {
            if (sent.to().equals(C) && sent.message() instanceof ReplicationMessage.Append append) {
                bytes[0] += append.records().readableBytes();
            }
            return sent.from().equals(C);
        };
        shard.settle();

        assertTrue(bytes[0] <= 1024 + 256, "bytes under way: " + bytes[0]);
        shard.heal();
        shard.settle();
        shard.assertEqual();
    }

    @Test
    void aNodeWithItsDataContinuesAfterARestart() {
        a.write("key", "value");
        shard.settle();
        c.restartWithData();
        a.write("key", "later");
        shard.settle();

        shard.assertEqual();
        assertTrue(shard.events(ReplicationEvent.FullSyncStarted.class).isEmpty());
        a.restartWithData();
        assertEquals(NodeRole.REPLICA, a.node.status().role());
        shard.elect(A, 2, A, B);
        shard.settle();
        shard.assertEqual();
    }

    @Test
    void everyKindOfMessageIsTaken() {
        for (NodeId id : shard.ids()) {
            for (ReplicationMessage message : oneOfEachKind()) {
                shard.member(id).node.receive(new NodeId("stranger"), message, shard.now);
                shard.collect(shard.member(id));
            }
        }
        assertEquals(1, a.node.status().epoch());
        List<ReplicationMessage> all = oneOfEachKind();
        all.forEach(ReplicationMessage::release);
        int abstractKinds = 1;
        assertEquals(
                ReplicationMessage.class.getPermittedSubclasses().length
                        - abstractKinds
                        + ReplicationMessage.FromPrimary.class.getPermittedSubclasses().length,
                all.size());
    }

    private List<ReplicationMessage> oneOfEachKind() {
        return List.of(
                new ReplicationMessage.Heartbeat(1, 1, LogPosition.START, -1),
                new ReplicationMessage.Append(1, 1, LogPosition.START, -1, shard.allocator.buffer()),
                new ReplicationMessage.SnapshotPart(
                        1,
                        1,
                        0,
                        1,
                        0,
                        LogPosition.START,
                        LogHistory.EMPTY,
                        true,
                        shard.allocator.buffer(),
                        shard.allocator.buffer()),
                new ReplicationMessage.Ack(1, 1, 0, LogPosition.START, true, true, -1, 0),
                new ReplicationMessage.StaleEpoch(1));
    }

    @Test
    void recordsThatNoPrimaryWroteAreRefused() {
        LogPosition before = b.end();
        ReplicationMessage.Append append = new ReplicationMessage.Append(
                1, 1 << 20, before, -1, shard.allocator.buffer().writeInt(100).writeInt(1));

        assertThrows(IllegalArgumentException.class, () -> b.node.receive(A, append, shard.now));

        assertEquals(before, b.end());
        assertEquals(0, append.records().refCnt());
    }

    @Test
    void theClockMayWrap() {
        shard.advance(Duration.ofDays(300));
        shard.now = Long.MAX_VALUE - 10;
        a.write("key", "value");
        shard.now += 20;
        shard.settle();

        shard.assertEqual();
    }
}
