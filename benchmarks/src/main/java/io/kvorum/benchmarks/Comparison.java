package io.kvorum.benchmarks;

import java.util.List;

/**
 * Contenders that do the same work, to be measured side by side by {@link Interleaved}.
 *
 * @param name what is compared, in a word or two
 * @param contenders ours first, then its rivals
 * @param batchMillis about how long a contender works before it is another one's turn: long enough to get what it needs
 *     most back into the processor's caches
 * @param wholeProcess whether other threads bear a part of the cost, such as the collector's, so that the CPU time of
 *     the whole process is to be measured too
 */
record Comparison(String name, List<Contender> contenders, int batchMillis, boolean wholeProcess) {
    /** Contenders that need little of the caches and leave nothing. */
    Comparison(String name, List<Contender> contenders) {
        this(name, contenders, 1, false);
    }

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
