package io.kvorum.metrics;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.cluster.ClusterClient;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.testing.HandScheduler;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import org.junit.jupiter.api.Test;

final class ClientMetricsTest {
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final HandScheduler scheduler = new HandScheduler();
    private final ClusterClient client = client();

    private ClusterClient client() {
        return ClusterClient.builder()
                .topology(() -> ClusterTopology.EMPTY) // so nobody serves any key
                .nodes(id -> null)
                .scheduler(scheduler)
                .timeout(Duration.ofSeconds(1))
                .build();
    }

    private double operations(String outcome, String reason) {
        return registry.get("kvorum.client.operations")
                .tags("outcome", outcome, "reason", reason)
                .functionCounter()
                .count();
    }

    private double retries(String reason) {
        return registry.get("kvorum.client.retries")
                .tag("reason", reason)
                .functionCounter()
                .count();
    }

    private double waiting() {
        return registry.get("kvorum.client.waiting").gauge().value();
    }

    @Test
    void tellOutcomesAndRetries() {
        try (ClientMetrics metrics = new ClientMetrics(client, "mine")) {
            metrics.bindTo(registry);
            client.async().get("key".getBytes(UTF_8));
            client.withTimeout(Duration.ofMillis(1)).async().reading(store -> 1);
            client.async().reading(store -> {
                throw new IllegalArgumentException("of the user's");
            });
            assertEquals(1, waiting());
            scheduler.pass(Duration.ofSeconds(1));

            assertEquals(0, waiting());
            assertEquals(1, operations("succeeded", "none"));
            assertEquals(1, operations("refused", "cluster_down"));
            assertEquals(0, operations("refused", "overloaded"));
            assertEquals(0, operations("unknown", "overloaded"));
            assertEquals(1, operations("failed", "none"));
            assertTrue(retries("cluster_down") > 5, () -> "tries: " + retries("cluster_down"));
            assertEquals(0, retries("unconfirmed"));
        }
        assertEquals(0, registry.getMeters().size());
    }

    @Test
    void closingOneRemovesItsOwn() {
        ClientMetrics first = new ClientMetrics(client, "first");
        ClientMetrics second = new ClientMetrics(client(), "second");
        first.bindTo(registry);
        int one = registry.getMeters().size();
        second.bindTo(registry);
        first.close();

        assertEquals(one, registry.getMeters().size());
        registry.forEachMeter(meter -> assertEquals("second", meter.getId().getTag("client")));
        Described.each(registry);
    }
}
