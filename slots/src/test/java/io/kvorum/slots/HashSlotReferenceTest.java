package io.kvorum.slots;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Compares every way to hash with the plainest one, bit by bit, on random keys. {@code -Dslots.keys=N} sets how many,
 * {@code -Dslots.seed=N} from which seed.
 */
@Tag("long")
final class HashSlotReferenceTest {
    private static final long SEED = Long.getLong("slots.seed", 20_261_122);
    private static final int KEYS = Integer.getInteger("slots.keys", 2_000_000);

    private static final String[] LETTERS = {
        "{", "}", "a", "\u0000", "~", "\u007F", "\u0080", "é", "\u07FF", "\u0800", "日", "\uFFFF", "😀", "\uD800",
        "\uDBFF", "\uDC00", "\uDFFF"
    };

    @Test
    void bytesHaveTheSlotOfTheReference() {
        SplittableRandom random = new SplittableRandom(SEED);
        byte[] array = new byte[700];
        ByteBuffer direct = ByteBuffer.allocateDirect(array.length);
        for (int i = 0; i < KEYS; i++) {
            int offset = random.nextInt(40);
            int length = length(random);
            fill(array, offset, length, random);
            int expected = reference(array, offset, length);

            assertSlot(expected, HashSlot.of(array, offset, length), i);
            ByteBuffer whole = i % 2 == 0 ? ByteBuffer.wrap(array) : direct.put(0, array);
            ByteBuffer part = whole.duplicate().limit(offset + length).position(offset);
            ByteBuffer buffer = switch (i % 3) {
                case 0 -> part;
                case 1 -> part.slice();
                default -> part.asReadOnlyBuffer();
            };
            buffer.order(i % 12 < 6 ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
            assertSlot(expected, HashSlot.of(buffer), i);
        }
    }

    @Test
    void textHasTheSlotOfItsBytes() {
        SplittableRandom random = new SplittableRandom(SEED);
        int keys = KEYS / 4;
        for (int i = 0; i < keys; i++) {
            String text = text(random);
            byte[] bytes = text.getBytes(UTF_8);
            int expected = reference(bytes, 0, bytes.length);

            assertSlot(expected, HashSlot.of(text), i);
            assertSlot(expected, HashSlot.of(CharBuffer.wrap(text)), i);
        }
    }

    @Test
    void checksumIsTheOneOfTheReferenceWhereverTheBytesAreCut() {
        SplittableRandom random = new SplittableRandom(SEED);
        byte[] array = new byte[100];
        for (int i = 0; i < 20_000; i++) {
            int length = random.nextInt(array.length + 1);
            fill(array, 0, length, random);
            int cut = random.nextInt(length + 1);
            int head = Crc16.update(Crc16.INITIAL, array, 0, cut);
            int expected = referenceCrc(array, 0, length);
            ByteBuffer rest = ByteBuffer.wrap(array).limit(length).position(cut);

            assertEquals(expected, Crc16.update(head, array, cut, length - cut), trace(i));
            assertEquals(expected, Crc16.update(head | 0xFFFF_0000, rest), trace(i));
            assertEquals(expected, Crc16.update(head, rest.asReadOnlyBuffer()), trace(i));
            assertEquals(cut, rest.position());
            assertEquals(length, rest.limit());
        }
    }

    private static void assertSlot(int expected, int actual, int round) {
        if (expected != actual) {
            throw new AssertionError("slot must be " + expected + ": " + actual + ", " + trace(round));
        }
    }

    private static String trace(int round) {
        return "seed=" + SEED + " round=" + round;
    }

    /** Half of the lengths are below 24, where the short ways are; the others go up to 600. */
    private static int length(SplittableRandom random) {
        return switch (random.nextInt(8)) {
            case 0, 1, 2, 3 -> random.nextInt(24);
            case 4, 5, 6 -> random.nextInt(72);
            default -> random.nextInt(601);
        };
    }

    private static void fill(byte[] array, int offset, int length, SplittableRandom random) {
        int kind = random.nextInt(4);
        for (int i = offset; i < offset + length; i++) {
            array[i] = (byte)
                    switch (kind) {
                        case 0 -> random.nextInt(256);
                        case 1 -> "{}{}ab".charAt(random.nextInt(6));
                        case 2 -> "\u0000\u00FFz{|}\u007F\u00FB".charAt(random.nextInt(8));
                        default -> random.nextInt(' ', 'z' + (random.nextInt(50) == 0 ? 4 : 1));
                    };
        }
    }

    private static String text(SplittableRandom random) {
        StringBuilder text = new StringBuilder();
        int length = length(random) / 3;
        int plain = random.nextInt(4);
        for (int i = 0; i < length; i++) {
            text.append(random.nextInt(4) < plain ? "k" : LETTERS[random.nextInt(LETTERS.length)]);
        }
        return text.toString();
    }

    private static int reference(byte[] bytes, int offset, int length) {
        int end = offset + length;
        for (int open = offset; open < end; open++) {
            if (bytes[open] == '{') {
                for (int close = open + 1; close < end; close++) {
                    if (bytes[close] == '}') {
                        return close == open + 1
                                ? referenceCrc(bytes, offset, length) % 16_384
                                : referenceCrc(bytes, open + 1, close - open - 1) % 16_384;
                    }
                }
                break;
            }
        }
        return referenceCrc(bytes, offset, length) % 16_384;
    }

    private static int referenceCrc(byte[] bytes, int offset, int length) {
        int crc = 0;
        for (int i = offset; i < offset + length; i++) {
            for (int bit = 7; bit >= 0; bit--) {
                int top = (crc >> 15) ^ (bytes[i] >> bit);
                crc = (crc << 1) & 0xFFFF;
                if ((top & 1) != 0) {
                    crc ^= 0x1021;
                }
            }
        }
        return crc;
    }
}
