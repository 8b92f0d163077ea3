package io.kvorum.failover;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the state of a sentinel: a cache, which makes a restarted sentinel useful at once. No safety rests on it, and a
 * sentinel goes on working while its state cannot be saved.
 *
 * <p>Every sentinel has a store of its own. {@link #load} is called before there is a driver; {@link #save} by the
 * driver, never by two threads at a time but by changing ones, each of which sees what the one before did.
 */
public interface SentinelStateStore {
    /**
     * Reads the state that was last saved.
     *
     * @return the state, or null if none was ever saved
     * @throws IOException if there is a state that cannot be read; starting without it is safe
     */
    @Nullable
    SentinelState load() throws IOException;

    /**
     * Saves a state in place of the one before. A crash leaves either of the two, never a mixture.
     *
     * @param state the state
     * @throws IOException if it could not be saved
     */
    void save(SentinelState state) throws IOException;
}
