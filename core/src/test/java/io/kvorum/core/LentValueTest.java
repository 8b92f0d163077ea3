package io.kvorum.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class LentValueTest {
    private static final byte[] ARRAY = {9, 0, 0, 0, 0, 0, 0, 1, 2, 9, 9};
    private static final byte[] VALUE = {0, 0, 0, 0, 0, 0, 1, 2};

    @Test
    void isThePartThatWasLent() {
        lend(value -> {
            ByteBuf buffer = Unpooled.buffer();
            value.writeTo(buffer);
            byte[] target = new byte[4];
            value.copyTo(6, target, 1, 2);

            assertEquals(8, value.length());
            assertEquals(2, value.byteAt(7));
            assertArrayEquals(VALUE, value.toArray());
            assertEquals(Unpooled.wrappedBuffer(VALUE), buffer);
            assertArrayEquals(new byte[] {0, 1, 2, 0}, target);
            return true;
        });
    }

    @Test
    void numbersAreBigEndian() {
        lend(value -> {
            assertEquals(0x0102, value.longAt(0));
            assertEquals(0x0102, value.intAt(4));
            return true;
        });
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 8, Integer.MAX_VALUE, Integer.MIN_VALUE})
    void hasNothingOutsideOfThePart(int index) {
        lend(value -> {
            assertThrows(IndexOutOfBoundsException.class, () -> value.byteAt(index));
            assertThrows(IndexOutOfBoundsException.class, () -> value.intAt(index));
            assertThrows(IndexOutOfBoundsException.class, () -> value.longAt(index));
            assertThrows(IndexOutOfBoundsException.class, () -> value.copyTo(index, new byte[9], 0, 1));
            return true;
        });
    }

    @Test
    void theLastNumberEndsWithThePart() {
        lend(value -> {
            assertThrows(IndexOutOfBoundsException.class, () -> value.intAt(5));
            assertThrows(IndexOutOfBoundsException.class, () -> value.longAt(1));
            assertThrows(IndexOutOfBoundsException.class, () -> value.copyTo(0, new byte[9], 0, 9));
            return true;
        });
    }

    @Test
    void isUnusableAfterTheCall() {
        List<LentValue> kept = new ArrayList<>();
        lend(kept::add);
        assertThrows(
                IllegalArgumentException.class,
                () -> lend(value -> {
                    kept.add(value);
                    throw new IllegalArgumentException("by the reader");
                }));
        for (LentValue value : kept) {
            assertThrows(IllegalStateException.class, value::length);
            assertThrows(IllegalStateException.class, () -> value.byteAt(0));
            assertThrows(IllegalStateException.class, () -> value.intAt(0));
            assertThrows(IllegalStateException.class, () -> value.longAt(0));
            assertThrows(IllegalStateException.class, value::toArray);
            assertThrows(IllegalStateException.class, () -> value.copyTo(0, new byte[1], 0, 1));
            assertThrows(IllegalStateException.class, () -> value.writeTo(Unpooled.buffer()));
        }
    }

    @Test
    void saysNothingOfItsBytes() {
        assertEquals("LentValue[8 bytes]", lend(LentValue::toString));
    }

    private static <T> T lend(ValueReader<T> reader) {
        return LentValue.lend(ARRAY, 1, VALUE.length, reader);
    }
}
