package io.kvorum.core;

import io.kvorum.slots.topology.RefusedException;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.ToDoubleFunction;

/**
 * The meters of one {@link LocalStore}, each with the tag {@code store} and none with a key or a slot:
 *
 * <ul>
 *   <li>{@code kvorum.store.entries}: the keys held
 *   <li>{@code kvorum.store.bytes}: what they weigh, as {@link MemoryLimit} counts it
 *   <li>{@code kvorum.store.gets}, reads that copy a value, with the tag {@code result}, {@code hit} or {@code miss}
 *   <li>{@code kvorum.store.sets}, {@code kvorum.store.deletes}, {@code kvorum.store.expirations},
 *       {@code kvorum.store.evictions}: the keys that were set or deleted here, not those that were applied as a
 *       replica
 *   <li>{@code kvorum.store.refusals} with the tag {@code kind}, one of {@link RefusedException.Kind} in lower case:
 *       the writes that the sink, the memory limit or a transaction itself refused
 * </ul>
 *
 * <p>Counting begins when the first of these objects is made for a store, so that stores without one need not count. It
 * may be bound to several registries, and more than once to the same, which changes nothing. A registry holds on to the
 * store only weakly: the meters of a store that is gone show nothing more.
 *
 * <p>Safe for use by any number of threads.
 */
public final class StoreMetrics implements MeterBinder, AutoCloseable {
    private record Binding(MeterRegistry registry, Meter meter) {}

    private final Object lock = new Object();
    private final LocalStore store;
    private final Tags tags;
    private final List<Binding> bindings = new ArrayList<>();

    /**
     * Makes the meters of a store; {@link #bindTo} registers them.
     *
     * @param store the store
     * @param name the value of the tag {@code store}, different for each store of a registry
     */
    public StoreMetrics(LocalStore store, String name) {
        this.store = Objects.requireNonNull(store, "store");
        store.counters().start();
        this.tags = Tags.of("store", name);
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        synchronized (lock) {
            register(registry);
        }
    }

    private void register(MeterRegistry registry) {
        if (bindings.stream().anyMatch(binding -> binding.registry().equals(registry))) {
            return;
        }
        StoreCounters counters = store.counters();
        add(
                registry,
                Gauge.builder("kvorum.store.entries", store, LocalStore::size)
                        .tags(tags)
                        .description("Keys held, expired ones that have not been deleted yet among them")
                        .register(registry));
        add(
                registry,
                Gauge.builder("kvorum.store.bytes", store, LocalStore::bytes)
                        .tags(tags)
                        .baseUnit("bytes")
                        .description("What the keys held weigh, as the memory limit counts it")
                        .register(registry));
        count(registry, "gets", tags.and("result", "hit"), counters, StoreCounters::hits);
        count(registry, "gets", tags.and("result", "miss"), counters, StoreCounters::misses);
        count(registry, "sets", tags, counters, StoreCounters::sets);
        count(registry, "deletes", tags, counters, StoreCounters::deletes);
        count(registry, "expirations", tags, counters, StoreCounters::expirations);
        count(registry, "evictions", tags, counters, StoreCounters::evictions);
        for (RefusedException.Kind kind : RefusedException.Kind.values()) {
            String name = kind.name().toLowerCase(Locale.ROOT);
            count(registry, "refusals", tags.and("kind", name), counters, held -> held.refusals(kind));
        }
    }

    private void count(
            MeterRegistry registry,
            String name,
            Tags meterTags,
            StoreCounters counters,
            ToDoubleFunction<StoreCounters> value) {
        add(
                registry,
                FunctionCounter.builder("kvorum.store." + name, counters, value)
                        .tags(meterTags)
                        .register(registry));
    }

    private void add(MeterRegistry registry, Meter meter) {
        bindings.add(new Binding(registry, meter));
    }

    /** Removes the meters from every registry they were bound to. */
    @Override
    public void close() {
        synchronized (lock) {
            for (Binding binding : bindings) {
                binding.registry().remove(binding.meter());
            }
            bindings.clear();
        }
    }
}
