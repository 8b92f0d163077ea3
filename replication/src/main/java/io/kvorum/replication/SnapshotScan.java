package io.kvorum.replication;

import io.netty.buffer.ByteBuf;

/**
 * A fuzzy scan over a {@link ReplicatedState}: every key that is present throughout is returned at least once.
 *
 * <p>Confined to the thread of the node's driver.
 */
public interface SnapshotScan extends AutoCloseable {
    /**
     * Appends the next entries to {@code target}, in a form that {@link Restoration#load} understands.
     *
     * @param target receives whole entries; borrowed, grown as needed
     * @param maxBytes where to stop: no further entry is started once this many bytes were written; at least 1
     * @return false if there was nothing left and nothing was written
     */
    boolean next(ByteBuf target, int maxBytes);

    /** Ends the scan. Idempotent. */
    @Override
    void close();
}
