package io.kvorum.replication;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the {@link Promise} of a node over restarts.
 *
 * <p>A node that came back with a lower promise could acknowledge writes of a deposed primary. If a promise cannot be
 * saved, the node answers nothing until it can. A promise that was lost is not a promise that was never given: a store
 * that cannot tell must throw.
 *
 * <p>Called by one thread at a time.
 */
public interface PromiseStore {
    /**
     * Reads the promise.
     *
     * @return the promise saved last, or {@code null} if none was ever saved here
     * @throws PromiseStoreException if there is or may be a promise that cannot be read; the node must not start then
     * @throws IOException if reading fails; the node must not start then
     */
    @Nullable
    Promise load() throws IOException;

    /**
     * Saves a promise, durably, before it returns.
     *
     * @param promise the promise, never of a lower epoch or life than the one saved before
     * @throws IOException if the promise may not have been saved; a retry is safe
     */
    void save(Promise promise) throws IOException;
}
