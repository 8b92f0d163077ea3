package io.kvorum.failover.runtime;

import io.kvorum.failover.SentinelState;
import io.kvorum.failover.SentinelStateStore;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the state of a sentinel in memory: it survives the sentinel, not the process. Enough where all sentinels live
 * and die together.
 *
 * <p>Safe for use by any number of threads.
 */
public final class InMemorySentinelStateStore implements SentinelStateStore {
    private volatile @Nullable SentinelState state;

    /** Starts without a state. */
    public InMemorySentinelStateStore() {}

    @Override
    public @Nullable SentinelState load() {
        return state;
    }

    @Override
    public void save(SentinelState next) {
        state = next;
    }
}
