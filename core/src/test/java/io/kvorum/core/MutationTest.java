package io.kvorum.core;

import static io.kvorum.core.Bytes.bytes;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.kvorum.core.engine.MutationWriter;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class MutationTest {
    private final ByteBuf change = Unpooled.buffer();

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 127, 128, 16_383, 16_384, 100_000})
    void everyLengthIsReadAsItWasWritten(int length) {
        byte[] value = new byte[length];
        new SplittableRandom(length).nextBytes(value);
        MutationWriter.put(change, bytes("a"), value, KeyValueStore.NO_DEADLINE);
        MutationWriter.put(change, value, bytes("b"), 77);
        MutationWriter.delete(change, value);

        assertEquals(
                List.of(
                        new Mutation.Put(new Entry(bytes("a"), value)),
                        new Mutation.Put(new Entry(value, bytes("b"), 77)),
                        new Mutation.Delete(value)),
                Mutation.readAll(change));
    }

    @Test
    void readingLeavesTheBufferAsItWas() {
        change.writeByte(99).readByte();
        MutationWriter.delete(change, bytes("a"));
        int readable = change.readableBytes();
        Mutation.readAll(change);

        assertEquals(readable, change.readableBytes());
        assertEquals(List.of(new Mutation.Delete(bytes("a"))), Mutation.readAll(change));
    }

    @Test
    void aChangeThatIsCutOffIsRefused() {
        MutationWriter.put(change, bytes("key"), bytes("value"), 12);
        for (int length = 1; length < change.writerIndex(); length++) {
            ByteBuf cut = change.slice(0, length);
            assertThrows(IllegalArgumentException.class, () -> Mutation.readAll(cut));
        }
    }

    @Test
    void whatNobodyWroteIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> read(0));
        assertThrows(IllegalArgumentException.class, () -> read(4));
        assertThrows(IllegalArgumentException.class, () -> read(-1));
        assertThrows(IllegalArgumentException.class, () -> read(1, -1, -1, -1, -1, 15)); // length below zero
        assertThrows(IllegalArgumentException.class, () -> read(1, -1, -1, -1, -1, -1, 1)); // length without an end
        assertThrows(IllegalArgumentException.class, () -> read(1, -1, -1, -1, -1, 7)); // 2 GiB that are not there
        assertThrows(
                IllegalArgumentException.class, () -> read(3, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0)); // deadline below zero
    }

    @Test
    void anyBytesAreReadOrRefused() {
        SplittableRandom random = new SplittableRandom(1);
        int refused = 0;
        for (int i = 0; i < 100_000; i++) {
            byte[] bytes = new byte[random.nextInt(40)];
            random.nextBytes(bytes);
            if (bytes.length > 0) {
                bytes[0] = (byte) random.nextInt(4);
            }
            try {
                Mutation.readAll(Unpooled.wrappedBuffer(bytes));
            } catch (IllegalArgumentException expected) {
                refused++;
            }
        }

        assertEquals(true, refused > 50_000 && refused < 100_000);
    }

    @Test
    void neitherKeysNorValuesArePrinted() {
        String printed = new Mutation.Put(new Entry(bytes("secret"), bytes("secret"))).toString()
                + new Mutation.Delete(bytes("secret"));

        assertEquals(false, printed.contains("secret"));
    }

    private static void read(int... bytes) {
        ByteBuf buffer = Unpooled.buffer();
        for (int b : bytes) {
            buffer.writeByte(b);
        }
        Mutation.readAll(buffer);
    }
}
