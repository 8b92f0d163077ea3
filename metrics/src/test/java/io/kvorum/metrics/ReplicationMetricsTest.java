package io.kvorum.metrics;

import static io.kvorum.metrics.HandCluster.A;
import static io.kvorum.metrics.HandCluster.B;
import static io.kvorum.metrics.HandCluster.C;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.AsyncKeyValueStore;
import io.kvorum.core.replicated.ReadLevel;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.slots.topology.NodeId;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class ReplicationMetricsTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final HandCluster cluster;
    private final ReplicationMetrics metrics;
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

    ReplicationMetricsTest() throws IOException {
        cluster = new HandCluster();
        metrics = new ReplicationMetrics(cluster.node(A).driver());
    }

    @BeforeEach
    void begin() {
        metrics.bindTo(registry);
        cluster.bootstrap();
    }

    @AfterEach
    void close() {
        cluster.close();
    }

    @Test
    void thePrimaryAndItsReplicasAreSeen() {
        ReplicationMetrics ofReplica = new ReplicationMetrics(cluster.node(B).driver());
        SimpleMeterRegistry replicas = new SimpleMeterRegistry();
        ofReplica.bindTo(replicas);

        assertEquals(1, gauge(registry, "role", "role", "primary"));
        assertEquals(0, gauge(registry, "role", "role", "replica"));
        assertEquals(1, gauge(replicas, "role", "role", "replica"));
        assertEquals(1, gauge(registry, "writable"));
        assertEquals(0, gauge(replicas, "writable"));
        assertEquals(1, gauge(replicas, "complete"));
        assertEquals(2, gauge(registry, "replicas"));
        assertEquals(0, gauge(registry, "replicas.lag"));
        assertEquals(0, gauge(replicas, "lag"));
        assertTrue(gauge(registry, "epoch") > 0);
    }

    @Test
    void syncsAreCountedByTheirKind() throws IOException {
        assertEquals(2, count("syncs", "full")); // the first that new replicas take
        assertTrue(write("value", Acknowledgement.LOCAL).isDone());
        cluster.crash(C);
        cluster.pass(SECOND);
        cluster.start(C);
        cluster.pass(Duration.ofSeconds(5));

        assertEquals(3, count("syncs", "full"));
        assertEquals(2, gauge(registry, "replicas"));
    }

    @Test
    void fullSyncsThatWereTakenAreCountedAtTheReplica() throws IOException {
        cluster.crash(C);
        cluster.start(C);
        ReplicationMetrics ofReplica = new ReplicationMetrics(cluster.node(C).driver());
        ofReplica.bindTo(registry);
        cluster.pass(Duration.ofSeconds(5));

        assertEquals(
                1,
                registry.get("kvorum.replication.syncs.taken")
                        .tag("node", "c")
                        .functionCounter()
                        .count());
    }

    @Test
    void acknowledgementsAreTimedAndThoseThatWaitAreCounted() {
        FunctionTimer timer = registry.get("kvorum.replication.acknowledgement")
                .tag("node", "a")
                .functionTimer();
        assertTrue(write("value", Acknowledgement.LOCAL).isDone());
        cluster.pass(SECOND);
        assertEquals(0, timer.count());

        CompletableFuture<?> acknowledged = write("value", Acknowledgement.MAJORITY);
        cluster.pass(SECOND);
        assertTrue(acknowledged.isDone());
        assertEquals(1, timer.count());

        cluster.crash(B);
        cluster.crash(C);
        CompletableFuture<?> unknown = write("value", Acknowledgement.MAJORITY);
        cluster.pass(Duration.ofMillis(100));
        assertEquals(1, gauge(registry, "pending"));
        assertFalse(unknown.isDone());

        cluster.pass(Duration.ofSeconds(5));
        assertTrue(unknown.isCompletedExceptionally());
        assertEquals(0, gauge(registry, "pending"));
        assertEquals(1, timer.count());
        assertEquals(
                1,
                registry.get("kvorum.replication.unacknowledged")
                        .functionCounter()
                        .count());
    }

    @Test
    void anAcknowledgementTakesTheTimeUntilAReplicaAnswers() {
        cluster.crash(B);
        cluster.crash(C);
        CompletableFuture<?> written = write("value", Acknowledgement.MAJORITY);
        cluster.pass(Duration.ofMillis(700));
        assertFalse(written.isDone());
        start(B);
        start(C);
        cluster.pass(Duration.ofSeconds(4));

        FunctionTimer timer = registry.get("kvorum.replication.acknowledgement").functionTimer();
        assertEquals(1, timer.count());
        assertTrue(timer.totalTime(TimeUnit.MILLISECONDS) >= 700);
    }

    @Test
    void closingOneLeavesThoseOfTheOthersAsTheyAre() {
        ReplicationMetrics second = new ReplicationMetrics(cluster.node(A).driver());
        ReplicationMetrics other = new ReplicationMetrics(cluster.node(B).driver());
        int each = registry.getMeters().size();
        second.bindTo(registry);
        assertEquals(each, registry.getMeters().size());
        other.bindTo(registry);
        assertEquals(2 * each, registry.getMeters().size());

        second.close();
        assertEquals(2 * each, registry.getMeters().size());
        metrics.close();
        assertEquals(each, registry.getMeters().size());
        other.close();
        assertEquals(List.of(), registry.getMeters());
        metrics.bindTo(registry); // it has ended
        assertEquals(List.of(), registry.getMeters());
    }

    @Test
    void eachSaysWhatItIsAndHasNoTagOfWhichThereCouldBeMany() {
        Set<String> tags = new TreeSet<>();
        registry.forEachMeter(meter -> {
            assertNotNull(meter.getId().getDescription(), meter.getId()::getName);
            meter.getId().getTags().forEach(tag -> tags.add(tag.getKey()));
        });

        assertEquals(Set.of("node", "shard", "role", "kind"), tags);
    }

    private void start(NodeId id) {
        try {
            cluster.start(id);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private CompletableFuture<?> write(String value, Acknowledgement level) {
        AsyncKeyValueStore store = cluster.node(A).store().async(level, ReadLevel.LOCAL, Duration.ofSeconds(4));
        return store.set("key".getBytes(UTF_8), value.getBytes(UTF_8)).toCompletableFuture();
    }

    private static double gauge(SimpleMeterRegistry from, String name, String... tags) {
        return from.get("kvorum.replication." + name).tags(tags).gauge().value();
    }

    private double count(String name, String kind) {
        return registry.get("kvorum.replication." + name)
                .tag("kind", kind)
                .functionCounter()
                .count();
    }
}
