package io.kvorum.slots;

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
    /** The checksum of no bytes: where an incremental computation starts. */
    public static final int INITIAL = 0;

    private static final int POLYNOMIAL = 0x1021;
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
        int c = crc & 0xFFFF;
        for (int i = offset; i < offset + length; i++) {
            c = update(c, bytes[i]);
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
        return ((crc << 8) & 0xFF00) ^ TABLE[((crc >>> 8) ^ b) & 0xFF];
    }

    private static char[] table() {
        char[] table = new char[256];
        for (int i = 0; i < table.length; i++) {
            int crc = i << 8;
            for (int bit = 0; bit < 8; bit++) {
                crc = (crc & 0x8000) != 0 ? (crc << 1) ^ POLYNOMIAL : crc << 1;
            }
            table[i] = (char) crc;
        }
        return table;
    }
}
