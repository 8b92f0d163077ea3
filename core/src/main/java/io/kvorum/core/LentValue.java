package io.kvorum.core;

import io.netty.buffer.ByteBuf;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A value that a {@link ValueReader} may look at while it is called, and no longer: every method throws
 * {@link IllegalStateException} afterwards. Numbers are big-endian, as they are in a {@link ByteBuf}.
 *
 * <p>Confined to the thread on which the reader is called.
 */
public final class LentValue {
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

    private final int from;
    private final int length;
    private byte @Nullable [] array;

    /** Lends a part of an array; the caller has checked that it is one. */
    LentValue(byte[] array, int from, int length) {
        this.array = array;
        this.from = from;
        this.length = length;
    }

    /** Calls a reader, and ends the loan whatever comes of it. */
    static <T extends @Nullable Object> T lend(byte[] array, int from, int length, ValueReader<T> reader) {
        LentValue value = new LentValue(array, from, length);
        try {
            return reader.read(value);
        } finally {
            value.array = null;
        }
    }

    /** {@return how many bytes the value has} */
    public int length() {
        array();
        return length;
    }

    /**
     * {@return a byte of the value}
     *
     * @param index which; 0 is the first
     * @throws IndexOutOfBoundsException if the value has no such byte
     */
    public byte byteAt(int index) {
        return array()[from + Objects.checkIndex(index, length)];
    }

    /**
     * {@return four bytes of the value as a number}
     *
     * @param index the first of them
     * @throws IndexOutOfBoundsException if the value has no such bytes
     */
    public int intAt(int index) {
        return (int) INT.get(array(), from + Objects.checkFromIndexSize(index, Integer.BYTES, length));
    }

    /**
     * {@return eight bytes of the value as a number}
     *
     * @param index the first of them
     * @throws IndexOutOfBoundsException if the value has no such bytes
     */
    public long longAt(int index) {
        return (long) LONG.get(array(), from + Objects.checkFromIndexSize(index, Long.BYTES, length));
    }

    /**
     * Copies a part of the value.
     *
     * @param index the first byte of the part
     * @param target where it is copied to
     * @param targetIndex where its first byte goes
     * @param count how many bytes it has
     * @throws IndexOutOfBoundsException if the value has no such part, or the target no such place
     */
    public void copyTo(int index, byte[] target, int targetIndex, int count) {
        Objects.checkFromIndexSize(index, count, length);
        System.arraycopy(array(), from + index, target, targetIndex, count);
    }

    /**
     * Appends the value to a buffer.
     *
     * @param target the buffer; borrowed
     */
    public void writeTo(ByteBuf target) {
        target.writeBytes(array(), from, length);
    }

    /** Returns whether the value has exactly these bytes. */
    boolean hasBytes(byte[] bytes) {
        return Arrays.equals(array(), from, from + length, bytes, 0, bytes.length);
    }

    /** {@return a copy of the value} */
    public byte[] toArray() {
        return Arrays.copyOfRange(array(), from, from + length);
    }

    /** {@return the length, but never the bytes} */
    @Override
    public String toString() {
        return "LentValue[" + length + " bytes]";
    }

    private byte[] array() {
        byte[] lent = array;
        if (lent == null) {
            throw new IllegalStateException("a lent value must be used within the call of its reader");
        }
        return lent;
    }
}
