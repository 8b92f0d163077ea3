package io.kvorum.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.kvorum.core.ShardedStore;
import io.kvorum.core.typed.Codec;
import io.kvorum.core.typed.TypedStore;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import org.junit.jupiter.api.Test;

final class NearCacheMetricsTest {
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final TypedStore<String, String> store = cached();

    private static TypedStore<String, String> cached() {
        return TypedStore.nearCached(ShardedStore.local(1), Codec.text(), Codec.text(), 2);
    }

    private double gets(String result) {
        return registry.get("kvorum.near.cache.gets")
                .tag("result", result)
                .functionCounter()
                .count();
    }

    private double count(String name) {
        return registry.get("kvorum.near.cache." + name).functionCounter().count();
    }

    @Test
    void tellHitsMissesAndWhyValuesWereDropped() {
        try (NearCacheMetrics metrics = new NearCacheMetrics(store, "mine")) {
            metrics.bindTo(registry);
            for (int i = 0; i < 4; i++) {
                store.set("key" + i, "1");
                store.get("key" + i);
            }
            store.set("key", "1");
            store.get("key");
            store.get("key");
            store.set("key", "2");

            assertEquals(1, gets("hit"));
            assertEquals(5, gets("miss"));
            assertEquals(1, count("invalidations"));
            double size = registry.get("kvorum.near.cache.size").gauge().value();
            assertEquals(5 - size - 1, count("evictions"));
        }
    }

    @Test
    void closingOneRemovesItsOwn() {
        NearCacheMetrics first = new NearCacheMetrics(store, "first");
        NearCacheMetrics second = new NearCacheMetrics(cached(), "second");
        first.bindTo(registry);
        second.bindTo(registry);
        NearCacheMetrics sameName = new NearCacheMetrics(cached(), "second");
        sameName.bindTo(registry);
        int both = registry.getMeters().size();
        sameName.close();
        assertEquals(both, registry.getMeters().size());
        first.close();

        registry.forEachMeter(meter -> assertEquals("second", meter.getId().getTag("store")));
        assertEquals(both / 2, registry.getMeters().size());
        second.close();
        assertEquals(List.of(), registry.getMeters());
    }

    @Test
    void eachSaysWhatItIsAndInWhichUnit() {
        new NearCacheMetrics(store, "mine").bindTo(registry);

        assertEquals(5, registry.getMeters().size());
        Described.each(registry);
    }

    @Test
    void needANearCache() {
        TypedStore<String, String> without = TypedStore.of(ShardedStore.local(1), Codec.text(), Codec.text());

        assertThrows(IllegalStateException.class, () -> new NearCacheMetrics(without, "mine"));
    }
}
