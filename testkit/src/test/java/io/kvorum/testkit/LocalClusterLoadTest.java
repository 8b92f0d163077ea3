package io.kvorum.testkit;

import static io.kvorum.testkit.Clusters.FIRST;
import static io.kvorum.testkit.Clusters.LIMIT;
import static io.kvorum.testkit.Clusters.bytes;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.KeyValueStore;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.ReplicationEvent;
import io.kvorum.slots.topology.NodeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * While clients write as fast as they are let. {@code -Dkvorum.load.seconds=60} has each test write for so long; the
 * figures go to the standard output.
 */
@Tag("long")
final class LocalClusterLoadTest {
    private static final Duration TIME = Duration.ofSeconds(Integer.getInteger("kvorum.load.seconds", 3));
    private static final int KEYS = 50_000;

    private final Map<NodeId, AtomicInteger> fullSyncs = new ConcurrentHashMap<>();
    private final Queue<ReplicationEvent.Reason> reasons = new ConcurrentLinkedQueue<>();
    private final Map<NodeId, AtomicLong> lags = new ConcurrentHashMap<>();

    @Test
    void aLocalWriterLeavesTheReplicasWithinTheLog() throws InterruptedException {
        LocalClusterSettings settings = settings().withAcknowledgement(Acknowledgement.LOCAL);
        try (LocalCluster cluster = start(settings)) {
            fullSyncs.clear();
            LoadWriter writer = LoadWriter.start(Clusters.local(cluster.primaryOf(FIRST)), 0, KEYS, 100);

            watch(cluster, TIME);
            writer.stop();

            print("one LOCAL writer", settings, List.of(writer));
            assertEquals(0, writer.refused() + writer.failed());
            assertTrue(writer.written() > 0);
            assertSyncsAndLagsAreBounded(settings);
            assertEndsEqual(cluster);
        }
    }

    @Test
    void aReplicaThatComesBackEmptyIsCompleteAfterOneFullSync() throws InterruptedException {
        LocalClusterSettings settings = settings().withAcknowledgement(Acknowledgement.LOCAL);
        try (LocalCluster cluster = start(settings)) {
            KeyValueStore store = Clusters.local(cluster.primaryOf(FIRST));
            for (int i = 0; i < KEYS; i++) {
                store.set(bytes("key-" + i), new byte[100]);
            }
            cluster.awaitReady(LIMIT);
            fullSyncs.clear();
            LocalNode replica = cluster.nodes().get(2);
            LoadWriter writer = LoadWriter.start(store, 0, KEYS, 100);

            replica.crash();
            watch(cluster, TIME.dividedBy(3));
            long begun = System.nanoTime();
            replica.restart();
            assertTrue(cluster.await(() -> replica.status().complete(), LIMIT));
            Duration taken = Duration.ofNanos(System.nanoTime() - begun);
            watch(cluster, TIME.dividedBy(3));
            writer.stop();

            print("complete " + taken.toMillis() + " ms after its restart", settings, List.of(writer));
            assertEquals(1, syncs(replica.id()));
            assertSyncsAndLagsAreBounded(settings);
            assertEndsEqual(cluster);
        }
    }

    /** More data than the log holds, and values of which it holds only a few. */
    @Test
    void writersOfLargeValuesAreSlowedEvenly() throws InterruptedException {
        LocalClusterSettings settings = settings().withLogCapacity(4 << 20);
        try (LocalCluster cluster = start(settings)) {
            for (int i = 0; i < 1_000; i++) {
                cluster.client().set(bytes("base-" + i), new byte[10_000]);
            }
            cluster.awaitReady(LIMIT);
            fullSyncs.clear();
            List<LoadWriter> writers = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                writers.add(LoadWriter.start(cluster.client(), i, 3, 500_000));
            }

            watch(cluster, TIME);
            for (LoadWriter writer : writers) {
                writer.stop();
            }

            print("writers of 500 kB", settings, writers);
            long all = writers.stream().mapToLong(LoadWriter::written).sum();
            for (LoadWriter writer : writers) {
                assertEquals(0, writer.failed());
                assertTrue(writer.refused() * 20 <= writer.written(), writer::toString); // of many admitted at once
                assertTrue(writer.written() * writers.size() * 3 >= all, () -> writer + " of " + all);
            }
            assertSyncsAndLagsAreBounded(settings);
            assertEndsEqual(cluster);
        }
    }

    private static LocalClusterSettings settings() {
        return Clusters.settings(Duration.ofSeconds(30)).withShards(1).withLogCapacity(16 << 20);
    }

    private LocalCluster start(LocalClusterSettings settings) {
        LocalCluster cluster = LocalCluster.start(settings);
        cluster.awaitReady(LIMIT);
        cluster.onEvent(event -> {
            if (event instanceof ClusterEvent.OfNode of
                    && of.event() instanceof ReplicationEvent.FullSyncStarted started) {
                fullSyncs
                        .computeIfAbsent(started.replica(), any -> new AtomicInteger())
                        .incrementAndGet();
                reasons.add(started.reason());
            }
        });
        return cluster;
    }

    /** Looks at the lag of each complete replica until the time is over. */
    private void watch(LocalCluster cluster, Duration time) {
        LocalNode primary = cluster.primaryOf(FIRST);
        assertTrue(!cluster.await(
                () -> {
                    for (LocalNode node : cluster.nodes()) {
                        if (node != primary && node.isRunning() && node.status().complete()) {
                            long position =
                                    node.status().position().offset(); // before the primary's, or it is too small
                            long lag = primary.status().position().offset() - position;
                            lags.computeIfAbsent(node.id(), any -> new AtomicLong())
                                    .accumulateAndGet(lag, Math::max);
                        }
                    }
                    return false;
                },
                time));
    }

    private int syncs(NodeId replica) {
        return fullSyncs.getOrDefault(replica, new AtomicInteger()).get();
    }

    private void assertSyncsAndLagsAreBounded(LocalClusterSettings settings) {
        assertTrue(fullSyncs.values().stream().allMatch(count -> count.get() <= 1), fullSyncs::toString);
        assertTrue(lags.values().stream().allMatch(lag -> lag.get() <= settings.logCapacity()), lags::toString);
    }

    private static void assertEndsEqual(LocalCluster cluster) {
        cluster.awaitReady(LIMIT);
        long digest = cluster.primaryOf(FIRST).digest();
        for (LocalNode node : cluster.nodes()) {
            assertEquals(digest, node.digest(), node::toString);
        }
    }

    private void print(String what, LocalClusterSettings settings, List<LoadWriter> writers) {
        System.out.println("load: " + what + ", " + settings.acknowledgement() + ", log of "
                + (settings.logCapacity() >> 10) + " KiB: " + writers + "; full syncs " + fullSyncs + " " + reasons
                + ", greatest lag in bytes " + lags);
    }
}
