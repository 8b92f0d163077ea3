package io.kvorum.core.replicated;

import static io.kvorum.core.Bytes.bytes;
import static io.kvorum.core.Bytes.text;
import static io.kvorum.core.replicated.ShardOfThree.A;
import static io.kvorum.core.replicated.ShardOfThree.B;
import static io.kvorum.core.replicated.ShardOfThree.C;
import static io.kvorum.core.replicated.ShardOfThree.OTHER;
import static io.kvorum.core.replicated.ShardOfThree.SHARD;
import static io.kvorum.core.replicated.ShardOfThree.answered;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.Entry;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.PartlyClearedException;
import io.kvorum.core.SetOptions;
import io.kvorum.core.engine.Cause;
import io.kvorum.core.engine.Engines;
import io.kvorum.core.engine.Watcher;
import io.kvorum.core.replicated.ShardOfThree.Node;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.slots.topology.RefusedException.Kind;
import io.kvorum.slots.topology.TopologyChange;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ReplicatedStoreTest extends ReplicatedStoreFixture {
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

            assertEquals(ShardOfThree.epoch(1), first.epoch());
            assertTrue(first.compareTo(second) < 0);
            assertEquals(second, third);
            assertEquals(false, answered(unchanged).result());
            assertEquals(second, shard.node(B).store.status().position());
            shard.failOver(B, List.of(A, B, C));
            LogPosition later =
                    answered(set(B, Acknowledgement.LOCAL, KEY, "2")).position();
            assertEquals(ShardOfThree.epoch(2), later.epoch());
            assertTrue(second.compareTo(later) < 0);
        }

        /** The slots before the one that has moved are cleared, at a majority, when the caller hears of it. */
        @Test
        void ofManySlotsTellHowFarTheyCame() {
            byte[] earlier = bytes("{b}"); // slot 3300
            set(A, Acknowledgement.LOCAL, earlier, "1");
            set(A, Acknowledgement.LOCAL, KEY, "1");
            shard.settle();
            ClusterTopology whole = shard.topology;
            shard.node(A)
                    .local
                    .subscribe(
                            event -> shard.topology = whole.apply(
                                    whole.version(),
                                    new TopologyChange.MoveSlots(SlotSet.of(HashSlot.of(KEY)), SHARD, OTHER)),
                            Runnable::run,
                            1);
            CompletionStage<Written<Long>> cleared = write(A, Acknowledgement.MAJORITY, KeyValueStore::clear);
            assertFalse(cleared.toCompletableFuture().isDone());
            shard.settle();

            PartlyClearedException partly = assertInstanceOf(PartlyClearedException.class, failure(cleared));
            assertEquals(1, partly.deleted());
            assertTrue(partly.cleared().contains(HashSlot.of(earlier)));
            assertEquals(HashSlot.of(KEY), partly.remaining().next(0));
            assertEquals(
                    Kind.MOVED,
                    assertInstanceOf(RefusedException.class, partly.getCause()).kind());
            assertNull(local(B, earlier));
            shard.topology = whole;
            CompletionStage<Written<Long>> rest =
                    write(A, Acknowledgement.MAJORITY, store -> store.clear(partly.remaining()));
            shard.settle();
            assertEquals(1, answered(rest).result());
        }

        /** Nothing is known of any slot then, and it is safe to call it again. */
        @Test
        void ofManySlotsMayBeUnknown() {
            set(A, Acknowledgement.LOCAL, KEY, "1");
            shard.cutOff(A);
            CompletionStage<Written<Long>> cleared = write(A, Acknowledgement.MAJORITY, KeyValueStore::clear);
            shard.pass(TIMEOUT.plusMillis(100));

            assertInstanceOf(OutcomeUnknownException.class, failure(cleared));
            shard.heal();
            CompletionStage<Written<Long>> again = write(A, Acknowledgement.MAJORITY, KeyValueStore::clear);
            shard.settle();
            assertEquals(0, answered(again).result());
            assertNull(local(B, KEY));
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

        /** Whoever waits for the stage would otherwise wait for ever. */
        @Test
        void passOnAnErrorOfTheOperationAsTheirOutcome() {
            StackOverflowError thrown = new StackOverflowError("of the operation");
            CompletionStage<Written<Boolean>> early = write(A, Acknowledgement.MAJORITY, store -> {
                throw thrown;
            });
            assertEquals(thrown, failure(early));

            CompletionStage<Written<Boolean>> late = write(A, Acknowledgement.MAJORITY, store -> {
                store.set(KEY, bytes("1"));
                throw thrown;
            });
            assertFalse(late.toCompletableFuture().isDone());
            shard.run();
            assertEquals(thrown, failure(late));
            assertEquals("1", local(B, KEY));
        }

        /** As that of a node that follows: a client looks for the next primary then. */
        @Test
        void areRefusedByANodeThatWasClosed() {
            Node closed = shard.node(A);
            shard.restartEmpty(A);
            for (Acknowledgement level : List.of(Acknowledgement.LOCAL, Acknowledgement.MAJORITY)) {
                RefusedException refusal = refusal(closed.store.write(level, TIMEOUT, store -> {
                    store.set(KEY, bytes("1"));
                    return true;
                }));
                assertEquals(A, refusal.node());
                assertTrue(String.valueOf(refusal.getMessage()).startsWith("the node is closed and takes no writes"));
            }
            KeyValueStore blocking = closed.store.store(Acknowledgement.LOCAL, ReadLevel.LOCAL, TIMEOUT);
            assertThrows(RefusedException.class, () -> blocking.increment(KEY, 1));
        }

        /** The log has the change then: who sees no acknowledgement takes it for one that was not made. */
        @Test
        void handOverTheAcknowledgementOfWhatWasChangedBeforeAnError() {
            Engines.only(shard.node(A).local).watchers().add(new Watcher() {
                @Override
                public void changed(int slot, byte[] key, Cause cause) {
                    throw new OutOfMemoryError("planted");
                }

                @Override
                public void replaced() {}
            });
            List<CompletionStage<?>> outcomes = new ArrayList<>();
            KeyValueStore unawaited = shard.node(A)
                    .store
                    .unawaited(Acknowledgement.MAJORITY, ReadLevel.CONFIRMED, TIMEOUT, outcomes::add);
            assertThrows(OutOfMemoryError.class, () -> unawaited.set(KEY, bytes("1")));
            assertEquals(1, outcomes.size());
            shard.run();
            assertTrue(outcomes.get(0).toCompletableFuture().isDone());
            assertEquals("1", local(B, KEY));
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
        void passOnAnErrorOfTheOperationAsTheirOutcome() {
            StackOverflowError thrown = new StackOverflowError("of the operation");
            for (ReadLevel level : ReadLevel.values()) {
                CompletionStage<Boolean> stage = shard.node(A).store.read(level, TIMEOUT, store -> {
                    throw thrown;
                });
                assertEquals(thrown, failure(stage));
            }
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
        assertEquals("a replica confirms no reads: node b of shard-1, epoch 1.1, primary a", readOnly.getMessage());

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
}
