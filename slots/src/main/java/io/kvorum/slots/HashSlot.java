package io.kvorum.slots;

import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.OptionalInt;

/**
 * The slot of a key: the low 14 bits of the {@link Crc16} of its bytes, as every node and client of a Redis cluster
 * computes it.
 *
 * <p>Keys with the same hash tag share a slot. The tag is the text between the first <code>{</code> of the key and the
 * first <code>}</code> after it. If both exist with at least one byte between them, only those bytes are hashed;
 * otherwise the whole key is. An empty first pair is not skipped in favour of a later one.
 *
 * <p>Hashing allocates nothing, unless the {@code charAt} of a {@link CharSequence} does. Safe for use by any number of
 * threads.
 */
public final class HashSlot {
    // A key is hashed and searched for a brace in one pass. Only if there is one does the key take the slow path, which
    // finds the tag first. As in Crc16 the odd bytes come first, padded in front with zero bytes, which change nothing:
    // a key of up to eight bytes is one word, a longer one a short word and then whole words.

    /** The number of slots; they are numbered from 0 to {@code COUNT - 1}. */
    public static final int COUNT = 16_384;

    private static final int MASK = COUNT - 1;
    private static final long OPEN = '{' * Bytes.LOW_BITS;
    private static final int OPEN_INT = (int) OPEN;
    private static final long CLOSE = '}' * Bytes.LOW_BITS;

    private HashSlot() {}

    /** {@return the slot of a key} */
    public static int of(byte[] key) {
        return slotOf(key, 0, key.length);
    }

    /**
     * Computes the slot of a key in a part of an array.
     *
     * @param bytes the array that holds the key
     * @param offset the index of its first byte
     * @param length its length in bytes
     * @return the slot
     * @throws IndexOutOfBoundsException if the part is not within the array
     */
    public static int of(byte[] bytes, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        return slotOf(bytes, offset, length);
    }

    /**
     * Computes the slot of the key between a buffer's position and limit. Position, limit and mark don't change.
     *
     * @param key the buffer, of any kind and byte order
     * @return the slot
     */
    public static int of(ByteBuffer key) {
        return key.hasArray()
                ? slotOf(key.array(), key.arrayOffset() + key.position(), key.remaining())
                : slotOf(key, key.position(), key.remaining());
    }

    /**
     * Computes the slot of a key given as text: the slot of its UTF-8 bytes. An unpaired surrogate counts as {@code ?},
     * as {@link String#getBytes(java.nio.charset.Charset)} encodes it.
     *
     * @param key the text; must not change during the call
     * @return the slot
     */
    public static int of(CharSequence key) {
        return key instanceof String text ? TextSlot.of(text) : TextSlot.of(key);
    }

    /**
     * Finds the slot of all keys that match a glob pattern, if they share one. They do if the pattern's own hash tag
     * ends before the first of {@code *}, {@code ?}, {@code [} and <code>\</code>, or if the pattern has none of these
     * and so matches a single key.
     *
     * @param glob the pattern
     * @return the slot, or empty if the matching keys may be in several
     */
    public static OptionalInt ofPattern(String glob) {
        int literal = 0;
        while (literal < glob.length() && "*?[\\".indexOf(glob.charAt(literal)) < 0) {
            literal++;
        }
        int open = glob.indexOf('{');
        int close = glob.indexOf('}', open + 1);
        if (open >= 0 && close > open + 1 && close < literal) {
            return OptionalInt.of(of(glob.substring(open, close + 1)));
        }
        return literal == glob.length() ? OptionalInt.of(of(glob)) : OptionalInt.empty();
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

    private static int slotOf(byte[] bytes, int offset, int length) {
        if (length <= Long.BYTES) {
            return shortSlotOf(bytes, offset, length);
        }
        int head = ((length - 1) & 7) + 1;
        long word = Bytes.longAt(bytes, offset) << (Long.SIZE - 8 * head);
        long open = Bytes.zeroByte(word ^ OPEN);
        int crc = Crc16.updateWord(Crc16.INITIAL, word);
        int i = offset + head;
        int end = offset + length;
        if (((end - i) & 8) != 0) {
            word = Bytes.longAt(bytes, i);
            open |= Bytes.zeroByte(word ^ OPEN);
            crc = Crc16.updateWord(crc, word);
            i += 8;
        }
        if (open != 0) {
            return taggedSlotOf(bytes, offset, length);
        }
        for (; i < end; i += 16) {
            long first = Bytes.longAt(bytes, i);
            long second = Bytes.longAt(bytes, i + 8);
            if (Bytes.hasZeroByte(first ^ OPEN, second ^ OPEN)) {
                return taggedSlotOf(bytes, offset, length);
            }
            crc = Crc16.updateWords(crc, first, second);
        }
        return crc & MASK;
    }

    /** Hashes up to eight bytes. */
    private static int shortSlotOf(byte[] bytes, int offset, int length) {
        if (length <= Integer.BYTES) {
            int word = length == Integer.BYTES ? Bytes.intAt(bytes, offset) : tinyWord(bytes, offset, length);
            return Bytes.zeroByte(word ^ OPEN_INT) != 0
                    ? taggedSlotOf(bytes, offset, length)
                    : Crc16.ofInt(word) & MASK;
        }
        long first = Bytes.intAt(bytes, offset) & 0xFFFF_FFFFL;
        long last = Bytes.intAt(bytes, offset + length - Integer.BYTES); // may overlap the first
        long word = (first << (-8 * length)) | (last << Integer.SIZE);
        return Bytes.zeroByte(word ^ OPEN) != 0
                ? taggedSlotOf(bytes, offset, length)
                : Crc16.updateWord(Crc16.INITIAL, word) & MASK;
    }

    /** Reads fewer than four bytes, padded in front with zero bytes. */
    private static int tinyWord(byte[] bytes, int offset, int length) {
        int word = 0;
        for (int i = offset; i < offset + length; i++) {
            word = (word >>> 8) | (bytes[i] << 24);
        }
        return word;
    }

    private static int taggedSlotOf(byte[] bytes, int offset, int length) {
        int end = offset + length;
        int from = indexOf(bytes, offset, end, OPEN) + 1;
        int to = indexOf(bytes, from, end, CLOSE);
        return (to > from
                        ? Crc16.update(Crc16.INITIAL, bytes, from, to - from)
                        : Crc16.update(Crc16.INITIAL, bytes, offset, length))
                & MASK;
    }

    private static int indexOf(byte[] bytes, int from, int to, long wanted) {
        int i = from;
        for (; i <= to - Long.BYTES; i += Long.BYTES) {
            long found = Bytes.zeroByte(Bytes.longAt(bytes, i) ^ wanted);
            if (found != 0) {
                return i + (Long.numberOfTrailingZeros(found) >>> 3);
            }
        }
        for (; i < to; i++) {
            if (bytes[i] == (byte) wanted) {
                return i;
            }
        }
        return -1;
    }

    // The same for a buffer without an accessible array: direct or read-only.

    private static int slotOf(ByteBuffer bytes, int offset, int length) {
        if (length <= Long.BYTES) {
            return shortSlotOf(bytes, offset, length);
        }
        int head = ((length - 1) & 7) + 1;
        long word = Bytes.longAt(bytes, offset) << (Long.SIZE - 8 * head);
        long open = Bytes.zeroByte(word ^ OPEN);
        int crc = Crc16.updateWord(Crc16.INITIAL, word);
        int i = offset + head;
        int end = offset + length;
        if (((end - i) & 8) != 0) {
            word = Bytes.longAt(bytes, i);
            open |= Bytes.zeroByte(word ^ OPEN);
            crc = Crc16.updateWord(crc, word);
            i += 8;
        }
        if (open != 0) {
            return taggedSlotOf(bytes, offset, length);
        }
        for (; i < end; i += 16) {
            long first = Bytes.longAt(bytes, i);
            long second = Bytes.longAt(bytes, i + 8);
            if (Bytes.hasZeroByte(first ^ OPEN, second ^ OPEN)) {
                return taggedSlotOf(bytes, offset, length);
            }
            crc = Crc16.updateWords(crc, first, second);
        }
        return crc & MASK;
    }

    private static int shortSlotOf(ByteBuffer bytes, int offset, int length) {
        if (length <= Integer.BYTES) {
            int word = length == Integer.BYTES ? Bytes.intAt(bytes, offset) : tinyWord(bytes, offset, length);
            return Bytes.zeroByte(word ^ OPEN_INT) != 0
                    ? taggedSlotOf(bytes, offset, length)
                    : Crc16.ofInt(word) & MASK;
        }
        long first = Bytes.intAt(bytes, offset) & 0xFFFF_FFFFL;
        long last = Bytes.intAt(bytes, offset + length - Integer.BYTES); // may overlap the first
        long word = (first << (-8 * length)) | (last << Integer.SIZE);
        return Bytes.zeroByte(word ^ OPEN) != 0
                ? taggedSlotOf(bytes, offset, length)
                : Crc16.updateWord(Crc16.INITIAL, word) & MASK;
    }

    private static int tinyWord(ByteBuffer bytes, int offset, int length) {
        int word = 0;
        for (int i = offset; i < offset + length; i++) {
            word = (word >>> 8) | (bytes.get(i) << 24);
        }
        return word;
    }

    private static int taggedSlotOf(ByteBuffer bytes, int offset, int length) {
        int end = offset + length;
        int from = indexOf(bytes, offset, end, OPEN) + 1;
        int to = indexOf(bytes, from, end, CLOSE);
        return (to > from
                        ? Crc16.update(Crc16.INITIAL, bytes, from, to - from)
                        : Crc16.update(Crc16.INITIAL, bytes, offset, length))
                & MASK;
    }

    private static int indexOf(ByteBuffer bytes, int from, int to, long wanted) {
        int i = from;
        for (; i <= to - Long.BYTES; i += Long.BYTES) {
            long found = Bytes.zeroByte(Bytes.longAt(bytes, i) ^ wanted);
            if (found != 0) {
                return i + (Long.numberOfTrailingZeros(found) >>> 3);
            }
        }
        for (; i < to; i++) {
            if (bytes.get(i) == (byte) wanted) {
                return i;
            }
        }
        return -1;
    }
}
