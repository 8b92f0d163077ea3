package io.kvorum.slots.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ReadableTimeTest {
    @ParameterizedTest
    @CsvSource({
        "PT0S, 0 us",
        "PT0.000999999S, 999 us",
        "PT0.001S, 1 ms",
        "PT0.024S, 24 ms",
        "PT0.9999S, 999 ms",
        "PT1S, 1.0 s",
        "PT1.39S, 1.3 s",
        "PT59.99S, 59.9 s",
        "PT12M5S, 12 min 5 s",
        "PT3H20M59S, 3 h 20 min",
        "PT49H, 2 d 1 h"
    })
    void aSpanIsWrittenInItsUnits(Duration span, String text) {
        assertEquals(text, ReadableTime.of(span.toNanos()));
    }
}
