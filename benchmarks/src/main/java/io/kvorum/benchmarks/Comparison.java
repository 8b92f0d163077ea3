package io.kvorum.benchmarks;

import java.util.List;

/**
 * Contenders that do the same work, to be measured side by side by {@link Interleaved}.
 *
 * @param name what is compared, in a word or two
 * @param contenders ours first, then its rivals
 */
record Comparison(String name, List<Contender> contenders) {
    /**
     * One way to do the work.
     *
     * @param name who does it
     * @param batch runs so many operations and returns a number that depends on the result of each
     */
    record Contender(String name, Batch batch) {}

    /** Runs a loop of its own, so that the compiler sees only this contender in it. */
    @FunctionalInterface
    interface Batch {
        long run(int operations);
    }
}
