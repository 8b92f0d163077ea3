package io.kvorum.testkit.simulation;

/** What a process still has after a crash. */
enum Memory {
    /** All that it had saved. */
    KEPT,
    /** A node: its promise, but not its data. */
    DATA_LOST,
    /** Nothing. */
    ALL_LOST,
    /** A sentinel: a state that it had saved some time before. */
    OLD
}
