package io.kvorum.replication;

import static java.util.Objects.requireNonNull;

import io.kvorum.slots.HashSlot;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.slots.topology.ShardId;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.jspecify.annotations.Nullable;

/**
 * A node's bounded window of the shard's recent records, and the gate that lets writers in.
 *
 * <p>The log is one ring of bytes. An append copies the record in and, where the ring is full, drops the oldest
 * records; a reader that was further behind must take a full sync. Nobody waits for a reader. An offset counts all
 * bytes since the shard's history began and never goes back, except when the node takes a full sync.
 *
 * <p>The <em>gate</em> is open while the node is the primary. A writer holds its own lock over the state, appends, and
 * only then changes the state; a refused append has changed nothing. Since the gate is closed under the log's lock, the
 * end of the log is final once {@link ShardNode} has closed it.
 *
 * <p>Safe for use by any number of threads: appends and reads take one short private lock. This is the one class that
 * the pure machines of this package share with writing threads.
 */
public final class ReplicationLog implements AutoCloseable {
    /** The smallest capacity, in bytes. */
    public static final int MIN_CAPACITY = 1 << 10;

    /** The largest capacity, in bytes. */
    public static final int MAX_CAPACITY = 1 << 30;

    /** Why the gate is closed. */
    record Refusal(
            RefusedException.Kind kind,
            @Nullable ShardId shard,
            @Nullable NodeId node,
            @Nullable NodeId primary,
            long epoch) {
        RefusedException exception(int slot) {
            String rule = switch (kind) {
                case FENCED -> "the node has promised a later epoch and takes no writes";
                case PAUSED -> "the primary holds its writes back for a switchover";
                case TOO_FEW_REPLICAS -> "fewer replicas than the shard demands are connected";
                default -> "a replica takes no writes";
            };
            String where = primary == null ? "" : ", primary " + primary;
            return new RefusedException(
                    kind,
                    rule + ": node " + node + " of " + shard + ", slot " + slot + ", epoch " + epoch + where,
                    slot,
                    shard,
                    node,
                    primary,
                    epoch);
        }
    }

    private final Object lock = new Object();
    private final ByteBuf ring;
    private final int capacity;
    private final int mask;
    private long first;
    private long end;
    private long endEpoch;
    private LogHistory history = LogHistory.EMPTY;
    private @Nullable Refusal refusal = new Refusal(RefusedException.Kind.READ_ONLY, null, null, null, 0);
    private volatile Runnable wakeup = () -> {};
    private boolean closed;

    /**
     * Makes an empty log, with its gate closed.
     *
     * @param allocator gives the ring's memory, taken at once and held until {@link #close()}
     * @param capacity the bytes retained, record headers of 8 bytes included: a power of two from
     *     {@value #MIN_CAPACITY} to {@value #MAX_CAPACITY}
     * @throws IllegalArgumentException if the capacity is not such a number
     */
    public ReplicationLog(ByteBufAllocator allocator, int capacity) {
        if (Integer.bitCount(capacity) != 1 || capacity < MIN_CAPACITY || capacity > MAX_CAPACITY) {
            throw new IllegalArgumentException(
                    "capacity must be a power of two from " + MIN_CAPACITY + " to " + MAX_CAPACITY + ": " + capacity);
        }
        this.capacity = capacity;
        this.mask = capacity - 1;
        this.ring = allocator.buffer(capacity, capacity).writerIndex(capacity);
    }

    /**
     * Appends a record, if the gate is open.
     *
     * @param slot the slot that the record is about
     * @param payload the readable bytes are copied; borrowed, its indexes stay
     * @return the offset after the record
     * @throws RefusedException if the gate is closed; nothing was appended
     * @throws IllegalArgumentException if the slot is out of range
     * @throws RecordTooLongException if the record is larger than {@link #maxPayload()}
     * @throws IllegalStateException if the log was closed
     */
    public long append(int slot, ByteBuf payload) {
        HashSlot.check(slot);
        int length = payload.readableBytes();
        if (length > maxPayload()) {
            throw new RecordTooLongException(length, maxPayload());
        }
        long after;
        synchronized (lock) {
            requireOpen();
            if (refusal != null) {
                throw refusal.exception(slot);
            }
            makeRoom(Records.HEADER + length);
            putHeader(length, slot);
            putBytes(payload, payload.readerIndex(), length);
            after = end;
        }
        wakeup.run();
        return after;
    }

    /** {@return the largest payload of one record: half of the capacity, less the record's header} */
    public int maxPayload() {
        return capacity / 2 - Records.HEADER;
    }

    /** {@return the position after the last record} */
    public LogPosition end() {
        synchronized (lock) {
            return new LogPosition(endEpoch, end);
        }
    }

    /** {@return the offset of the oldest record that is retained; the end if there is none} */
    public long firstOffset() {
        synchronized (lock) {
            return first;
        }
    }

    /** {@return which epoch wrote which part of the log} */
    public LogHistory history() {
        synchronized (lock) {
            return history;
        }
    }

    /** {@return whether the gate is open} */
    public boolean isWritable() {
        synchronized (lock) {
            return refusal == null && !closed;
        }
    }

    /**
     * Copies whole records to a buffer, oldest first, in one or two bulk copies.
     *
     * @param from the offset of the first record to copy; it must be one that an append or a read ended at
     * @param target receives the records; borrowed, its writer index moves
     * @param maxBytes where to stop; at least one record is copied where there is one, whatever its size
     * @return the number of bytes copied, 0 at the end of the log, or -1 if the record at {@code from} is no longer
     *     retained
     * @throws IllegalArgumentException if {@code from} is after the end
     * @throws IllegalStateException if the log was closed
     */
    public int read(long from, ByteBuf target, int maxBytes) {
        synchronized (lock) {
            requireOpen();
            if (from > end) {
                throw new IllegalArgumentException("offset " + from + " is after the log, which ends at " + end);
            }
            if (from < first) {
                return -1;
            }
            int length = (int) (end - from);
            if (length > maxBytes) {
                length = wholeRecords(from, maxBytes);
            }
            int index = (int) (from & mask);
            int beforeWrap = Math.min(length, capacity - index);
            target.ensureWritable(length);
            target.writeBytes(ring, index, beforeWrap);
            target.writeBytes(ring, 0, length - beforeWrap);
            return length;
        }
    }

    /** Releases the ring. Later calls fail, except this one, which does nothing then, and those that only tell. */
    @Override
    public void close() {
        synchronized (lock) {
            if (!closed) {
                closed = true;
                ring.release();
            }
        }
    }

    /**
     * Has something run after each append: by the appending thread, outside of the log's lock, but inside of whatever
     * lock the writer holds. It must be quick and must not throw.
     *
     * @param wakeup replaces what was set before
     */
    public void onAppend(Runnable wakeup) {
        this.wakeup = requireNonNull(wakeup, "wakeup");
    }

    /** Begins a leadership: appends the record that says so, and opens the gate. Returns the offset after it. */
    long begin(long epoch) {
        synchronized (lock) {
            requireOpen();
            LogHistory longer = history.with(epoch, end);
            makeRoom(Records.EPOCH_RECORD);
            putHeader(Long.BYTES, Records.EPOCH);
            putLong(epoch);
            history = longer;
            endEpoch = epoch;
            refusal = null;
            return end;
        }
    }

    /** Closes the gate, or changes the reason; an append under way is finished first. */
    void refuse(Refusal reason) {
        synchronized (lock) {
            refusal = reason;
        }
    }

    /** Opens the gate again for the leadership under way. */
    void admit() {
        synchronized (lock) {
            refusal = null;
        }
    }

    /**
     * Takes over what a primary has sent: whole, checked records that begin at the end of this log. If they are more
     * than the log holds, none is retained.
     */
    void take(ByteBuf records) {
        int length = records.readableBytes();
        synchronized (lock) {
            requireOpen();
            long epoch = endEpoch;
            LogHistory longer = history;
            int start = records.readerIndex();
            int size;
            for (int index = start; index < start + length; index += size) {
                size = Records.size(records, index);
                if (Records.tag(records, index) == Records.EPOCH) {
                    epoch = Records.epoch(records, index);
                    longer = longer.with(epoch, end + index - start);
                }
            }
            if (length <= capacity) {
                makeRoom(length);
                putBytes(records, start, length);
            } else {
                end += length;
                first = end;
            }
            endEpoch = epoch;
            history = longer;
        }
    }

    /** Forgets all records and begins anew behind a snapshot. */
    void reset(LogPosition position, LogHistory ofPrimary) {
        synchronized (lock) {
            requireOpen();
            first = position.offset();
            end = position.offset();
            endEpoch = position.epoch();
            history = ofPrimary;
        }
    }

    /** Counts the retained records from an offset on, from the oldest one retained if that is later. */
    long countFrom(long offset) {
        synchronized (lock) {
            requireOpen();
            long count = 0;
            for (long at = first; at < end; at += Records.HEADER + getInt(at)) {
                if (at >= offset) {
                    count++;
                }
            }
            return count;
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the log is closed");
        }
    }

    /** Drops the oldest records until the new ones fit. */
    private void makeRoom(int size) {
        while (end + size - first > capacity) {
            first += Records.HEADER + getInt(first);
        }
    }

    private int wholeRecords(long from, int maxBytes) {
        long at = from + Records.HEADER + getInt(from);
        while (at < end) {
            long next = at + Records.HEADER + getInt(at);
            if (next - from > maxBytes) {
                break;
            }
            at = next;
        }
        return (int) (at - from);
    }

    private void putHeader(int length, int tag) {
        int index = (int) (end & mask);
        if (capacity - index >= Records.HEADER) {
            ring.setLong(index, (long) length << 32 | tag);
            end += Records.HEADER;
        } else {
            putLong((long) length << 32 | tag);
        }
    }

    private void putLong(long value) {
        for (int shift = 56; shift >= 0; shift -= 8) {
            ring.setByte((int) (end++ & mask), (int) (value >>> shift));
        }
    }

    private void putBytes(ByteBuf source, int index, int length) {
        int at = (int) (end & mask);
        int beforeWrap = Math.min(length, capacity - at);
        ring.setBytes(at, source, index, beforeWrap);
        ring.setBytes(0, source, index + beforeWrap, length - beforeWrap);
        end += length;
    }

    private int getInt(long offset) {
        int index = (int) (offset & mask);
        if (capacity - index >= Integer.BYTES) {
            return ring.getInt(index);
        }
        int value = 0;
        for (int i = 0; i < Integer.BYTES; i++) {
            value = value << 8 | ring.getUnsignedByte((int) (offset + i & mask));
        }
        return value;
    }
}
