package io.kvorum.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.kvorum.slots.SlotSet;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class LocalClusterSettingsTest {
    private static final LocalClusterSettings DEFAULTS = LocalClusterSettings.defaults();

    @Test
    void shardsShareAllSlotsEvenly() {
        assertEquals(
                List.of(SlotSet.parse("0-5460"), SlotSet.parse("5461-10922"), SlotSet.parse("10923-16383")),
                DEFAULTS.withShards(3).slots());
    }

    static Stream<Arguments> refused() {
        return Stream.of(
                refusal("slots must be those of at least 1 shard: 0", () -> DEFAULTS.withSlots(List.of())),
                refusal(
                        "slots must have one shard each: 5-7",
                        () -> DEFAULTS.withSlots(List.of(SlotSet.ofRange(0, 7), SlotSet.ofRange(5, 9)))),
                refusal("replicas must be from 0 to 1023: -1", () -> DEFAULTS.withReplicas(-1)),
                refusal("sentinels must be at least the quorum, 2: 1", () -> DEFAULTS.withSentinels(1)),
                refusal("timeout must be positive: PT0S", () -> DEFAULTS.withTimeout(Duration.ZERO)));
    }

    private static Arguments refusal(String message, Supplier<LocalClusterSettings> settings) {
        return Arguments.of(message, settings);
    }

    @ParameterizedTest
    @MethodSource("refused")
    void aValueOutOfRangeIsRefused(String message, Supplier<LocalClusterSettings> settings) {
        assertEquals(
                message,
                assertThrows(IllegalArgumentException.class, settings::get).getMessage());
    }
}
