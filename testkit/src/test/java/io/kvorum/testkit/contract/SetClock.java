package io.kvorum.testkit.contract;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/** A clock that a test sets forward. */
final class SetClock implements InstantSource {
    private volatile Instant now = Instant.ofEpochMilli(1_000_000);

    void forward(Duration time) {
        now = now.plus(time);
    }

    @Override
    public Instant instant() {
        return now;
    }
}
