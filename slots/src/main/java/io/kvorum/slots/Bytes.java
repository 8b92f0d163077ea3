package io.kvorum.slots;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Little-endian reads of several bytes at once, and the search for a byte among them. */
final class Bytes {
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INTS = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    /** The lowest bit of each byte: times a byte, that byte eight times. */
    static final long LOW_BITS = 0x0101_0101_0101_0101L;

    private static final long HIGH_BITS = 0x8080_8080_8080_8080L;

    private Bytes() {}

    static long longAt(byte[] bytes, int index) {
        return (long) LONGS.get(bytes, index);
    }

    static int intAt(byte[] bytes, int index) {
        return (int) INTS.get(bytes, index);
    }

    static long longAt(ByteBuffer bytes, int index) {
        long value = bytes.getLong(index);
        return bytes.order() == ByteOrder.BIG_ENDIAN ? Long.reverseBytes(value) : value;
    }

    static int intAt(ByteBuffer bytes, int index) {
        int value = bytes.getInt(index);
        return bytes.order() == ByteOrder.BIG_ENDIAN ? Integer.reverseBytes(value) : value;
    }

    /** Returns 0 if no byte of {@code bytes} is zero, else a number whose lowest bit is in the first zero byte. */
    static long zeroByte(long bytes) {
        return (bytes - LOW_BITS) & ~bytes & HIGH_BITS;
    }

    /** Returns whether a byte of either is zero; one mask for both costs less than one for each. */
    static boolean hasZeroByte(long some, long others) {
        return ((((some - LOW_BITS) & ~some) | ((others - LOW_BITS) & ~others)) & HIGH_BITS) != 0;
    }

    /** As {@link #zeroByte(long)}, for four bytes. */
    static int zeroByte(int bytes) {
        return (bytes - (int) LOW_BITS) & ~bytes & (int) HIGH_BITS;
    }
}
