package io.kvorum.core;

import static io.kvorum.core.Bytes.bytes;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import org.junit.jupiter.api.Test;

final class StoreMetricsTest {
    private final FixedClock clock = new FixedClock(1_000);
    private final LocalStore store = new LocalStore(StoreSettings.defaults(), 7, clock);
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

    @Test
    void countWhatTheStoreDoes() {
        try (StoreMetrics metrics = new StoreMetrics(store, "mine")) {
            metrics.bindTo(registry);
            store.set(bytes("{t}a"), bytes("1"));
            store.setAll(List.of(new Entry(bytes("{t}b"), bytes("2")), new Entry(bytes("{t}c"), bytes("3"), 1_001)));
            store.get(bytes("{t}a"));
            store.getAll(List.of(bytes("{t}a"), bytes("{t}none")));
            store.delete(bytes("{t}a"));
            store.delete(bytes("{t}none"));
            clock.set(1_002);
            store.expire(10);

            assertEquals(
                    1,
                    registry.get("kvorum.store.entries")
                            .tag("store", "mine")
                            .gauge()
                            .value());
            assertEquals(2, count("gets", "hit"));
            assertEquals(1, count("gets", "miss"));
            assertEquals(3, count("sets"));
            assertEquals(1, count("deletes"));
            assertEquals(1, count("expirations"));
            assertEquals(0, count("evictions"));
        }
    }

    @Test
    void areGoneWhenClosed() {
        StoreMetrics first = new StoreMetrics(store, "first");
        StoreMetrics second = new StoreMetrics(store, "second");
        first.bindTo(registry);
        second.bindTo(registry);
        int both = registry.getMeters().size();
        first.close();
        first.close();

        assertEquals(both / 2, registry.getMeters().size());
        second.close();
        assertEquals(List.of(), registry.getMeters());
    }

    private double count(String name) {
        return registry.get("kvorum.store." + name).functionCounter().count();
    }

    private double count(String name, String result) {
        return registry.get("kvorum.store." + name)
                .tag("result", result)
                .functionCounter()
                .count();
    }
}
