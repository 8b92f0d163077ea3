package io.kvorum.cluster;

import static io.kvorum.cluster.Wired.A;
import static io.kvorum.cluster.Wired.B;
import static io.kvorum.cluster.Wired.C;
import static io.kvorum.cluster.Wired.LIMIT;
import static io.kvorum.cluster.Wired.SHARD;
import static io.kvorum.cluster.Wired.WATCHER;
import static io.kvorum.cluster.Wired.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.failover.OperationFailedException;
import io.kvorum.failover.SentinelFact;
import io.kvorum.failover.SentinelList;
import io.kvorum.failover.SentinelSettings;
import io.kvorum.failover.SentinelState;
import io.kvorum.failover.SentinelStateStore;
import io.kvorum.failover.ShardPrimary;
import io.kvorum.failover.runtime.CorruptStateException;
import io.kvorum.failover.runtime.FileSentinelStateStore;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ClusterSentinelTest {
    @TempDir
    private Path directory;

    @Test
    void aPrimaryThatIsGoneIsReplacedAndNothingIsLost() throws IOException {
        try (Wired wired = Wired.started(directory)) {
            wired.set("key", "value");

            wired.close(A);

            await(() -> !wired.primary().equals(A));
            assertEquals("value", wired.get(wired.primary(), "key"));
            wired.set("key", "after");
            wired.start(A, builder -> builder);
            wired.awaitFollowing(A);
            await(() -> "after".equals(wired.get(A, "key")));
        }
    }

    @Test
    void aSwitchoverIsDoneOnCommand() throws IOException {
        try (Wired wired = Wired.started(directory)) {
            wired.set("key", "value");
            wired.awaitFollowing(B);
            wired.awaitFollowing(C);

            ShardPrimary after =
                    wired.sentinel().failOver(SHARD).toCompletableFuture().join();

            assertNotEquals(A, after.primary());
            assertEquals(after.primary(), wired.primary());
            wired.awaitFollowing(A);
        }
    }

    @Test
    void aShardIsHandedOverToTheNodeThatIsAskedFor() throws IOException {
        try (Wired wired = Wired.started(directory)) {
            wired.awaitFollowing(B);
            wired.awaitFollowing(C);

            assertEquals(
                    C,
                    wired.sentinel()
                            .failOver(SHARD, C)
                            .toCompletableFuture()
                            .join()
                            .primary());
            assertEquals(C, wired.primary());
            wired.awaitFollowing(A);
        }
    }

    @Test
    void aShardThatLostAllDataIsBegunAnewOnCommandOnly() throws IOException {
        try (Wired wired = Wired.started(directory)) {
            wired.set("key", "lost");
            Queue<SentinelFact> facts = facts(wired);
            for (NodeId id : new NodeId[] {A, B, C}) {
                wired.close(id);
                wired.start(id, builder -> builder);
            }

            await(() -> facts.stream().anyMatch(SentinelFact.NoFailoverPossible.class::isInstance));
            CompletionException refused = assertThrows(CompletionException.class, wired::bootstrap);
            assertInstanceOf(OperationFailedException.class, refused.getCause());
            wired.sentinel().beginAnew(SHARD).toCompletableFuture().join();

            assertEquals(null, wired.get(wired.primary(), "key"));
            wired.set("key", "new");
        }
    }

    @Test
    void aSentinelThatIsStartedAgainKnowsWhatItKnew() throws IOException {
        try (Wired wired = Wired.started(directory)) {
            NodeId after = wired.sentinel()
                    .failOver(SHARD)
                    .toCompletableFuture()
                    .join()
                    .primary();
            await(() -> after.equals(savedPrimary(wired)));
            wired.sentinel().close();

            ClusterSentinel again = wired.startSentinel(builder -> builder);

            assertEquals(after, again.topology().shard(SHARD).primary());
            wired.set("key", "value");
        }
    }

    /** What it has lost it asks the nodes for. */
    @Test
    void aSentinelThatLostItsStateFindsThePrimary() throws IOException {
        try (Wired wired = Wired.started(directory)) {
            NodeId after = wired.sentinel()
                    .failOver(SHARD)
                    .toCompletableFuture()
                    .join()
                    .primary();
            wired.sentinel().close();
            Files.deleteIfExists(wired.stateOfSentinel());

            wired.startSentinel(builder -> builder);

            await(() -> wired.primary().equals(after));
            wired.set("key", "value");
        }
    }

    @Test
    void closingEndsEveryThreadThatItStarted() throws Exception {
        Set<Thread> before = Wired.threads();
        try (Wired wired = new Wired(directory)) {
            ClusterSentinel sentinel = wired.startSentinel(builder -> builder);
            await(() -> sentinel.driver().down(SHARD).size() == 3);
            Set<Thread> started = new HashSet<>(Wired.threads());
            started.removeAll(before);
            assertFalse(started.isEmpty());

            sentinel.close();
            sentinel.close();

            for (Thread thread : started) {
                thread.join(LIMIT.toMillis());
                assertFalse(thread.isAlive(), thread::getName);
            }
        }
    }

    @Test
    void aListenerMayCloseTheSentinel() throws IOException {
        try (Wired wired = new Wired(directory)) {
            ClusterSentinel sentinel = wired.startSentinel(builder -> builder);
            sentinel.addListener(event -> sentinel.close());

            await(() -> !sentinel.driver().isRunning());
        }
    }

    @Test
    void aMissingDirectoryIsAnErrorAndStartsNothing() throws IOException {
        Set<Thread> before = Wired.threads();
        try (Wired wired = new Wired(directory)) {
            Files.delete(wired.directoryOf(WATCHER));

            assertThrows(
                    NoSuchFileException.class, () -> wired.sentinelBuilder().start());
            assertFalse(Files.exists(wired.directoryOf(WATCHER)));
        }
        assertEquals(before, Wired.threads());
    }

    @Test
    void aStateFileThatNobodyWroteIsRefused() throws IOException {
        try (Wired wired = new Wired(directory)) {
            Broken.fillWithGarbage(wired.stateOfSentinel());
            assertThrows(
                    CorruptStateException.class, () -> wired.sentinelBuilder().start());

            Broken.makeHuge(wired.stateOfSentinel()); // reading all of it would end this JVM
            assertThrows(
                    CorruptStateException.class, () -> wired.sentinelBuilder().start());
        }
    }

    @Test
    void whatIsMissingIsNamed() {
        IllegalStateException failure = assertThrows(
                IllegalStateException.class,
                () -> ClusterSentinel.builder(WATCHER, SentinelList.of(WATCHER), ClusterTopology.EMPTY)
                        .start());
        assertEquals("sentinel watcher must have a transport", failure.getMessage());
    }

    @Test
    void whatNoSentinelCanBeIsRefused() {
        NodeId self = new NodeId("sentinel-1");
        SentinelList list = SentinelList.of(List.of(self));
        for (ClusterSentinel.Builder wrong : List.of(
                ClusterSentinel.builder(new NodeId("stranger"), list, ClusterTopology.EMPTY)
                        .settings(SentinelSettings.defaults().withQuorum(1)),
                ClusterSentinel.builder(self, list, ClusterTopology.EMPTY)
                        .settings(SentinelSettings.defaults().withQuorum(2)))) {
            ClusterSentinel.Builder builder =
                    wrong.transport((to, message) -> {}).gateway((node, command, answer) -> {});
            assertThrows(IllegalArgumentException.class, builder::start);
        }
    }

    /** As when the disk is full. */
    @Test
    void aStateThatCannotBeSavedHoldsNothingUp() throws IOException {
        try (Wired wired = new Wired(directory)) {
            wired.startNodes();
            wired.startSentinel(builder -> builder.stateStore(new SentinelStateStore() {
                @Override
                public @Nullable SentinelState load() {
                    return null;
                }

                @Override
                public void save(SentinelState state) throws IOException {
                    throw new IOException("no space left on device");
                }
            }));
            Queue<SentinelFact> facts = facts(wired);
            wired.bootstrap();
            wired.set("key", "value");

            await(() -> facts.stream().anyMatch(SentinelFact.StateNotSaved.class::isInstance));
            wired.close(A);
            await(() -> !wired.primary().equals(A));
            assertEquals("value", wired.get(wired.primary(), "key"));
            assertEquals(List.of(A), wired.sentinel().driver().down(SHARD));
        }
    }

    @Test
    void aGatewayAndListenersThatThrowEndNothing() throws IOException {
        AtomicInteger commands = new AtomicInteger();
        try (Wired wired = new Wired(directory)) {
            wired.startNodes();
            wired.startSentinel(builder -> builder.listener(event -> {
                        throw new AssertionError("the listener is told to fail");
                    })
                    .gateway((to, command, answer) -> {
                        if (commands.incrementAndGet() % 3 == 0) {
                            throw new StackOverflowError("the gateway is told to fail");
                        }
                        wired.execute(to, command, answer);
                    }));
            Queue<SentinelFact> facts = facts(wired);

            await(() -> begins(wired));

            wired.set("key", "value");
            await(() -> facts.stream().anyMatch(SentinelFact.CallFailed.class::isInstance));
            assertTrue(wired.sentinel().driver().failedCalls() > 1);
            assertTrue(wired.sentinel().driver().isRunning());
        }
    }

    /** A command that was lost may have the operation end; a retry is safe. */
    private static boolean begins(Wired wired) {
        try {
            wired.bootstrap();
            return true;
        } catch (CompletionException e) {
            assertInstanceOf(OperationFailedException.class, e.getCause());
            return wired.node(A).status().writable();
        }
    }

    private static Queue<SentinelFact> facts(Wired wired) {
        Queue<SentinelFact> facts = new ConcurrentLinkedQueue<>();
        wired.sentinel().addListener(event -> facts.add(event.fact()));
        return facts;
    }

    /** {@return the primary of the shard by the state that the sentinel has saved, or null if it has saved none} */
    private static @Nullable NodeId savedPrimary(Wired wired) {
        try {
            SentinelState state = new FileSentinelStateStore(wired.stateOfSentinel()).load();
            return state == null ? null : state.shards().get(0).primary().primary();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
