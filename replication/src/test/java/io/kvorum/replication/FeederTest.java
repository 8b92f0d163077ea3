package io.kvorum.replication;

import static io.kvorum.replication.TestShard.A;
import static io.kvorum.replication.TestShard.B;
import static io.kvorum.replication.TestShard.C;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What was begun ends: full syncs under load, replicas that cannot be fed, fair turns, bounded tries. */
final class FeederTest extends ShardTest {
    private static final NodeId D = new NodeId("d");
    private static final NodeId E = new NodeId("e");

    /**
     * A full sync that was begun completes, once, whatever is written meanwhile: when the log is full, writers wait.
     * One round is one round trip, in which up to {@code perRound} bytes are written.
     */
    @ParameterizedTest
    @CsvSource({"8, 64", "17, 64", "60, 64", "200, 64", "8, 256", "17, 256", "60, 256", "200, 256"})
    void aFullSyncCompletesUnderAnyWriteRate(int perRound, int log) {
        ReplicationSettings settings =
                ReplicationSettings.defaults().withBatchBytes(4 << 10).withWindowBytes(64 << 10);
        use(new TestShard(settings, log << 10, A, B, C));
        for (int i = 0; i < 1024; i++) {
            for (TestShard.Node node : shard.nodes.values()) { // long gone from the log
                node.state.map.put("k" + i, "x".repeat(240));
            }
        }
        c.restartEmpty();
        int written = 0;
        int refused = 0;
        int rounds = 0;
        while (!c.status().complete() && rounds++ < 400) {
            for (int bytes = 0; bytes < perRound << 10; bytes += 256) {
                try {
                    a.write("k" + written++ % 1024, "y".repeat(240));
                } catch (RefusedException e) {
                    assertEquals(RefusedException.Kind.OVERLOADED, e.kind());
                    refused++;
                    break;
                }
            }
            oneRoundTrip();
        }

        assertTrue(c.status().complete(), "not complete in " + rounds + " round trips, refused " + refused);
        assertTrue(rounds > 10);
        shard.settle();
        shard.assertEqual();
        assertEquals(1, shard.events(ReplicationEvent.FullSyncStarted.class).size());
    }

    /** A millisecond passes; what is on the way arrives, and what is said to that is on the way. */
    private void oneRoundTrip() {
        shard.now += 1_000_000;
        for (int leg = 0; leg < 2; leg++) {
            shard.nodes.values().forEach(shard::tick);
            List<TestShard.Sent> arriving = List.copyOf(shard.network);
            shard.network.clear();
            arriving.forEach(shard::deliver);
        }
    }

    /** If so set, writers are never slowed down: the replica falls out, and after some tries is left alone. */
    @Test
    void aReplicaThatCannotKeepUpIsDroppedIfSoSet() {
        ReplicationSettings settings =
                TestShard.SETTINGS.withLagPolicy(LagPolicy.DROP_REPLICA).withMaxSyncTries(3);
        use(new TestShard(settings, 1 << 10, A, B, C));
        for (int i = 0; i < 200; i++) {
            a.state.map.put("key" + i, "value");
        }
        c.restartEmpty();
        for (int round = 0; round < 200; round++) {
            for (int i = 0; i < 30; i++) {
                a.write("key" + i, "a value that is long enough for the log to turn over");
            }
            shard.now += 10_000_000;
            oneRoundTrip();
        }

        assertFalse(c.status().complete());
        assertEquals("SUSPENDED", a.feeds(C).state());
        List<ReplicationEvent.ReplicaSuspended> suspended =
                shard.events(ReplicationEvent.ReplicaSuspended.class).stream()
                        .filter(e -> e.replica().equals(C))
                        .toList();
        assertEquals(List.of(2, 3, 4), suspended.stream().map(e -> e.tries()).toList());
        assertEquals(settings.suspension(), suspended.get(2).pause());
    }

    /** A replica whose restoration throws is tried less and less often, and keeps nobody from a full sync. */
    @Test
    void aReplicaThatCannotLoadAFullSyncStarvesNobody() {
        use(new TestShard(TestShard.SETTINGS, 1 << 16, A, B, C, D, E));
        for (int i = 0; i < 50; i++) {
            a.write("key" + i, "value" + i);
        }
        shard.settle();
        b.state.failing = true;
        c.state.failing = true;
        b.restartEmpty();
        c.restartEmpty();
        shard.advance(Duration.ofMillis(100));
        shard.node(D).restartEmpty();
        for (int i = 0; i < 600; i++) {
            shard.advance(Duration.ofMillis(100));
        }

        assertTrue(shard.node(D).status().complete());
        assertEquals("SUSPENDED", a.feeds(B).state());
        assertTrue(b.state.restorations < 15, "restorations in a minute: " + b.state.restorations);
        b.state.failing = false;
        c.state.failing = false;
        for (int i = 0; i < 310; i++) {
            shard.advance(Duration.ofMillis(100));
        }
        shard.assertEqual();
    }

    /** A replica that loses all large messages but answers holds neither the log nor the other replica's full sync. */
    @Test
    void aReplicaThatTakesNothingHoldsNothing() {
        use(new TestShard(TestShard.SETTINGS, 1 << 10, A, B, C));
        shard.lost = sent -> sent.to().equals(B)
                && (sent.message() instanceof ReplicationMessage.Append
                        || sent.message() instanceof ReplicationMessage.SnapshotPart);
        for (int i = 0; i < 400; i++) {
            shard.advance(Duration.ofMillis(10));
            try {
                a.write("key" + i, "value");
            } catch (RefusedException e) {
                assertTrue(i < 220, "still refused after " + i * 10 + " ms");
            }
        }
        c.restartEmpty();
        shard.settle();
        assertTrue(c.status().complete());
        assertFalse(a.feeds(B).state().equals("STREAMING"));

        shard.heal();
        for (int i = 0; i < 400; i++) {
            shard.advance(Duration.ofMillis(100));
        }
        shard.assertEqual();
    }

    /** Records that never arrive, although the replica answers, are not repeated for ever: it takes a full sync. */
    @Test
    void recordsThatNeverArriveLeadToAFullSync() {
        shard.lost = sent -> sent.to().equals(B) && sent.message() instanceof ReplicationMessage.Append;
        a.write("key", "value");
        for (int i = 0; i < 30; i++) {
            shard.advance(Duration.ofMillis(100));
        }

        assertEquals(a.end(), b.end());
        assertEquals(
                List.of(new ReplicationEvent.FullSyncStarted(A, B, ReplicationEvent.Reason.NO_PROGRESS)),
                shard.events(ReplicationEvent.FullSyncStarted.class));
        assertEquals("STREAMING", a.feeds(B).state());
    }

    /** A replica has the whole of its time for a record, however long ago it was last heard to have everything. */
    @Test
    void aRestDoesNotCountAgainstAReplica() {
        shard.heartbeat(a);
        shard.advance(TestShard.REST.minusMillis(10));
        shard.lost = sent -> sent.to().equals(B) && sent.message() instanceof ReplicationMessage.Append;
        a.write("key", "value");
        shard.step();
        shard.advance(TestShard.REST);
        shard.advance(Duration.ofMillis(300));
        shard.heal();
        shard.settle();

        shard.assertEqual();
        assertEquals(List.of(), shard.events(ReplicationEvent.FullSyncStarted.class));
    }

    /** Nor does it cost a replica the log that it still needs. */
    @Test
    void aRestDoesNotEndTheHoldOnTheLog() {
        use(new TestShard(TestShard.SETTINGS, 1 << 10, A, B, C));
        shard.heartbeat(a);
        shard.advance(TestShard.REST.minusMillis(10));
        shard.lost = sent -> sent.to().equals(B) && sent.message() instanceof ReplicationMessage.Append;
        for (int i = 0; i < 80; i++) {
            try {
                a.write("key" + i, "value");
            } catch (RefusedException e) { // b still needs what is in the log
                assertTrue(i > 0);
            }
            shard.advance(Duration.ofMillis(10));
        }
        shard.heal();
        shard.settle();

        shard.assertEqual();
        assertEquals(List.of(), shard.events(ReplicationEvent.FullSyncStarted.class));
    }

    /** Several replicas share one scan of the state. */
    @Test
    void replicasShareAScan() {
        use(new TestShard(TestShard.SETTINGS, 1 << 16, A, B, C, D));
        for (int i = 0; i < 100; i++) {
            a.write("key" + i, "value" + i);
        }
        shard.settle();
        int before = a.state.scans;
        b.restartEmpty();
        c.restartEmpty();
        shard.node(D).restartEmpty();
        shard.settle();

        shard.assertEqual();
        assertEquals(before + 1, a.state.scans);
        assertEquals(3, shard.events(ReplicationEvent.FullSyncStarted.class).size());
    }

    /** One that falls silent in a shared scan does not keep the others in it. */
    @Test
    void aSilentReplicaLeavesTheSharedScan() {
        use(new TestShard(TestShard.SETTINGS, 1 << 16, A, B, C));
        for (int i = 0; i < 200; i++) {
            a.write("key" + i, "value" + i);
        }
        shard.settle();
        b.restartEmpty();
        c.restartEmpty();
        int[] parts = {0};
        shard.lost = sent -> (sent.message() instanceof ReplicationMessage.SnapshotPart && parts[0]++ > 4)
                && sent.to().equals(B);
        shard.settle();
        shard.isolate(B);
        shard.settle();
        shard.settle();

        assertTrue(c.status().complete());
        assertEquals(a.end(), c.end());
    }

    /** Parts that overtake each other, and their answers too: that is no reason to take the sync for given up. */
    @Test
    void partsAndAnswersMayOvertakeEachOther() {
        for (int i = 0; i < 100; i++) {
            a.write("key" + i, "value" + i);
        }
        shard.settle();
        c.restartEmpty();
        List<TestShard.Sent> parts = partsOnTheWay();
        shard.deliver(parts.get(1));
        shard.deliver(parts.get(0));
        List<TestShard.Sent> answers = List.copyOf(shard.network);
        shard.network.clear();
        shard.deliver(answers.get(1));
        shard.deliver(answers.get(0));
        parts.subList(2, parts.size()).forEach(shard::deliver);
        shard.settle();

        shard.assertEqual();
        assertEquals(1, shard.events(ReplicationEvent.FullSyncStarted.class).size());
    }

    /** A heartbeat overtakes the last part of a full sync, and the answer to that part overtakes the one before. */
    @Test
    void anAnswerFromBeforeTheEndOfAFullSyncIsNoFailure() {
        a.write("key", "value");
        shard.settle();
        c.restartEmpty();
        List<TestShard.Sent> parts = partsOnTheWay();
        shard.now += TestShard.SETTINGS.heartbeatInterval().toNanos();
        shard.tick(a);
        List<TestShard.Sent> heartbeat =
                shard.network.stream().filter(sent -> sent.to().equals(C)).toList();
        shard.network.clear();
        heartbeat.forEach(shard::deliver);
        List<TestShard.Sent> incomplete = List.copyOf(shard.network);
        shard.network.clear();
        parts.forEach(shard::deliver);
        List<TestShard.Sent> complete = List.copyOf(shard.network);
        shard.network.clear();
        complete.forEach(shard::deliver);
        assertEquals("STREAMING", a.feeds(C).state());
        incomplete.forEach(shard::deliver);

        assertEquals("STREAMING", a.feeds(C).state());
        assertTrue(a.feeds(C).complete());
        shard.settle();
        shard.assertEqual();
        assertEquals(1, shard.events(ReplicationEvent.FullSyncStarted.class).size());
    }

    /** Lets time pass and messages arrive until the parts of a full sync are sent, which are taken off the network. */
    private List<TestShard.Sent> partsOnTheWay() {
        shard.now += TestShard.REST.toNanos();
        while (shard.network.stream().noneMatch(FeederTest::isPart)) {
            shard.nodes.values().forEach(shard::tick);
            List<TestShard.Sent> arriving =
                    shard.network.stream().filter(sent -> !isPart(sent)).toList();
            shard.network.removeAll(arriving);
            arriving.forEach(shard::deliver);
        }
        List<TestShard.Sent> parts =
                shard.network.stream().filter(FeederTest::isPart).toList();
        shard.network.clear();
        return parts;
    }

    private static boolean isPart(TestShard.Sent sent) {
        return sent.message() instanceof ReplicationMessage.SnapshotPart;
    }

    /** A message that overtakes another is answered first, and the other one with less: that takes nothing back. */
    @Test
    void anAnswerThatWasOvertakenTakesNothingBack() {
        LogPosition before = b.end();
        a.write("key", "value");
        List<Long> unheard = sequencesUntilAHeartbeat();
        long newest = unheard.get(unheard.size() - 1);
        assertTrue(unheard.size() > 1);
        a.node.receive(B, ack(unheard.get(0), a.end()), shard.now);
        a.node.receive(B, ack(newest, before), shard.now);
        shard.collect(a);

        assertEquals(a.end().offset(), a.feeds(B).acknowledged());
        shard.heal();
        shard.settle();
        shard.assertEqual();
    }

    /**
     * What is said after a node was known to have something is answered with less: it went back, and has it no more.
     */
    @Test
    void aNodeThatWentBackIsFedAnew() {
        LogPosition before = b.end();
        a.write("key", "value");
        shard.step();
        assertEquals(a.end().offset(), a.feeds(B).acknowledged());
        List<Long> unheard = sequencesUntilAHeartbeat();
        a.node.receive(B, ack(unheard.get(0), before), shard.now);

        assertEquals(before.offset(), a.feeds(B).acknowledged());
        shard.collect(a);
        shard.heal();
        shard.settle();
        shard.assertEqual();
    }

    /** Loses what is said to b until the next heartbeat, and returns the numbers of those messages. */
    private List<Long> sequencesUntilAHeartbeat() {
        List<Long> sequences = new ArrayList<>();
        shard.lost = sent -> {
            if (sent.to().equals(B) && sent.message() instanceof ReplicationMessage.FromPrimary message) {
                sequences.add(message.sequence());
            }
            return sent.to().equals(B);
        };
        shard.advance(TestShard.REST);
        shard.advance(TestShard.SETTINGS.heartbeatInterval());
        return sequences;
    }

    private ReplicationMessage ack(long sequence, LogPosition position) {
        return new ReplicationMessage.Ack(
                TestShard.SHARD,
                TestShard.epoch(1),
                sequence,
                b.status().incarnation(),
                b.status().life(),
                position,
                true,
                ReplicationMessage.Taken.TAKEN,
                0,
                0);
    }

    /** The records that a shared batch carries are read once. */
    @Test
    void replicasAtTheSameOffsetShareABatch() {
        a.write("key", "value");
        shard.tick(a);
        List<ReplicationMessage.Append> appends = shard.network.stream()
                .map(TestShard.Sent::message)
                .filter(ReplicationMessage.Append.class::isInstance)
                .map(ReplicationMessage.Append.class::cast)
                .toList();

        assertEquals(2, appends.size());
        assertEquals(appends.get(0).records().unwrap(), appends.get(1).records().unwrap());
    }

    @Test
    void aScanThatFailsIsToldAndTriedLater() {
        a.write("key", "value");
        shard.settle();
        a.state.scanFailing = true;
        c.restartEmpty();
        shard.settle();
        assertFalse(c.status().complete());
        assertEquals(
                ReplicationEvent.Reason.SCAN_FAILED,
                shard.events(ReplicationEvent.ReplicaSuspended.class).get(0).reason());

        a.state.scanFailing = false;
        for (int i = 0; i < 50; i++) {
            shard.advance(Duration.ofMillis(100));
        }
        shard.assertEqual();
    }

    /** Writers are slowed down by a replica that answers but lags, and not by one that is silent. */
    @Test
    void theLogIsHeldForReplicasThatAnswerOnly() {
        use(new TestShard(TestShard.SETTINGS, 1 << 10, A, B, C));
        shard.isolate(C);
        RefusedException refused = assertThrows(RefusedException.class, () -> {
            for (int i = 0; i < 100; i++) {
                a.write("key" + i, "value");
                shard.step();
            }
        });
        assertEquals(RefusedException.Kind.OVERLOADED, refused.kind());

        for (int i = 0; i < 11; i++) {
            shard.advance(Duration.ofMillis(100));
        }
        for (int i = 0; i < 100; i++) {
            a.write("key" + i, "value");
            shard.step();
        }
        shard.heal();
        shard.settle();
        shard.assertEqual();
    }
}
