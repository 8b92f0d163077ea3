package io.kvorum.resp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.math.BigDecimal;
import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class NumbersTest {
    @ParameterizedTest
    @CsvSource({"0x1p-2, 0.25", "0x.8, 0.5", "-0x1.8p1, -3", "0x0p-99999, 0", "0x000.01p8, 1"})
    void hexadecimalNumbersAreRead(String text, String number) {
        assertEquals(0, new BigDecimal(number).compareTo(Numbers.parseFraction(Text.bytes(text))));
    }

    /** They are refused by their length: to calculate them would take seconds. */
    @ParameterizedTest
    @ValueSource(strings = {"0x1p-99999", "0x1p99999", "0x1p-16448", "0x1p16384", "0x.0001p-99999"})
    void hexadecimalNumbersBeyondTheServersAreNone(String text) {
        assertTimeoutPreemptively(Duration.ofSeconds(20), () -> {
            for (int i = 0; i < 1_000; i++) {
                assertNull(Numbers.parseFraction(Text.bytes(text)));
            }
        });
    }
}
