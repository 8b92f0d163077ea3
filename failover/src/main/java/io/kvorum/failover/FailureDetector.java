package io.kvorum.failover;

import java.time.Duration;

/**
 * Judges one node by its signs of life. Times are in nanoseconds of any origin, and never decrease from one call to the
 * next.
 *
 * <p>Implementations are confined to one thread and read no clock of their own.
 */
public interface FailureDetector {
    /**
     * The node gave a sign of life.
     *
     * @param now the current time
     */
    void heard(long now);

    /**
     * The observer did not run for a while and could not have heard the node. The detector must not hold the node's
     * silence of that time against it, and nothing more than that time. Of an observer that is late again and again it
     * may forgive less, so that it notices at all.
     *
     * @param nanos how long, at least 0; the time ended just now
     */
    void observerWasLate(long nanos);

    /**
     * The moment from which the node is held down, unless it gives a sign of life before.
     *
     * @return that moment, in the future or the past
     */
    long downAt();

    /**
     * Whether the node is held down.
     *
     * @param now the current time
     * @return true if so
     */
    default boolean isDown(long now) {
        return now - downAt() >= 0;
    }

    /** Creates a detector for each node that is watched. */
    @FunctionalInterface
    interface Factory {
        /**
         * Creates a detector for a node that counts as heard just now.
         *
         * @param downAfter the silence after which the node is to be held down; positive
         * @param now the current time, in nanoseconds
         * @return the detector
         */
        FailureDetector create(Duration downAfter, long now);
    }
}
