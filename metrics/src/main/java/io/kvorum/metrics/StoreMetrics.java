package io.kvorum.metrics;

import io.kvorum.core.LocalStore;
import io.kvorum.core.MemoryLimit;
import io.kvorum.core.StoreStats;
import io.kvorum.slots.topology.RefusedException;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.Locale;
import java.util.Objects;

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
 * <p>Counting begins when the first of these objects is made for a store, see {@link LocalStore#stats}. It may be bound
 * to several registries, and more than once to the same, which changes nothing. A registry holds the store only weakly:
 * the meters of a store that is gone show nothing more.
 *
 * <p>Each store of a registry needs a name of its own. If another store with the same name is bound already, its meters
 * stay as they are and this object adds none; closing it then removes none.
 *
 * <p>Safe for use by any number of threads.
 */
public final class StoreMetrics implements MeterBinder, AutoCloseable {
    private static final String PREFIX = "kvorum.store.";

    private final LocalStore store;
    private final Tags tags;
    private final Bindings bindings = new Bindings();

    /**
     * Makes the meters of a store; {@link #bindTo} registers them.
     *
     * @param store the store
     * @param name the value of the tag {@code store}, different for each store of a registry
     */
    public StoreMetrics(LocalStore store, String name) {
        this.store = Objects.requireNonNull(store, "store");
        this.tags = Tags.of("store", Objects.requireNonNull(name, "name"));
        StoreStats ignored = store.stats(); // counts from now on
        Objects.requireNonNull(ignored, "stats");
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        bindings.bind(registry, PREFIX, "entries", tags, store, StoreMetrics::register);
    }

    private static void register(Meters<LocalStore> meters) {
        meters.gauge("entries", "Keys held, expired ones that have not been deleted yet among them", LocalStore::size);
        meters.gauge("bytes", "bytes", "Weight of the keys held, as the memory limit counts it", LocalStore::bytes);
        String gets = "Reads that copy a value";
        meters.count("gets", gets, Tags.of("result", "hit"), of -> of.stats().hits());
        meters.count("gets", gets, Tags.of("result", "miss"), of -> of.stats().misses());
        meters.count("sets", "Keys set", of -> of.stats().sets());
        meters.count("deletes", "Keys deleted by an operation", of -> of.stats().deletes());
        meters.count(
                "expirations",
                "Keys deleted because their deadline had passed",
                of -> of.stats().expirations());
        meters.count("evictions", "Keys deleted to make room", of -> of.stats().evictions());
        for (RefusedException.Kind kind : RefusedException.Kind.values()) {
            meters.count(
                    "refusals",
                    "Writes refused",
                    Tags.of("kind", kind.name().toLowerCase(Locale.ROOT)),
                    of -> of.stats().refusals().getOrDefault(kind, 0L));
        }
    }

    /** Removes the meters that this object added, from every registry it was bound to. */
    @Override
    public void close() {
        bindings.remove();
    }
}
