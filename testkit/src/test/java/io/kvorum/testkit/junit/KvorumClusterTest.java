package io.kvorum.testkit.junit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.cluster.ClusterClient;
import io.kvorum.core.KeyValueStore;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.ReplicatedState;
import io.kvorum.replication.ReplicationLog;
import io.kvorum.replication.Restoration;
import io.kvorum.replication.SnapshotScan;
import io.kvorum.testkit.ClassPath;
import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.LocalNode;
import io.kvorum.testkit.LocalSentinel;
import io.kvorum.testkit.OpenCluster;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtensionConfigurationException;
import org.junit.jupiter.api.extension.ParameterResolutionException;
import org.junit.jupiter.api.io.TempDir;

final class KvorumClusterTest {
    private static final byte[] KEY = "key".getBytes(UTF_8);
    private static final List<LocalCluster> SEEN = new ArrayList<>();

    @TempDir
    private Path reports;

    private Runs run(Class<?> tests, String... more) {
        List<String> parameters = new ArrayList<>(List.of("kvorum.reports", reports.toString()));
        parameters.addAll(List.of(more));
        return Runs.of(tests, parameters.toArray(String[]::new));
    }

    private void assertAllSucceed(int tests, Class<?> testClass) {
        Runs runs = run(testClass);
        assertEquals(Map.of(), runs.failed());
        assertEquals(tests, runs.succeeded().size());
    }

    private static void assertClosed(LocalCluster cluster) {
        assertFalse(cluster.nodes().get(0).isRunning());
    }

    // ---- a state of the test's

    static final class Counted extends EmptyState {
        private final ReplicationLog log;

        Counted(ReplicationLog log) {
            this.log = log;
        }
    }

    @KvorumCluster(shards = 1, state = Counted.class)
    static final class WithState {
        @Test
        void isMadeOfTheNodesLogWheneverItStarts(LocalCluster cluster) {
            LocalNode node = cluster.nodes().get(0);
            Counted first = node.state(Counted.class);
            assertEquals(node.status().position(), first.log.end());

            node.crash();
            node.restart();

            assertNotSame(first, node.state(Counted.class));
        }

        @Test
        void leavesNoStoreToBeGiven(KeyValueStore store) {}

        @Test
        void leavesNoClientToBeGiven(ClusterClient client) {}
    }

    @Test
    void aStateStandsInForTheStore() {
        Runs runs = run(WithState.class);

        assertEquals(List.of("isMadeOfTheNodesLogWheneverItStarts(LocalCluster)"), runs.succeeded());
        assertEquals(2, runs.failed().size());
        runs.failed().values().forEach(thrown -> {
            assertInstanceOf(ParameterResolutionException.class, thrown);
            assertTrue(
                    String.valueOf(thrown.getMessage()).contains("without a state of the test's own"),
                    thrown::toString);
        });
    }

    static final class WithoutLog extends EmptyState {}

    @KvorumCluster(shards = 1, state = WithoutLog.class)
    static final class WithStateThatCannotBeMade {
        @Test
        void isNotRun(LocalCluster cluster) {}
    }

    @Test
    void aStateThatCannotBeMadeIsRefused() {
        Throwable thrown = run(WithStateThatCannotBeMade.class).failed().get("isNotRun(LocalCluster)");

        assertInstanceOf(ExtensionConfigurationException.class, thrown);
        assertTrue(String.valueOf(thrown.getMessage()).contains("takes a ReplicationLog"), thrown::toString);
    }

    @KvorumCluster(shards = 1, state = Counted.class, resp = KvorumCluster.Resp.SINGLE)
    static final class WithStateAndPorts {
        @Test
        void isNotRun(LocalCluster cluster) {}
    }

    @Test
    void aStateHasNoPorts() {
        Throwable thrown = run(WithStateAndPorts.class).failed().get("isNotRun(LocalCluster)");

        assertInstanceOf(ExtensionConfigurationException.class, thrown);
        assertEquals("resp must be NONE with a state of the test's own", thrown.getMessage());
    }

    /** A state that has nothing. */
    abstract static class EmptyState implements ReplicatedState {
        @Override
        public void apply(int slot, ByteBuf payload) {}

        @Override
        public SnapshotScan snapshot() {
            return new SnapshotScan() {
                @Override
                public boolean next(ByteBuf target, int maxBytes) {
                    return false;
                }

                @Override
                public void close() {}
            };
        }

        @Override
        public Restoration restore() {
            return new Restoration() {
                @Override
                public void load(ByteBuf entries) {}

                @Override
                public void apply(int slot, ByteBuf payload) {}

                @Override
                public void complete() {}

                @Override
                public void abort() {}
            };
        }
    }

    // ---- what is given

    @KvorumCluster(shards = 2, replicas = 1, sentinels = 1, acknowledgement = "1", timeout = "1500ms", seed = 7)
    static final class AllParameters {
        private final LocalCluster fromConstructor;

        AllParameters(LocalCluster cluster) {
            fromConstructor = cluster;
        }

        @BeforeEach
        void isTheSameBefore(LocalCluster cluster) {
            assertSame(fromConstructor, cluster);
        }

        @Test
        void areOfOneCluster(
                LocalCluster cluster,
                KeyValueStore store,
                ClusterClient client,
                List<LocalNode> nodes,
                List<LocalSentinel> sentinels,
                InstantSource clock) {
            assertSame(fromConstructor, cluster);
            assertSame(cluster.client(), store);
            assertSame(cluster.clusterClient(), client);
            assertEquals(cluster.nodes(), nodes);
            assertEquals(4, nodes.size());
            assertEquals(cluster.sentinels(), sentinels);
            assertEquals(1, sentinels.size());
            assertEquals(cluster.clock().instant(), clock.instant());
            assertEquals(7, cluster.seed());
            assertEquals(Acknowledgement.replicas(1), cluster.settings().acknowledgement());
            assertEquals(Duration.ofMillis(1_500), cluster.settings().timeout());
            cluster.awaitReady(Duration.ZERO); // it is
            SEEN.add(cluster);
        }

        @Test
        void isNewForEachTest(LocalCluster cluster) {
            assertSame(fromConstructor, cluster);
            SEEN.add(cluster);
        }

        @AfterEach
        void isStillOpenAfter(LocalCluster cluster) {
            assertTrue(cluster.nodes().get(0).isRunning());
        }
    }

    @Test
    void everyParameterIsOfTheTestsOwnCluster() {
        SEEN.clear();
        assertAllSucceed(2, AllParameters.class);
        assertEquals(2, SEEN.size());
        assertNotSame(SEEN.get(0), SEEN.get(1));
        SEEN.forEach(KvorumClusterTest::assertClosed);
    }

    @KvorumCluster(shards = 1, replicas = 0, sentinels = 1, scope = KvorumCluster.Scope.PER_CLASS)
    static final class OneForAll {
        @BeforeAll
        static void before(LocalCluster cluster) {
            SEEN.add(cluster);
        }

        @Test
        void one(LocalCluster cluster) {
            SEEN.add(cluster);
        }

        @Test
        void two(KeyValueStore store, LocalCluster cluster) {
            store.set(KEY, KEY);
            SEEN.add(cluster);
        }

        @Nested
        final class Inner {
            @Test
            void three(LocalCluster cluster) {
                SEEN.add(cluster);
            }
        }

        @AfterAll
        static void after(LocalCluster cluster) {
            assertTrue(cluster.nodes().get(0).isRunning());
        }
    }

    @Test
    void allTestsOfAClassShareOneIfTheClassSaysSo() {
        SEEN.clear();
        assertAllSucceed(3, OneForAll.class);
        assertEquals(4, SEEN.size());
        assertEquals(1, Set.copyOf(SEEN).size());
        assertClosed(SEEN.get(0));
    }

    @KvorumCluster(shards = 2, replicas = 0, sentinels = 1)
    static final class TheNearest {
        @Test
        void isThatOfTheClass(LocalCluster cluster) {
            assertEquals(2, cluster.nodes().size());
        }

        @Test
        @KvorumCluster(shards = 1, replicas = 0, sentinels = 1)
        void isThatOfTheMethod(LocalCluster cluster) {
            assertEquals(1, cluster.nodes().size());
        }

        @Test
        void isThatOfTheParameter(
                LocalCluster cluster,
                @KvorumCluster(shards = 3, replicas = 0, sentinels = 1) LocalCluster other,
                @KvorumCluster(shards = 1, replicas = 0, sentinels = 1, virtualTime = false) LocalCluster real) {
            assertEquals(2, cluster.nodes().size());
            assertEquals(3, other.nodes().size());
            assertEquals(1, real.nodes().size());
            SEEN.addAll(List.of(cluster, other, real));
        }

        @Nested
        final class Inner {
            @Test
            void isThatOfTheClassAround(LocalCluster cluster) {
                assertEquals(2, cluster.nodes().size());
            }
        }
    }

    @Test
    void theNearestAnnotationCounts() {
        SEEN.clear();
        assertAllSucceed(4, TheNearest.class);
        SEEN.forEach(KvorumClusterTest::assertClosed);
    }

    static final class OnAParameterAlone {
        @Test
        void isEnough(@KvorumCluster(shards = 1, replicas = 0, sentinels = 1) KeyValueStore store) {
            store.set(KEY, KEY);
        }
    }

    @Test
    void aParameterAloneIsEnough() {
        assertAllSucceed(1, OnAParameterAlone.class);
    }

    @KvorumCluster
    static final class NotForAll {
        @BeforeAll
        static void before(LocalCluster cluster) {
            SEEN.add(cluster);
        }

        @Test
        void isNotReached() {}
    }

    @Test
    void aClusterPerTestIsNotThereBeforeAllTests() {
        Throwable failure = run(NotForAll.class).failed().values().iterator().next();
        assertInstanceOf(ParameterResolutionException.class, failure);
        assertTrue(String.valueOf(failure.getMessage()).contains("PER_CLASS"), failure::toString);
    }

    @KvorumCluster(timeout = "5 parsecs")
    static final class Unreadable {
        @Test
        void isNotReached() {}
    }

    @Test
    void aDurationThatIsNoneIsRefusedWithTheRule() {
        Throwable failure = run(Unreadable.class).failed().get("isNotReached()");
        assertNotNull(failure);
        assertEquals("a duration must be such as 500ms, 5s, 2m or 1h: 5 parsecs", failure.getMessage());
    }

    @Test
    @KvorumCluster(shards = 1, detection = "50ms")
    void aFailoverBeginsOnceANodeWasSilentForThatLong(LocalCluster cluster, InstantSource clock) {
        Instant crashed = clock.instant();
        cluster.primaryFor(KEY).crash();

        cluster.client().set(KEY, KEY);

        Duration taken = Duration.between(crashed, clock.instant());
        assertTrue(taken.compareTo(Duration.ofMillis(200)) < 0, taken::toString);
    }

    @KvorumCluster(shards = 1, resp = KvorumCluster.Resp.SINGLE)
    static final class WithoutPorts {
        @Test
        void isNotReached() {}
    }

    @Test
    void portsNeedTheModuleThatHasThem() {
        Throwable failure = run(WithoutPorts.class).failed().get("isNotReached()");
        assertNotNull(failure);
        assertEquals("resp = SINGLE needs kvorum-resp beside kvorum-testkit", failure.getMessage());
    }

    // ---- failures

    @KvorumCluster(shards = 1, seed = 5)
    static final class Failing {
        @Test
        void fails(LocalCluster cluster) {
            SEEN.add(cluster);
            cluster.primaryFor(KEY).crash();
            cluster.client().set(KEY, KEY);
            throw new AssertionError("of the test");
        }
    }

    @Test
    void aFailureTellsTheSeedTheTopologyAndWhatHappened() throws IOException {
        SEEN.clear();
        Runs runs = run(Failing.class);

        Throwable failure = runs.failed().get("fails(LocalCluster)");
        assertNotNull(failure);
        assertEquals("of the test", failure.getMessage());
        String told = String.valueOf(failure.getSuppressed()[0].getMessage());
        assertTrue(told.contains("-Dkvorum.seed=5"), told);
        assertTrue(told.contains("'-Dtest=" + Failing.class.getName() + "#fails'"), told);
        assertTrue(told.contains("node-1.1 down"), told);
        assertTrue(told.contains("ObjectivelyDown"), told);
        Map<String, String> report = runs.reports().get(0);
        assertEquals("5", report.get("kvorum.seed"));
        List<String> events = report.getOrDefault("kvorum.events", "").lines().toList();
        assertTrue(events.size() > 20 && events.size() <= 200, () -> "there are " + events.size());
        assertTrue(events.get(0).startsWith("0.00"), events.get(0));
        String page = report.getOrDefault("kvorum.file", "");
        assertTrue(Files.readString(Path.of(page)).contains("of the test"));
        List<String> file = Files.readAllLines(Path.of(page.replace(".html", ".ndjson")));
        assertEquals(events.size(), file.size());
        assertTrue(file.get(0).startsWith("{\"at\":0.00"), file.get(0));
        assertClosed(SEEN.get(0));
    }

    @KvorumCluster(shards = 1)
    static final class FailingActor {
        @Test
        void seemsWell(LocalCluster cluster) {
            var unused = cluster.actor("actor", () -> {
                throw new IOException("of an actor");
            });
        }
    }

    @Test
    void whatClosingThrowsFailsTheTest() {
        Throwable failure = run(FailingActor.class).failed().get("seemsWell(LocalCluster)");
        assertInstanceOf(IOException.class, failure);
        assertEquals(1, failure.getSuppressed().length);
    }

    @KvorumCluster(shards = 1, replicas = 0, sentinels = 1, scope = KvorumCluster.Scope.PER_CLASS)
    static final class FailingLater {
        @Test
        void seemsWell(LocalCluster cluster) {
            var unused = cluster.actor("actor", () -> {
                throw new IOException("of an actor");
            });
        }
    }

    @Test
    void whatClosingThrowsFailsTheClassThatSharesOne() {
        Runs runs = run(FailingLater.class);
        assertEquals(List.of("seemsWell(LocalCluster)"), runs.succeeded());
        assertEquals(1, runs.failed().size());
        assertInstanceOf(IOException.class, runs.failed().values().iterator().next());
    }

    @KvorumCluster(shards = 1, seed = 5)
    static final class Seeded {
        @Test
        void fails(LocalCluster cluster) {
            throw new AssertionError("seed " + cluster.seed());
        }
    }

    @Test
    void aConfigurationParameterGoesBeforeTheSeed() {
        Throwable failure = run(Seeded.class, "kvorum.seed", "99").failed().get("fails(LocalCluster)");
        assertNotNull(failure);
        assertEquals("seed 99", failure.getMessage());
    }

    // ---- what is left open

    @KvorumCluster(shards = 1, replicas = 0, sentinels = 1)
    static final class LeavesOneOpen {
        @Test
        void starts() {
            SEEN.add(LocalCluster.builder().shards(1).virtualTime(1).start());
        }
    }

    @Test
    void aClassThatLeavesAClusterOpenFailsWithThePlace() {
        SEEN.clear();
        int before = OpenCluster.all().size();
        Runs runs = run(LeavesOneOpen.class);
        try {
            assertEquals(List.of("starts()"), runs.succeeded());
            assertEquals(1, runs.failed().size());
            String message =
                    String.valueOf(runs.failed().values().iterator().next().getMessage());
            assertTrue(message.contains("KvorumClusterTest$LeavesOneOpen.starts"), message);
            assertEquals(before + 1, OpenCluster.all().size());
        } finally {
            SEEN.forEach(LocalCluster::close);
        }
        assertEquals(before, OpenCluster.all().size());
    }

    @Test
    void aClusterThatIsOpenWhenTheJvmEndsIsReported() throws IOException, InterruptedException {
        Process jvm = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        ClassPath.of(LeftOpenAtTheEnd.class),
                        LeftOpenAtTheEnd.class.getName())
                .redirectErrorStream(true)
                .start();
        String told = new String(jvm.getInputStream().readAllBytes(), UTF_8);
        assertEquals(0, jvm.waitFor(), told);
        assertTrue(told.contains("was never closed"), told);
        assertTrue(told.contains("LeftOpenAtTheEnd.main"), told);
    }
}
