package io.kvorum.core.engine;

import io.netty.buffer.ByteBuf;

/**
 * The encoding of mutations: a tag, the deadline if there is one (8 bytes), and key and value, each behind its length
 * (1 to 5 bytes, 7 bits in each, the lowest first). One mutation has exactly one encoding.
 */
public final class MutationWriter {
    public static final byte DELETE = 1;
    static final byte PUT = 2;
    static final byte DEADLINE = 4;
    static final byte NO_DEADLINE = 5;
    static final byte PUT_WITH_DEADLINE = 3;

    /** The most bytes that a mutation takes beside its key and its value: a tag, a deadline and two lengths. */
    public static final int MAX_OVERHEAD = 1 + Long.BYTES + 2 * 5;

    private MutationWriter() {}

    public static void put(ByteBuf target, byte[] key, byte[] value, long deadline) {
        tag(target, deadline);
        bytes(target, key, 0, key.length);
        bytes(target, value, 0, value.length);
    }

    /** Writes a key and a value that lie in one array. */
    public static void put(
            ByteBuf target, byte[] source, int keyFrom, int keyLength, int valueFrom, int valueLength, long deadline) {
        tag(target, deadline);
        bytes(target, source, keyFrom, keyLength);
        bytes(target, source, valueFrom, valueLength);
    }

    public static void delete(ByteBuf target, byte[] key) {
        target.writeByte(DELETE);
        bytes(target, key, 0, key.length);
    }

    /** Writes that a key has another deadline, or none, and the value that it had. */
    public static void deadline(ByteBuf target, byte[] key, long deadline) {
        if (deadline == Table.NO_DEADLINE) {
            target.writeByte(NO_DEADLINE);
        } else {
            target.writeByte(DEADLINE);
            target.writeLong(deadline);
        }
        bytes(target, key, 0, key.length);
    }

    private static void tag(ByteBuf target, long deadline) {
        if (deadline == Table.NO_DEADLINE) {
            target.writeByte(PUT);
        } else {
            target.writeByte(PUT_WITH_DEADLINE);
            target.writeLong(deadline);
        }
    }

    private static void bytes(ByteBuf target, byte[] source, int from, int length) {
        int rest = length;
        while (rest > 0x7f) {
            target.writeByte(rest | 0x80);
            rest >>>= 7;
        }
        target.writeByte(rest);
        target.writeBytes(source, from, length);
    }
}
