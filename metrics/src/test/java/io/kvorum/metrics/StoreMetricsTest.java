package io.kvorum.metrics;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.Entry;
import io.kvorum.core.LocalStore;
import io.kvorum.core.MemoryLimit;
import io.kvorum.core.StoreSettings;
import io.kvorum.slots.topology.RefusedException;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

final class StoreMetricsTest {
    private final AtomicLong millis = new AtomicLong(1_000);
    private final InstantSource clock = () -> Instant.ofEpochMilli(millis.get());
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
            millis.set(1_002);
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

    @Test
    void showWhatTheKeysWeighAndWhatWasRefusedAndEvicted() {
        LocalStore bounded = new LocalStore(
                StoreSettings.defaults().withLimit(MemoryLimit.entries(1, MemoryLimit.WhenFull.REFUSE)), 7, clock);
        try (StoreMetrics metrics = new StoreMetrics(bounded, "bounded")) {
            metrics.bindTo(registry);
            bounded.set(bytes("a"), bytes("1"));
            assertThrows(RefusedException.class, () -> bounded.set(bytes("b"), bytes("1")));
            assertThrows(RefusedException.class, () -> bounded.append(bytes("b"), bytes("1")));

            assertEquals(
                    (double) bounded.bytes(),
                    registry.get("kvorum.store.bytes").gauge().value());
            assertEquals(
                    2,
                    registry.get("kvorum.store.refusals")
                            .tag("kind", "out_of_memory")
                            .functionCounter()
                            .count());
            assertEquals(0, count("evictions"));
        }
        LocalStore evicting = new LocalStore(
                StoreSettings.defaults().withLimit(MemoryLimit.entries(1, MemoryLimit.WhenFull.EVICT)), 7, clock);
        try (StoreMetrics metrics = new StoreMetrics(evicting, "evicting")) {
            metrics.bindTo(registry);
            evicting.set(bytes("a"), bytes("1"));
            evicting.set(bytes("b"), bytes("1"));

            assertEquals(1, count("evictions"));
        }
    }

    @Test
    void boundTwiceAreThereOnceAndInEveryRegistry() {
        SimpleMeterRegistry other = new SimpleMeterRegistry();
        StoreMetrics metrics = new StoreMetrics(store, "mine");
        metrics.bindTo(registry);
        int once = registry.getMeters().size();
        metrics.bindTo(registry);
        metrics.bindTo(other);
        store.set(bytes("a"), bytes("1"));

        assertEquals(once, registry.getMeters().size());
        assertEquals(once, other.getMeters().size());
        assertEquals(1, count("sets"));
        assertEquals(1, other.get("kvorum.store.sets").functionCounter().count());
        metrics.close();
        assertEquals(List.of(), registry.getMeters());
        assertEquals(List.of(), other.getMeters());
        metrics.bindTo(registry);
        assertEquals(once, registry.getMeters().size());
    }

    @Test
    void haveNoTagOfWhichThereCouldBeMany() {
        new StoreMetrics(store, "mine").bindTo(registry);
        store.set(bytes("a"), bytes("1"));
        Set<String> tags = new TreeSet<>();
        registry.forEachMeter(meter -> meter.getId().getTags().forEach(tag -> tags.add(tag.getKey())));

        assertEquals(Set.of("store", "result", "kind"), tags);
        assertTrue(registry.getMeters().size() < 30);
    }

    @Test
    void closingOneLeavesAnotherOfTheSameNameAsItWas() {
        LocalStore other = new LocalStore(StoreSettings.defaults(), 7, clock);
        StoreMetrics first = new StoreMetrics(store, "mine");
        StoreMetrics second = new StoreMetrics(other, "mine");
        first.bindTo(registry);
        int meters = registry.getMeters().size();
        second.bindTo(registry);
        store.set(bytes("a"), bytes("1"));
        second.close();

        assertEquals(meters, registry.getMeters().size());
        assertEquals(1, count("sets"));
        first.close();
        second.bindTo(registry);
        assertEquals(meters, registry.getMeters().size());
    }

    @Test
    void eachSaysWhatItIs() {
        new StoreMetrics(store, "mine").bindTo(registry);

        registry.forEachMeter(meter -> assertNotNull(meter.getId().getDescription(), meter.getId()::getName));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
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
