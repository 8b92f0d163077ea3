package io.kvorum.benchmarks;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;

/** Draws the keys that the slot benchmarks hash: always the same ones, too many for a branch predictor to learn. */
final class SlotKeys {
    static final int COUNT = 1_024;

    private static final long SEED = 20_261_122;
    private static final String ASCII = "abcdefghijklmnopqrstuvwxyz0123456789:_-.";
    private static final String CYRILLIC = "абвгдежзиклмнопрстуфхцчшщъыьэюя";

    private SlotKeys() {}

    static byte[][] bytes(int length) {
        byte[][] keys = new byte[COUNT][];
        String[] texts = texts(ASCII, length);
        for (int i = 0; i < COUNT; i++) {
            keys[i] = texts[i].getBytes(StandardCharsets.US_ASCII);
        }
        return keys;
    }

    static ByteBuffer[] buffers(int length, boolean direct) {
        ByteBuffer[] buffers = new ByteBuffer[COUNT];
        byte[][] keys = bytes(length);
        for (int i = 0; i < COUNT; i++) {
            buffers[i] = direct ? ByteBuffer.allocateDirect(length).put(keys[i]).flip() : ByteBuffer.wrap(keys[i]);
        }
        return buffers;
    }

    /** The same keys in netty's buffers; nobody releases them. */
    static ByteBuf[] byteBufs(int length, boolean direct) {
        ByteBuf[] buffers = new ByteBuf[COUNT];
        byte[][] keys = bytes(length);
        for (int i = 0; i < COUNT; i++) {
            buffers[i] = direct ? Unpooled.directBuffer(length).writeBytes(keys[i]) : Unpooled.wrappedBuffer(keys[i]);
        }
        return buffers;
    }

    static String[] ascii(int length) {
        return texts(ASCII, length);
    }

    static String[] cyrillic(int length) {
        return texts(CYRILLIC, length);
    }

    private static String[] texts(String letters, int length) {
        SplittableRandom random = new SplittableRandom(SEED);
        String[] texts = new String[COUNT];
        for (int i = 0; i < COUNT; i++) {
            StringBuilder text = new StringBuilder(length);
            for (int j = 0; j < length; j++) {
                text.append(letters.charAt(random.nextInt(letters.length())));
            }
            texts[i] = text.toString();
        }
        return texts;
    }
}
