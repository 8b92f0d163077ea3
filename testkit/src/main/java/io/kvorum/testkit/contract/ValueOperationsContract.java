package io.kvorum.testkit.contract;

import static io.kvorum.testkit.contract.Bytes.bytes;
import static io.kvorum.testkit.contract.Bytes.text;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.kvorum.core.KeyOperations;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the operations do that look into a value: into numbers, and into parts. */
abstract class ValueOperationsContract {
    private static final byte[] KEY = bytes("{k}1");
    private static final byte[] OTHER = bytes("{k}2");

    protected abstract KeyOperations keys();

    // ---- numbers

    @Test
    protected void aNumberIsIncrementedFromZero() {
        assertEquals(1, keys().increment(KEY));
        assertEquals(5, keys().increment(KEY, 4));
        assertEquals(-2, keys().increment(KEY, -7));
        assertEquals("-2", text(keys().get(KEY)));
        assertEquals(0, keys().increment(OTHER, 0));
        assertEquals("0", text(keys().get(OTHER)));
    }

    @Test
    protected void aNumberIsIncrementedUpToTheLastOne() {
        keys().set(KEY, bytes("9223372036854775806"));

        assertEquals(Long.MAX_VALUE, keys().increment(KEY, 1));
        assertThrows(ArithmeticException.class, () -> keys().increment(KEY, 1));
        assertEquals("9223372036854775807", text(keys().get(KEY)));
        keys().set(KEY, bytes("-9223372036854775808"));
        assertThrows(ArithmeticException.class, () -> keys().increment(KEY, -1));
        assertEquals(Long.MIN_VALUE, keys().increment(KEY, 0));
    }

    @Test
    protected void whatIsNoNumberIsNotIncremented() {
        for (String value : List.of("", " 1", "1 ", "+1", "01", "-0", "1.0", "9223372036854775808", "x", "\u0661")) {
            keys().set(KEY, bytes(value));

            assertThrows(NumberFormatException.class, () -> keys().increment(KEY, 1), value);
            assertEquals(value, text(keys().get(KEY)));
        }
    }

    // ---- parts of a value

    @Test
    protected void bytesAreAppended() {
        assertEquals(2, keys().append(KEY, bytes("ab")));
        assertEquals(5, keys().append(KEY, bytes("cde")));
        assertEquals(5, keys().append(KEY, new byte[0]));

        assertEquals("abcde", text(keys().get(KEY)));
        assertEquals(5, keys().length(KEY));
    }

    @Test
    protected void aPartIsOverwritten() {
        assertEquals(0, keys().setRange(KEY, 3, new byte[0]));
        assertFalse(keys().exists(KEY));
        assertEquals(4, keys().setRange(KEY, 2, bytes("xy")));
        assertArrayEquals(new byte[] {0, 0, 'x', 'y'}, keys().get(KEY));
        assertEquals(4, keys().setRange(KEY, 0, bytes("ab")));
        assertEquals("abxy", text(keys().get(KEY)));
        assertEquals(4, keys().setRange(KEY, 9, new byte[0]));
        assertThrows(IllegalArgumentException.class, () -> keys().setRange(KEY, -1, bytes("a")));
        assertThrows(IllegalArgumentException.class, () -> keys().setRange(KEY, Integer.MAX_VALUE, bytes("a")));
        assertEquals("abxy", text(keys().get(KEY)));
    }

    @Test
    protected void aRangeIsWhatLiesBetweenItsBoundsHoweverFarTheyAre() {
        byte[] value = bytes("0123456789");
        assertNull(keys().getRange(KEY, 0, -1));
        keys().set(KEY, value);
        long[] bounds = {Long.MIN_VALUE, Integer.MIN_VALUE, -11, -10, -9, -1, 0, 1, 9, 10, 11, Long.MAX_VALUE};
        for (long first : bounds) {
            for (long last : bounds) {
                BigInteger from = place(first).max(BigInteger.ZERO);
                BigInteger to = place(last).min(BigInteger.valueOf(9));
                byte[] expected = from.compareTo(to) > 0
                        ? new byte[0]
                        : Arrays.copyOfRange(value, from.intValueExact(), to.intValueExact() + 1);
                assertArrayEquals(expected, keys().getRange(KEY, first, last), first + " to " + last);
            }
        }
    }

    private static BigInteger place(long bound) {
        BigInteger place = BigInteger.valueOf(bound);
        return bound < 0 ? place.add(BigInteger.TEN) : place;
    }
}
