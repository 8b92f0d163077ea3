package io.kvorum.slots;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

final class HashSlotTest {
    /** Keys and slots as a real server computed them. */
    static List<Vector> vectors() throws IOException {
        try (InputStream in = HashSlotTest.class.getResourceAsStream("slots.tsv")) {
            return new String(in.readAllBytes(), UTF_8)
                    .lines()
                    .skip(1)
                    .map(line -> line.split("\t", -1))
                    .map(fields -> new Vector(fields[0], Integer.parseInt(fields[1])))
                    .toList();
        }
    }

    record Vector(String hex, int slot) {
        byte[] key() {
            return HexFormat.of().parseHex(hex);
        }
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void slotIsTheOneOfARealServer(Vector vector) {
        assertEquals(vector.slot(), HashSlot.of(vector.key()));
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void slotOfAPartOfAnArrayDependsOnThatPartOnly(Vector vector) {
        byte[] padded = padded(vector.key());

        assertEquals(vector.slot(), HashSlot.of(padded, 3, vector.key().length));
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void slotOfABufferDependsOnItsRemainingBytesOnly(Vector vector) {
        byte[] padded = padded(vector.key());
        ByteBuffer direct = ByteBuffer.allocateDirect(padded.length).put(padded);
        Stream.of(ByteBuffer.wrap(padded), ByteBuffer.wrap(padded).asReadOnlyBuffer(), direct)
                .map(buffer -> buffer.limit(3 + vector.key().length).position(3))
                .flatMap(buffer -> Stream.of(buffer, buffer.slice()))
                .forEach(buffer -> assertEquals(vector.slot(), HashSlot.of(buffer), buffer.toString()));
    }

    @Test
    void bufferStaysAsItIs() {
        ByteBuffer buffer = ByteBuffer.wrap("xx{user}yy".getBytes(UTF_8));
        buffer.position(1).mark().position(2).limit(9);

        assertEquals(HashSlot.of("user"), HashSlot.of(buffer));

        assertEquals(2, buffer.position());
        assertEquals(9, buffer.limit());
        assertEquals(1, buffer.reset().position());
    }

    @ParameterizedTest
    @CsvSource({
        "'', 0",
        "foo, 12182",
        "foo{bar}{zap}, 5061",
        "foo{}{bar}, 8363",
        "foo}{bar}, 5061",
        "é, 10180",
        "{日本}x, 10949"
    })
    void slotOfTextIsTheOneOfItsUtf8Bytes(String text, int slot) {
        assertEquals(slot, HashSlot.of(text));
        assertEquals(slot, HashSlot.of(CharBuffer.wrap(text)));
    }

    /** ASCII is read another way than the rest, eight characters at a time. */
    @ParameterizedTest
    @ValueSource(chars = {'~', '\u007F', '\u0080', '\u00FF', '\u0100', '\u07FF', '\u0800', '\uFFFF'})
    void characterCountsAsItsBytesWhereverItStands(char character) {
        for (int length = 1; length <= 40; length++) {
            for (int i = 0; i < length; i++) {
                String text = "k".repeat(i) + character + "k".repeat(length - 1 - i);

                assertEquals(HashSlot.of(text.getBytes(UTF_8)), HashSlot.of(text), i + " of " + length);
            }
        }
    }

    @Test
    void loneSurrogateCountsAsAQuestionMark() {
        assertEquals(HashSlot.of("a?b"), HashSlot.of("a\uD800b"));
        assertEquals(HashSlot.of("a?"), HashSlot.of("a\uDC00"));
    }

    @ParameterizedTest
    @CsvSource({
        "'', 0",
        "foo, 12182",
        "{bar}*, 5061",
        "foo{bar}[ab]?*, 5061",
        "{bar}, 5061",
        "{foo}{bar}*, 12182",
        "foo{bar, 15278",
        "{}}x{y}, 2777",
        "foo}{bar}*, 5061"
    })
    void patternHasTheSlotThatItsKeysShare(String glob, int slot) {
        assertEquals(OptionalInt.of(slot), HashSlot.ofPattern(glob));
    }

    /** The keys that match {@code {}x}*} have an empty tag, so each is hashed as a whole. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "*",
                "foo*",
                "foo?",
                "[f]oo",
                "foo\\",
                "*{bar}",
                "?{bar}",
                "{b*r}",
                "{b?r}x",
                "{b[a]r}",
                "{b\\ar}",
                "{bar*",
                "{}*",
                "{}x}*",
                "{}{bar}*",
                "{*}",
                "}*{"
            })
    void patternOfKeysInSeveralSlotsHasNone(String glob) {
        assertEquals(OptionalInt.empty(), HashSlot.ofPattern(glob));
    }

    @Test
    void everySlotIsReached() {
        long slots = IntStream.range(0, 400_000)
                .map(i -> HashSlot.of("key:" + i))
                .distinct()
                .count();

        assertEquals(HashSlot.COUNT, slots);
    }

    @Test
    void partOutsideTheArrayIsRefused() {
        assertThrows(IndexOutOfBoundsException.class, () -> HashSlot.of(new byte[4], 2, 3));
        assertThrows(IndexOutOfBoundsException.class, () -> HashSlot.of(new byte[4], -1, 3));
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 16_384, Integer.MIN_VALUE, Integer.MAX_VALUE})
    void numberOutOfRangeIsNoSlot(int number) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> HashSlot.check(number));

        assertEquals("slot must be between 0 and 16383: " + number, e.getMessage());
    }

    @Test
    void numberInRangeIsASlot() {
        assertEquals(0, HashSlot.check(0));
        assertEquals(16_383, HashSlot.check(16_383));
    }

    private static byte[] padded(byte[] key) {
        byte[] padded = new byte[key.length + 7];
        Arrays.fill(padded, (byte) '}');
        padded[0] = '{';
        padded[1] = 'x';
        System.arraycopy(key, 0, padded, 3, key.length);
        padded[2] = '{';
        return padded;
    }
}
