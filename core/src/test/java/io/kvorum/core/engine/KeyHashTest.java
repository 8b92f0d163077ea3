package io.kvorum.core.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class KeyHashTest {
    /** What CPython 3.11 (PYTHONHASHSEED=0, the same function with a key of zeros) answers for bytes 0, 1, 2 ... */
    @ParameterizedTest
    @CsvSource({
        "1, 68a914128e01e473",
        "7, 2f098ab0c751325a",
        "8, ead411e67ebe2eea",
        "9, 75927f9d95124362",
        "15, f30eb725bb91c9ea",
        "16, 8972188433a5c5b7",
        "17, 4883c49a2c009c1d",
        "31, 169739443111d49b",
        "32, 31ef8061c910629b",
        "39, 6c76b6d34bb6d26b"
    })
    void agreesWithAnotherImplementation(int length, String expected) {
        byte[] bytes = counting(length);

        assertEquals(Long.parseUnsignedLong(expected, 16), new KeyHash(0, 0).of(bytes));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 7, 8, 9, 16, 23})
    void aRangeHashesAsItsCopy(int length) {
        byte[] bytes = counting(40);
        KeyHash hash = new KeyHash(1, 2);

        assertEquals(hash.of(Arrays.copyOfRange(bytes, 5, 5 + length)), hash.of(bytes, 5, length));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 8, 13})
    void dependsOnBothHalvesOfTheSeed(int length) {
        byte[] bytes = counting(length);

        assertNotEquals(new KeyHash(1, 2).of(bytes), new KeyHash(1, 3).of(bytes));
        assertNotEquals(new KeyHash(1, 2).of(bytes), new KeyHash(3, 2).of(bytes));
    }

    private static byte[] counting(int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) i;
        }
        return bytes;
    }
}
