package io.kvorum.core;

import static io.kvorum.core.Bytes.bytes;
import static io.kvorum.core.Bytes.text;
import static io.kvorum.core.ShardOfThree.A;
import static io.kvorum.core.ShardOfThree.B;
import static io.kvorum.core.ShardOfThree.C;
import static io.kvorum.core.ShardOfThree.ELSEWHERE;
import static io.kvorum.core.ShardOfThree.OTHER;
import static io.kvorum.core.ShardOfThree.SHARD;
import static io.kvorum.core.ShardOfThree.answered;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.SetOptions.Condition;
import io.kvorum.core.ShardOfThree.Node;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.NodeRole;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.replication.ReplicationEvent;
import io.kvorum.replication.ReplicationSettings;
import io.kvorum.slots.LogPosition;
import io.kvorum.slots.NodeId;
import io.kvorum.slots.RefusedException;
import io.kvorum.slots.RefusedException.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ReplicatedStoreTest {
    private static final byte[] KEY = bytes("bar"); // slot 5061, of this shard
    private static final byte[] MOVED = bytes("foo"); // slot 12182, of the other shard
    private static final byte[] UNOWNED = bytes("6ZJ"); // slot 16383, of nobody
    private static final Duration TIMEOUT = Duration.ofSeconds(1);
    private static final SetOptions IF_ABSENT = SetOptions.defaults().withCondition(Condition.IF_ABSENT);

    private final ShardOfThree shard = new ShardOfThree();

    @AfterEach
    void close() {
        shard.close();
    }

    @Nested
    final class Writes {
        @Test
        void reachEveryNode() {
            CompletionStage<Written<Boolean>> written = set(A, Acknowledgement.MAJORITY, KEY, "1");
            assertNull(answered(written));
            shard.run();
            assertEquals(true, answered(written).result());
            shard.settle();

            for (NodeId node : ShardOfThree.NODES) {
                assertEquals("1", local(node, KEY));
            }
            assertEquals(1, new HashSet<>(shard.digests()).size());
        }

        @Test
        void areDoneAtOnceIfOnlyThePrimaryCounts() {
            shard.cutOff(A);
            CompletionStage<Written<Boolean>> written = set(A, Acknowledgement.LOCAL, KEY, "1");

            assertEquals(true, answered(written).result());
            assertEquals("1", local(A, KEY));
        }

        @Test
        void haveAnUnknownOutcomeIfNobodyAnswers() {
            shard.cutOff(A);
            CompletionStage<Written<Boolean>> written = set(A, Acknowledgement.MAJORITY, KEY, "1");
            shard.pass(TIMEOUT.minusMillis(100));
            assertFalse(written.toCompletableFuture().isDone());
            shard.pass(Duration.ofMillis(200));

            OutcomeUnknownException unknown = assertInstanceOf(OutcomeUnknownException.class, failure(written));
            assertEquals(OutcomeUnknownException.Reason.TIMEOUT, unknown.reason());
            assertEquals("1", local(A, KEY));
        }

        @Test
        void countTheReplicasThatWereAskedFor() {
            shard.cutOff(C);
            CompletionStage<Written<Boolean>> one = set(A, Acknowledgement.replicas(1), KEY, "1");
            CompletionStage<Written<Boolean>> two = set(A, Acknowledgement.replicas(2), KEY, "2");
            shard.run();
            assertTrue(one.toCompletableFuture().isDone());
            assertFalse(two.toCompletableFuture().isDone());
            shard.heal();

            assertEquals(true, answered(two).result());
        }

        @Test
        void havePositionsThatGrow() {
            LogPosition first =
                    answered(set(A, Acknowledgement.LOCAL, KEY, "1")).position();
            LogPosition second =
                    answered(set(A, Acknowledgement.LOCAL, KEY, "1")).position();
            CompletionStage<Written<Boolean>> unchanged =
                    write(A, Acknowledgement.MAJORITY, store -> store.set(KEY, bytes("2"), IF_ABSENT));
            shard.settle();
            LogPosition third = answered(unchanged).position();

            assertEquals(1, first.epoch());
            assertTrue(first.compareTo(second) < 0);
            assertEquals(second, third);
            assertEquals(false, answered(unchanged).result());
            assertEquals(second, shard.node(B).store.status().position());
            shard.failOver(B, List.of(A, B, C));
            LogPosition later =
                    answered(set(B, Acknowledgement.LOCAL, KEY, "2")).position();
            assertEquals(2, later.epoch());
            assertTrue(second.compareTo(later) < 0);
        }

        @Test
        void ofSeveralKeysAreOneRecord() {
            long before = shard.node(A).log.end().offset();
            CompletionStage<Written<Boolean>> written = write(A, Acknowledgement.MAJORITY, store -> {
                store.setAll(List.of(new Entry(bytes("{bar}1"), bytes("1")), new Entry(bytes("{bar}2"), bytes("2"))));
                return true;
            });
            shard.settle();

            long after = answered(written).position().offset();
            assertTrue(after - before < 60, () -> "a record of " + (after - before));
            assertEquals("2", local(B, bytes("{bar}2")));
        }

        @Test
        void thatChangeNothingWaitForTheMajorityToo() {
            answered(set(A, Acknowledgement.LOCAL, KEY, "1"));
            shard.settle();
            shard.cutOff(A);
            List<CompletionStage<Written<Boolean>>> unchanged = List.of(
                    write(A, Acknowledgement.MAJORITY, store -> store.set(KEY, bytes("2"), IF_ABSENT)),
                    write(A, Acknowledgement.MAJORITY, store -> store.delete(bytes("{bar}none"))),
                    write(A, Acknowledgement.MAJORITY, store -> store.persist(KEY)),
                    write(A, Acknowledgement.MAJORITY, store -> {
                        store.set(KEY, bytes("3"));
                        return store.exists(KEY); // read after the change that would vouch for it
                    }),
                    write(A, Acknowledgement.MAJORITY, store -> {
                        store.set(KEY, bytes("3"));
                        return store.size() > 0;
                    }));
            shard.run();
            unchanged.forEach(stage -> assertFalse(stage.toCompletableFuture().isDone()));
            shard.pass(TIMEOUT);

            unchanged.forEach(stage -> assertInstanceOf(OutcomeUnknownException.class, failure(stage)));
        }

        @Test
        void areNotAcknowledgedByALeadershipThatCameBack() {
            for (Acknowledgement level : List.of(Acknowledgement.LOCAL, Acknowledgement.MAJORITY)) {
                CompletionStage<Written<Boolean>> written = write(A, level, store -> {
                    boolean set = store.set(KEY, bytes("1"), SetOptions.defaults());
                    shard.failOver(B, ShardOfThree.NODES);
                    shard.failOver(A, ShardOfThree.NODES);
                    return set;
                });
                shard.settle();

                OutcomeUnknownException unknown = assertInstanceOf(OutcomeUnknownException.class, failure(written));
                assertEquals(OutcomeUnknownException.Reason.DEPOSED, unknown.reason());
            }
        }

        @Test
        void areAcknowledgedBeforeALaterRefusalIsPassedOn() {
            CompletionStage<Written<Boolean>> written = write(A, Acknowledgement.MAJORITY, store -> {
                store.set(KEY, bytes("1"));
                return store.delete(MOVED);
            });
            assertFalse(written.toCompletableFuture().isDone());
            shard.run();

            assertEquals(Kind.MOVED, refusal(written).kind());
            assertEquals("1", local(A, KEY));
            assertEquals("1", local(B, KEY));
        }

        @Test
        void haveAnUnknownOutcomeIfTheNodeIsFencedBetweenTwoOfThem() {
            for (Acknowledgement level : List.of(Acknowledgement.LOCAL, Acknowledgement.MAJORITY)) {
                shard.failOver(A, ShardOfThree.NODES);
                CompletionStage<Written<Boolean>> written = write(A, level, store -> {
                    store.set(KEY, bytes("1"));
                    shard.failOver(B, List.of(A, B, C));
                    return store.set(KEY, bytes("2"), SetOptions.defaults());
                });
                shard.run();

                OutcomeUnknownException unknown = assertInstanceOf(OutcomeUnknownException.class, failure(written));
                assertEquals(OutcomeUnknownException.Reason.DEPOSED, unknown.reason());
            }
        }

        @Test
        void areNotVouchedForByALaterLeadershipOfTheirNode() {
            List<CompletionStage<Written<Boolean>>> stages = new ArrayList<>();
            for (Acknowledgement level :
                    List.of(Acknowledgement.LOCAL, Acknowledgement.replicas(1), Acknowledgement.MAJORITY)) {
                shard.cutOff(A);
                stages.add(write(A, level, store -> {
                    store.set(KEY, bytes("1"));
                    shard.failOver(B, List.of(B, C));
                    shard.heal();
                    shard.failOver(A, List.of(A, B, C));
                    return store.exists(KEY);
                }));
                shard.settle();
                assertNull(local(A, KEY));
            }

            for (CompletionStage<Written<Boolean>> stage : stages) {
                OutcomeUnknownException unknown = assertInstanceOf(OutcomeUnknownException.class, failure(stage));
                assertEquals(OutcomeUnknownException.Reason.DEPOSED, unknown.reason());
            }
        }

        @Test
        void passOnWhatTheOperationThrows() {
            IllegalStateException thrown = new IllegalStateException("of the operation");
            CompletionStage<Written<Boolean>> stage = write(A, Acknowledgement.MAJORITY, store -> {
                throw thrown;
            });

            assertEquals(thrown, failure(stage));
        }
    }

    @Nested
    final class Reads {
        @Test
        void areLocalOrConfirmed() {
            set(A, Acknowledgement.LOCAL, KEY, "1");
            assertEquals("1", answered(get(A, ReadLevel.LOCAL)));
            CompletionStage<@Nullable String> confirmed = get(A, ReadLevel.CONFIRMED);
            assertFalse(confirmed.toCompletableFuture().isDone());
            shard.run();

            assertEquals("1", answered(confirmed));
        }

        @Test
        void areConfirmedByNobodyWhenCutOff() {
            set(A, Acknowledgement.LOCAL, KEY, "1");
            shard.settle();
            shard.cutOff(A);
            CompletionStage<@Nullable String> confirmed = get(A, ReadLevel.CONFIRMED);
            shard.pass(TIMEOUT);

            assertInstanceOf(OutcomeUnknownException.class, failure(confirmed));
            assertEquals("1", answered(get(A, ReadLevel.LOCAL)));
        }

        @Test
        void areNotConfirmedByAPrimaryThatWasReplacedMeanwhile() {
            set(A, Acknowledgement.MAJORITY, KEY, "1");
            shard.settle();
            shard.cutOff(A);
            CompletionStage<@Nullable String> confirmed = get(A, ReadLevel.CONFIRMED);
            shard.failOver(B, List.of(B, C));
            set(B, Acknowledgement.MAJORITY, KEY, "2");
            shard.heal();

            OutcomeUnknownException unknown = assertInstanceOf(OutcomeUnknownException.class, failure(confirmed));
            assertEquals(OutcomeUnknownException.Reason.DEPOSED, unknown.reason());
            assertEquals("2", local(A, KEY));
        }

        @Test
        void areNotConfirmedByALeadershipThatCameBack() {
            CompletionStage<String> confirmed = shard.node(A).store.read(ReadLevel.CONFIRMED, TIMEOUT, store -> {
                store.get(KEY);
                shard.failOver(B, ShardOfThree.NODES);
                shard.failOver(A, ShardOfThree.NODES);
                return "read in epoch 1, confirmed in epoch 3";
            });
            shard.settle();

            OutcomeUnknownException unknown = assertInstanceOf(OutcomeUnknownException.class, failure(confirmed));
            assertEquals(OutcomeUnknownException.Reason.DEPOSED, unknown.reason());
        }

        @Test
        void mustNotWrite() {
            CompletionStage<Boolean> stage =
                    shard.node(A).store.read(ReadLevel.LOCAL, TIMEOUT, store -> store.delete(KEY));

            assertInstanceOf(IllegalStateException.class, failure(stage));
        }

        @Test
        void areAnsweredByAReplicaOnlyIfTheyAreLocal() {
            set(A, Acknowledgement.MAJORITY, KEY, "1");
            shard.settle();
            assertEquals("1", answered(get(B, ReadLevel.LOCAL)));
            RefusedException refusal = refusal(get(B, ReadLevel.CONFIRMED));

            assertEquals(Kind.READ_ONLY, refusal.kind());
            assertEquals(A, refusal.primary());
        }

        @Test
        void areRefusedByANodeWithoutItsData() {
            set(A, Acknowledgement.MAJORITY, KEY, "1");
            shard.settle();
            shard.restartEmpty(B);
            RefusedException refusal = refusal(get(B, ReadLevel.LOCAL));
            assertEquals(Kind.LAGGING, refusal.kind());
            shard.settle();

            assertEquals("1", answered(get(B, ReadLevel.LOCAL)));
        }
    }

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
                assertEquals(1, refusal.epoch());
            }
        }

        @Test
        void ofAFencedPrimaryLeaveNoTrace() {
            set(A, Acknowledgement.LOCAL, KEY, "1");
            shard.settle();
            shard.node(A).driver.fence(9);
            shard.run();
            LogPosition end = shard.node(A).log.end();
            List<Long> digests = shard.digests();
            RefusedException refusal = refusal(set(A, Acknowledgement.LOCAL, KEY, "2"));

            assertEquals(Kind.FENCED, refusal.kind());
            assertEquals(9, refusal.epoch());
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
                assertEquals(4, moved.epoch());

                RefusedException down =
                        refusal(shard.node(node).store.read(ReadLevel.LOCAL, TIMEOUT, store -> store.exists(UNOWNED)));
                assertEquals(Kind.CLUSTER_DOWN, down.kind());
                assertEquals(16383, down.slot());
            }
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

            assertTrue(empty.store.status().synced());
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

    @Test
    void aTimeoutMayBeHuge() {
        Duration huge = Duration.ofSeconds(Long.MAX_VALUE, 999_999_999);
        ReplicatedStore store = shard.node(A).store;
        shard.cutOff(A);
        CompletionStage<Written<Boolean>> written =
                store.write(Acknowledgement.MAJORITY, huge, to -> to.set(KEY, bytes("1"), IF_ABSENT));
        CompletionStage<Boolean> read = store.read(ReadLevel.CONFIRMED, huge, from -> from.exists(KEY));
        shard.pass(TIMEOUT);
        assertFalse(written.toCompletableFuture().isDone());
        assertFalse(read.toCompletableFuture().isDone());
        shard.heal();

        assertEquals(true, answered(written).result());
        assertEquals(true, answered(read));
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT0S", "PT-0.000000001S", "PT-2562047788015215H"})
    void aTimeoutIsPositive(Duration timeout) {
        ReplicatedStore store = shard.node(A).store;
        List<Executable> calls = List.of(
                () -> store.write(Acknowledgement.LOCAL, timeout, to -> to.set(KEY, KEY, IF_ABSENT)),
                () -> store.read(ReadLevel.LOCAL, timeout, KeyValueStore::size),
                () -> store.store(Acknowledgement.LOCAL, ReadLevel.LOCAL, timeout));
        for (Executable call : calls) {
            IllegalArgumentException refusal = assertThrows(IllegalArgumentException.class, call);
            assertEquals("timeout must be positive: " + timeout, refusal.getMessage());
        }
        assertEquals(0, shard.node(A).local.size());
    }

    @Test
    @SuppressWarnings("NullAway") // that is what is tested
    void nothingRunsBeforeTheArgumentsAreChecked() {
        ReplicatedStore store = shard.node(A).store;
        Function<KeyValueStore, Boolean> operation = to -> to.set(KEY, KEY, IF_ABSENT);
        List<Executable> calls = List.of(
                () -> store.write(null, TIMEOUT, operation),
                () -> store.write(Acknowledgement.LOCAL, null, operation),
                () -> store.write(Acknowledgement.LOCAL, TIMEOUT, null),
                () -> store.read(null, TIMEOUT, KeyValueStore::size),
                () -> store.read(ReadLevel.LOCAL, null, KeyValueStore::size),
                () -> store.read(ReadLevel.LOCAL, TIMEOUT, null),
                () -> store.store(null, ReadLevel.LOCAL, TIMEOUT),
                () -> store.store(Acknowledgement.LOCAL, null, TIMEOUT),
                () -> store.store(Acknowledgement.LOCAL, ReadLevel.LOCAL, null));

        calls.forEach(call -> assertThrows(NullPointerException.class, call));
        assertEquals(0, shard.node(A).local.size());
    }

    @Test
    void theSizeIsReadAsAKeyIs() {
        assertEquals(0, answered(shard.node(B).store.read(ReadLevel.LOCAL, TIMEOUT, KeyValueStore::size)));
        RefusedException readOnly =
                refusal(shard.node(B).store.read(ReadLevel.CONFIRMED, TIMEOUT, KeyValueStore::size));
        assertEquals(Kind.READ_ONLY, readOnly.kind());
        assertEquals(-1, readOnly.slot());
        assertEquals(A, readOnly.primary());
        assertEquals("a replica confirms no reads: node b of shard-1, epoch 1, primary a", readOnly.getMessage());

        shard.cutOff(B);
        Node empty = shard.restartEmpty(B);
        RefusedException lagging = refusal(empty.store.read(ReadLevel.LOCAL, TIMEOUT, KeyValueStore::size));
        assertEquals(Kind.LAGGING, lagging.kind());
    }

    @Test
    void everyOperationIsOffered() {
        int slot = 5061;
        CompletionStage<Written<List<Object>>> written = write(A, Acknowledgement.MAJORITY, store -> {
            List<Object> results = new ArrayList<>();
            results.add(store.set(KEY, bytes("1"), IF_ABSENT));
            results.add(store.expireAt(KEY, 5_000));
            results.add(store.deadlineOf(KEY).orElseThrow());
            results.add(store.persist(KEY));
            store.set(bytes("{bar}2"), bytes("2"));
            results.add(store.exists(KEY));
            results.add(store.getAll(List.of(KEY)).size());
            results.add(store.countInSlot(slot));
            results.add(store.size());
            store.forEachInSlot(slot, entry -> results.add(String.valueOf(text(entry.value()))));
            results.add(store.dropSlot(slot));
            return results;
        });
        shard.settle();

        assertEquals(
                List.of(true, true, 5_000L, true, true, 1, 2, 2L, "2", "1", 2),
                answered(written).result());
        assertEquals(0, shard.node(B).local.size());
    }

    private CompletionStage<Written<Boolean>> set(NodeId node, Acknowledgement level, byte[] key, String value) {
        return write(node, level, store -> store.set(key, bytes(value), SetOptions.defaults()));
    }

    private <T> CompletionStage<Written<T>> write(
            NodeId node, Acknowledgement level, Function<KeyValueStore, T> operation) {
        return shard.node(node).store.write(level, TIMEOUT, operation);
    }

    private CompletionStage<@Nullable String> get(NodeId node, ReadLevel level) {
        return shard.node(node).store.read(level, TIMEOUT, store -> text(store.get(KEY)));
    }

    private @Nullable String local(NodeId node, byte[] key) {
        return text(shard.node(node).local.get(key));
    }

    private static RefusedException refusal(CompletionStage<?> stage) {
        return assertInstanceOf(RefusedException.class, failure(stage));
    }

    private static @Nullable Throwable failure(CompletionStage<?> stage) {
        List<Throwable> failures = new ArrayList<>();
        stage.whenComplete((result, failure) -> failures.add(failure));
        assertEquals(1, failures.size(), "not completed yet");
        assertFalse(failures.get(0) instanceof CompletionException);
        return failures.get(0);
    }
}
