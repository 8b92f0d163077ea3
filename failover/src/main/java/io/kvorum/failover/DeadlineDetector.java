package io.kvorum.failover;

import java.time.Duration;

/**
 * A detector with a fixed limit of silence. Time in which the observer itself was late does not count; if it was late
 * several times since the last sign of life, twice the longest of them does not.
 *
 * <p>Confined to one thread.
 */
public final class DeadlineDetector implements FailureDetector {
    private final long downAfter;
    private final Lateness lateness = new Lateness();
    private long heardAt;

    /**
     * Starts with the node up.
     *
     * @param downAfter the silence after which the node is held down; positive
     * @param now the current time, in nanoseconds
     * @throws IllegalArgumentException if {@code downAfter} is not positive
     */
    public DeadlineDetector(Duration downAfter, long now) {
        if (downAfter.isNegative() || downAfter.isZero()) {
            throw new IllegalArgumentException("downAfter must be positive: " + downAfter);
        }
        this.downAfter = downAfter.toNanos();
        this.heardAt = now;
    }

    @Override
    public void heard(long now) {
        heardAt = now;
        lateness.reset();
    }

    @Override
    public void observerWasLate(long nanos) {
        lateness.add(nanos);
    }

    @Override
    public long downAt() {
        return heardAt + downAfter + lateness.nanos();
    }
}
