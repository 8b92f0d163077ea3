package io.kvorum.testkit;

/** What can go wrong in a {@link LocalCluster}, as a {@link FaultSchedule} draws it. */
public enum FaultKind {
    /** A node or a sentinel is down for a while. A node starts again without its data, on its old promise. */
    CRASH,
    /** A node or a sentinel is killed and starts again at once, a node without its data. */
    RESTART,
    /** Some parties and the others do not reach each other. */
    PARTITION,
    /** What some parties send does not reach the others, but what those send arrives. */
    ONE_WAY_CUT,
    /** What some parties send to the others is late. */
    DELAY,
    /** Some messages are lost. */
    DROP,
    /** Some messages arrive twice. */
    DUPLICATE,
    /** Some messages are overtaken by later ones. */
    REORDER,
    /** A node or a sentinel stands still for a while, and then does at once all that has piled up. */
    PAUSE,
    /** Each step of a node or a sentinel begins late. */
    SLOW_STEPS,
    /** A node's time of day is wrong, by up to a minute in either direction. */
    CLOCK_JUMP,
    /** A node or a sentinel crashes at a {@link StopPoint}: at a chosen step of a protocol, and is down for a while. */
    PLACED_CRASH,
    /** A node comes back on a new disk, without its promise, or a sentinel without its state. */
    LOST_STATE,
    /** A node or a sentinel can't save what it must remember. */
    DISK_FULL
}
