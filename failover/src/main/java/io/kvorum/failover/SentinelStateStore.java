package io.kvorum.failover;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Keeps what a sentinel must not forget: its votes and the configurations it knows. A driver sends nothing before the
 * state it follows from has been saved.
 *
 * <p>Every sentinel has a store of its own. {@link #load} is called before there is a driver; {@link #save} by the
 * thread that takes the driver's step: never by two at a time, but by changing ones, each of which sees what the one
 * before has done.
 */
public interface SentinelStateStore {
    /**
     * Reads the state that was last saved.
     *
     * @return the state, or null if none was ever saved
     * @throws IOException if there is a state and it cannot be read: a sentinel must then not start, for it may have
     *     given votes that it no longer knows
     */
    @Nullable
    SentinelState load() throws IOException;

    /**
     * Saves a state in place of the one before. When this returns, the state survives a crash of the process; when it
     * throws, either of the two may be found afterwards, but never a mixture.
     *
     * @param state the state
     * @throws IOException if it could not be saved
     */
    void save(SentinelState state) throws IOException;
}
