package io.kvorum.metrics;

import static org.junit.jupiter.api.Assertions.assertNotNull;

import io.micrometer.core.instrument.MeterRegistry;

/** Checks that meters can be understood by themselves. */
final class Described {
    private Described() {}

    /** Each meter has a description and a unit. */
    static void each(MeterRegistry registry) {
        registry.forEachMeter(meter -> {
            assertNotNull(meter.getId().getDescription(), meter.getId()::getName);
            assertNotNull(meter.getId().getBaseUnit(), meter.getId()::getName);
        });
    }
}
