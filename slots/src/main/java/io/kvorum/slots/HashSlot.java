package io.kvorum.slots;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/**
 * The slot of a key: the low 14 bits of the {@link Crc16} of its bytes, as every node and client of a Redis cluster
 * computes it.
 *
 * <p>Keys that must share a slot carry the same hash tag. The tag is what lies between the first <code>{</code> of the
 * key and the first <code>}</code> after it; if both are there and at least one byte lies between them, only those
 * bytes are hashed. In every other case the whole key is: an empty first pair is not passed over for a later one.
 *
 * <p>Safe for use by any number of threads.
 */
public final class HashSlot {
    /** How many slots there are; they are numbered from 0 to {@code COUNT - 1}. */
    public static final int COUNT = 16_384;

    private static final int MASK = COUNT - 1;

    private HashSlot() {}

    /** {@return the slot of the key that is all of {@code key}} */
    public static int of(byte[] key) {
        return of(key, 0, key.length);
    }

    /**
     * Computes the slot of a key that lies in a part of an array.
     *
     * @param bytes the array that holds the key
     * @param offset where the key starts
     * @param length how many bytes it has
     * @return the slot
     * @throws IndexOutOfBoundsException if the part does not lie in the array
     */
    public static int of(byte[] bytes, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        int end = offset + length;
        int open = indexOf(bytes, offset, end, '{');
        if (open >= 0) {
            int close = indexOf(bytes, open + 1, end, '}');
            if (close > open + 1) {
                return Crc16.update(Crc16.INITIAL, bytes, open + 1, close - open - 1) & MASK;
            }
        }
        return Crc16.update(Crc16.INITIAL, bytes, offset, length) & MASK;
    }

    /**
     * Computes the slot of the key that lies between a buffer's position and limit. Position, limit and mark stay as
     * they are.
     *
     * @param key the buffer, of any kind
     * @return the slot
     */
    public static int of(ByteBuffer key) {
        int start = key.position();
        int end = key.limit();
        int from = start;
        int to = end;
        int open = indexOf(key, start, end, '{');
        if (open >= 0) {
            int close = indexOf(key, open + 1, end, '}');
            if (close > open + 1) {
                from = open + 1;
                to = close;
            }
        }
        int crc = Crc16.INITIAL;
        for (int i = from; i < to; i++) {
            crc = Crc16.update(crc, key.get(i));
        }
        return crc & MASK;
    }

    /**
     * Computes the slot of a key given as text: the slot of its UTF-8 bytes. A surrogate without its partner counts as
     * {@code ?}, as {@link String#getBytes(java.nio.charset.Charset)} encodes it.
     *
     * @param key the text
     * @return the slot
     */
    public static int of(CharSequence key) {
        return of(key.toString().getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Checks that a number is a slot.
     *
     * @param slot the number
     * @return {@code slot}
     * @throws IllegalArgumentException if it is below 0 or not below {@link #COUNT}
     */
    public static int check(int slot) {
        if (slot < 0 || slot >= COUNT) {
            throw new IllegalArgumentException("slot must be between 0 and " + MASK + ": " + slot);
        }
        return slot;
    }

    private static int indexOf(byte[] bytes, int from, int to, char wanted) {
        for (int i = from; i < to; i++) {
            if (bytes[i] == wanted) {
                return i;
            }
        }
        return -1;
    }

    private static int indexOf(ByteBuffer bytes, int from, int to, char wanted) {
        for (int i = from; i < to; i++) {
            if (bytes.get(i) == wanted) {
                return i;
            }
        }
        return -1;
    }
}
