package io.kvorum.failover;

import java.time.Duration;

/**
 * Judges one node from the signs of life that it gives. Times are in nanoseconds, of any origin, and never decrease
 * from one call to the next.
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
     * The observer itself did nothing for a while, and so could neither ask nor hear: the silence of that time says
     * nothing about the node.
     *
     * @param nanos how long, at least 0; the time ended just now
     */
    void observerWasLate(long nanos);

    /**
     * Whether the node has been silent for so long that it is held down.
     *
     * @param now the current time
     * @return true if so
     */
    boolean isDown(long now);

    /** Makes a detector for each node that is watched. */
    @FunctionalInterface
    interface Factory {
        /**
         * Makes a detector for a node that counts as heard just now.
         *
         * @param downAfter the silence after which the node is to be held down; positive
         * @param now the current time, in nanoseconds
         * @return the detector
         */
        FailureDetector create(Duration downAfter, long now);
    }
}
