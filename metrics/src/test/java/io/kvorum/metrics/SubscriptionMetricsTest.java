package io.kvorum.metrics;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kvorum.core.KeyspaceSubscription;
import io.kvorum.core.ShardedStore;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class SubscriptionMetricsTest {
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final ShardedStore store = ShardedStore.local(1);
    private final List<Runnable> tasks = new ArrayList<>();

    private KeyspaceSubscription subscribe() {
        return store.subscribe(event -> {}, tasks::add, 3);
    }

    private double count(String name) {
        return registry.get("kvorum.subscription." + name).functionCounter().count();
    }

    private double pending() {
        return registry.get("kvorum.subscription.pending").gauge().value();
    }

    @Test
    void tellWhatWaitsWasDeliveredAndWasLost() {
        KeyspaceSubscription subscription = subscribe();
        try (SubscriptionMetrics metrics = new SubscriptionMetrics(subscription, "mine")) {
            metrics.bindTo(registry);
            for (int i = 0; i < 5; i++) {
                store.set("key".getBytes(UTF_8), "1".getBytes(UTF_8));
            }
            assertEquals(3, pending());
            assertEquals(2, count("lost"));
            assertEquals(0, count("delivered"));
            tasks.forEach(Runnable::run);

            assertEquals(0, pending());
            assertEquals(3, count("delivered"));
            subscription.close();
            assertEquals(2, count("lost"));
        }
        assertEquals(List.of(), registry.getMeters());
    }

    @Test
    void closingOneRemovesItsOwn() {
        SubscriptionMetrics first = new SubscriptionMetrics(subscribe(), "first");
        SubscriptionMetrics second = new SubscriptionMetrics(subscribe(), "second");
        first.bindTo(registry);
        second.bindTo(registry);
        first.close();

        assertEquals(3, registry.getMeters().size());
        registry.forEachMeter(meter -> assertEquals("second", meter.getId().getTag("subscription")));
        Described.each(registry);
    }
}
