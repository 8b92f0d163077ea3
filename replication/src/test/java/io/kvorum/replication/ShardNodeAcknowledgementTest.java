package io.kvorum.replication;

import static io.kvorum.replication.TestShard.A;
import static io.kvorum.replication.TestShard.B;
import static io.kvorum.replication.TestShard.C;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.RefusedException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** When a write counts as done and a read as confirmed. */
final class ShardNodeAcknowledgementTest extends ShardTest {
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
        assertEquals(TestShard.epoch(1), refused.epoch());
        assertTrue(b.state.map.isEmpty());
        assertEquals(a.end(), b.end());
    }

    @Test
    void majorityMeansOneReplicaOfTwo() {
        shard.isolate(C);
        a.write("key", "value");
        long request = request(a, Acknowledgement.MAJORITY);
        assertEquals("WAITING", outcome(request));

        shard.step();

        assertEquals("ACKNOWLEDGED", outcome(request));
        assertEquals(1, acknowledged(request));
    }

    @Test
    void anAcknowledgementNeedsTheReplicas() {
        shard.lost = sent -> sent.from().equals(A);
        a.write("key", "value");
        long majority = request(a, Acknowledgement.MAJORITY);
        long both = request(a, Acknowledgement.replicas(2));
        shard.settle();
        assertEquals("WAITING", outcome(majority));

        shard.isolate(C);
        shard.settle();
        assertEquals("ACKNOWLEDGED", outcome(majority));
        assertEquals("WAITING", outcome(both));

        shard.heal();
        shard.settle();
        assertEquals("ACKNOWLEDGED", outcome(both));
    }

    @Test
    void moreReplicasThanThereAreIsNeverReached() {
        a.write("key", "value");
        long request = 7;
        a.node.await(request, a.end(), Acknowledgement.replicas(3), shard.now + 1);
        shard.settle();

        assertEquals("TIMEOUT", outcome(request));
    }

    /** P18: a timeout is an unknown outcome, never success, and says how many had the write. */
    @Test
    void aTimeoutIsAnUnknownOutcomeThatCountsTheReplicas() {
        shard.isolate(C);
        a.write("key", "value");
        a.node.await(1, a.end(), Acknowledgement.replicas(2), shard.now + 100);
        shard.now += 99;
        shard.step();
        assertEquals("WAITING", outcome(1L));

        shard.now += 1;
        shard.step();
        assertEquals("TIMEOUT", outcome(1L));
        assertEquals(1, acknowledged(1L));
    }

    @Test
    void aDeadlineIsWorkThatFallsDue() {
        a.node.await(1, new LogPosition(TestShard.epoch(1), a.end().offset() + 8), Acknowledgement.MAJORITY, 17);
        a.node.tick(5);

        Ready ready = a.node.ready();

        assertTrue(ready.wakeAt() <= shard.now + 17);
    }

    @Test
    void noMoreRequestsWaitThanAllowed() {
        use(new TestShard(TestShard.SETTINGS.withMaxWaiting(2), 1 << 16, A, B, C));
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
    void aStepWithoutCauseSaysNothing() {
        shard.heartbeat(a);
        a.node.tick(shard.now);
        Ready ready = a.node.ready();

        assertTrue(ready.messages().isEmpty());
        assertTrue(ready.events().isEmpty());
        assertEquals(shard.now + TestShard.REST.toNanos(), ready.wakeAt());
        assertEquals(Ready.NEVER, b.node.ready().wakeAt());
    }

    @Test
    void aShardOfOneAcknowledgesByItselfAndNeedsNoWakeUps() {
        use(new TestShard(A));
        a.write("key", "value");
        long request = request(a, Acknowledgement.MAJORITY);
        a.node.confirm(2, shard.now + FOREVER);
        shard.step();

        assertEquals("ACKNOWLEDGED", outcome(request));
        assertEquals("ACKNOWLEDGED", outcome(2L));
        assertEquals(Ready.NEVER, a.node.ready().wakeAt());
    }

    /** P15: the gate of too few replicas refuses before anything is applied. */
    @Test
    void writesNeedTheMinimumOfReplicas() {
        use(new TestShard(TestShard.SETTINGS.withMinReplicas(1), 1 << 16, A, B, C));
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

    /** The rule holds from the first moment of a leadership, not from its first tick. */
    @Test
    void aNewPrimaryTakesNoWritesBeforeItHasItsReplicas() {
        useUnbegun(new TestShard(TestShard.SETTINGS.withMinReplicas(2), 1 << 16, A, B, C));
        shard.fence(1, A, B, C);
        a.node.begin(TestShard.epoch(1), TestShard.SENTINEL, shard.members(A, B, C), List.of(), false, shard.now);
        assertFalse(a.log.isWritable());
        shard.collect(a);
        assertFalse(a.log.isWritable());

        shard.settle();
        assertTrue(a.log.isWritable());

        shard.elect(B, 2, A, B, C);
        assertFalse(b.log.isWritable());
        shard.settle();
        b.write("key", "value");
    }

    /** The rule looks at lag too: a replica that answers heartbeats but takes no data does not count. */
    @Test
    void aReplicaThatOnlyAnswersDoesNotCountAsEnough() {
        use(new TestShard(TestShard.SETTINGS.withMinReplicas(1), 1 << 16, A, B, C));
        shard.settle();
        shard.lost = sent -> sent.message() instanceof ReplicationMessage.Append
                || sent.message() instanceof ReplicationMessage.SnapshotPart;
        a.write("key", "taken");
        shard.advance(Duration.ofMillis(100));
        a.write("key", "taken too");
        for (int i = 0; i < 11; i++) {
            shard.advance(Duration.ofMillis(100));
        }

        RefusedException refused = assertThrows(RefusedException.class, () -> a.write("key", "refused"));
        assertEquals(RefusedException.Kind.TOO_FEW_REPLICAS, refused.kind());
        shard.heal();
        shard.settle();
        shard.assertEqual();
        a.write("key", "taken again");
    }

    /** A replica that lags at a steady distance below the timeout counts. */
    @Test
    void theGateClosesWhenTheLastReplicaHasBeenBehindForTheTimeout() {
        use(new TestShard(TestShard.SETTINGS.withMinReplicas(1), 1 << 16, A, B, C));
        shard.heartbeat(a);
        long heard = shard.now;
        shard.isolate(A);
        shard.advance(Duration.ofMillis(100));
        assertTrue(a.log.isWritable());
        long wakeAt = a.node.ready().wakeAt();
        while (a.log.isWritable()) {
            shard.now = wakeAt;
            shard.step();
            wakeAt = a.node.ready().wakeAt();
        }
        assertEquals(shard.settings.replicaTimeout().toNanos(), shard.now - heard);
    }

    @Test
    void aMajorityConfirmsTheLeadership() {
        shard.isolate(C);
        a.write("key", "value");
        a.node.confirm(1, shard.now + FOREVER);
        assertEquals("WAITING", outcome(1L));
        shard.step();

        assertEquals("ACKNOWLEDGED", outcome(1L));
    }

    /** P19: a deposed leader confirms nothing, whether it knows that it is deposed or not. */
    @Test
    void aDeposedPrimaryConfirmsNothing() {
        shard.isolate(A);
        shard.elect(B, 2, B, C);
        a.node.confirm(1, shard.now + FOREVER);
        shard.settle();
        assertEquals("WAITING", outcome(1L));

        shard.heal();
        shard.settle();
        assertEquals("DEPOSED", outcome(1L));
    }

    @Test
    void anAnswerFromBeforeTheQuestionConfirmsNothing() {
        shard.now += TestShard.REST.toNanos();
        shard.tick(a);
        List<TestShard.Sent> before = List.copyOf(shard.network); // heartbeats that were sent before
        shard.network.clear();
        a.node.confirm(1, shard.now + FOREVER);
        assertEquals(2, before.size());
        before.forEach(shard::deliver);
        List<TestShard.Sent> answers = List.copyOf(shard.network);
        shard.network.clear();
        for (TestShard.Sent answer : answers) {
            a.node.receive(answer.from(), answer.message(), shard.now);
        }
        assertEquals("WAITING", outcome(1L));

        shard.step();
        assertEquals("ACKNOWLEDGED", outcome(1L));
    }

    /** A position of an earlier leadership is answered from the history: yes. */
    @Test
    void aWriteOfAnEarlierLeadershipThatIsStillThereIsAcknowledged() {
        a.write("key", "value");
        LogPosition position = a.end();
        shard.step();
        shard.elect(B, 2, A, B, C);
        b.node.await(1, position, Acknowledgement.MAJORITY, shard.now + FOREVER);
        b.node.await(2, position, Acknowledgement.replicas(2), shard.now + FOREVER);
        b.node.await(3, position, Acknowledgement.LOCAL, shard.now + FOREVER);
        shard.settle();

        assertEquals("ACKNOWLEDGED", outcome(1L));
        assertEquals("ACKNOWLEDGED", outcome(2L));
        assertEquals("ACKNOWLEDGED", outcome(3L));
    }

    /** A position of an earlier leadership is answered from the history: no, once the history is certain. */
    @Test
    void aWriteOfAnEarlierLeadershipThatIsGoneIsLost() {
        shard.isolate(A);
        a.write("key", "value");
        LogPosition position = a.end();
        shard.lost = sent -> true;
        shard.elect(B, 2, B, C);
        b.node.await(1, position, Acknowledgement.LOCAL, shard.now + FOREVER);
        shard.step();
        assertEquals("WAITING", outcome(1L));

        shard.isolate(A);
        shard.settle();
        assertEquals("LOST", outcome(1L));
        b.node.await(2, position, Acknowledgement.MAJORITY, shard.now + FOREVER);
        b.node.await(3, new LogPosition(TestShard.epoch(9), 99), Acknowledgement.MAJORITY, shard.now + FOREVER);
        shard.step();
        assertEquals("LOST", outcome(2L));
        assertEquals("DEPOSED", outcome(3L));
    }
}
