package io.kvorum.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.topology.NodeId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

final class VirtualTimeTest {
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final byte[] KEY = "key".getBytes(UTF_8);
    private static final byte[] VALUE = "value".getBytes(UTF_8);

    private static LocalCluster ready(long seed) {
        LocalCluster cluster =
                LocalCluster.builder().shards(1).virtualTime(seed).start();
        cluster.awaitReady(LIMIT);
        return cluster;
    }

    @Test
    void aWriteAndAReadWaitOutAFailover() {
        try (LocalCluster cluster = ready(1)) {
            cluster.client().set(KEY, VALUE);
            LocalNode before = cluster.primaryFor(KEY);
            Instant crash = cluster.clock().instant();
            before.crash();
            assertArrayEquals(VALUE, cluster.client().get(KEY));
            assertNotEquals(before, cluster.primaryFor(KEY));
            assertTrue(Duration.between(crash, cluster.clock().instant())
                            .compareTo(cluster.settings().failover().downAfter().dividedBy(2))
                    >= 0);
        }
    }

    @Test
    void timeStandsStillUntilTheTestWaits() {
        try (LocalCluster cluster = ready(1)) {
            Instant before = cluster.clock().instant();
            cluster.primaryFor(KEY).crash();
            assertEquals(before, cluster.clock().instant());
            cluster.advance(Duration.ofMinutes(1));
            assertEquals(before.plus(Duration.ofMinutes(1)), cluster.clock().instant());
        }
    }

    @Test
    void theSameSeedIsTheSameRunAndAnotherIsNot() {
        List<String> first = story(7);
        assertEquals(first, story(7));
        assertNotEquals(first, story(8));
    }

    private static List<String> story(long seed) {
        List<String> told = new ArrayList<>();
        try (LocalCluster cluster =
                LocalCluster.builder().shards(2).virtualTime(seed).start()) {
            cluster.onEvent(event -> told.add(event.toString()));
            cluster.awaitReady(LIMIT);
            cluster.reorder(0.1);
            cluster.duplicate(0.1);
            cluster.actor("writer", () -> {
                for (int i = 0; i < 100; i++) {
                    cluster.client().set(("key-" + i).getBytes(UTF_8), VALUE);
                    cluster.advance(Duration.ofMillis(20));
                }
                told.add("written at " + cluster.clock().instant());
            });
            cluster.advance(Duration.ofMillis(500));
            cluster.nodes().get(0).crash();
            cluster.advance(Duration.ofSeconds(10));
            cluster.nodes().get(0).restart();
            cluster.advance(Duration.ofSeconds(10));
            told.add("digest " + cluster.nodes().get(1).digest());
        }
        return told;
    }

    @Test
    void aStageOfTheClientLetsTimePassForWhoeverWaitsForIt() {
        try (LocalCluster cluster = ready(1)) {
            cluster.primaryFor(KEY).crash();
            CompletionStage<String> derived = cluster.clusterClient()
                    .async()
                    .set(KEY, VALUE)
                    .thenCompose(done -> cluster.clusterClient().async().get(KEY))
                    .thenApply(value -> new String(value, UTF_8));
            assertEquals("value", derived.toCompletableFuture().join());
        }
    }

    @Test
    void actorsTakeTurnsAndSleepInVirtualTime() {
        List<String> told = new CopyOnWriteArrayList<>();
        try (LocalCluster cluster = ready(1)) {
            Instant begun = cluster.clock().instant();
            for (String name : List.of("a", "b", "c")) {
                cluster.actor(name, () -> {
                    for (int i = 0; i < 3; i++) {
                        told.add(name + i + " at "
                                + Duration.between(begun, cluster.clock().instant()));
                        cluster.advance(Duration.ofSeconds(1));
                    }
                });
            }
            cluster.advance(Duration.ofSeconds(4));
        }
        assertEquals(
                List.of(
                        "a0 at PT0S",
                        "b0 at PT0S",
                        "c0 at PT0S",
                        "a1 at PT1S",
                        "b1 at PT1S",
                        "c1 at PT1S",
                        "a2 at PT2S",
                        "b2 at PT2S",
                        "c2 at PT2S"),
                told);
    }

    @Test
    void actorsMayWaitForEachOtherByWhateverTheyLike() {
        BlockingQueue<String> queue = new ArrayBlockingQueue<>(1);
        List<String> taken = new CopyOnWriteArrayList<>();
        try (LocalCluster cluster = ready(1)) {
            var consumer = cluster.actor("consumer", () -> {
                for (int i = 0; i < 20; i++) {
                    String next = queue.take();
                    cluster.client().set(KEY, next.getBytes(UTF_8));
                    taken.add(new String(cluster.client().get(KEY), UTF_8));
                }
            });
            cluster.actor("producer", () -> {
                for (int i = 0; i < 20; i++) {
                    cluster.advance(Duration.ofMillis(10));
                    queue.put("item-" + i);
                }
            });
            consumer.toCompletableFuture().join();
        }
        assertEquals(20, taken.size());
        assertEquals("item-19", taken.get(19));
    }

    @Test
    void whatAnActorThrowsReachesTheTestAsItIs() {
        try (LocalCluster cluster = ready(1)) {
            AssertionError failure = new AssertionError("planted");
            cluster.actor("actor", () -> {
                cluster.advance(Duration.ofSeconds(1));
                throw failure;
            });
            assertSame(failure, assertThrows(AssertionError.class, () -> cluster.await(() -> false, LIMIT)));
        }
    }

    @Test
    void whatAListenerThrowsReachesTheTestAsItIs() {
        AssertionError failure = new AssertionError("planted");
        LocalCluster cluster = ready(1);
        cluster.onEvent(event -> {
            throw failure;
        });
        cluster.failOver(cluster.topology().shards().iterator().next().id());
        assertSame(failure, assertThrows(AssertionError.class, cluster::close));
    }

    @Test
    void anActorThatWaitsEndsWithTheCluster() throws InterruptedException {
        List<Thread> threads = new CopyOnWriteArrayList<>();
        try (LocalCluster cluster = ready(1)) {
            cluster.actor("sleeper", () -> {
                threads.add(Thread.currentThread());
                cluster.advance(Duration.ofDays(1_000));
            });
            cluster.actor("taker", () -> {
                threads.add(Thread.currentThread());
                new ArrayBlockingQueue<String>(1).take();
            });
            cluster.advance(Duration.ofSeconds(1));
        }
        assertEquals(2, threads.size());
        for (Thread thread : threads) {
            thread.join(10_000);
            assertFalse(thread.isAlive(), thread::getName);
        }
    }

    @Test
    void aPausedPrimaryIsReplacedAndGoesOnAsAReplica() {
        try (LocalCluster cluster = ready(1)) {
            LocalNode primary = cluster.primaryFor(KEY);
            primary.pause();
            cluster.client().set(KEY, VALUE);
            assertNotEquals(primary, cluster.primaryFor(KEY));
            primary.resume();
            cluster.awaitReady(LIMIT);
            assertEquals(cluster.primaryFor(KEY).id(), primary.status().primary());
            assertEquals(cluster.primaryFor(KEY).digest(), primary.digest());
        }
    }

    @Test
    void eachStopPointIsComeToAndACrashThereLosesNothing() {
        for (StopPoint point : StopPoint.values()) {
            for (long seed = 1; seed <= 3; seed++) {
                List<NodeId> crashed = new ArrayList<>();
                try (LocalCluster cluster = LocalCluster.builder()
                        .settings(LocalClusterSettings.defaults()
                                .withShards(1)
                                .withReplicas(4)
                                .withTimeout(Duration.ofMinutes(1)))
                        .virtualTime(seed)
                        .start()) {
                    cluster.awaitReady(LIMIT);
                    for (int i = 0; i < 50; i++) {
                        cluster.client().set(("key-" + i).getBytes(UTF_8), new byte[100_000]);
                    }
                    cluster.client().set(KEY, VALUE);
                    cluster.at(point, hit -> {
                        if (crashed.isEmpty()) {
                            crashed.add(hit.party());
                            crash(cluster, hit.party());
                        }
                    });
                    LocalNode replica = cluster.nodes().get(2);
                    replica.crash();
                    replica.restart();
                    cluster.advance(Duration.ofSeconds(5));
                    if (crashed.isEmpty()) {
                        cluster.primaryFor(KEY).crash();
                    }
                    cluster.advance(Duration.ofSeconds(10));
                    restartAll(cluster);
                    cluster.awaitReady(LIMIT);
                    assertArrayEquals(VALUE, cluster.client().get(KEY), point + " " + seed);
                    assertEquals(1, crashed.size(), point + " is never come to");
                }
            }
        }
    }

    private static void crash(LocalCluster cluster, NodeId party) {
        if (party.value().startsWith("node")) {
            cluster.node(party).crash();
        } else {
            cluster.sentinel(party).crash();
        }
    }

    private static void restartAll(LocalCluster cluster) {
        cluster.nodes().stream().filter(node -> !node.isRunning()).forEach(LocalNode::restart);
        cluster.sentinels().stream().filter(sentinel -> !sentinel.isRunning()).forEach(LocalSentinel::restart);
    }

    @Test
    void timeGoesNotBackAndNoWaitingOutlivesTheCluster() throws InterruptedException {
        List<Throwable> thrown = new CopyOnWriteArrayList<>();
        LocalCluster cluster = ready(1);
        assertThrows(IllegalArgumentException.class, () -> cluster.advance(Duration.ofNanos(-1)));
        Instant before = cluster.clock().instant();
        assertFalse(cluster.await(() -> false, Duration.ofSeconds(-1)));
        assertEquals(before, cluster.clock().instant());
        List<Thread> threads = new CopyOnWriteArrayList<>();
        cluster.actor("stubborn", () -> {
            threads.add(Thread.currentThread());
            for (int i = 0; i < 3; i++) {
                try {
                    cluster.advance(Duration.ofDays(1));
                } catch (CancellationException e) {
                    thrown.add(e);
                }
            }
        });
        cluster.advance(Duration.ofSeconds(1));
        cluster.close();
        threads.get(0).join(10_000);
        assertFalse(threads.get(0).isAlive());
        assertEquals(3, thrown.size());
    }

    @Test
    void aPausedNodeThatIsCrashedDoesNothingMore() {
        try (LocalCluster cluster = ready(1)) {
            LocalNode primary = cluster.primaryFor(KEY);
            primary.pause();
            cluster.advance(Duration.ofMillis(500));
            List<NodeId> senders = new ArrayList<>();
            cluster.drop(message -> {
                senders.add(message.from());
                return false;
            });
            primary.crash();
            cluster.advance(Duration.ofSeconds(2));
            assertFalse(senders.contains(primary.id()));
            primary.pause(); // of no effect
            primary.restart();
            cluster.awaitReady(LIMIT);
        }
    }

    @Test
    void aLinkKeepsTheOrderOfItsMessagesWhenADelayEnds() {
        List<Integer> arrived = new ArrayList<>();
        VirtualTime time = new VirtualTime(new Failures());
        Network network = new Network(time, new Random(1), 0, 0);
        NodeId from = new NodeId("from");
        NodeId to = new NodeId("to");
        network.delay(List.of(from), List.of(to), Duration.ofMillis(5), Duration.ofMillis(5));
        network.carry(new LocalMessage(from, to, 1), message -> arrived.add((Integer) message.content()));
        network.heal();
        network.carry(new LocalMessage(from, to, 2), message -> arrived.add((Integer) message.content()));
        time.sleep(Duration.ofMillis(6));
        assertEquals(List.of(1, 2), arrived);
    }
}
