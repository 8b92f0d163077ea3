package io.kvorum.cluster;

import static io.kvorum.cluster.Wired.A;
import static io.kvorum.cluster.Wired.B;
import static io.kvorum.cluster.Wired.C;
import static io.kvorum.cluster.Wired.LIMIT;
import static io.kvorum.cluster.Wired.SHARD;
import static io.kvorum.cluster.Wired.await;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.cluster.sockets.SharedMap;
import io.kvorum.failover.SentinelFact;
import io.kvorum.failover.SentinelFact.NoFailoverPossible;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.NodeRole;
import io.kvorum.replication.NodeStatus;
import io.kvorum.replication.PromiseStoreException;
import io.kvorum.replication.ReplicationEvent;
import io.kvorum.slots.Scheduler;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ClusterNodeTest {
    @TempDir
    private Path directory;

    @Test
    void aShardBeginsAndAcknowledgesWrites() throws IOException {
        try (Wired wired = Wired.started(directory)) {
            assertEquals(A, wired.primary());
            wired.set("key", "value");
            wired.awaitFollowing(B);
            wired.awaitFollowing(C);
            await(() -> "value".equals(wired.get(B, "key")) && "value".equals(wired.get(C, "key")));
            assertEquals(1, wired.node(A).size());
            assertEquals(
                    "a (PRIMARY of shard at " + wired.node(A).status().position() + ")",
                    wired.node(A).toString());
        }
    }

    @Test
    void closingEndsEveryThreadThatItStarted() throws Exception {
        Set<Thread> before = Wired.threads();
        Wired wired = Wired.started(directory);
        Set<Thread> started = new HashSet<>(Wired.threads());
        started.removeAll(before);
        assertTrue(started.size() >= 4, started::toString);

        wired.close();
        wired.close();

        for (Thread thread : started) {
            thread.join(LIMIT.toMillis());
            assertFalse(thread.isAlive(), thread::getName);
        }
    }

    @Test
    void aNodeThatIsStartedAgainIsTheSameMemberInAnotherLife() throws IOException {
        try (Wired wired = Wired.started(directory)) {
            wired.set("key", "value");
            NodeStatus before = wired.node(C).status();
            wired.close(C);

            ClusterNode again = wired.start(C, builder -> builder);

            assertEquals(before.incarnation(), again.status().incarnation());
            assertEquals(before.life() + 1, again.status().life());
            assertTrue(again.status().begun());
            wired.awaitFollowing(C);
            await(() -> "value".equals(wired.get(C, "key")));
        }
    }

    /** It is nobody until the member list names it. */
    @Test
    void aNodeWhosePromiseIsLostIsAnotherMemberAndTakenInAgain() throws IOException {
        try (Wired wired = Wired.started(directory)) {
            wired.set("key", "value");
            wired.awaitFollowing(C);
            long lost = wired.node(C).status().incarnation();
            wired.close(C);
            Files.delete(wired.promiseOf(C));

            ClusterNode again = wired.start(C, builder -> builder);

            NodeStatus status = again.status();
            assertNotEquals(lost, status.incarnation());
            assertEquals(1, status.life());
            assertEquals(NodeRole.REPLICA, status.role());
            await(() -> members(wired).contains(new Member(C, status.incarnation())));
            assertFalse(members(wired).contains(new Member(C, lost)));
            wired.awaitFollowing(C);
            await(() -> "value".equals(wired.get(C, "key")));
        }
    }

    @Test
    void aNodeWhosePromiseIsLostCountsForNothingAndIsNotPromoted() throws IOException {
        try (Wired wired = Wired.started(directory)) {
            wired.set("key", "value");
            wired.close(C);
            Files.delete(wired.promiseOf(C));
            wired.cutOff(A);
            Queue<SentinelFact> facts = new ConcurrentLinkedQueue<>();
            wired.sentinel().addListener(event -> facts.add(event.fact()));
            ClusterNode again = wired.start(C, builder -> builder);

            // b alone is no majority, and what c is now is no member
            await(() -> facts.stream()
                    .anyMatch(fact -> fact instanceof NoFailoverPossible told
                            && told.missing().equals(List.of(A))
                            && told.incomplete().equals(List.of(C))));
            assertFalse(again.status().complete());
            assertFalse(again.status().writable());
            assertFalse(wired.node(B).status().writable());
            assertEquals(A, wired.primary());
        }
    }

    private static List<Member> members(Wired wired) {
        return wired.node(A).status().membership().current().members();
    }

    @Test
    void aMissingDirectoryIsAnErrorAndStartsNothing() throws IOException {
        Set<Thread> before = Wired.threads();
        try (Wired wired = new Wired(directory)) {
            Files.delete(wired.directoryOf(A));

            assertThrows(PromiseStoreException.class, () -> wired.builder(A).start());
            assertFalse(Files.exists(wired.directoryOf(A)));
        }
        assertEquals(before, Wired.threads());
    }

    @Test
    void aPromiseFileThatNobodyWroteIsRefusedAndStays() throws IOException {
        try (Wired wired = new Wired(directory)) {
            Broken.fillWithGarbage(wired.promiseOf(A));
            byte[] garbage = Files.readAllBytes(wired.promiseOf(A));
            assertThrows(PromiseStoreException.class, () -> wired.builder(A).start());
            assertEquals(List.of(garbage.length), List.of(Files.readAllBytes(wired.promiseOf(A)).length));

            Broken.makeHuge(wired.promiseOf(B)); // reading all of it would end this JVM
            assertThrows(PromiseStoreException.class, () -> wired.builder(B).start());

            Files.createFile(wired.promiseOf(C));
            assertThrows(PromiseStoreException.class, () -> wired.builder(C).start());
        }
    }

    @Test
    void aPromiseFileWithOneFalseBitIsRefused() throws IOException {
        try (Wired wired = Wired.started(directory)) {
            wired.close(C);
            Broken.damage(wired.promiseOf(C));

            assertThrows(PromiseStoreException.class, () -> wired.builder(C).start());
        }
    }

    @Test
    void whatIsMissingIsNamed() {
        IllegalStateException failure = assertThrows(
                IllegalStateException.class, () -> ClusterNode.builder(SHARD, A).start());
        assertEquals("node a must have a transport", failure.getMessage());
    }

    @Test
    void aStateOfTheOwnersIsReplicatedAsAStoreIs() throws IOException {
        try (Wired wired = new Wired(directory)) {
            for (NodeId id : List.of(A, B, C)) {
                wired.start(id, builder -> builder.state(SharedMap::new));
            }
            wired.startSentinel(builder -> builder);
            wired.bootstrap();
            ClusterNode primary = wired.node(wired.primary());

            LogPosition position = primary.state(SharedMap.class).put("key", "value", LIMIT);
            primary.driver()
                    .acknowledged(position, Acknowledgement.MAJORITY, LIMIT)
                    .toCompletableFuture()
                    .join();

            for (NodeId id : List.of(A, B, C)) {
                await(() -> wired.node(id).state(SharedMap.class).contains("key"));
            }
            wired.close(C);
            wired.start(C, builder -> builder.state(SharedMap::new));
            await(() -> wired.node(C).state(SharedMap.class).contains("key"));
        }
    }

    @Test
    void aNodeHasEitherAStoreOrAStateAndSaysWhich() throws IOException {
        try (Wired wired = new Wired(directory)) {
            ClusterNode node = ClusterNode.builder(SHARD, A) // without a topology
                    .directory(wired.directoryOf(A))
                    .transport((to, message) -> message.release())
                    .state(SharedMap::new)
                    .start();
            try (node) {
                String reason =
                        "node must have a key-value store: a has a state of its owner's, " + SharedMap.class.getName();
                assertEquals(
                        reason,
                        assertThrows(IllegalStateException.class, node::store).getMessage());
                assertEquals(
                        reason,
                        assertThrows(IllegalStateException.class, node::size).getMessage());
            }
            ClusterNode other = wired.start(B, builder -> builder);
            assertEquals(
                    "node must have a " + SharedMap.class.getName() + ": b has a key-value store",
                    assertThrows(IllegalStateException.class, () -> other.state(SharedMap.class))
                            .getMessage());
        }
    }

    @Test
    void whatNoNodeCanHaveIsRefusedWhenItIsSet() {
        ClusterNode.Builder builder = ClusterNode.builder(new ShardId("shard"), A);
        for (int capacity : new int[] {-1, 0, 1, 3000, Integer.MAX_VALUE}) {
            assertThrows(IllegalArgumentException.class, () -> builder.logCapacity(capacity));
        }
        assertThrows(IllegalArgumentException.class, () -> builder.priority(-1));
        assertThrows(NullPointerException.class, () -> ClusterNode.builder(null, A));
        assertThrows(NullPointerException.class, () -> ClusterNode.builder(new ShardId("shard"), null));
    }

    @Test
    void aStateThatCannotBeMadeStartsNothing() throws IOException {
        try (Wired wired = new Wired(directory)) {
            Set<Thread> before = Wired.threads();
            IllegalStateException failure = new IllegalStateException("the state is told to fail");

            assertSame(
                    failure,
                    assertThrows(
                            IllegalStateException.class,
                            () -> wired.start(
                                    A,
                                    builder -> builder.state(log -> {
                                        throw failure;
                                    }))));

            Set<Thread> started = new HashSet<>(Wired.threads());
            started.removeAll(before);
            assertEquals(Set.of(), started);
        }
    }

    @Test
    void listenersThatThrowEndNothingAndSilenceNobody() throws IOException {
        Queue<ReplicationEvent> heard = new ConcurrentLinkedQueue<>();
        try (Wired wired = new Wired(directory)) {
            ClusterNode node = wired.start(
                    A,
                    builder -> builder.listener(event -> {
                        throw new AssertionError("the listener is told to fail");
                    }));
            node.addListener(event -> {
                throw new IllegalStateException("this one too");
            });
            node.addListener(heard::add);
            wired.start(B, builder -> builder);
            wired.start(C, builder -> builder);
            wired.startSentinel(builder -> builder);
            wired.bootstrap();

            wired.set("key", "value");
            await(() -> heard.stream().anyMatch(ReplicationEvent.Promoted.class::isInstance));
            await(() -> heard.stream().anyMatch(ReplicationEvent.UserCodeFailed.class::isInstance));
            assertTrue(node.driver().failedCalls() > 0);
            assertTrue(node.driver().isRunning());
        }
    }

    @Test
    void aTransportThatThrowsLosesAMessageAndEndsNothing() throws IOException {
        AtomicInteger calls = new AtomicInteger();
        try (Wired wired = new Wired(directory)) {
            ClusterNode node = wired.start(
                    A,
                    builder -> builder.transport((to, message) -> {
                        message.release();
                        if (calls.incrementAndGet() % 2 == 0) {
                            throw new AssertionError("the transport is told to fail");
                        }
                        throw new IllegalStateException("the transport is told to fail");
                    }));
            wired.start(B, builder -> builder);
            wired.start(C, builder -> builder);
            wired.startSentinel(builder -> builder);
            wired.bootstrap();

            await(() -> node.driver().failedCalls() > 4);
            assertTrue(node.status().writable());
            wired.store(A, Acknowledgement.LOCAL).set(new byte[1], new byte[1]);
        }
    }

    @Test
    void aSchedulerThatFailsNowAndThenEndsNothing() throws IOException {
        ScheduledExecutorService executor = Executors.newScheduledThreadPool(2);
        Broken.FailingScheduler scheduler = new Broken.FailingScheduler(Scheduler.of(executor));
        try (Wired wired = new Wired(directory)) {
            ClusterNode node = wired.start(A, builder -> builder.scheduler(scheduler));
            wired.start(B, builder -> builder);
            wired.start(C, builder -> builder);
            wired.startSentinel(builder -> builder.scheduler(scheduler));
            wired.bootstrap();

            scheduler.failNext(20);
            await(() -> scheduler.failuresLeft() == 0);

            wired.set("key", "value");
            assertTrue(node.driver().isRunning());
            assertTrue(wired.sentinel().driver().isRunning());
            assertEquals(A, wired.primary());
        } finally {
            executor.shutdownNow();
        }
    }

    @Test
    void anExpiredKeyIsDeletedByItself() throws IOException {
        try (Wired wired = Wired.started(directory)) {
            wired.set("key", "value");
            wired.store(A, Acknowledgement.MAJORITY).expireAt("key".getBytes(UTF_8), System.currentTimeMillis() + 5);

            await(() -> wired.node(A).size() == 0 && wired.node(B).size() == 0);
        }
    }
}
