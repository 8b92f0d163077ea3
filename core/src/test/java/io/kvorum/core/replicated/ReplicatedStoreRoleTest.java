package io.kvorum.core.replicated;

import static io.kvorum.core.Bytes.bytes;
import static io.kvorum.core.replicated.ShardOfThree.A;
import static io.kvorum.core.replicated.ShardOfThree.B;
import static io.kvorum.core.replicated.ShardOfThree.C;
import static io.kvorum.core.replicated.ShardOfThree.ELSEWHERE;
import static io.kvorum.core.replicated.ShardOfThree.OTHER;
import static io.kvorum.core.replicated.ShardOfThree.SENTINEL;
import static io.kvorum.core.replicated.ShardOfThree.SHARD;
import static io.kvorum.core.replicated.ShardOfThree.answered;
import static io.kvorum.core.replicated.ShardOfThree.epoch;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.Entry;
import io.kvorum.core.ScanCursor;
import io.kvorum.core.ScanOptions;
import io.kvorum.core.ScanPage;
import io.kvorum.core.SetOptions;
import io.kvorum.core.replicated.ShardOfThree.Node;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.NodeRole;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.replication.ReplicationEvent;
import io.kvorum.replication.ReplicationSettings;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.slots.topology.RefusedException.Kind;
import io.kvorum.slots.topology.TopologyChange;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What a node refuses, what becomes of its data when another one leads, and who deletes what has expired. */
final class ReplicatedStoreRoleTest extends ReplicatedStoreFixture {
    @Nested
    final class Refusals {
        @Test
        void ofAReplicaNameThePrimary() {
            shard.settle();
            List<CompletionStage<?>> refused = List.of(
                    set(B, Acknowledgement.LOCAL, KEY, "2"),
                    write(B, Acknowledgement.LOCAL, store -> store.delete(bytes("{bar}none"))),
                    write(B, Acknowledgement.LOCAL, store -> store.persist(KEY)),
                    write(B, Acknowledgement.LOCAL, store -> store.expireAt(KEY, 9)),
                    write(B, Acknowledgement.LOCAL, store -> store.dropSlot(5061)));
            for (CompletionStage<?> stage : refused) {
                RefusedException refusal = refusal(stage);
                assertEquals(Kind.READ_ONLY, refusal.kind());
                assertEquals(5061, refusal.slot());
                assertEquals(SHARD, refusal.shard());
                assertEquals(B, refusal.node());
                assertEquals(A, refusal.primary());
                assertEquals(epoch(1), refusal.epoch());
            }
        }

        @Test
        void ofAFencedPrimaryLeaveNoTrace() {
            set(A, Acknowledgement.LOCAL, KEY, "1");
            shard.settle();
            shard.node(A).driver.fence(epoch(9), SENTINEL);
            shard.run();
            LogPosition end = shard.node(A).log.end();
            List<Long> digests = shard.digests();
            RefusedException refusal = refusal(set(A, Acknowledgement.LOCAL, KEY, "2"));

            assertEquals(Kind.FENCED, refusal.kind());
            assertEquals(epoch(9), refusal.epoch());
            assertEquals(end, shard.node(A).log.end());
            assertEquals(digests, shard.digests());
            assertEquals(0, shard.node(A).store.expire(10));
        }

        @Test
        void ofTooFewReplicasLeaveNoTrace() {
            try (ShardOfThree strict =
                    new ShardOfThree(ReplicationSettings.defaults().withMinReplicas(1))) {
                ReplicatedStore primary = strict.node(A).store;
                primary.write(Acknowledgement.LOCAL, TIMEOUT, store -> store.set(KEY, bytes("1"), IF_ABSENT));
                strict.settle();
                strict.cutOff(A);
                strict.pass(Duration.ofSeconds(3));
                LogPosition end = strict.node(A).log.end();
                List<Long> digests = strict.digests();
                CompletionStage<Written<Boolean>> refused = primary.write(
                        Acknowledgement.LOCAL, TIMEOUT, store -> store.set(KEY, bytes("2"), SetOptions.defaults()));

                assertEquals(Kind.TOO_FEW_REPLICAS, refusal(refused).kind());
                assertEquals(end, strict.node(A).log.end());
                strict.heal();
                assertEquals(digests, strict.digests());
                assertEquals(end, strict.node(B).log.end());
            }
        }

        @Test
        void ofOtherSlotsSayWhereTheyAre() {
            for (NodeId node : List.of(A, B)) {
                RefusedException moved = refusal(set(node, Acknowledgement.LOCAL, MOVED, "1"));
                assertEquals(Kind.MOVED, moved.kind());
                assertEquals(12182, moved.slot());
                assertEquals(OTHER, moved.shard());
                assertEquals(node, moved.node());
                assertEquals(ELSEWHERE, moved.primary());
                assertEquals(epoch(4), moved.epoch());

                RefusedException down =
                        refusal(shard.node(node).store.read(ReadLevel.LOCAL, TIMEOUT, store -> store.exists(UNOWNED)));
                assertEquals(Kind.CLUSTER_DOWN, down.kind());
                assertEquals(16383, down.slot());
            }
        }

        @Test
        void ofASlotWhoseDataIsElsewhereAreNoEmptyAnswers() {
            SlotSet slot = SlotSet.of(12182);
            ClusterTopology before = shard.topology;
            shard.topology = before.apply(before.version(), new TopologyChange.MoveSlots(slot, OTHER, SHARD));
            for (CompletionStage<?> stage : List.of(
                    set(A, Acknowledgement.LOCAL, MOVED, "1"),
                    write(A, Acknowledgement.LOCAL, store -> store.dropSlot(12182)),
                    shard.node(A).store.read(ReadLevel.CONFIRMED, TIMEOUT, store -> store.exists(MOVED)),
                    shard.node(B).store.read(ReadLevel.LOCAL, TIMEOUT, store -> store.countInSlot(12182)))) {
                RefusedException refusal = refusal(stage);
                assertEquals(Kind.MOVING, refusal.kind());
                assertEquals(12182, refusal.slot());
                assertEquals(SHARD, refusal.shard());
                assertEquals("slot 12182 was given to shard-1, but its data is still at shard-2", refusal.getMessage());
            }
            assertEquals(0, shard.node(A).local.size());

            shard.topology = shard.topology.apply(shard.topology.version(), new TopologyChange.FinishMove(slot, SHARD));
            set(A, Acknowledgement.LOCAL, MOVED, "1");
            assertEquals("1", local(A, MOVED));
        }

        @Test
        void ofASlotWhoseDataIsElsewhereEndAScanBeforeIt() {
            SlotSet slots = SlotSet.ofRange(8192, 8200);
            set(A, Acknowledgement.LOCAL, KEY, "1");
            ClusterTopology before = shard.topology;
            shard.topology = before.apply(before.version(), new TopologyChange.MoveSlots(slots, OTHER, SHARD));
            ScanPage page = answered(shard.node(A)
                    .store
                    .read(ReadLevel.LOCAL, TIMEOUT, store -> store.scan(ScanCursor.START, ScanOptions.defaults())));
            assertEquals(1, page.keys().size());
            assertEquals(8192, page.next().slot());
            RefusedException refusal = refusal(shard.node(A)
                    .store
                    .read(ReadLevel.LOCAL, TIMEOUT, store -> store.scan(page.next(), ScanOptions.defaults())));
            assertEquals(Kind.MOVING, refusal.kind());
            assertEquals(8192, refusal.slot());
            assertEquals(
                    Kind.MOVING,
                    refusal(write(A, Acknowledgement.LOCAL, store -> store.clear()))
                            .kind());
            assertEquals(1, shard.node(A).local.size());
        }

        @Test
        void ofKeysOfDifferentSlotsComeBeforeAnyChange() {
            CompletionStage<Written<Boolean>> stage = write(A, Acknowledgement.LOCAL, store -> {
                store.setAll(List.of(new Entry(KEY, bytes("1")), new Entry(bytes("b"), bytes("1"))));
                return true;
            });

            assertEquals(Kind.CROSS_SLOT, refusal(stage).kind());
            assertEquals(0, shard.node(A).local.size());
        }
    }

    @Nested
    final class Failovers {
        @Test
        void keepWhatAMajorityHas() {
            CompletionStage<Written<Boolean>> written = set(A, Acknowledgement.MAJORITY, KEY, "1");
            shard.run();
            assertEquals(true, answered(written).result());
            shard.cutOff(A);
            set(A, Acknowledgement.LOCAL, KEY, "lost");
            shard.failOver(B, List.of(B, C));

            assertEquals("1", answered(get(B, ReadLevel.LOCAL)));
            set(B, Acknowledgement.MAJORITY, bytes("{bar}new"), "2");
            shard.heal();
            assertEquals("1", local(A, KEY));
            assertEquals(1, new HashSet<>(shard.digests()).size());
            assertTrue(shard.node(A).events.stream()
                    .anyMatch(event ->
                            event instanceof ReplicationEvent.RecordsDiscarded discarded && discarded.records() == 1));
            assertEquals(NodeRole.REPLICA, shard.node(A).store.status().role());
        }

        @Test
        void doNotAcknowledgeWhatAnEarlierPrimaryTook() {
            shard.cutOff(A);
            CompletionStage<Written<Boolean>> lost = set(A, Acknowledgement.MAJORITY, KEY, "lost");
            shard.failOver(B, List.of(B, C));
            shard.heal();

            assertInstanceOf(OutcomeUnknownException.class, failure(lost));
            assertNull(local(A, KEY));
        }

        @Test
        void leaveEqualDigestsAfterFullSyncsUnderWrites() {
            SplittableRandom random = new SplittableRandom(5);
            for (int i = 0; i < 300; i++) {
                write(A, random);
                if (i % 3 == 0) {
                    shard.run();
                }
            }
            Node empty = shard.restartEmpty(C);
            for (int i = 0; i < 300; i++) {
                write(A, random);
                if (i % 10 == 0) {
                    shard.pass(Duration.ofMillis(50));
                }
            }
            shard.settle();

            assertTrue(empty.store.status().complete());
            assertTrue(empty.local.size() > 50);
            assertEquals(1, new HashSet<>(shard.digests()).size());
            assertEquals(shard.node(A).log.end(), empty.log.end());
        }

        private void write(NodeId node, SplittableRandom random) {
            byte[] key = bytes("{bar}" + random.nextInt(200));
            byte[] value = new byte[random.nextInt(300)];
            random.nextBytes(value);
            shard.node(node)
                    .store
                    .write(
                            Acknowledgement.LOCAL,
                            TIMEOUT,
                            store -> random.nextInt(4) == 0
                                    ? store.delete(key)
                                    : store.set(
                                            key, value, SetOptions.defaults().withDeadline(2_000)));
        }
    }

    @Nested
    final class Expiry {
        @Test
        void isDoneByThePrimaryAlone() {
            write(
                    A,
                    Acknowledgement.LOCAL,
                    store -> store.set(KEY, bytes("1"), SetOptions.defaults().withDeadline(1_500)));
            shard.settle();
            shard.node(B).clock.set(3_600_000);
            assertNull(answered(get(B, ReadLevel.LOCAL)));
            assertEquals(0, shard.node(B).store.expire(10));
            assertEquals("1", answered(get(A, ReadLevel.LOCAL)));
            assertEquals(1, shard.node(B).local.size());
            assertEquals(1, new HashSet<>(shard.digests()).size());

            shard.node(A).clock.set(1_501);
            assertEquals(1, shard.node(A).store.expire(10));
            shard.settle();
            for (NodeId node : ShardOfThree.NODES) {
                assertEquals(0, shard.node(node).local.size());
            }
        }

        @Test
        void ofAKeyThatIsWrittenToIsRecorded() {
            write(
                    A,
                    Acknowledgement.LOCAL,
                    store -> store.set(KEY, bytes("1"), SetOptions.defaults().withDeadline(1_500)));
            shard.node(A).clock.set(1_501);
            CompletionStage<Written<Boolean>> deleted = write(A, Acknowledgement.MAJORITY, store -> store.delete(KEY));
            shard.settle();

            assertEquals(false, answered(deleted).result());
            assertEquals(0, shard.node(C).local.size());
        }
    }
}
