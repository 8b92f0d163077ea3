package io.kvorum.replication;

import static io.kvorum.replication.TestShard.A;
import static io.kvorum.replication.TestShard.B;
import static io.kvorum.replication.TestShard.C;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.ShardId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How a replica comes to the data of its primary, by partial and by full sync. */
final class ShardNodeSyncTest extends ShardTest {
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
            for (TestShard.Node member : shard.nodes.values()) {
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
                List.of(new ReplicationEvent.FullSyncStarted(B, A, ReplicationEvent.Reason.DIVERGED)),
                shard.events(ReplicationEvent.FullSyncStarted.class));
    }

    @Test
    void aReplicaTooFarBehindTakesOneFullSync() {
        use(new TestShard(TestShard.SETTINGS, 1 << 10, A, B, C));
        shard.isolate(C);
        shard.settle(); // after a time the log is not held for a silent replica
        for (int i = 0; i < 100; i++) {
            a.write("key-" + i, "value-" + i);
            shard.step();
        }
        shard.heal();
        shard.settle();

        shard.assertEqual();
        assertEquals(
                List.of(new ReplicationEvent.FullSyncStarted(A, C, ReplicationEvent.Reason.TOO_FAR_BEHIND)),
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
        assertEquals("WAITING", outcome(request));
        assertEquals("WAITING", outcome(1L));
        assertFalse(c.status().complete());

        shard.isolate(B);
        shard.settle();
        assertEquals("ACKNOWLEDGED", outcome(request));
        assertTrue(c.node.status().complete());
        assertEquals("key=later", c.state.toString());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aNodeThatCannotApplyARecordTakesAFullSync(boolean speechless) {
        c.state.failing = true;
        c.state.speechless = speechless;
        a.write("key", "value");
        shard.settle();
        assertFalse(c.status().complete());
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
        shard.now += TestShard.SETTINGS.replicaTimeout().toNanos(); // nobody is heard, so the log is not held
        shard.tick(a);
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
        assertTrue(b.node.status().complete());
        assertFalse(copies.isEmpty());
        shard.isolate(C);
        a.write("key", "later");
        long request = request(a, Acknowledgement.MAJORITY);
        shard.settle();
        assertEquals("ACKNOWLEDGED", outcome(request));

        shard.isolate(A);
        b.restartEmpty();
        copies.forEach(copy -> b.node.receive(copy.from(), copy.message(), shard.now));
        shard.collect(b);

        assertFalse(b.node.status().complete());
        shard.heal();
        shard.settle();
        shard.assertEqual();
        assertEquals("later", b.state.map.get("key"));
    }

    /** A full sync whose answers were all lost, while the log went on, is begun anew. */
    @Test
    void aFullSyncThatTheLogHasLeftBehindIsBegunAnew() {
        use(new TestShard(TestShard.SETTINGS, 1 << 10, A, B, C));
        shard.settle();
        c.restartEmpty();
        shard.lost = sent -> sent.from().equals(C) && c.node.status().complete();
        shard.settle();
        assertTrue(c.node.status().complete());
        for (int i = 0; i < 100; i++) {
            a.write("key-" + i, "value-" + i);
            shard.step();
        }
        shard.settle();
        shard.heal();
        shard.settle();

        shard.assertEqual();
    }

    /** Replicas that fall silent during their full sync keep no other from its own. */
    @Test
    void aSilentReplicaGivesItsTurnOfAFullSyncUp() {
        use(new TestShard(TestShard.SETTINGS.withMaxSyncTries(1), 1 << 16, A, B, C));
        a.write("key", "value");
        shard.settle();
        b.restartEmpty();
        shard.lost = sent -> sent.message() instanceof ReplicationMessage.SnapshotPart;
        shard.settle();
        shard.isolate(B);
        c.restartEmpty();
        shard.settle();
        shard.settle();

        assertTrue(c.node.status().complete());
        assertEquals(a.end(), c.end());
    }

    /** P14: what is under way to a replica that does not answer is bounded. */
    @Test
    void aSilentReplicaCostsABoundedWindow() {
        use(new TestShard(TestShard.SETTINGS.withWindowBytes(1024), 1 << 20, A, B, C));
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

    /** No message of another shard, and none of a stranger, changes anything; each is counted. */
    @Test
    void everyKindOfMessageOfAnotherShardIsAStray() {
        for (TestShard.Node node : shard.nodes.values()) {
            NodeStatus before = node.status();
            for (ReplicationMessage message : oneOfEachKind()) {
                node.node.receive(node == a ? B : A, message, shard.now);
                shard.collect(node);
            }
            assertEquals(before.strays() + 5, node.status().strays());
            assertEquals(before.epoch(), node.status().epoch());
            assertEquals(before.role(), node.status().role());
            assertEquals(before.position(), node.status().position());
        }
        assertTrue(shard.network.isEmpty());
        List<ReplicationMessage> all = oneOfEachKind();
        all.forEach(ReplicationMessage::release);
        long kinds = Stream.of(ReplicationMessage.class, ReplicationMessage.FromPrimary.class)
                .flatMap(type -> Stream.of(type.getPermittedSubclasses()))
                .filter(type -> !type.isInterface())
                .count();
        assertEquals(kinds, all.size());
    }

    private List<ReplicationMessage> oneOfEachKind() {
        ShardId other = new ShardId("t");
        return List.of(
                new ReplicationMessage.Heartbeat(other, 9, 1, LogPosition.START, -1),
                new ReplicationMessage.Append(other, 9, 1, LogPosition.START, -1, shard.allocator.buffer()),
                new ReplicationMessage.SnapshotPart(
                        other,
                        9,
                        1,
                        1,
                        1,
                        1,
                        0,
                        LogPosition.START,
                        new ReplicationMessage.SyncEnd(LogHistory.EMPTY, LogMembers.NONE),
                        shard.allocator.buffer(),
                        shard.allocator.buffer()),
                new ReplicationMessage.Ack(
                        other, 9, 1, 1, 1, LogPosition.START, true, ReplicationMessage.Taken.TAKEN, 0, 0),
                new ReplicationMessage.StaleEpoch(other, 9));
    }

    /** The last part of a sync that the primary has given up comes late: what was acknowledged since must stay. */
    @Test
    void aFullSyncNeverTakesAReplicaBackWithinAnEpoch() {
        LogPosition start = b.end();
        b.node.receive(A, part(0, start, null), shard.now);
        shard.collect(b);
        a.write("key", "value");
        shard.step();
        assertEquals(a.end(), b.end());
        MachineLog.Snapshot of = ((MachineLog) a.log).snapshot();
        b.node.receive(A, part(1, start, new ReplicationMessage.SyncEnd(of.history(), of.members())), shard.now);
        shard.collect(b);

        assertEquals(a.end(), b.end());
        assertEquals("key=value", b.state.toString());
    }

    /** A restoration that could not be completed is over: nothing else is asked of it. */
    @Test
    void aRestorationThatFailsAtItsEndIsLeftAlone() {
        a.write("key", "value");
        shard.settle();
        b.state.completionFailing = true;
        b.restartEmpty();
        shard.settle();
        assertFalse(b.status().complete());
        assertFalse(b.state.usedAfterItsEnd);

        b.state.completionFailing = false;
        for (int i = 0; i < 50; i++) {
            shard.advance(Duration.ofMillis(100));
        }
        shard.assertEqual();
    }

    /** Nor does it take one back that could not apply a record since: its log still has what it acknowledged. */
    @Test
    void aLateFullSyncTakesNoReplicaBackThatCouldNotApplyARecord() {
        LogPosition start = b.end();
        b.node.receive(A, part(0, start, null), shard.now);
        shard.collect(b);
        a.write("key", "value");
        shard.step();
        b.state.failing = true;
        a.write("other", "value");
        shard.tick(a);
        shard.network.stream().filter(sent -> sent.to().equals(B)).toList().forEach(sent -> {
            shard.network.remove(sent);
            shard.deliver(sent);
        });
        assertFalse(b.status().complete());
        b.state.failing = false;
        LogPosition end = b.end();
        MachineLog.Snapshot of = ((MachineLog) a.log).snapshot();
        b.node.receive(A, part(1, start, new ReplicationMessage.SyncEnd(of.history(), of.members())), shard.now);
        shard.collect(b);

        assertFalse(b.status().complete());
        assertEquals(end, b.end());
    }

    private ReplicationMessage part(int number, LogPosition start, ReplicationMessage.@Nullable SyncEnd end) {
        return new ReplicationMessage.SnapshotPart(
                TestShard.SHARD,
                TestShard.epoch(1),
                1000 + number,
                b.status().incarnation(),
                b.status().life(),
                900,
                number,
                start,
                end,
                shard.allocator.buffer(),
                shard.allocator.buffer());
    }

    /** What a lost life had acknowledged is no copy any more. */
    @Test
    void theAcknowledgementsOfANewLifeStartAnew() {
        a.write("key", "value");
        shard.settle();
        assertEquals(a.end().offset(), a.feeds(C).acknowledged());
        shard.lost = sent -> sent.message() instanceof ReplicationMessage.SnapshotPart;
        c.restartEmpty();
        shard.advance(TestShard.REST);

        assertEquals(-1, a.feeds(C).acknowledged());
    }

    @Test
    void aNewLifeDuringAFullSyncGetsOneOfItsOwn() {
        for (int i = 0; i < 200; i++) {
            a.write("key" + i, "value" + i);
        }
        shard.settle();
        c.restartEmpty();
        int[] parts = {0};
        shard.lost = sent -> sent.message() instanceof ReplicationMessage.SnapshotPart && parts[0]++ > 2;
        shard.advance(TestShard.REST);
        assertEquals("SYNCING", a.feeds(C).state());
        c.restartEmpty();
        shard.heal();
        shard.advance(Duration.ofMillis(100));
        shard.advance(Duration.ofMillis(100));

        shard.assertEqual();
        assertEquals(0, shard.events(ReplicationEvent.ReplicaSuspended.class).size());
    }

    @Test
    void recordsThatNoPrimaryWroteAreRefused() {
        LogPosition before = b.end();
        ReplicationMessage.Append append = new ReplicationMessage.Append(
                TestShard.SHARD,
                TestShard.epoch(1),
                1 << 20,
                before,
                -1,
                shard.allocator.buffer().writeInt(100).writeInt(1));

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
