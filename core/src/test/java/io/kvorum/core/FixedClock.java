package io.kvorum.core;

import java.time.Instant;
import java.time.InstantSource;

/** A clock that a test sets. */
public final class FixedClock implements InstantSource {
    private volatile long millis;

    public FixedClock(long millis) {
        this.millis = millis;
    }

    public void set(long newMillis) {
        millis = newMillis;
    }

    @Override
    public long millis() {
        return millis;
    }

    @Override
    public Instant instant() {
        return Instant.ofEpochMilli(millis);
    }
}
