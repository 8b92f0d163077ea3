package io.kvorum.testkit;

/** A promise of Kvorum that a {@link Simulation} checks. */
public enum SimulationCheck {
    /**
     * In each step: a shard has one primary in an epoch, and what a node has promised never falls for as long as it has
     * its disk.
     */
    ONE_PRIMARY,
    /**
     * When all faults have ended: every shard is served, every node is complete and follows its primary within the
     * recovery time, and few elections are needed for that.
     */
    RECOVERY,
    /** In the end: nodes of a shard at one position hold the same data. */
    EQUAL_DATA,
    /**
     * In the end: each key that recorded clients used behaved as one register. Not for clusters that acknowledge at
     * {@code LOCAL}.
     */
    LINEARIZABILITY,
    /**
     * In the end: no recorded client missed its own earlier write, or went back behind what it had read. Not for
     * clusters that acknowledge at {@code LOCAL}.
     */
    SESSIONS,
    /**
     * In the end: no write of a recorded client that was acknowledged is lost. Not for clusters that acknowledge at
     * {@code LOCAL}.
     */
    NOTHING_LOST
}
