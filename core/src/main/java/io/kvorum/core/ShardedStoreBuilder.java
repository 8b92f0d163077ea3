package io.kvorum.core;

import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Makes a {@link ShardedStore} of several {@link LocalStore}s, see {@link ShardedStore#builder()}. Each method but
 * {@link #build} sets one value, changes this builder and returns it.
 *
 * <p>Confined to one thread.
 */
public final class ShardedStoreBuilder {
    private static final Duration EXPIRY_INTERVAL = Duration.ofMillis(100);

    /** About how many stripes a store has whose settings say nothing of them, unless it has more shards. */
    private static final int STRIPES = 256;

    private int shards = 1;
    private boolean stripesGiven;
    private StoreSettings settings = StoreSettings.defaults();
    private InstantSource clock = InstantSource.system();
    private @Nullable Long seed;
    private @Nullable MutationSink sink;
    private @Nullable ScheduledExecutorService scheduler;
    private @Nullable Duration slowThreshold;
    private @Nullable Consumer<? super SlowOperation> slowListener;

    ShardedStoreBuilder() {}

    /**
     * Sets the number of shards; 1 unless set.
     *
     * @param newShards 1 to 16,384
     * @return this builder
     */
    public ShardedStoreBuilder shards(int newShards) {
        this.shards = newShards;
        return this;
    }

    /**
     * Sets the settings of each shard, but not its limit, for which see {@link #limit}. Without them a shard has 64
     * stripes, or fewer where there are many shards.
     *
     * @param newSettings the settings; their limit becomes that of the whole store
     * @return this builder
     */
    public ShardedStoreBuilder settings(StoreSettings newSettings) {
        this.settings = Objects.requireNonNull(newSettings, "settings");
        this.stripesGiven = true;
        return this;
    }

    /**
     * Sets the limit of the whole store, which is divided evenly among the shards; none unless set.
     *
     * @param limit how much all shards together may hold
     * @return this builder
     */
    public ShardedStoreBuilder limit(MemoryLimit limit) {
        this.settings = settings.withLimit(limit);
        return this;
    }

    /**
     * Sets the clock that decides whether a deadline has passed; that of the system unless set.
     *
     * @param newClock the clock
     * @return this builder
     */
    public ShardedStoreBuilder clock(InstantSource newClock) {
        this.clock = Objects.requireNonNull(newClock, "clock");
        return this;
    }

    /**
     * Sets the seed of the key hash; secret unless set.
     *
     * @param newSeed the seed; keep it secret if strangers choose keys
     * @return this builder
     */
    public ShardedStoreBuilder seed(long newSeed) {
        this.seed = newSeed;
        return this;
    }

    /**
     * Sets who sees every change before it is made, and may refuse it; nobody unless set.
     *
     * @param newSink the sink
     * @return this builder
     */
    public ShardedStoreBuilder sink(MutationSink newSink) {
        this.sink = Objects.requireNonNull(newSink, "sink");
        return this;
    }

    /**
     * Sets what deletes expired keys in the background, ten times a second until the store is
     * {@linkplain ShardedStore#close() closed} or no longer reachable. Without it writes alone delete them, a few each.
     *
     * @param newScheduler runs the task; the caller closes it
     * @return this builder
     */
    public ShardedStoreBuilder scheduler(ScheduledExecutorService newScheduler) {
        this.scheduler = Objects.requireNonNull(newScheduler, "scheduler");
        return this;
    }

    /**
     * Sets who is told of operations that take long, as by {@link LocalStore#onSlowOperation}.
     *
     * @param threshold from how long on an operation takes long; not negative
     * @param listener is told
     * @return this builder
     */
    public ShardedStoreBuilder onSlowOperation(Duration threshold, Consumer<? super SlowOperation> listener) {
        this.slowThreshold = Objects.requireNonNull(threshold, "threshold");
        this.slowListener = Objects.requireNonNull(listener, "listener");
        return this;
    }

    /**
     * {@return the store}
     *
     * @throws IllegalArgumentException if there are too few or too many shards, or the limit is less than 1 for each
     */
    public ShardedStore build() {
        ShardedStore.checkShards(shards);
        StoreSettings each = settings.withLimit(share(settings.limit()));
        if (!stripesGiven) {
            each = each.withStripes(Math.max(1, Math.min(each.stripes(), STRIPES / Integer.highestOneBit(shards))));
        }
        long first = seed == null ? new SecureRandom().nextLong() : seed;
        List<LocalStore> stores = new ArrayList<>();
        for (int i = 0; i < shards; i++) {
            LocalStore store = sink == null
                    ? new LocalStore(each, first + i, clock)
                    : new LocalStore(each, first + i, clock, sink);
            if (slowThreshold != null && slowListener != null) {
                store.onSlowOperation(slowThreshold, slowListener);
            }
            stores.add(store);
        }
        ShardedStore built = ShardedStore.local(stores);
        if (scheduler != null) {
            built.expireWith(scheduler, EXPIRY_INTERVAL);
        }
        return built;
    }

    private MemoryLimit share(MemoryLimit limit) {
        return limit.equals(MemoryLimit.none())
                ? limit
                : new MemoryLimit(limit.unit(), limit.most() / shards, limit.whenFull());
    }
}
