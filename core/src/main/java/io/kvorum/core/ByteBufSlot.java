package io.kvorum.core;

import io.kvorum.slots.Crc16;
import io.kvorum.slots.HashSlot;
import io.netty.buffer.ByteBuf;

/**
 * The slot of a key that lies in a {@link ByteBuf}: {@link HashSlot} for netty's buffers, which the slot module does
 * not know.
 *
 * <p>Nothing is allocated. Safe for use by any number of threads, as long as none of them writes to the buffer.
 */
public final class ByteBufSlot {
    private static final int MASK = HashSlot.COUNT - 1;
    private static final long LOW_BITS = 0x0101_0101_0101_0101L;
    private static final long HIGH_BITS = 0x8080_8080_8080_8080L;
    private static final long OPEN = '{' * LOW_BITS;

    private ByteBufSlot() {}

    /**
     * Computes the slot of the key that lies between a buffer's reader index and writer index. Both indices and the
     * reference count stay as they are: the buffer is borrowed.
     *
     * @param key the buffer, of any kind and byte order
     * @return the slot
     */
    public static int of(ByteBuf key) {
        return key.hasArray()
                ? HashSlot.of(key.array(), key.arrayOffset() + key.readerIndex(), key.readableBytes())
                : slotOf(key, key.readerIndex(), key.writerIndex());
    }

    private static int slotOf(ByteBuf key, int from, int to) {
        int crc = Crc16.INITIAL;
        int i = from;
        for (; i <= to - Long.BYTES; i += Long.BYTES) {
            long word = key.getLongLE(i);
            long other = word ^ OPEN;
            if (((other - LOW_BITS) & ~other & HIGH_BITS) != 0) { // one of the bytes is an opening brace
                return taggedSlotOf(key, from, to);
            }
            crc = Crc16.updateWord(crc, word);
        }
        for (; i < to; i++) {
            byte b = key.getByte(i);
            if (b == '{') {
                return taggedSlotOf(key, from, to);
            }
            crc = Crc16.update(crc, b);
        }
        return crc & MASK;
    }

    private static int taggedSlotOf(ByteBuf key, int from, int to) {
        int open = key.indexOf(from, to, (byte) '{');
        int close = key.indexOf(open + 1, to, (byte) '}');
        return close > open + 1 ? crc(key, open + 1, close) & MASK : crc(key, from, to) & MASK;
    }

    private static int crc(ByteBuf key, int from, int to) {
        int crc = Crc16.INITIAL;
        int i = from;
        for (; i <= to - Long.BYTES; i += Long.BYTES) {
            crc = Crc16.updateWord(crc, key.getLongLE(i));
        }
        for (; i < to; i++) {
            crc = Crc16.update(crc, key.getByte(i));
        }
        return crc;
    }
}
