package io.kvorum.core.typed;

import static io.kvorum.core.Bytes.bytes;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.zip.Deflater;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class CodecTest {
    /** A user's class, and the codec that the user writes for it. */
    record Point(int x, int y) {
        static final Codec<Point> CODEC = Codec.of(
                point -> ByteBuffer.allocate(8)
                        .putInt(point.x())
                        .putInt(point.y())
                        .array(),
                bytes -> {
                    MalformedValueException.requireLength(8, bytes);
                    ByteBuffer buffer = ByteBuffer.wrap(bytes);
                    return new Point(buffer.getInt(), buffer.getInt());
                });
    }

    @Test
    void aRecordHasTheCodecThatItsUserWrites() {
        Point point = new Point(3, -4);

        assertEquals(point, Point.CODEC.decode(Point.CODEC.encode(point)));
        assertThrows(MalformedValueException.class, () -> Point.CODEC.decode(new byte[7]));
    }

    @Test
    void bytesAreCopiedBothWays() {
        byte[] value = {1, 2};
        byte[] encoded = Codec.bytes().encode(value);
        byte[] decoded = Codec.bytes().decode(value);

        assertArrayEquals(value, encoded);
        assertArrayEquals(value, decoded);
        assertNotSame(value, encoded);
        assertNotSame(value, decoded);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, -1, 255, 256, Long.MAX_VALUE, Long.MIN_VALUE})
    void numbersComeBack(long number) {
        assertEquals(number, Codec.int64().decode(Codec.int64().encode(number)));
        assertEquals((int) number, Codec.int32().decode(Codec.int32().encode((int) number)));
        assertEquals(number, Codec.decimal().decode(Codec.decimal().encode(number)));
        UUID uuid = new UUID(number, ~number);
        assertEquals(uuid, Codec.uuid().decode(Codec.uuid().encode(uuid)));
    }

    @Test
    void theHighestByteComesFirst() {
        assertArrayEquals(new byte[] {0, 0, 1, 2}, Codec.int32().encode(258));
        assertArrayEquals(new byte[] {0, 0, 0, 0, 0, 0, 1, 2}, Codec.int64().encode(258L));
    }

    @Test
    void numbersOfAnotherLengthAreRefused() {
        assertThrows(MalformedValueException.class, () -> Codec.int32().decode(new byte[3]));
        assertThrows(MalformedValueException.class, () -> Codec.int32().decode(new byte[5]));
        assertThrows(MalformedValueException.class, () -> Codec.int64().decode(new byte[7]));
        assertThrows(MalformedValueException.class, () -> Codec.int64().decode(new byte[9]));
        assertThrows(MalformedValueException.class, () -> Codec.uuid().decode(new byte[15]));
        assertThrows(MalformedValueException.class, () -> Codec.uuid().decode(new byte[17]));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "+1", "01", "-0", " 1", "1 ", "secret", "9223372036854775808"})
    void whatIncrementWouldRefuseIsNoDecimal(String text) {
        MalformedValueException thrown = assertThrows(
                MalformedValueException.class, () -> Codec.decimal().decode(bytes(text)));

        assertFalse(thrown.toString().contains("secret"));
    }

    @Nested
    final class Text {
        @ParameterizedTest
        @ValueSource(strings = {"", "plain", "\u00e4\u20ac", "\ud83d\ude00", "\ufffd", "a\ufffdb", "\u0000"})
        void comesBack(String text) {
            assertEquals(text, Codec.text().decode(Codec.text().encode(text)));
        }

        @ParameterizedTest
        @ValueSource(strings = {"\ud83d", "\ude00", "\ude00\ud83d", "a\ud83d", "\ud83da", "\ud83d\ud83d\ude00"})
        void withHalfACharacterIsRefused(String text) {
            assertThrows(IllegalArgumentException.class, () -> Codec.text().encode(text));
        }

        @Test
        void thatIsNotUtf8IsRefused() {
            assertThrows(MalformedValueException.class, () -> Codec.text().decode(new byte[] {'a', (byte) 0xff}));
            assertThrows(MalformedValueException.class, () -> Codec.text().decode(new byte[] {(byte) 0xc3}));
            assertThrows(
                    MalformedValueException.class, () -> Codec.text().decode(new byte[] {(byte) 0xc0, (byte) 0x80}));
        }
    }

    @Nested
    final class Compressed {
        private static final int MAX = 10_000;

        private final Codec<byte[]> codec = Codec.bytes().compressed(100, MAX);

        @Test
        void whatRepeatsBecomesShorter() {
            byte[] value = new byte[MAX];
            byte[] encoded = codec.encode(value);

            assertTrue(encoded.length < 100, () -> "it has " + encoded.length);
            assertArrayEquals(value, codec.decode(encoded));
        }

        @Test
        void whatIsShortStaysAsItIs() {
            byte[] value = new byte[99];
            byte[] encoded = codec.encode(value);

            assertEquals(100, encoded.length);
            assertArrayEquals(value, codec.decode(encoded));
            assertTrue(codec.encode(new byte[100]).length < 100);
        }

        @Test
        void whatDoesNotBecomeShorterStaysAsItIs() {
            byte[] value = new byte[1_000];
            new SplittableRandom(7).nextBytes(value);
            byte[] encoded = codec.encode(value);

            assertEquals(1_001, encoded.length);
            assertArrayEquals(value, codec.decode(encoded));
        }

        @ParameterizedTest
        @ValueSource(ints = {0, 1, 2, 10, 64, 255, 256, 257, 1_000, MAX - 1, MAX})
        void everyLengthComesBack(int length) {
            Codec<byte[]> always = Codec.bytes().compressed(0, MAX);
            byte[] value = new byte[length];
            Arrays.fill(value, (byte) 'x');

            assertArrayEquals(value, always.decode(always.encode(value)));
        }

        @Test
        void whatIsTooLongIsRefused() {
            assertThrows(IllegalArgumentException.class, () -> codec.encode(new byte[MAX + 1]));
        }

        @Test
        void whatInflatesToMoreThanAllowedIsRefused() {
            byte[] bomb = deflated(new byte[100 << 20]);

            assertThrows(MalformedValueException.class, () -> codec.decode(bomb));
            assertThrows(MalformedValueException.class, () -> codec.decode(deflated(new byte[MAX + 1])));
            assertThrows(MalformedValueException.class, () -> codec.decode(new byte[MAX + 2]));
            assertEquals(MAX, codec.decode(deflated(new byte[MAX])).length);
        }

        @Test
        void whatIsNotWholeIsRefused() {
            byte[] encoded = codec.encode(new byte[1_000]);

            for (int length = 0; length < encoded.length; length++) {
                byte[] cut = Arrays.copyOf(encoded, length);
                assertThrows(MalformedValueException.class, () -> codec.decode(cut));
            }
            byte[] longer = Arrays.copyOf(encoded, encoded.length + 1);
            assertThrows(MalformedValueException.class, () -> codec.decode(longer));
        }

        @Test
        void whatIsDamagedIsRefusedOrHasNotChanged() {
            byte[] value = bytes("to be or not to be, that is the question ".repeat(20));
            byte[] encoded = codec.encode(value);
            for (int bit = 0; bit < encoded.length * 8; bit++) {
                byte[] damaged = encoded.clone();
                damaged[bit / 8] ^= (byte) (1 << bit % 8);
                if (bit == 0) {
                    continue; // says that it is not deflated
                }
                try {
                    assertArrayEquals(value, codec.decode(damaged));
                } catch (MalformedValueException e) {
                    assertFalse(e.toString().contains("question"));
                }
            }
        }

        @Test
        void theRestIsUpToTheInnerCodec() {
            Codec<Long> numbers = Codec.int64().compressed(0);

            assertEquals(5, numbers.decode(numbers.encode(5L)));
            assertThrows(MalformedValueException.class, () -> numbers.decode(new byte[] {0, 1, 2}));
        }

        @Test
        void lengthsOutOfRangeAreRefused() {
            assertThrows(IllegalArgumentException.class, () -> Codec.bytes().compressed(-1));
            assertThrows(IllegalArgumentException.class, () -> Codec.bytes().compressed(0, 0));
            assertThrows(IllegalArgumentException.class, () -> Codec.bytes().compressed(0, (512 << 20) + 1));
        }

        private static byte[] deflated(byte[] value) {
            Deflater deflater = new Deflater();
            deflater.setInput(value);
            deflater.finish();
            byte[] target = new byte[1 + value.length / 500 + 100];
            target[0] = 1;
            int length = deflater.deflate(target, 1, target.length - 1);
            assertTrue(deflater.finished());
            deflater.end();
            return Arrays.copyOf(target, 1 + length);
        }
    }
}
