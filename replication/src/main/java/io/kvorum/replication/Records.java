package io.kvorum.replication;

import io.kvorum.slots.HashSlot;
import io.netty.buffer.ByteBuf;

/**
 * How records lie in a log and in the messages between nodes: the payload's length (4 bytes), the tag (4 bytes), the
 * payload. The tag is a slot, or {@link #EPOCH} for the record that begins a leadership, whose payload is the epoch.
 */
final class Records {
    static final int HEADER = 8;

    /** The tag of the record that begins a leadership: the number after the last slot. */
    static final int EPOCH = HashSlot.COUNT;

    static final int EPOCH_RECORD = HEADER + Long.BYTES;

    private Records() {}

    /** {@return the whole size of the record at {@code index}} */
    static int size(ByteBuf records, int index) {
        return HEADER + records.getInt(index);
    }

    static int tag(ByteBuf records, int index) {
        return records.getInt(index + Integer.BYTES);
    }

    /** {@return the epoch that the record of a leadership's beginning, at {@code index}, names} */
    static long epoch(ByteBuf records, int index) {
        return records.getLong(index + HEADER);
    }

    /** {@return the payload of the record at {@code index}: a view that shares the buffer's bytes and its owner} */
    static ByteBuf payload(ByteBuf records, int index) {
        return records.slice(index + HEADER, records.getInt(index));
    }

    /**
     * Checks that the readable bytes are whole records with legal tags.
     *
     * @throws IllegalArgumentException if they are not
     */
    static void check(ByteBuf records) {
        int index = records.readerIndex();
        int end = records.writerIndex();
        while (index < end) {
            if (end - index < HEADER) {
                throw new IllegalArgumentException("a record must have a whole header: " + (end - index) + " bytes");
            }
            int length = records.getInt(index);
            int tag = records.getInt(index + Integer.BYTES);
            if (length < 0 || length > end - index - HEADER) {
                throw new IllegalArgumentException("a record must be whole: length " + length);
            }
            if (tag < 0 || tag > EPOCH || (tag == EPOCH && length != Long.BYTES)) {
                throw new IllegalArgumentException("a record must have a slot or an epoch: tag " + tag);
            }
            index += HEADER + length;
        }
    }
}
