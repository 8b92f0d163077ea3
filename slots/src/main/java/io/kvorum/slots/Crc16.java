package io.kvorum.slots;

import java.nio.ByteBuffer;
import java.util.Objects;

/**
 * CRC-16/XMODEM: polynomial 0x1021, initial value 0, nothing reflected, nothing inverted. The checksum of the ASCII
 * bytes {@code 123456789} is 0x31C3.
 *
 * <p>A checksum is a plain {@code int} between 0 and 0xFFFF. Bytes that arrive in pieces are summed by handing the
 * result of one piece to the next: {@code update(update(0, a), b)} is the checksum of {@code a} followed by {@code b}.
 *
 * <p>Safe for use by any number of threads.
 */
public final class Crc16 {
    // The textbook loop looks up one byte at a time, and each look-up waits for the one before. Here sixteen tables
    // give what a byte adds when k bytes follow it, so that the look-ups of sixteen bytes are independent but for the
    // two bytes that the checksum so far is mixed into; those two are looked up last. The odd bytes are taken first,
    // not last: zero bytes in front leave a checksum of 0 as it is, so a short first word is filled up with them.

    /** The checksum of no bytes: where an incremental computation starts. */
    public static final int INITIAL = 0;

    private static final int POLYNOMIAL = 0x1021;
    private static final int MASK = 0xFFFF;

    /** The entry {@code 256 * k + b} is the checksum of the byte {@code b} followed by {@code k} zero bytes. */
    private static final char[] TABLE = table();

    private Crc16() {}

    /** {@return the checksum of all of {@code bytes}} */
    public static int of(byte[] bytes) {
        return update(INITIAL, bytes, 0, bytes.length);
    }

    /**
     * Continues a checksum over a part of an array.
     *
     * @param crc the checksum of what came before; only its low 16 bits count
     * @param bytes the array that holds the bytes
     * @param offset where they start
     * @param length how many they are
     * @return the checksum of what came before followed by these bytes
     * @throws IndexOutOfBoundsException if the part does not lie in the array
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
     * Continues a checksum over the bytes between a buffer's position and limit. Position, limit and mark stay as they
     * are.
     *
     * @param crc the checksum of what came before; only its low 16 bits count
     * @param bytes the buffer, of any kind
     * @return the checksum of what came before followed by these bytes
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
     * @param crc the checksum of what came before; only its low 16 bits count
     * @param b the byte
     * @return the checksum of what came before followed by {@code b}
     */
    public static int update(int crc, byte b) {
        return ((crc << 8) & MASK) ^ TABLE[((crc >>> 8) ^ b) & 0xFF];
    }

    /**
     * Continues a checksum by eight bytes at once.
     *
     * @param crc the checksum of what came before; only its low 16 bits count
     * @param bytes the bytes, the first of them in the lowest eight bits
     * @return the checksum of what came before followed by these bytes
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

    /** Returns what a byte, as a number below 256, adds to a checksum when so many more bytes follow it, at most 15. */
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
