package io.kvorum.metrics;

import static io.kvorum.metrics.HandCluster.A;
import static io.kvorum.metrics.HandCluster.B;
import static io.kvorum.metrics.HandCluster.C;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class SentinelMetricsTest {
    private final HandCluster cluster;
    private final SentinelMetrics metrics;
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

    SentinelMetricsTest() throws IOException {
        cluster = new HandCluster();
        metrics = new SentinelMetrics(cluster.sentinel.driver());
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
    void aFailoverIsCountedAndItsPhasesAreTimed() {
        double epoch = gauge("epoch");
        assertEquals(1, gauge("shards"));
        assertEquals(0, gauge("down"));
        assertEquals(1, gauge("reachable"));
        cluster.crash(A);
        cluster.pass(Duration.ofSeconds(10));

        assertEquals(1, count("failovers", "outcome", "switched"));
        assertEquals(1, count("events", "event", "leader_elected"));
        assertTrue(gauge("epoch") > epoch);
        assertEquals(1, gauge("down"));
        assertEquals(0, gauge("primaries.down"));
        for (String phase : List.of("detection", "election", "fencing", "promotion", "publication", "outage")) {
            assertEquals(1, timer(phase).count(), phase);
        }
        double parts = total("election") + total("fencing") + total("promotion");
        assertTrue(total("outage") >= parts, () -> total("outage") + " < " + parts);
    }

    @Test
    void aShardThatCannotBeFailedOverIsSeenDown() {
        cluster.crash(A);
        cluster.crash(B);
        cluster.crash(C);
        cluster.pass(Duration.ofSeconds(10));

        assertEquals(3, gauge("down"));
        assertEquals(1, gauge("primaries.down"));
        assertEquals(1, count("events", "event", "no_failover_possible"));
        assertEquals(0, count("failovers", "outcome", "switched"));
        assertEquals(1, timer("detection").count());
        assertEquals(0, timer("outage").count());
    }

    @Test
    void anAttemptThatWasGivenUpIsCountedByItsReason() {
        cluster.crash(B);
        cluster.crash(C);
        cluster.pass(Duration.ofSeconds(3));
        cluster.sentinel.failOver(HandCluster.SHARD);
        cluster.pass(Duration.ofSeconds(30));

        double aborted = registry.get("kvorum.sentinel.failovers").functionCounters().stream()
                .mapToDouble(counter -> counter.count())
                .sum();
        assertEquals(aborted, count("events", "event", "failover_aborted"));
        assertEquals(0, count("failovers", "outcome", "switched"));
        assertEquals(2, count("events", "event", "operation_ended")); // the bootstrap was the first
    }

    @Test
    void closingOneLeavesThoseOfTheOthersAsTheyAre() {
        SentinelMetrics second = new SentinelMetrics(cluster.sentinel.driver());
        int meters = registry.getMeters().size();
        second.bindTo(registry);
        assertEquals(meters, registry.getMeters().size());
        second.close();
        assertEquals(meters, registry.getMeters().size());
        metrics.close();
        assertEquals(List.of(), registry.getMeters());
    }

    @Test
    void eachSaysWhatItIsAndHasNoTagOfWhichThereCouldBeMany() {
        Set<String> tags = new TreeSet<>();
        registry.forEachMeter(meter -> {
            assertNotNull(meter.getId().getDescription(), meter.getId()::getName);
            meter.getId().getTags().forEach(tag -> tags.add(tag.getKey()));
        });

        assertEquals(Set.of("sentinel", "outcome", "event", "phase"), tags);
    }

    private FunctionTimer timer(String phase) {
        return registry.get("kvorum.sentinel.duration").tag("phase", phase).functionTimer();
    }

    private double total(String phase) {
        return timer(phase).totalTime(TimeUnit.NANOSECONDS);
    }

    private double gauge(String name) {
        return registry.get("kvorum.sentinel." + name).gauge().value();
    }

    private double count(String name, String tag, String value) {
        return registry.get("kvorum.sentinel." + name)
                .tag(tag, value)
                .functionCounter()
                .count();
    }
}
