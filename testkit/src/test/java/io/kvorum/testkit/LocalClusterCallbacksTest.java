package io.kvorum.testkit;

import static io.kvorum.testkit.Clusters.FIRST;
import static io.kvorum.testkit.Clusters.LIMIT;
import static io.kvorum.testkit.Clusters.bytes;
import static io.kvorum.testkit.Clusters.keyIn;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.replication.ReplicationEvent;
import io.kvorum.slots.topology.Shard;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the code of a test may do when the cluster calls it. */
final class LocalClusterCallbacksTest {
    private final LocalCluster cluster = LocalCluster.start(Clusters.settings(Duration.ofMillis(300)));

    LocalClusterCallbacksTest() {
        cluster.awaitReady(LIMIT);
    }

    @AfterEach
    void close() {
        cluster.close();
    }

    @Test
    void anAssertionInAConditionReachesTheCallerAtOnce() {
        AtomicInteger checks = new AtomicInteger();
        AssertionError thrown = assertThrows(
                AssertionError.class,
                () -> cluster.await(
                        () -> {
                            assertEquals(1, checks.incrementAndGet() + 1);
                            return true;
                        },
                        LIMIT));

        assertEquals("expected: <1> but was: <2>", thrown.getMessage());
        assertEquals(1, checks.get());
    }

    @Test
    void anExceptionOfAConditionReachesTheCallerToo() {
        IllegalStateException thrown = assertThrows(
                IllegalStateException.class,
                () -> cluster.await(
                        () -> {
                            throw new IllegalStateException("not yet started");
                        },
                        LIMIT));

        assertEquals("not yet started", thrown.getMessage());
    }

    @Test
    void aListenerThatThrowsEndsNothingInTheClusterAndFailsTheTest() {
        Queue<ClusterEvent> heard = new ConcurrentLinkedQueue<>();
        AssertionError failure = new AssertionError("the listener is told to fail");
        AtomicInteger thrown = new AtomicInteger();
        cluster.onEvent(event -> {
            if (thrown.getAndIncrement() == 0) {
                throw failure;
            }
        });
        cluster.onEvent(heard::add);
        byte[] key = keyIn(cluster, FIRST);
        cluster.client().set(key, bytes("value"));

        cluster.primaryOf(FIRST).crash();

        assertSame(failure, assertThrows(AssertionError.class, () -> cluster.await(() -> false, LIMIT)));
        cluster.awaitReady(LIMIT);
        assertArrayEquals(bytes("value"), cluster.client().get(key));
        assertTrue(cluster.await(
                () -> heard.stream()
                        .anyMatch(event -> event instanceof ClusterEvent.OfNode of
                                && of.event() instanceof ReplicationEvent.Promoted),
                LIMIT));
    }

    /** Each new primary is crashed as soon as it leads, and so is whoever is followed. */
    @Test
    void aListenerMayCrashWhatItHearsOf() throws Exception {
        AtomicInteger crashed = new AtomicInteger();
        cluster.onEvent(event -> {
            if (event instanceof ClusterEvent.OfNode of && of.event() instanceof ReplicationEvent.Promoted promoted) {
                cluster.node(promoted.node()).crash();
                crashed.incrementAndGet();
            } else if (event instanceof ClusterEvent.OfNode of
                    && of.event() instanceof ReplicationEvent.Following following) {
                cluster.node(following.primary()).crash();
                crashed.incrementAndGet();
            }
        });

        for (Shard shard : cluster.topology().shards()) {
            cluster.node(shard.primary()).crash();
        }

        assertTrue(cluster.await(() -> crashed.get() >= 2, LIMIT));
        CompletableFuture.runAsync(cluster::close).get(LIMIT.toSeconds(), TimeUnit.SECONDS);
    }

    @Test
    void aListenerMayCloseTheCluster() throws Exception {
        CountDownLatch closed = new CountDownLatch(1);
        cluster.onEvent(event -> {
            cluster.close();
            closed.countDown();
        });

        cluster.primaryOf(FIRST).crash();

        assertTrue(closed.await(LIMIT.toSeconds(), TimeUnit.SECONDS));
        cluster.close();
        assertTrue(cluster.nodes().stream().noneMatch(LocalNode::isRunning));
    }

    @Test
    void aListenerMayRestartTheNodeThatWasReplaced() {
        LocalNode node = cluster.primaryOf(FIRST);
        cluster.onEvent(event -> {
            if (event instanceof ClusterEvent.OfNode of
                    && of.event() instanceof ReplicationEvent.Promoted
                    && !node.isRunning()) {
                node.restart();
            }
        });

        node.crash();

        assertTrue(cluster.await(() -> node.isRunning() && node.status().complete(), LIMIT));
        cluster.awaitReady(LIMIT);
    }
}
