package io.kvorum.testkit;

import static io.kvorum.core.replicated.ReadLevel.LOCAL;
import static io.kvorum.testkit.Clusters.FIRST;
import static io.kvorum.testkit.Clusters.LIMIT;
import static io.kvorum.testkit.Clusters.SECOND;
import static io.kvorum.testkit.Clusters.SENTINEL;
import static io.kvorum.testkit.Clusters.bytes;
import static io.kvorum.testkit.Clusters.keyIn;
import static io.kvorum.testkit.Clusters.local;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.failover.OperationFailedException;
import io.kvorum.failover.SentinelFact;
import io.kvorum.failover.SentinelSettings;
import io.kvorum.failover.ShardPrimary;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.replication.ReplicationEvent;
import io.kvorum.slots.topology.NodeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** When nodes and sentinels are lost. */
final class LocalClusterFailoverTest {
    private static final LocalClusterSettings SETTINGS = Clusters.settings(Duration.ofMillis(300));

    private final LocalCluster cluster = LocalCluster.start(SETTINGS);
    private final Queue<ClusterEvent> events = new ConcurrentLinkedQueue<>();

    LocalClusterFailoverTest() {
        cluster.onEvent(events::add);
        cluster.awaitReady(LIMIT);
    }

    @AfterEach
    void close() {
        cluster.close();
    }

    @Test
    void aCrashedPrimaryIsReplacedAndNothingAcknowledgedIsLost() {
        LocalNode crashed = cluster.primaryOf(FIRST);
        byte[] key = keyIn(cluster, FIRST);
        cluster.client().set(key, bytes("before"));

        crashed.crash();

        cluster.awaitReady(LIMIT);
        assertNotEquals(crashed, cluster.primaryOf(FIRST));
        assertArrayEquals(bytes("before"), cluster.client().get(key));
        cluster.client().set(key, bytes("after"));
        assertArrayEquals(bytes("after"), cluster.client().get(key));
        assertTrue(happened(event ->
                event instanceof ClusterEvent.OfSentinel of && of.event().fact() instanceof SentinelFact.Switched));
    }

    @Test
    void aNodeThatComesBackEmptyTakesAFullSyncAndFollows() {
        LocalNode crashed = cluster.primaryOf(FIRST);
        cluster.client().set(keyIn(cluster, FIRST), bytes("value"));
        crashed.crash();
        cluster.awaitReady(LIMIT);

        crashed.restart();

        assertTrue(cluster.await(() -> crashed.status().complete(), LIMIT));
        cluster.awaitReady(LIMIT);
        LocalNode primary = cluster.primaryOf(FIRST);
        assertEquals(primary.id(), crashed.status().primary());
        assertEquals(1, crashed.size());
        assertEquals(primary.digest(), crashed.digest());
        assertTrue(happened(event -> event instanceof ClusterEvent.OfNode of
                && of.event() instanceof ReplicationEvent.FullSyncCompleted
                && of.event().node().equals(crashed.id())));
    }

    @Test
    void anIsolatedPrimaryAcknowledgesNothingAndFollowsOnceItIsHealed() {
        LocalNode isolated = cluster.primaryOf(FIRST);
        byte[] key = keyIn(cluster, FIRST);
        cluster.client().set(key, bytes("before"));

        isolated.isolate();

        assertThrows(
                OutcomeUnknownException.class,
                () -> isolated.store()
                        .store(Acknowledgement.MAJORITY, LOCAL, Duration.ofMillis(50))
                        .set(key, bytes("lost")));
        assertTrue(cluster.await(() -> cluster.primaryOf(FIRST) != isolated, LIMIT));
        cluster.client().set(key, bytes("after"));
        cluster.heal();
        cluster.awaitReady(LIMIT);
        assertArrayEquals(bytes("after"), local(isolated).get(key));
        assertTrue(happened(event ->
                event instanceof ClusterEvent.OfNode of && of.event() instanceof ReplicationEvent.RecordsDiscarded));
    }

    @Test
    void twoOfThreeSentinelsAreEnoughAndOneIsNot() {
        cluster.sentinel(new NodeId("sentinel-3")).crash();
        cluster.primaryOf(FIRST).crash();
        cluster.awaitReady(LIMIT);
        assertNotEquals(new NodeId("node-1.1"), cluster.primaryOf(FIRST).id());

        cluster.sentinel(new NodeId("sentinel-2")).crash();
        assertTrue(cluster.await(
                () -> !cluster.sentinel(SENTINEL).driver().quorumCheck().votesReachable(), LIMIT));
        CompletionStage<ShardPrimary> failover =
                cluster.sentinel(SENTINEL).driver().failOver(SECOND);
        assertThrows(CompletionException.class, failover.toCompletableFuture()::join);

        cluster.sentinel(new NodeId("sentinel-2")).restart();
        cluster.awaitReady(LIMIT);
    }

    @Test
    void aSentinelGoesOnWithOtherSettings() {
        LocalSentinel sentinel = cluster.sentinel(SENTINEL);
        SentinelSettings before = sentinel.settings();
        assertThrows(IllegalArgumentException.class, () -> sentinel.reconfigure(before.withQuorum(4)));
        assertSame(before, sentinel.settings());

        sentinel.reconfigure(before.withQuorum(3));
        assertTrue(cluster.await(() -> sentinel.driver().quorumCheck().quorumReachable(), LIMIT));
        cluster.sentinel(new NodeId("sentinel-2")).crash();
        assertTrue(cluster.await(() -> !sentinel.driver().quorumCheck().quorumReachable(), LIMIT));
        sentinel.reconfigure(before);
        assertTrue(cluster.await(() -> sentinel.driver().quorumCheck().quorumReachable(), LIMIT));
    }

    @Test
    void aSentinelThatIsCrashedWhileItIsGivenSettingsIsNotStartedAgain() {
        LocalSentinel sentinel = cluster.sentinel(SENTINEL);
        cluster.sentinel(new NodeId("sentinel-3")).crash();
        cluster.sentinel(new NodeId("sentinel-2")).crash();
        CompletionStage<ShardPrimary> failover = sentinel.driver().failOver(FIRST);
        CompletableFuture<?> crashed = failover.handle((primary, failure) -> {
                    sentinel.crash(); // as the operation fails with the sentinel that is replaced
                    return failure;
                })
                .toCompletableFuture();
        sentinel.reconfigure(sentinel.settings());

        assertInstanceOf(OperationFailedException.class, crashed.join());
        assertFalse(sentinel.isRunning());
    }

    @Test
    void closingEndsEveryThreadAndEveryEvent() {
        Set<Thread> before = threads();
        LocalCluster other = LocalCluster.start(SETTINGS);
        List<ClusterEvent> heard = new ArrayList<>();
        other.onEvent(heard::add);
        other.awaitReady(LIMIT);
        assertFalse(newThreads(before).isEmpty());

        other.primaryOf(FIRST).crash(); // a failover is about to begin
        other.close();

        assertEquals(Set.of(), newThreads(before));
        int count = heard.size();
        other.close();
        assertEquals(count, heard.size());
        cluster.awaitReady(LIMIT); // another cluster in the same JVM is not touched
        cluster.client().set(keyIn(cluster, FIRST), bytes("value"));
    }

    private static Set<Thread> newThreads(Set<Thread> before) {
        Set<Thread> threads = threads();
        threads.removeAll(before);
        return threads;
    }

    private static Set<Thread> threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("kvorum-local-"))
                .collect(Collectors.toSet());
    }

    private boolean happened(Predicate<ClusterEvent> event) {
        return cluster.await(() -> events.stream().anyMatch(event), LIMIT);
    }
}
