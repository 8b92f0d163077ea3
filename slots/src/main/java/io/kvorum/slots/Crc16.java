package io.kvorum.slots;

import java.nio.ByteBuffer;
import java.util.Objects;

/**
 * CRC-16/XMODEM: polynomial 0x1021, initial value 0, nothing reflected, nothing inverted. The checksum of the ASCII
 * bytes {@code 123456789} is 0x31C3.
 *
 * <p>A checksum is a plain {@code int} between 0 and 0xFFFF. To sum bytes that arrive in pieces, pass the result of one
 * piece to the next: {@code update(update(0, a), b)} is the checksum of {@code a} followed by {@code b}.
 *
 * <p>Safe for use by any number of threads.
 */
public final class Crc16 {
    // The textbook loop looks up one byte at a time, and each look-up depends on the one before. Here sixteen tables
    // hold the contribution of a byte that k bytes follow, so the look-ups of sixteen bytes are independent, except for
    // the two bytes that the checksum so far is mixed into; those two are looked up last. The odd bytes come first, not
    // last: zero bytes in front leave a checksum of 0 unchanged, so a short first word is padded with them.

    /** The checksum of no bytes, the start of an incremental computation. */
    public static final int INITIAL = 0;

    private static final int POLYNOMIAL = 0x1021;
    private static final int MASK = 0xFFFF;

    /** The entry {@code 256 * k + b} is the checksum of the byte {@code b} followed by {@code k} zero bytes. */
    private static final char[] TABLE = table();

    private Crc16() {}

    /** {@return the checksum of an array} */
    public static int of(byte[] bytes) {
        return update(INITIAL, bytes, 0, bytes.length);
    }

    /**
     * Continues a checksum over a part of an array.
     *
     * @param crc the checksum of the bytes before; only its low 16 bits count
     * @param bytes the array that holds the bytes
     * @param offset the index of the first one
     * @param length their number
     * @return the checksum of the bytes before, followed by these
     * @throws IndexOutOfBoundsException if the part is not within the array
     */
    public static int update(int crc, byte[] bytes, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        int c = crc & MASK;
        int end = offset + length;
        int words = offset + (length & 7);
        for (int i = offset; i < words; i++) {
            c = update(c, bytes[i]);
        }
        for (int i = words; i < end; i += Long.BYTES) {
            c = updateWord(c, Bytes.longAt(bytes, i));
        }
        return c;
    }

    /**
     * Continues a checksum over the bytes between a buffer's position and limit. Position, limit and mark don't change.
     *
     * @param crc the checksum of the bytes before; only its low 16 bits count
     * @param bytes the buffer, of any kind
     * @return the checksum of the bytes before, followed by these
     */
    public static int update(int crc, ByteBuffer bytes) {
        return update(crc, bytes, bytes.position(), bytes.remaining());
    }

    static int update(int crc, ByteBuffer bytes, int offset, int length) {
        int c = crc & MASK;
        int end = offset + length;
        int words = offset + (length & 7);
        for (int i = offset; i < words; i++) {
            c = update(c, bytes.get(i));
        }
        for (int i = words; i < end; i += Long.BYTES) {
            c = updateWord(c, Bytes.longAt(bytes, i));
        }
        return c;
    }

    /**
     * Continues a checksum by one byte.
     *
     * @param crc the checksum of the bytes before; only its low 16 bits count
     * @param b the byte
     * @return the checksum of the bytes before, followed by {@code b}
     */
    public static int update(int crc, byte b) {
        return ((crc << 8) & MASK) ^ TABLE[((crc >>> 8) ^ b) & 0xFF];
    }

    /**
     * Continues a checksum by eight bytes at once.
     *
     * @param crc the checksum of the bytes before; only its low 16 bits count
     * @param bytes the bytes, the first of them in the lowest eight bits
     * @return the checksum of the bytes before, followed by these
     */
    public static int updateWord(int crc, long bytes) {
        int rest = ((TABLE[0x500 + ((int) (bytes >>> 16) & 0xFF)] ^ TABLE[0x400 + ((int) (bytes >>> 24) & 0xFF)])
                        ^ (TABLE[0x300 + ((int) (bytes >>> 32) & 0xFF)] ^ TABLE[0x200 + ((int) (bytes >>> 40) & 0xFF)]))
                ^ (TABLE[0x100 + ((int) (bytes >>> 48) & 0xFF)] ^ TABLE[(int) (bytes >>> 56)]);
        return rest
                ^ (TABLE[0x700 + (((crc >>> 8) ^ (int) bytes) & 0xFF)]
                        ^ TABLE[0x600 + ((crc ^ (int) (bytes >>> 8)) & 0xFF)]);
    }

    /** Returns the checksum of four bytes, the first of them in the lowest eight bits. */
    static int ofInt(int bytes) {
        return (TABLE[0x100 + ((bytes >>> 16) & 0xFF)] ^ TABLE[bytes >>> 24])
                ^ (TABLE[0x300 + (bytes & 0xFF)] ^ TABLE[0x200 + ((bytes >>> 8) & 0xFF)]);
    }

    /** Continues a checksum by sixteen bytes at once, the first eight of them in {@code first}. */
    static int updateWords(int crc, long first, long second) {
        int rest = ((TABLE[0x500 + ((int) (second >>> 16) & 0xFF)] ^ TABLE[0x400 + ((int) (second >>> 24) & 0xFF)])
                        ^ (TABLE[0x300 + ((int) (second >>> 32) & 0xFF)]
                                ^ TABLE[0x200 + ((int) (second >>> 40) & 0xFF)]))
                ^ ((TABLE[0x100 + ((int) (second >>> 48) & 0xFF)] ^ TABLE[(int) (second >>> 56)])
                        ^ (TABLE[0x700 + ((int) second & 0xFF)] ^ TABLE[0x600 + ((int) (second >>> 8) & 0xFF)]));
        rest ^= ((TABLE[0xD00 + ((int) (first >>> 16) & 0xFF)] ^ TABLE[0xC00 + ((int) (first >>> 24) & 0xFF)])
                        ^ (TABLE[0xB00 + ((int) (first >>> 32) & 0xFF)] ^ TABLE[0xA00 + ((int) (first >>> 40) & 0xFF)]))
                ^ (TABLE[0x900 + ((int) (first >>> 48) & 0xFF)] ^ TABLE[0x800 + (int) (first >>> 56)]);
        return rest
                ^ (TABLE[0xF00 + (((crc >>> 8) ^ (int) first) & 0xFF)]
                        ^ TABLE[0xE00 + ((crc ^ (int) (first >>> 8)) & 0xFF)]);
    }

    /** Returns the contribution to a checksum of a byte, 0 to 255, that is followed by 0 to 15 more bytes. */
    static int share(int b, int following) {
        return TABLE[256 * following + b];
    }

    private static char[] table() {
        char[] table = new char[16 * 256];
        for (int b = 0; b < 256; b++) {
            int crc = b << 8;
            for (int bit = 0; bit < 8; bit++) {
                crc = (crc & 0x8000) != 0 ? (crc << 1) ^ POLYNOMIAL : crc << 1;
            }
            table[b] = (char) crc;
        }
        for (int i = 256; i < table.length; i++) {
            int before = table[i - 256];
            table[i] = (char) ((before << 8) ^ table[before >>> 8]);
        }
        return table;
    }
}
