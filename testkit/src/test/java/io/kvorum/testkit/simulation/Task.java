package io.kvorum.testkit.simulation;

/** Something that happens at a moment of virtual time, or is thrown away because nobody is there any more. */
@FunctionalInterface
interface Task {
    /** Happens. */
    void run();

    /** Is thrown away: releases what it holds. Called instead of {@link #run()}. */
    default void discard() {}
}
