package io.kvorum.testkit;

import static io.kvorum.testkit.Clusters.LIMIT;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.replication.Promise;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.testkit.guide.HighScores;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a cluster leaves behind: when it is closed, when it could not start, and when the test's own code fails it. */
final class LocalClusterEndTest {
    private static final byte[] KEY = "key".getBytes(UTF_8);

    private static LocalClusterBuilder builder(boolean virtual) {
        LocalClusterBuilder builder = LocalCluster.builder().shards(1);
        return virtual ? builder.virtualTime(1) : builder;
    }

    private static long threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("kvorum-local"))
                .count();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aTaskThatThrowsReachesTheTestAndEndsNothing(boolean virtual) {
        IllegalStateException failure = new IllegalStateException("task");
        try (LocalCluster cluster = builder(virtual).start()) {
            cluster.awaitReady(LIMIT);
            cluster.scheduler().execute(() -> {
                throw failure;
            });

            assertSame(failure, assertThrows(IllegalStateException.class, () -> cluster.await(() -> false, LIMIT)));

            cluster.client().set(KEY, KEY);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aClusterClosesThoughATaskThrows(boolean virtual) {
        IllegalStateException failure = new IllegalStateException("task");
        LocalCluster cluster = builder(virtual).start();
        cluster.awaitReady(LIMIT);
        cluster.scheduler().execute(() -> {
            throw failure;
        });

        assertSame(failure, assertThrows(IllegalStateException.class, cluster::close));

        assertTrue(cluster.nodes().stream().noneMatch(LocalNode::isRunning));
        cluster.close();
        assertFalse(OpenCluster.all().toString().contains("LocalClusterEndTest"));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aListenerOfStartsAndEndsThatThrowsFailsTheTestAndNothingElse(boolean virtual) {
        AssertionError failure = new AssertionError("listener");
        AtomicInteger heard = new AtomicInteger();
        try (LocalCluster cluster = builder(virtual).start()) {
            cluster.awaitReady(LIMIT);
            AtomicBoolean thrown = new AtomicBoolean();
            cluster.onStartOrEnd(party -> {
                if (thrown.compareAndSet(false, true)) {
                    throw failure;
                }
            });
            cluster.onStartOrEnd(party -> heard.incrementAndGet());

            cluster.nodes().get(0).crash();

            assertEquals(1, heard.get());
            assertSame(failure, assertThrows(AssertionError.class, () -> cluster.awaitReady(LIMIT)));
            cluster.awaitReady(LIMIT);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aClosedClusterStartsNothingAndSaysSo(boolean virtual) {
        LocalCluster cluster = builder(virtual).start();
        cluster.awaitReady(LIMIT);
        LocalNode node = cluster.nodes().get(0);
        Promise promise = required(node.promise());
        cluster.close();

        for (Executable call : List.<Executable>of(
                node::restart,
                node::restartOnNewDisk,
                () -> node.restartWith(promise),
                () -> cluster.sentinels().get(0).restart(),
                () -> cluster.sentinels().get(0).restartWithoutState(),
                () -> cluster.actor("late", () -> {}),
                () -> FaultSchedule.begin(cluster, 1, Duration.ofSeconds(1)))) {
            IllegalStateException refused = assertThrows(IllegalStateException.class, call);
            assertEquals("cluster must be open: " + cluster, refused.getMessage());
        }
        assertFalse(node.isRunning());
        assertFalse(cluster.sentinels().get(0).isRunning());
        assertThrows(IllegalStateException.class, () -> cluster.awaitReady(LIMIT));
        assertThrows(IllegalStateException.class, () -> cluster.failOver(node.shard()));
        assertThrows(
                RefusedException.class,
                () -> cluster.clusterClient()
                        .withTimeout(Duration.ofMillis(50))
                        .store()
                        .get(KEY));
        assertEquals(promise, node.promise());
    }

    private static <T> T required(T value) {
        assertNotNull(value);
        return value;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aStateThatCannotBeMadeLeavesNoClusterBehind(boolean virtual) {
        long before = threads();
        AtomicInteger made = new AtomicInteger();
        IllegalStateException failure = new IllegalStateException("state");
        LocalClusterBuilder builder = builder(virtual).state(log -> {
            if (made.incrementAndGet() == 3) {
                throw failure;
            }
            return new HighScores(log);
        });

        assertSame(failure, assertThrows(IllegalStateException.class, builder::start));

        assertEquals(before, threads());
        assertFalse(OpenCluster.all().toString().contains("LocalClusterEndTest"));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void closingWaitsForAnActorThatIsStillAtWork(boolean virtual) throws Exception {
        AtomicReference<Thread> thread = new AtomicReference<>();
        LocalCluster cluster = builder(virtual).start();
        CountDownLatch begun = new CountDownLatch(1);
        cluster.actor("worker", () -> {
            thread.set(Thread.currentThread());
            begun.countDown();
            try {
                cluster.advance(Duration.ofDays(1));
            } finally {
                for (int i = 0; i < 100_000_000 && !Thread.interrupted(); i++) {
                    Thread.onSpinWait();
                }
            }
        });
        cluster.awaitReady(LIMIT);
        begun.await();

        cluster.close();

        assertFalse(thread.get().isAlive());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anActorThatDoesNotEndWithItsClusterIsReportedWithWhereItIs(boolean virtual) throws Exception {
        AtomicBoolean end = new AtomicBoolean();
        LocalCluster cluster = builder(virtual).start();
        CountDownLatch begun = new CountDownLatch(1);
        AtomicReference<Thread> thread = new AtomicReference<>();
        cluster.actor("stubborn", () -> {
            thread.set(Thread.currentThread());
            begun.countDown();
            while (!end.get()) {
                try {
                    cluster.advance(Duration.ofMillis(1));
                    Thread.onSpinWait();
                } catch (RuntimeException e) {
                    // as bad code does
                }
            }
        });
        cluster.awaitReady(LIMIT);
        begun.await();

        IllegalStateException failure = assertThrows(IllegalStateException.class, cluster::close);

        assertEquals("actor must end when its cluster is closed: stubborn", failure.getMessage());
        assertTrue(List.of(failure.getStackTrace()).toString().contains("LocalClusterEndTest"));
        cluster.close(); // reported once
        end.set(true);
        thread.get().join();
    }

    /** As a time limit of JUnit does it. */
    @Test
    void anInterruptEndsTheWaitingForAnActorThatNeverWaits() throws Exception {
        AtomicBoolean end = new AtomicBoolean();
        AtomicReference<Thread> actor = new AtomicReference<>();
        List<Throwable> uncaught = new CopyOnWriteArrayList<>();
        LocalCluster cluster = builder(true).start();
        Thread test = Thread.currentThread();
        cluster.actor("spinning", () -> {
            Thread.currentThread().setUncaughtExceptionHandler((thread, thrown) -> uncaught.add(thrown));
            actor.set(Thread.currentThread());
            test.interrupt();
            while (!end.get()) {
                Thread.onSpinWait();
            }
        });

        IllegalStateException failure =
                assertThrows(IllegalStateException.class, () -> cluster.advance(Duration.ofSeconds(1)));

        assertTrue(Thread.interrupted());
        assertEquals(
                "interrupted while this actor runs and does not wait for anything: spinning", failure.getMessage());
        assertTrue(List.of(failure.getStackTrace()).toString().contains("LocalClusterEndTest"));
        cluster.scheduler().execute(() -> {}); // something that is due when it is closed
        IllegalStateException left = assertThrows(IllegalStateException.class, cluster::close);
        assertEquals("actor must end when its cluster is closed: spinning", left.getMessage());
        end.set(true);
        actor.get().join();
        assertEquals(List.of(), uncaught);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aPausedNodeIsClosedWithTheOthers(boolean virtual) {
        LocalCluster cluster = builder(virtual).start();
        cluster.awaitReady(LIMIT);
        var pending = cluster.clusterClient().async().set(KEY, KEY).toCompletableFuture();
        cluster.nodes().forEach(LocalNode::pause);
        cluster.sentinels().forEach(LocalSentinel::pause);

        cluster.close();

        assertTrue(cluster.nodes().stream().noneMatch(LocalNode::isPaused));
        assertTrue(pending.handle((done, failure) -> failure == null || failure instanceof OutcomeUnknownException)
                .join());
    }

    @Test
    void allMayCrashAtOnceAndComeBackWithoutDataOnlyByBeingBegunAnew() {
        try (LocalCluster cluster = builder(true).start()) {
            cluster.awaitReady(LIMIT);
            cluster.client().set(KEY, KEY);
            cluster.nodes().forEach(LocalNode::crash);
            cluster.sentinels().forEach(LocalSentinel::crash);
            cluster.advance(Duration.ofMinutes(1));
            cluster.sentinels().forEach(LocalSentinel::restart);
            cluster.nodes().forEach(LocalNode::restart);

            assertFalse(cluster.await(() -> cluster.missing() == null, Duration.ofMinutes(1)));

            cluster.sentinels()
                    .get(0)
                    .driver()
                    .beginAnew(cluster.nodes().get(0).shard())
                    .toCompletableFuture()
                    .join();
            cluster.awaitReady(LIMIT);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aListenerMayWaitForTheCluster(boolean virtual) {
        AtomicReference<Object> read = new AtomicReference<>();
        try (LocalCluster cluster = builder(virtual).start()) {
            cluster.awaitReady(LIMIT);
            cluster.client().set(KEY, KEY);
            AtomicBoolean once = new AtomicBoolean();
            cluster.onEvent(event -> {
                if (once.compareAndSet(false, true)) {
                    cluster.awaitReady(LIMIT);
                    read.set(cluster.client().get(KEY));
                }
            });

            cluster.nodes().get(1).crash();

            cluster.runUntil(() -> read.get() != null, LIMIT);
        }
    }

    @Test
    void aNodeWhoseStateCannotBeMadeStaysDownWithWhatItHadSaved() {
        AtomicBoolean fails = new AtomicBoolean();
        LocalClusterBuilder builder = builder(true).state(log -> {
            if (fails.get()) {
                throw new IllegalStateException("state");
            }
            return new HighScores(log);
        });
        try (LocalCluster cluster = builder.start()) {
            cluster.awaitReady(LIMIT);
            LocalNode node = cluster.nodes().get(0);
            node.crash();
            Promise before = required(node.promise());
            fails.set(true);

            assertThrows(IllegalStateException.class, node::restartOnNewDisk);

            assertEquals(before, node.promise());
            assertFalse(node.isRunning());
            fails.set(false);
            node.restart();
            cluster.awaitReady(LIMIT);
            assertEquals(before.incarnation(), node.status().incarnation());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anActorMayCloseTheClusterForWhichOthersWait(boolean virtual) throws Exception {
        LocalCluster cluster = builder(virtual).start();
        cluster.awaitReady(LIMIT);
        List<Throwable> ends = new CopyOnWriteArrayList<>();
        CountDownLatch waiting = new CountDownLatch(1);
        cluster.actor("waits", () -> {
            try {
                waiting.countDown();
                cluster.runUntil(() -> false, LIMIT);
            } catch (Throwable e) {
                ends.add(e);
                throw e;
            }
        });
        cluster.actor("closes", () -> {
            waiting.await();
            cluster.advance(Duration.ofMillis(20));
            cluster.close();
        });

        assertFalse(cluster.await(() -> false, LIMIT));

        assertTrue(cluster.nodes().stream().noneMatch(LocalNode::isRunning));
        cluster.close();
        assertEquals(1, ends.size());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatIsDoneAtAStopPointMayWait(boolean virtual) {
        AtomicInteger waited = new AtomicInteger();
        try (LocalCluster cluster = builder(virtual).start()) {
            cluster.awaitReady(LIMIT);
            cluster.client().set(KEY, KEY);
            cluster.at(StopPoint.AFTER_PROMOTION, hit -> {
                cluster.advance(Duration.ofMillis(100));
                waited.incrementAndGet();
            });
            LocalNode first = cluster.primaryFor(KEY);
            first.crash();

            assertNotNull(cluster.client().get(KEY));

            assertTrue(waited.get() > 0);
            first.restart();
            cluster.awaitReady(LIMIT);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void closingWaitsForNothingThatIsDueMuchLater(boolean virtual) throws Exception {
        AtomicBoolean late = new AtomicBoolean();
        LocalCluster cluster = builder(virtual).start();
        cluster.awaitReady(LIMIT);
        cluster.scheduler().schedule(() -> late.set(true), Duration.ofDays(1).toNanos());
        FaultSchedule.begin(cluster, 1, Duration.ofDays(1));

        CompletableFuture.runAsync(cluster::close).get(LIMIT.toSeconds(), TimeUnit.SECONDS);

        assertFalse(late.get());
    }

    @Test
    void faultsThatEndAfterTheirClusterHaveNothingToUndo() {
        LocalCluster cluster = builder(true).start();
        cluster.awaitReady(LIMIT);
        FaultSchedule faults = FaultSchedule.begin(cluster, 1, Duration.ofMinutes(1), FaultKind.CRASH);
        cluster.runUntil(() -> !faults.faults().isEmpty(), LIMIT);
        cluster.close();

        faults.end();

        assertTrue(faults.isOver());
        assertTrue(cluster.nodes().stream().noneMatch(LocalNode::isRunning));
    }

    @Test
    void twoClustersInOneProgramShareNothing() {
        try (LocalCluster other = builder(true).start()) {
            try (LocalCluster one = builder(true).start()) {
                one.awaitReady(LIMIT);
                other.awaitReady(LIMIT);
                one.actor("between", () -> {
                    other.client().set(KEY, KEY);
                    other.advance(Duration.ofSeconds(5));
                    one.client().set(KEY, KEY);
                });
                one.nodes().forEach(LocalNode::pause);
                other.client().set(KEY, KEY);
                one.nodes().forEach(LocalNode::resume);

                one.advance(Duration.ofSeconds(30));

                assertNotNull(one.client().get(KEY));
            }
            assertNotNull(other.client().get(KEY));
        }
    }
}
