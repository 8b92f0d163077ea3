package io.kvorum.replication;

import io.kvorum.slots.topology.LogPosition;
import io.netty.buffer.ByteBuf;

/**
 * A node's log of the shard's recent records, with the gate that admits writers.
 *
 * <p>Offsets count the bytes since the shard's history began and never go back, except when the node completes a full
 * sync. An append copies its record in. When the log is full, the oldest records are dropped, unless a feeder of this
 * node <em>holds</em> them for a replica: held records are never dropped. Writers are slowed down instead, by
 * {@link #awaitRoom}, and an append for which held records leave no room is refused.
 *
 * <p>The <em>gate</em> is open while the node is the primary. A writer calls {@code awaitRoom} first, then locks its
 * part of the state, appends, and changes the state last, so a refused append has changed nothing. Once
 * {@link ShardNode} has closed the gate, the end of the log is final.
 *
 * <p>Safe for use by any number of threads. Readers never block writers.
 */
public sealed interface ReplicationLog extends AutoCloseable permits MachineLog {
    /** The smallest capacity, in bytes. */
    int MIN_CAPACITY = 1 << 10;

    /** The largest capacity, in bytes. */
    int MAX_CAPACITY = 1 << 30;

    /**
     * Creates an empty log on the heap, with its gate closed. It starts at a few kilobytes, doubles as records come in,
     * and stays at the capacity.
     *
     * @param capacity the most bytes retained, record headers of 8 bytes included: a power of two from
     *     {@value #MIN_CAPACITY} to {@value #MAX_CAPACITY}
     * @return the log
     * @throws IllegalArgumentException if the capacity is not such a number
     */
    static ReplicationLog inMemory(int capacity) {
        return new MemoryLog(capacity, Parking.SYSTEM);
    }

    /**
     * Appends a record, if the gate is open. Never waits for a reader.
     *
     * @param slot the slot that the record belongs to
     * @param payload the readable bytes are copied; borrowed, its indexes stay
     * @return the offset after the record
     * @throws io.kvorum.slots.topology.RefusedException if the gate is closed, or, of the kind {@code OVERLOADED}, if
     *     held records leave no room; nothing was appended
     * @throws IllegalArgumentException if the slot is out of range
     * @throws RecordTooLongException if the record is larger than {@link #maxPayload()}
     * @throws IllegalStateException if the log is closed
     */
    long append(int slot, ByteBuf payload);

    /**
     * Waits until the log has room for another record. Returns at once unless held records fill more than three
     * quarters of the capacity. The last quarter is the reserve for writers that have been admitted; a record larger
     * than the reserve may still be refused by {@link #append}.
     *
     * <p>Writers are admitted in the order of their calls. Call this before taking any lock that a reader or the node
     * may need. It also returns at once when the gate is closed, and when the gate closes meanwhile: the append then
     * says why.
     *
     * @param slot the slot of the record, for the refusal
     * @param timeoutNanos the longest wait, in nanoseconds; 0 or less to not wait at all
     * @throws io.kvorum.slots.topology.RefusedException of the kind {@code OVERLOADED} if there was no room within the
     *     time; nothing was changed
     * @throws java.util.concurrent.CancellationException if the thread was interrupted while it waited; nothing was
     *     changed, and the thread is still marked as interrupted
     */
    void awaitRoom(int slot, long timeoutNanos);

    /**
     * Copies whole records to a buffer, oldest first. Holds nothing: records may be dropped from one call to the next.
     *
     * @param from the offset of the first record to copy; must be one that an append or a read ended at
     * @param target receives the records; borrowed, its writer index moves
     * @param maxBytes where to stop; at least one record is copied if there is one, whatever its size
     * @return the number of bytes copied, 0 at the end of the log, or -1 if the record at {@code from} is no longer
     *     retained
     * @throws IllegalArgumentException if {@code from} is after the end
     * @throws IllegalStateException if the log is closed
     */
    int read(long from, ByteBuf target, int maxBytes);

    /** {@return the largest payload of one record: half of the capacity, less the record's header} */
    int maxPayload();

    /** {@return the position after the last record} */
    LogPosition end();

    /** {@return the offset of the oldest record that is retained; the end if there is none} */
    long firstOffset();

    /** {@return which epoch wrote which part of the log} */
    LogHistory history();

    /** {@return whether the gate is open} */
    boolean isWritable();

    /** {@return the offset up to which the records survive a crash of this log's medium; in memory, the end} */
    long durableOffset();

    /**
     * Releases the memory. Writers that wait for room go on, and are refused. Later calls fail, except this one, which
     * does nothing then, and those that only return a property.
     */
    @Override
    void close();
}
