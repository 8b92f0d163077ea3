package io.kvorum.metrics;

import io.kvorum.core.typed.NearCacheStats;
import io.kvorum.core.typed.TypedStore;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.Objects;

/**
 * The meters of the near cache of one {@link TypedStore}, each with the tag {@code store}:
 *
 * <ul>
 *   <li>{@code kvorum.near.cache.gets} with the tag {@code result}: {@code hit} if the store was not asked, else
 *       {@code miss}
 *   <li>{@code kvorum.near.cache.evictions}: the values that were dropped to make room
 *   <li>{@code kvorum.near.cache.invalidations}: the values that were dropped because their key was changed
 *   <li>{@code kvorum.near.cache.size}: the values held
 * </ul>
 *
 * <p>Counting begins when the first of these objects is made for a store, see {@link TypedStore#nearCacheStats}. What
 * {@link StoreMetrics} says of registries and names holds here too.
 *
 * <p>Safe for use by any number of threads.
 */
public final class NearCacheMetrics implements MeterBinder, AutoCloseable {
    private static final String PREFIX = "kvorum.near.cache.";

    private final TypedStore<?, ?> store;
    private final Tags tags;
    private final Bindings bindings = new Bindings();

    /**
     * Makes the meters of a near cache; {@link #bindTo} registers them.
     *
     * @param store a store with a near cache
     * @param name the value of the tag {@code store}, different for each near cache of a registry
     * @throws IllegalStateException if the store has no near cache
     */
    public NearCacheMetrics(TypedStore<?, ?> store, String name) {
        this.store = Objects.requireNonNull(store, "store");
        this.tags = Tags.of("store", Objects.requireNonNull(name, "name"));
        NearCacheStats ignored = store.nearCacheStats(); // counts from now on
        Objects.requireNonNull(ignored, "stats");
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        bindings.bind(registry, PREFIX, "size", tags, store, NearCacheMetrics::register);
    }

    private static void register(Meters<TypedStore<?, ?>> meters) {
        String gets = "Reads of one key";
        meters.count(
                "gets",
                "operations",
                gets,
                Tags.of("result", "hit"),
                of -> of.nearCacheStats().hits());
        meters.count(
                "gets",
                "operations",
                gets,
                Tags.of("result", "miss"),
                of -> of.nearCacheStats().misses());
        meters.count(
                "evictions",
                "values",
                "Values dropped to make room",
                Tags.empty(),
                of -> of.nearCacheStats().evictions());
        meters.count(
                "invalidations",
                "values",
                "Values dropped because their key was changed",
                Tags.empty(),
                of -> of.nearCacheStats().invalidations());
        meters.gauge("size", "values", "Values held", of -> of.nearCacheStats().size());
    }

    /** Removes the meters that this object added, from every registry it was bound to. */
    @Override
    public void close() {
        bindings.remove();
    }
}
