package io.kvorum.core.engine;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012): who does not know the seed cannot
 * choose keys that collide.
 *
 * <p>Immutable.
 */
public final class KeyHash {
    /** The order of keys within a slot that every store knows, so that a scan can go on at another one. */
    public static final KeyHash ORDER = new KeyHash(0x6b766f72756d2d31L, 0x7363616e2d6f7264L);

    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final long k0;
    private final long k1;

    public KeyHash(long k0, long k1) {
        this.k0 = k0;
        this.k1 = k1;
    }

    public long of(byte[] bytes) {
        return of(bytes, 0, bytes.length);
    }

    public long of(byte[] bytes, int from, int length) {
        long v0 = k0 ^ 0x736f6d6570736575L;
        long v1 = k1 ^ 0x646f72616e646f6dL;
        long v2 = k0 ^ 0x6c7967656e657261L;
        long v3 = k1 ^ 0x7465646279746573L;
        int end = from + (length & -8);
        for (int at = from; at <= end; at += 8) {
            long word = at < end ? (long) LONG.get(bytes, at) : (long) length << 56 | tail(bytes, end, length);
            v3 ^= word;
            v0 += v1;
            v2 += v3;
            v1 = Long.rotateLeft(v1, 13) ^ v0;
            v3 = Long.rotateLeft(v3, 16) ^ v2;
            v0 = Long.rotateLeft(v0, 32);
            v2 += v1;
            v0 += v3;
            v1 = Long.rotateLeft(v1, 17) ^ v2;
            v3 = Long.rotateLeft(v3, 21) ^ v0;
            v2 = Long.rotateLeft(v2, 32);
            v0 ^= word;
        }
        v2 ^= 0xff;
        for (int i = 0; i < 3; i++) {
            v0 += v1;
            v2 += v3;
            v1 = Long.rotateLeft(v1, 13) ^ v0;
            v3 = Long.rotateLeft(v3, 16) ^ v2;
            v0 = Long.rotateLeft(v0, 32);
            v2 += v1;
            v0 += v3;
            v1 = Long.rotateLeft(v1, 17) ^ v2;
            v3 = Long.rotateLeft(v3, 21) ^ v0;
            v2 = Long.rotateLeft(v2, 32);
        }
        return v0 ^ v1 ^ v2 ^ v3;
    }

    /** Returns the bytes behind the last whole word. */
    private static long tail(byte[] bytes, int end, int length) {
        int rest = length & 7;
        if (rest == 0) {
            return 0;
        }
        if (length > 8) {
            return (long) LONG.get(bytes, end + rest - 8) >>> (Long.SIZE - 8 * rest);
        }
        long word = 0;
        for (int i = rest - 1; i >= 0; i--) {
            word = word << 8 | (bytes[end + i] & 0xff);
        }
        return word;
    }
}
