package io.kvorum.replication;

import static io.kvorum.replication.TestShard.A;
import static io.kvorum.replication.TestShard.B;
import static io.kvorum.replication.TestShard.C;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.RefusedException;
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
}
