package io.kvorum.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.AsyncKeyValueStore;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.replicated.ReadLevel;
import io.kvorum.failover.NodeCommand;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.slots.topology.RefusedException.Kind;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class ClusterClientTest extends ClusterClientFixture {
    @Test
    void eachOperationGoesToThePrimaryOfItsSlot() throws IOException {
        begin(LEFT);
        begin(RIGHT);
        CompletionStage<?> written = async.set(FOO, BAR);
        CompletionStage<?> other = async.set(BAR, FOO);
        scheduler.pass(Duration.ofMillis(10));
        answered(written);
        answered(other);
        CompletionStage<byte @Nullable []> read = async.get(FOO);
        scheduler.pass(Duration.ofMillis(10));

        assertArrayEquals(BAR, answered(read));
        assertEquals(1, nodes.get(primaryOf(LEFT)).size());
        assertEquals(1, nodes.get(primaryOf(RIGHT)).size());
    }

    @Test
    void aRefusalIsTriedAgainUntilTheShardServes() throws IOException {
        begin(RIGHT);
        CompletionStage<?> unreachable = async.set(BAR, FOO);
        scheduler.pass(Duration.ofMillis(300));
        assertFalse(isDone(unreachable));
        assertEquals(1, client.waiting());
        ClusterNode node = start(LEFT); // a replica, as long as nobody begins the shard
        scheduler.pass(Duration.ofMillis(300));
        assertFalse(isDone(unreachable));
        done(node, new NodeCommand.Fence(LEFT, EPOCH, SENTINEL));
        MemberList alone = MemberList.of(new Member(node.id(), node.status().incarnation()));
        done(node, new NodeCommand.Begin(LEFT, EPOCH, SENTINEL, alone, List.of(), false));
        scheduler.pass(Duration.ofMillis(300));

        answered(unreachable);
        assertEquals(0, client.waiting());
        assertEquals(1, node.size());
    }

    @Test
    void theLastRefusalIsTheOutcomeWhenTheTimeIsUp() throws IOException {
        begin(RIGHT);
        long begun = scheduler.nanoTime();
        CompletionStage<?> refused = async.set(BAR, FOO);
        while (!isDone(refused)) {
            scheduler.pass(Duration.ofMillis(1));
        }

        RefusedException refusal = assertInstanceOf(RefusedException.class, failure(refused));
        assertEquals(Kind.CLUSTER_DOWN, refusal.kind());
        long took = scheduler.nanoTime() - begun;
        assertTrue(took > TIMEOUT.toNanos() * 9 / 10 && took <= TIMEOUT.toNanos(), "took " + took + " ns");
        assertEquals(0, client.waiting());
    }

    @Test
    void whatAnotherTryCannotChangeIsRefusedAtOnce() throws IOException {
        begin(LEFT);
        begin(RIGHT);
        CompletionStage<?> cross = async.getAll(List.of(FOO, BAR));

        assertEquals(
                Kind.CROSS_SLOT,
                assertInstanceOf(RefusedException.class, failure(cross)).kind());
    }

    @Test
    void anUnknownOutcomeIsNeverTriedAgain() throws IOException {
        begin(LEFT, new NodeId("absent"));
        CompletionStage<Long> unknown = async.increment(BAR, 1);
        scheduler.pass(TIMEOUT.plusSeconds(1));

        OutcomeUnknownException failure = assertInstanceOf(OutcomeUnknownException.class, failure(unknown));
        assertEquals(OutcomeUnknownException.Reason.TIMEOUT, failure.reason());
        scheduler.pass(Duration.ofSeconds(10));
        byte[] value = nodes.get(primaryOf(LEFT))
                .store()
                .store(Acknowledgement.LOCAL, ReadLevel.LOCAL, TIMEOUT)
                .get(BAR);
        assertArrayEquals("1".getBytes(UTF_8), value);
    }

    @Test
    void anOperationThatWasRefusedHalfWayIsNotTriedAgain() throws IOException {
        begin(LEFT);
        List<Integer> runs = new ArrayList<>();
        CompletionStage<?> half = async.changing(store -> {
            runs.add(runs.size());
            store.set(BAR, FOO);
            store.set(FOO, BAR); // whose shard is not there
            return true;
        });
        scheduler.pass(TIMEOUT);

        assertEquals(
                Kind.CLUSTER_DOWN,
                assertInstanceOf(RefusedException.class, failure(half)).kind());
        assertEquals(List.of(0), runs);
    }

    /** It has changed nothing, so its other half can wait for the shard. */
    @Test
    void aReadThatWasRefusedHalfWayIsTriedAgain() throws IOException {
        begin(LEFT);
        List<Integer> runs = new ArrayList<>();
        CompletionStage<Boolean> half = async.reading(store -> {
            runs.add(runs.size());
            return store.exists(BAR) || store.exists(FOO); // whose shard is not there yet
        });
        scheduler.pass(Duration.ofMillis(100));
        assertFalse(isDone(half));
        begin(RIGHT);
        scheduler.pass(Duration.ofMillis(300));

        assertEquals(false, answered(half));
        assertTrue(runs.size() > 1, runs::toString);
        assertEquals(0, client.waiting());
    }

    @Test
    void aReadThatCannotBeConfirmedIsMadeAtTheNextPrimary() throws IOException {
        begin(LEFT, new NodeId("absent"));
        CompletionStage<byte @Nullable []> read = async.get(BAR);
        CompletionStage<Long> changed = async.increment(BAR, 1);
        scheduler.pass(Duration.ofMillis(10));
        assertFalse(isDone(read));
        nodes.get(primaryOf(LEFT)).close();
        scheduler.pass(Duration.ofMillis(10));
        OutcomeUnknownException unknown = assertInstanceOf(OutcomeUnknownException.class, failure(changed));
        assertEquals(OutcomeUnknownException.Reason.CLOSED, unknown.reason());
        assertFalse(isDone(read));
        begin(LEFT); // in another life
        scheduler.pass(Duration.ofMillis(300));

        assertNull(answered(read));
    }

    @Test
    void aReadAtADeposedPrimaryEndsWithItsLastRefusal() throws IOException {
        begin(LEFT, new NodeId("absent"));
        CompletionStage<byte @Nullable []> read = async.get(BAR);
        CompletionStage<?> thrown = async.reading(store -> {
            throw new IllegalArgumentException("what was read: " + store.exists(BAR));
        });
        scheduler.pass(Duration.ofMillis(10));
        done(nodes.get(primaryOf(LEFT)), new NodeCommand.Fence(LEFT, Epoch.of(2, 1), SENTINEL));
        scheduler.pass(Duration.ofMillis(10));
        assertFalse(isDone(read));
        assertFalse(isDone(thrown));
        scheduler.pass(TIMEOUT);

        assertInstanceOf(RefusedException.class, failure(read));
        assertInstanceOf(RefusedException.class, failure(thrown)); // what it threw was not confirmed
    }

    @Test
    void whatOnlyReadsMustNotWrite() throws IOException {
        begin(LEFT);
        CompletionStage<?> written = async.reading(store -> store.delete(BAR));

        assertInstanceOf(IllegalStateException.class, failure(written));
    }

    @Test
    void aWriteToANodeThatWasClosedIsTriedAgain() throws IOException {
        begin(LEFT);
        nodes.get(primaryOf(LEFT)).close();
        CompletionStage<?> written = async.set(BAR, FOO);
        scheduler.pass(Duration.ofMillis(100));
        assertFalse(isDone(written));
        begin(LEFT); // in another life
        scheduler.pass(Duration.ofMillis(300));

        answered(written);
        assertEquals(1, nodes.get(primaryOf(LEFT)).size());
    }

    @Test
    void aTryThatComesTooLateIsNotMade() {
        List<Integer> runs = new ArrayList<>();
        CompletionStage<?> refused = async.changing(store -> {
            runs.add(runs.size());
            store.set(BAR, FOO);
            return true;
        });
        scheduler.passUnnoticed(TIMEOUT.toNanos());
        scheduler.fireNext(false);

        assertInstanceOf(RefusedException.class, failure(refused));
        assertEquals(List.of(0), runs);
        assertEquals(0, client.waiting());
    }

    @Test
    void whatTheFunctionThrowsIsPassedOn() throws IOException {
        begin(LEFT);
        CompletionStage<?> thrown = async.changing(store -> {
            throw new AssertionError("of the user's");
        });

        assertInstanceOf(AssertionError.class, failure(thrown));
    }

    @Test
    void aSickShardHoldsUpNobodyElse() throws IOException {
        begin(LEFT, new NodeId("absent"));
        begin(RIGHT);
        List<CompletionStage<?>> stuck = new ArrayList<>();
        for (int i = 0; i < 10_000; i++) {
            stuck.add(async.set(("{bar}" + i).getBytes(UTF_8), FOO));
        }
        CompletionStage<?> healthy = async.set(FOO, BAR);
        scheduler.pass(Duration.ofMillis(2));

        answered(healthy);
        assertTrue(stuck.stream().noneMatch(ClusterClientTest::isDone));
        scheduler.pass(TIMEOUT.plusSeconds(1));
        assertTrue(stuck.stream().allMatch(ClusterClientTest::isDone));
    }

    @Test
    void anExecutorOnlyBeginsOperations() throws IOException {
        begin(LEFT, new NodeId("absent"));
        begin(RIGHT);
        List<Runnable> tasks = new ArrayList<>();
        AsyncKeyValueStore executed = client.store().async(tasks::add);
        CompletionStage<?> stuck = executed.set(BAR, FOO);
        CompletionStage<?> healthy = executed.set(FOO, BAR);
        tasks.forEach(Runnable::run); // each of them returns at once
        scheduler.pass(Duration.ofMillis(2));

        answered(healthy);
        assertFalse(isDone(stuck));
        CompletionStage<?> rejected = client.store()
                .async(task -> {
                    throw new RejectedExecutionException("full");
                })
                .set(FOO, BAR);
        assertInstanceOf(RejectedExecutionException.class, failure(rejected));
    }

    @Test
    void anExecutorThatIsLateBeginsNothingAfterTheDeadline() throws IOException {
        begin(LEFT);
        begin(RIGHT);
        List<Runnable> tasks = new ArrayList<>();
        AsyncKeyValueStore late = client.store().async(tasks::add);
        List<CompletionStage<?>> stages = List.of(late.set(BAR, FOO), late.get(BAR), late.clear());
        scheduler.pass(TIMEOUT);

        tasks.forEach(Runnable::run);
        scheduler.pass(TIMEOUT);

        stages.forEach(stage -> assertInstanceOf(CancellationException.class, failure(stage)));
        assertEquals(0, nodes.get(primaryOf(LEFT)).size());
    }

    @Test
    void whatTheCallerCancelsIsNotTriedAgain() throws IOException {
        List<Integer> runs = new ArrayList<>();
        CompletionStage<Integer> stage = async.changing(store -> {
            runs.add(runs.size());
            store.set(BAR, FOO);
            return runs.size();
        });
        assertEquals(1, client.waiting());
        assertTrue(stage.toCompletableFuture().cancel(true));
        begin(LEFT);
        scheduler.pass(TIMEOUT);

        assertEquals(1, runs.size());
        assertEquals(0, client.waiting());
        assertEquals(0, nodes.get(primaryOf(LEFT)).size());
    }

    @Test
    void atMostSoManyOperationsWaitForAnotherTry() {
        AsyncKeyValueStore hasty = client.withTimeout(Duration.ofMillis(10)).async();
        List<CompletionStage<?>> waiting = new ArrayList<>();
        for (int i = 0; i < ClusterClient.MAX_WAITING; i++) {
            waiting.add(hasty.get(BAR));
        }
        assertTrue(waiting.stream().noneMatch(ClusterClientTest::isDone));
        assertInstanceOf(RefusedException.class, failure(async.get(BAR)));
        assertEquals(ClusterClient.MAX_WAITING, client.waiting());
        scheduler.pass(Duration.ofMillis(10));
        assertEquals(0, client.waiting());
    }

    @Test
    void whoGivesUpIsNotTriedFor() throws IOException {
        CompletionStage<?> given = async.set(BAR, FOO);
        given.toCompletableFuture().cancel(false);
        begin(LEFT);
        scheduler.pass(TIMEOUT);

        assertEquals(0, nodes.get(primaryOf(LEFT)).size());
    }

    @Test
    void anInterruptWhileNothingIsChangedSaysSo() throws IOException {
        KeyValueStore store = client.store();
        Thread.currentThread().interrupt();
        RefusedException refusal = assertThrows(RefusedException.class, () -> store.set(BAR, FOO));
        assertTrue(Thread.interrupted());
        assertEquals(Kind.CLUSTER_DOWN, refusal.kind());
        begin(LEFT);
        scheduler.pass(TIMEOUT);
        assertEquals(0, nodes.get(primaryOf(LEFT)).size());
    }

    @Test
    void anInterruptAfterAChangeLeavesTheOutcomeUnknown() throws IOException {
        begin(LEFT, new NodeId("absent"));
        KeyValueStore store = client.store();
        Thread.currentThread().interrupt();
        OutcomeUnknownException unknown = assertThrows(OutcomeUnknownException.class, () -> store.set(BAR, FOO));
        assertTrue(Thread.interrupted());
        assertEquals(OutcomeUnknownException.Reason.INTERRUPTED, unknown.reason());
        assertEquals(primaryOf(LEFT), unknown.node());
    }

    private <T> ClientOperation<T> operation(Function<? super KeyValueStore, T> function) {
        ClusterClient.Cluster cluster = new ClusterClient.Cluster(
                () -> topology,
                id -> nodes.containsKey(id) ? nodes.get(id).store() : null,
                Acknowledgement.MAJORITY,
                ReadLevel.CONFIRMED,
                scheduler,
                new Random(1),
                new AtomicInteger(),
                new ClientCounters());
        return new ClientOperation<>(cluster, TIMEOUT, false, function);
    }

    @Test
    void countsOutcomesAndTries() throws IOException {
        CompletionStage<?> refused = async.get(FOO);
        scheduler.pass(TIMEOUT);
        assertInstanceOf(RefusedException.class, failure(refused));
        ClientStats before = client.stats();
        assertEquals(1, before.refused().get(Kind.CLUSTER_DOWN));
        long tries = before.retries().get(Kind.CLUSTER_DOWN);
        assertTrue(tries > 5, () -> tries + " tries");

        begin(LEFT, new NodeId("absent"));
        CompletionStage<?> read = async.get(BAR);
        CompletionStage<?> changed = async.increment(BAR, 1);
        scheduler.pass(Duration.ofMillis(10));
        nodes.get(primaryOf(LEFT)).close();
        scheduler.pass(Duration.ofMillis(10));
        begin(LEFT);
        scheduler.pass(Duration.ofMillis(300));
        assertTrue(isDone(read) && isDone(changed));
        assertInstanceOf(
                IllegalStateException.class,
                failure(client.withTimeout(Duration.ofSeconds(1)).async().reading(store -> store.delete(BAR))));

        ClientStats after = client.stats();
        assertEquals(1, after.succeeded());
        assertEquals(1, after.refused().get(Kind.CLUSTER_DOWN));
        assertEquals(1, after.unknown().get(OutcomeUnknownException.Reason.CLOSED));
        assertEquals(0, after.unknown().get(OutcomeUnknownException.Reason.TIMEOUT));
        assertEquals(1, after.failed());
        assertEquals(1, after.repeatedReads());
    }

    /** What was lent to the operation must not be touched when its caller has it back. */
    @Test
    void whoGivesUpWaitsForARunThatIsUnderWay() throws Exception {
        begin(LEFT);
        AtomicReference<ClientOperation<Boolean>> operation = new AtomicReference<>();
        AtomicReference<RuntimeException> known = new AtomicReference<>();
        Thread caller = new Thread(
                () -> known.set(operation.get().abandon(OutcomeUnknownException.Reason.INTERRUPTED)), "caller");
        List<Boolean> waits = new ArrayList<>();
        operation.set(operation(store -> {
            store.set(BAR, FOO);
            caller.start();
            Wired.await(() -> caller.getState() == Thread.State.BLOCKED || !caller.isAlive());
            waits.add(caller.isAlive());
            return true;
        }));
        operation.get().run();
        caller.join();

        assertEquals(List.of(true), waits);
        OutcomeUnknownException unknown = assertInstanceOf(OutcomeUnknownException.class, known.get());
        assertEquals(OutcomeUnknownException.Reason.INTERRUPTED, unknown.reason());
        assertEquals(primaryOf(LEFT), unknown.node());
    }

    @Test
    void whatIsGivenUpBeforeItBeganIsNotRun() throws IOException {
        begin(LEFT);
        List<Integer> runs = new ArrayList<>();
        ClientOperation<Boolean> operation = operation(store -> runs.add(runs.size()));
        assertInstanceOf(CancellationException.class, operation.abandon(OutcomeUnknownException.Reason.INTERRUPTED));
        operation.run();

        assertEquals(List.of(), runs);
        assertTrue(operation.outcome().isCancelled());
    }

    @Test
    void theDeadlineIsTheCallers() throws IOException {
        begin(RIGHT);
        CompletionStage<?> hasty =
                client.withTimeout(Duration.ofMillis(50)).async().get(BAR);
        scheduler.pass(Duration.ofMillis(50));
        assertInstanceOf(RefusedException.class, failure(hasty));
        assertThrows(IllegalArgumentException.class, () -> client.withTimeout(Duration.ZERO));
        assertThrows(IllegalStateException.class, () -> ClusterClient.builder().build());
        assertEquals("ClusterClient[2 shards, writes MAJORITY, reads CONFIRMED, timeout PT2S]", client.toString());
        assertEquals(client.toString(), client.store().toString());
    }
}
