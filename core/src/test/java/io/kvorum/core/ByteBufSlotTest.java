package io.kvorum.core;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

final class ByteBufSlotTest {
    private static final long SEED = 20_261_122;
    private static final int KEYS = 20_000;
    /** Stands around a key, and would change the slot of any key that it were taken for a part of. */
    private static final byte[] AROUND = "{x}}{{".getBytes(ISO_8859_1);

    static List<Kind> kinds() {
        return List.of(
                new Kind("heap", bytes -> bytes),
                new Kind("direct", bytes -> Unpooled.directBuffer().writeBytes(bytes)),
                new Kind(
                        "pooled direct",
                        bytes -> ByteBufAllocator.DEFAULT.directBuffer().writeBytes(bytes)),
                new Kind(
                        "wrapped",
                        bytes -> Unpooled.wrappedBuffer(bytes.array(), bytes.arrayOffset(), bytes.capacity())),
                new Kind("wrapped direct", bytes -> Unpooled.wrappedBuffer(direct(bytes))),
                new Kind("sliced", bytes -> shifted(Unpooled.buffer(), bytes)),
                new Kind("sliced direct", bytes -> shifted(Unpooled.directBuffer(), bytes)),
                new Kind("read-only", ByteBuf::asReadOnly),
                new Kind(
                        "read-only direct",
                        bytes -> Unpooled.directBuffer().writeBytes(bytes).asReadOnly()),
                new Kind(
                        "little-endian",
                        bytes -> littleEndian(Unpooled.directBuffer().writeBytes(bytes))),
                new Kind("composite", ByteBufSlotTest::inPieces));
    }

    /**
     * A kind of buffer.
     *
     * @param of makes one that holds the bytes of a buffer on the heap
     */
    record Kind(String name, UnaryOperator<ByteBuf> of) {
        /** Returns a buffer whose readable bytes are the key, with other bytes before and after them. */
        ByteBuf holding(byte[] key) {
            return of.apply(Unpooled.copiedBuffer(AROUND, key, AROUND))
                    .setIndex(AROUND.length, AROUND.length + key.length);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    private static ByteBuffer direct(ByteBuf bytes) {
        return ByteBuffer.allocateDirect(bytes.readableBytes())
                .put(bytes.nioBuffer())
                .flip();
    }

    private static ByteBuf shifted(ByteBuf buffer, ByteBuf bytes) {
        return buffer.writeZero(3).writeBytes(bytes).slice(3, bytes.capacity());
    }

    @SuppressWarnings("deprecation") // whoever still has such a buffer gets the same slot
    private static ByteBuf littleEndian(ByteBuf bytes) {
        return bytes.order(ByteOrder.LITTLE_ENDIAN);
    }

    private static ByteBuf inPieces(ByteBuf bytes) {
        return Unpooled.wrappedBuffer(
                bytes.copy(0, 9),
                Unpooled.directBuffer().writeBytes(bytes, 9, 3),
                bytes.copy(12, bytes.capacity() - 12));
    }

    @ParameterizedTest
    @CsvSource({
        "'', 0",
        "foo, 12182",
        "123456789, 12739",
        "foo{bar}{zap}, 5061",
        "foo{}{bar}, 8363",
        "foo}{bar}, 5061",
        "{{bar}}, 4015",
        "{bar, 4015",
        "foo{bar, 15278",
        "{user1000}.following, 3443"
    })
    void slotIsTheOneOfARealServer(String key, int slot) {
        for (Kind kind : kinds()) {
            assertEquals(slot, ByteBufSlot.of(kind.holding(key.getBytes(ISO_8859_1))), kind.name());
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void slotIsTheOneOfTheReference(Kind kind) {
        SplittableRandom random = new SplittableRandom(SEED);
        for (int i = 0; i < KEYS; i++) {
            byte[] key = key(random);
            ByteBuf buffer = kind.holding(key);

            assertEquals(reference(key), ByteBufSlot.of(buffer), "seed=" + SEED + " round=" + i);
            assertEquals(AROUND.length, buffer.readerIndex());
            assertEquals(AROUND.length + key.length, buffer.writerIndex());
            buffer.release();
        }
    }

    @Test
    void bufferIsBorrowed() {
        ByteBuf buffer = Unpooled.directBuffer().writeBytes("xx{user}".getBytes(ISO_8859_1));
        buffer.markReaderIndex().readerIndex(2).markWriterIndex();

        ByteBufSlot.of(buffer);

        assertEquals(1, buffer.refCnt());
        assertEquals(0, buffer.resetReaderIndex().readerIndex());
        assertEquals(8, buffer.resetWriterIndex().writerIndex());
    }

    private static byte[] key(SplittableRandom random) {
        byte[] key = new byte[random.nextInt(random.nextInt(8) == 0 ? 600 : 40)];
        String letters = random.nextBoolean() ? "{}ab" : "{}abcdefgh\u0000\u00FFz|\u00FB\u007F";
        for (int i = 0; i < key.length; i++) {
            key[i] = (byte) letters.charAt(random.nextInt(letters.length()));
        }
        return key;
    }

    private static int reference(byte[] key) {
        String text = new String(key, ISO_8859_1);
        int open = text.indexOf('{');
        int close = text.indexOf('}', open + 1);
        boolean tagged = open >= 0 && close > open + 1;
        int crc = 0;
        for (byte b : tagged ? Arrays.copyOfRange(key, open + 1, close) : key) {
            crc ^= (b & 0xFF) << 8;
            for (int bit = 0; bit < 8; bit++) {
                crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1;
            }
        }
        return crc & 0x3FFF;
    }
}
