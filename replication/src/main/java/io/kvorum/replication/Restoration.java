package io.kvorum.replication;

import io.netty.buffer.ByteBuf;

/**
 * A replacement of a {@link ReplicatedState} that is built aside from a snapshot and the log records since.
 *
 * <p>Entries and records come interleaved, in the order in which they must be taken; either may come twice. After
 * {@link #complete()} or {@link #abort()} no other method is called.
 *
 * <p>Confined to the thread of the node's driver.
 */
public interface Restoration {
    /**
     * Takes entries over that {@link SnapshotScan#next} wrote.
     *
     * @param entries the entries; borrowed, valid only during the call
     * @throws IllegalArgumentException if they cannot be understood; the caller then aborts
     */
    void load(ByteBuf entries);

    /**
     * Applies one log record to the replacement.
     *
     * @param slot the slot that the record is about
     * @param payload the record's payload; borrowed, valid only during the call
     */
    void apply(int slot, ByteBuf payload);

    /** Puts the replacement in the place of the old state, in one atomic step for every reader. */
    void complete();

    /** Forgets the replacement. The old state was never touched. */
    void abort();
}
