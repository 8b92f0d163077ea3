package io.kvorum.testkit.simulation;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a run ended.
 *
 * @param plan what was drawn for it
 * @param violation the invariant that it broke, or null
 * @param digest the digest of all its events
 * @param virtualTime how long it ran, in nanoseconds of virtual time
 * @param events how many events there were
 * @param operations how many operations of clients were checked
 * @param coverage what happened how often
 * @param trace its timeline, if there is one
 */
record Report(
        Plan plan,
        @Nullable Violation violation,
        long digest,
        long virtualTime,
        long events,
        long operations,
        Coverage coverage,
        @Nullable Trace trace) {
    /** {@return the last lines of the timeline, without what clients did} */
    List<String> tail(int lines) {
        return trace == null ? List.of() : trace.tail(lines);
    }

    /** {@return the whole timeline} */
    List<String> timeline() {
        return trace == null ? List.of() : trace.full();
    }

    /** {@return this report without what takes memory} */
    Report withoutTrace() {
        return new Report(plan, violation, digest, virtualTime, events, operations, coverage, null);
    }
}
