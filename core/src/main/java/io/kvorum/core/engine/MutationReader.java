package io.kvorum.core.engine;

import io.netty.buffer.ByteBuf;

/**
 * Steps through the mutations of a change without touching the indices of its buffer. Refuses what
 * {@link MutationWriter} cannot have written, and trusts no length before it has compared it with what is there.
 */
public final class MutationReader {
    private static final byte[] EMPTY = {};

    /** What a mutation does to its key. */
    public enum Kind {
        PUT,
        /** Gives it another deadline, or none, and leaves its value. */
        DEADLINE,
        DELETE
    }

    /** A key or a value that is longer than the reader takes. */
    public static final class TooLongException extends IllegalArgumentException {
        private static final long serialVersionUID = 1L;

        TooLongException(String message) {
            super(message);
        }
    }

    private final ByteBuf buffer;
    private final int end;
    private final int maxKeyLength;
    private final int maxValueLength;
    private int index;
    private Kind kind = Kind.DELETE;
    private byte[] key = EMPTY;
    private byte[] value = EMPTY;
    private long deadline = Table.NO_DEADLINE;

    public MutationReader(ByteBuf buffer) {
        this(buffer, buffer.readerIndex(), buffer.writerIndex());
    }

    public MutationReader(ByteBuf buffer, int from, int to) {
        this(buffer, from, to, Integer.MAX_VALUE, Integer.MAX_VALUE);
    }

    public MutationReader(ByteBuf buffer, int from, int to, int maxKeyLength, int maxValueLength) {
        this.buffer = buffer;
        this.index = from;
        this.end = to;
        this.maxKeyLength = maxKeyLength;
        this.maxValueLength = maxValueLength;
    }

    /** Moves to the next mutation, or returns false at the end. */
    public boolean next() {
        if (index == end) {
            return false;
        }
        int tag = buffer.getByte(index++);
        switch (tag) {
            case MutationWriter.DELETE -> {
                kind = Kind.DELETE;
                deadline = Table.NO_DEADLINE;
                key = bytes("key", maxKeyLength);
                value = EMPTY;
            }
            case MutationWriter.PUT -> {
                kind = Kind.PUT;
                deadline = Table.NO_DEADLINE;
                key = bytes("key", maxKeyLength);
                value = bytes("value", maxValueLength);
            }
            case MutationWriter.PUT_WITH_DEADLINE -> {
                kind = Kind.PUT;
                deadline = deadlineHere();
                key = bytes("key", maxKeyLength);
                value = bytes("value", maxValueLength);
            }
            case MutationWriter.DEADLINE -> {
                kind = Kind.DEADLINE;
                deadline = deadlineHere();
                key = bytes("key", maxKeyLength);
                value = EMPTY;
            }
            case MutationWriter.NO_DEADLINE -> {
                kind = Kind.DEADLINE;
                deadline = Table.NO_DEADLINE;
                key = bytes("key", maxKeyLength);
                value = EMPTY;
            }
            default -> throw new IllegalArgumentException("not a mutation: tag " + tag);
        }
        return true;
    }

    /** Returns where the next mutation begins. */
    public int index() {
        return index;
    }

    public Kind kind() {
        return kind;
    }

    public byte[] key() {
        return key;
    }

    public byte[] value() {
        return value;
    }

    public long deadline() {
        return deadline;
    }

    private long deadlineHere() {
        require(Long.BYTES);
        long result = buffer.getLong(index);
        index += Long.BYTES;
        if (result < 0) {
            throw new IllegalArgumentException("deadline must be at least 0: " + result);
        }
        return result;
    }

    private byte[] bytes(String what, int limit) {
        int length = length();
        if (length > limit) {
            throw new TooLongException(what + " must have at most " + limit + " bytes: it has " + length);
        }
        require(length);
        byte[] result = length == 0 ? EMPTY : new byte[length];
        buffer.getBytes(index, result);
        index += length;
        return result;
    }

    private int length() {
        int result = 0;
        for (int shift = 0; shift < 35; shift += 7) {
            require(1);
            int b = buffer.getByte(index++);
            result |= (b & 0x7f) << shift;
            if (b >= 0) {
                if (result < 0 || (shift == 28 && b > 7)) {
                    break;
                }
                if (b == 0 && shift > 0) {
                    throw new IllegalArgumentException("length must be written in as few bytes as it takes");
                }
                return result;
            }
        }
        throw new IllegalArgumentException("length must be below 2 to the 31");
    }

    private void require(int length) {
        if (length > end - index) {
            throw new IllegalArgumentException(
                    "change is cut off: " + length + " bytes wanted, " + (end - index) + " left");
        }
    }
}
