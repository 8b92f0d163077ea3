package io.kvorum.replication;

import io.netty.buffer.ByteBuf;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Access to an array whose length is a power of two and in which offset {@code n} lies at {@code n} modulo length. */
final class Ring {
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle INTS = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

    private Ring() {}

    private static int index(byte[] ring, long offset) {
        return (int) offset & (ring.length - 1);
    }

    static void putLong(byte[] ring, long offset, long value) {
        int index = index(ring, offset);
        if (index <= ring.length - Long.BYTES) {
            LONGS.set(ring, index, value);
        } else {
            for (int i = 0; i < Long.BYTES; i++) {
                ring[index(ring, offset + i)] = (byte) (value >>> (56 - 8 * i));
            }
        }
    }

    static int getInt(byte[] ring, long offset) {
        int index = index(ring, offset);
        if (index <= ring.length - Integer.BYTES) {
            return (int) INTS.get(ring, index);
        }
        int value = 0;
        for (int i = 0; i < Integer.BYTES; i++) {
            value = value << 8 | (ring[index(ring, offset + i)] & 0xff);
        }
        return value;
    }

    static void put(byte[] ring, long offset, ByteBuf source, int from, int length) {
        int index = index(ring, offset);
        int beforeWrap = ring.length - index;
        if (length <= beforeWrap) {
            source.getBytes(from, ring, index, length);
        } else {
            source.getBytes(from, ring, index, beforeWrap);
            source.getBytes(from + beforeWrap, ring, 0, length - beforeWrap);
        }
    }

    static void get(byte[] ring, long offset, ByteBuf target, int length) {
        int index = index(ring, offset);
        int beforeWrap = Math.min(length, ring.length - index);
        target.writeBytes(ring, index, beforeWrap);
        if (beforeWrap < length) {
            target.writeBytes(ring, 0, length - beforeWrap);
        }
    }

    /**
     * Returns a longer ring with the same bytes at the same offsets, for a reader that may see it before it is
     * published.
     */
    static byte[] longer(byte[] ring, int length, long first, long end) {
        byte[] longer = new byte[length];
        for (long at = first; at < end; ) {
            int from = index(ring, at);
            int to = index(longer, at);
            int count = (int) Math.min(end - at, Math.min(ring.length - from, length - to));
            System.arraycopy(ring, from, longer, to, count);
            at += count;
        }
        VarHandle.storeStoreFence(); // the bytes before the reference to them
        return longer;
    }
}
