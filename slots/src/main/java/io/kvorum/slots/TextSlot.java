package io.kvorum.slots;

/**
 * The slot of a key given as text, computed without encoding the text into an array. The braces of a tag are ASCII, so
 * the tag is found among the characters as well as among the bytes.
 */
final class TextSlot {
    private static final int MASK = HashSlot.COUNT - 1;
    private static final char ASCII_END = 0x80;

    private TextSlot() {}

    static int of(String key) {
        int from = key.indexOf('{') + 1;
        if (from > 0) {
            int to = key.indexOf('}', from);
            if (to > from) {
                return crc(key, from, to) & MASK;
            }
        }
        return crc(key, 0, key.length()) & MASK;
    }

    static int of(CharSequence key) {
        int length = key.length();
        int from = indexOf(key, '{', 0, length) + 1;
        if (from > 0) {
            int to = indexOf(key, '}', from, length);
            if (to > from) {
                return utf8Crc(Crc16.INITIAL, key, from, to) & MASK;
            }
        }
        return utf8Crc(Crc16.INITIAL, key, 0, length) & MASK;
    }

    private static int indexOf(CharSequence key, char wanted, int from, int to) {
        for (int i = from; i < to; i++) {
            if (key.charAt(i) == wanted) {
                return i;
            }
        }
        return -1;
    }

    private static int crc(String text, int from, int to) {
        int words = from + ((to - from) & 7);
        int all = 0;
        long head = 0;
        for (int i = from; i < words; i++) {
            char c = text.charAt(i);
            all |= c;
            head = (head >>> 8) | ((long) c << 56);
        }
        if (all >= ASCII_END) {
            return utf8Crc(Crc16.INITIAL, text, from, to);
        }
        int crc = Crc16.updateWord(Crc16.INITIAL, head);
        int i = words;
        // Each character is looked up before the next is read, for eight of them do not fit into the registers. Two at
        // a
        // time were slower on JDK 17, sixteen in a row on JDK 25.
        for (; i < to; i += 8) {
            char c2 = text.charAt(i + 2);
            if (c2 >= ASCII_END) {
                break;
            }
            int sum = Crc16.share(c2, 5);
            char c3 = text.charAt(i + 3);
            if (c3 >= ASCII_END) {
                break;
            }
            sum ^= Crc16.share(c3, 4);
            char c4 = text.charAt(i + 4);
            if (c4 >= ASCII_END) {
                break;
            }
            sum ^= Crc16.share(c4, 3);
            char c5 = text.charAt(i + 5);
            if (c5 >= ASCII_END) {
                break;
            }
            sum ^= Crc16.share(c5, 2);
            char c6 = text.charAt(i + 6);
            if (c6 >= ASCII_END) {
                break;
            }
            sum ^= Crc16.share(c6, 1);
            char c7 = text.charAt(i + 7);
            if (c7 >= ASCII_END) {
                break;
            }
            sum ^= Crc16.share(c7, 0);
            char c0 = text.charAt(i);
            if (c0 >= ASCII_END) {
                break;
            }
            char c1 = text.charAt(i + 1);
            if (c1 >= ASCII_END) {
                break;
            }
            crc = sum ^ (Crc16.share(((crc >>> 8) ^ c0) & 0xFF, 7) ^ Crc16.share((crc ^ c1) & 0xFF, 6));
        }
        return i < to ? utf8Crc(crc, text, i, to) : crc;
    }

    /** Continues a checksum over characters, ASCII or not. */
    private static int utf8Crc(int start, CharSequence text, int from, int to) {
        int crc = start;
        long word = 0; // the bytes not summed yet, the first in the lowest bits
        int bits = 0;
        for (int i = from; i < to; i++) {
            char c = text.charAt(i);
            long unit; // the bytes of one character, the first in the lowest bits
            int length;
            if (c < ASCII_END) {
                unit = c;
                length = 8;
            } else if (c < 0x800) {
                unit = (0xC0 | (c >>> 6)) | (continuation(c) << 8);
                length = 16;
            } else if (!Character.isSurrogate(c)) {
                unit = (0xE0 | (c >>> 12)) | (continuation(c >>> 6) << 8) | (continuation(c) << 16);
                length = 24;
            } else if (Character.isHighSurrogate(c) && i + 1 < to && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
                int point = Character.toCodePoint(c, text.charAt(i));
                unit = (0xF0 | (point >>> 18))
                        | (continuation(point >>> 12) << 8)
                        | (continuation(point >>> 6) << 16)
                        | (continuation(point) << 24);
                length = 32;
            } else {
                unit = '?';
                length = 8;
            }
            word |= unit << bits;
            bits += length;
            if (bits >= Long.SIZE) {
                crc = Crc16.updateWord(crc, word);
                bits -= Long.SIZE;
                word = unit
                        >>> (length - bits); // nothing where no bits are left, for then it shifts all of the unit out
            }
        }
        for (; bits > 0; bits -= 8) {
            crc = Crc16.update(crc, (byte) word);
            word >>>= 8;
        }
        return crc;
    }

    private static long continuation(int bits) {
        return 0x80 | (bits & 0x3F);
    }
}
