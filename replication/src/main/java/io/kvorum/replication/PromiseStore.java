package io.kvorum.replication;

import java.io.IOException;

/**
 * Keeps the one fact that a node must not forget: the highest epoch that it has promised.
 *
 * <p>A node that came back with a lower promise could acknowledge writes of a deposed primary. If a promise cannot be
 * saved, the node answers nothing until it can.
 *
 * <p>Called by one thread at a time.
 */
public interface PromiseStore {
    /**
     * {@return the promise saved last, or 0 if none ever was}
     *
     * @throws IOException if the saved promise cannot be read; the node must not start then
     */
    long load() throws IOException;

    /**
     * Saves a promise, durably, before it returns.
     *
     * @param epoch the promised epoch, never lower than the one saved before
     * @throws IOException if the promise may not have been saved; a retry is safe
     */
    void save(long epoch) throws IOException;
}
