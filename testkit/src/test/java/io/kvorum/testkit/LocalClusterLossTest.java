package io.kvorum.testkit;

import static io.kvorum.testkit.Clusters.FIRST;
import static io.kvorum.testkit.Clusters.LIMIT;
import static io.kvorum.testkit.Clusters.SENTINEL;
import static io.kvorum.testkit.Clusters.bytes;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.replicated.ReadLevel;
import io.kvorum.failover.OperationFailedException;
import io.kvorum.failover.SentinelFact;
import io.kvorum.failover.SentinelFact.NoFailoverPossible;
import io.kvorum.failover.SentinelFact.Obstacle;
import io.kvorum.failover.ShardPrimary;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.ReplicationEvent;
import io.kvorum.replication.ReplicationSettings;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** When more is lost than a failover can make good, or the sentinels see less than there is. */
@Tag("long")
final class LocalClusterLossTest {
    private static final byte[] KEY = bytes("key");
    private static final LocalClusterSettings ONE_SHARD =
            Clusters.settings(Duration.ofMillis(300)).withShards(1);

    private final Queue<ClusterEvent> events = new ConcurrentLinkedQueue<>();
    private LocalCluster cluster = LocalCluster.start(ONE_SHARD);

    @AfterEach
    void close() {
        cluster.close();
    }

    private void start(LocalClusterSettings settings) {
        cluster.close();
        cluster = LocalCluster.start(settings);
        cluster.onEvent(events::add);
        cluster.awaitReady(LIMIT);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aShardWhoseNodesAllCameBackEmptyWaitsForTheCommandToBeginAnew(boolean allowLossyFailover) {
        start(ONE_SHARD.withFailover(ONE_SHARD.failover().withAllowLossyFailover(allowLossyFailover)));
        cluster.client().set(KEY, bytes("lost"));

        cluster.nodes().forEach(LocalNode::crash);
        cluster.nodes().forEach(LocalNode::restart);

        assertTrue(told(NoFailoverPossible.class, told -> told.incomplete().size() == 3));
        assertTrue(cluster.nodes().stream().noneMatch(node -> node.status().writable()));
        beginAnew();
        cluster.awaitReady(LIMIT);
        assertNull(cluster.client().get(KEY));
        cluster.client().set(KEY, bytes("new"));
        assertArrayEquals(bytes("new"), cluster.client().get(KEY));
        assertTrue(told(SentinelFact.ShardBegun.class, SentinelFact.ShardBegun::dataLost));
    }

    @Test
    void aShardOfOneThatCameBackEmptyIsBegunAnewToo() {
        start(ONE_SHARD.withReplicas(0));
        cluster.client().set(KEY, bytes("lost"));
        LocalNode only = cluster.primaryOf(FIRST);

        only.crash();
        only.restart();

        assertTrue(told(NoFailoverPossible.class, told -> told.incomplete().equals(List.of(only.id()))));
        beginAnew();
        cluster.awaitReady(LIMIT);
        assertNull(cluster.client().get(KEY));
    }

    @Test
    void beginningAnewKeepsTheDataThatOneNodeStillHas() {
        start(ONE_SHARD);
        cluster.client().set(KEY, bytes("kept"));
        cluster.awaitReady(LIMIT);
        LocalNode survivor = cluster.nodes().get(2);

        for (LocalNode node : cluster.nodes().subList(0, 2)) {
            node.crash();
            node.restart();
        }

        assertTrue(told(NoFailoverPossible.class, told -> told.obstacle() == Obstacle.TOO_FEW_MEMBERS));
        assertEquals(survivor.id(), beginAnew().primary());
        cluster.awaitReady(LIMIT);
        assertArrayEquals(bytes("kept"), cluster.client().get(KEY));
    }

    @Test
    void aShardThatHasBegunIsNotBootstrappedAgain() {
        start(ONE_SHARD);
        cluster.client().set(KEY, bytes("kept"));

        CompletionException failure = assertThrows(
                CompletionException.class,
                () -> cluster.sentinel(SENTINEL)
                        .driver()
                        .bootstrap(FIRST)
                        .toCompletableFuture()
                        .join());

        assertInstanceOf(OperationFailedException.class, failure.getCause());
        assertArrayEquals(bytes("kept"), cluster.client().get(KEY));
    }

    @Test
    void aNodeOnANewDiskIsAnotherMemberAndTakenInOnceItIsComplete() {
        start(ONE_SHARD);
        cluster.client().set(KEY, bytes("kept"));
        LocalNode node = cluster.nodes().get(2);
        long incarnation = node.status().incarnation();

        node.crash();
        node.restartOnNewDisk();

        assertNotEquals(incarnation, node.status().incarnation());
        assertTrue(happened(event -> event instanceof ClusterEvent.OfNode of
                && of.event() instanceof ReplicationEvent.MembersChanged changed
                && changed.members().members().stream()
                        .anyMatch(
                                member -> member.incarnation() == node.status().incarnation())));
        cluster.awaitReady(LIMIT);
        assertEquals(1, node.size());
    }

    /** Nothing is given up that works: the primary writes on with the one complete replica. */
    @Test
    void aServingShardIsNotDeposedWhileNobodyCouldTakeOver() {
        start(ONE_SHARD);
        LocalNode primary = cluster.primaryOf(FIRST);
        LocalNode syncing = cluster.nodes().get(2);
        long epoch = primary.status().epoch();
        List<NodeId> sentinels =
                cluster.sentinels().stream().map(LocalSentinel::id).toList();
        syncing.crash();
        cluster.cut(List.of(primary.id()), List.of(syncing.id()));
        syncing.restart();

        cluster.cut(sentinels, List.of(primary.id()));
        cluster.cut(List.of(primary.id()), sentinels);

        assertTrue(told(
                NoFailoverPossible.class,
                told -> told.missing().equals(List.of(primary.id()))
                        && told.incomplete().equals(List.of(syncing.id()))));
        primary.store()
                .store(Acknowledgement.MAJORITY, ReadLevel.CONFIRMED, LIMIT)
                .set(KEY, bytes("served"));
        assertEquals(epoch, primary.status().epoch());
        assertTrue(primary.status().writable());
        assertFalse(happenedSoFar(event -> event instanceof ClusterEvent.OfSentinel of
                && of.event().fact() instanceof SentinelFact.EpochTaken taken
                && taken.epoch() > epoch));

        cluster.heal();
        cluster.awaitReady(LIMIT);
        assertEquals(primary, cluster.primaryOf(FIRST));
        assertArrayEquals(bytes("served"), cluster.client().get(KEY));
    }

    /** A sentinel that has just started knows nothing of the primary; what it is asked for stays a switchover. */
    @Test
    void aSwitchoverBeforeTheFirstReportPausesThePrimaryOrChangesNothing() {
        start(ONE_SHARD);
        LocalSentinel sentinel = cluster.sentinel(SENTINEL);
        long epoch = cluster.primaryOf(FIRST).status().epoch();
        cluster.sentinels().forEach(LocalSentinel::crash);
        events.clear();
        cluster.sentinels().forEach(LocalSentinel::restart);

        ShardPrimary after = null;
        try {
            after = sentinel.driver().failOver(FIRST).toCompletableFuture().join();
        } catch (CompletionException e) {
            assertInstanceOf(OperationFailedException.class, e.getCause());
        }

        if (after == null) {
            assertEquals(epoch, cluster.primaryOf(FIRST).status().epoch());
        } else {
            boolean told = cluster.await( // by another thread than the result
                    () -> told(
                            SentinelFact.PrimaryPaused.class,
                            fact -> fact.shard().equals(FIRST)),
                    LIMIT);
            assertTrue(told, () -> "a primary that may be well must hand over itself, instead: " + events);
        }
        cluster.awaitReady(LIMIT);
        cluster.client().set(KEY, bytes("value"));
    }

    @Test
    void aPrimaryWithTooFewReplicasTakesNoWriteFromItsFirstMoment() {
        start(ONE_SHARD.withReplication(ReplicationSettings.defaults()
                .withHeartbeatInterval(Duration.ofMillis(20))
                .withMinReplicas(2)));
        cluster.client().set(KEY, bytes("kept"));
        LocalNode before = cluster.primaryOf(FIRST);
        Queue<String> taken = new ConcurrentLinkedQueue<>();
        cluster.onEvent(event -> {
            if (event instanceof ClusterEvent.OfNode of && of.event() instanceof ReplicationEvent.Promoted promoted) {
                tryToWrite(cluster.node(promoted.node()), taken);
            }
        });

        before.crash();

        assertTrue(cluster.await(() -> cluster.primaryOf(FIRST) != before, LIMIT));
        tryToWrite(cluster.primaryOf(FIRST), taken);
        assertEquals(List.of(), List.copyOf(taken));
        before.restart();
        assertTrue(cluster.await(() -> cluster.primaryOf(FIRST).status().writable(), LIMIT));
        cluster.client().set(KEY, bytes("after"));
    }

    private static void tryToWrite(LocalNode node, Queue<String> taken) {
        try {
            Clusters.local(node).set(KEY, bytes("too early"));
            taken.add(node + " took a write");
        } catch (RefusedException e) {
            if (e.kind() != RefusedException.Kind.TOO_FEW_REPLICAS) {
                taken.add(node + " refused with " + e);
            }
        }
    }

    private ShardPrimary beginAnew() {
        return cluster.sentinel(SENTINEL)
                .driver()
                .beginAnew(FIRST)
                .toCompletableFuture()
                .join();
    }

    private <F extends SentinelFact> boolean told(Class<F> type, Predicate<F> matching) {
        return cluster.await(() -> facts(type).anyMatch(matching), LIMIT);
    }

    private <F extends SentinelFact> Stream<F> facts(Class<F> type) {
        return events.stream()
                .filter(ClusterEvent.OfSentinel.class::isInstance)
                .map(event -> ((ClusterEvent.OfSentinel) event).event().fact())
                .filter(type::isInstance)
                .map(type::cast);
    }

    private boolean happened(Predicate<ClusterEvent> event) {
        return cluster.await(() -> happenedSoFar(event), LIMIT);
    }

    private boolean happenedSoFar(Predicate<ClusterEvent> event) {
        return events.stream().anyMatch(event);
    }
}
