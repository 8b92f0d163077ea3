package io.kvorum.testkit;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What the runs of a {@link Simulation} amount to.
 *
 * <p>Immutable.
 *
 * @param runs how many seeds ran, the failed one included
 * @param virtualTime how long their clusters lived, in all
 * @param faults how many faults of each kind happened
 * @param elections how many sentinels were elected to fail a shard over
 * @param failovers how many nodes were promoted
 * @param operations how many operations of recorded clients were judged
 * @param unknown how many of them ended without an outcome
 * @param failure the first seed that failed, or null
 */
public record SimulationResult(
        long runs,
        Duration virtualTime,
        Map<FaultKind, Long> faults,
        long elections,
        long failovers,
        long operations,
        long unknown,
        @Nullable SimulationFailure failure) {
    /** Copies the map. */
    public SimulationResult {
        requireNonNull(virtualTime, "virtualTime");
        faults = Map.copyOf(faults);
    }

    /**
     * Fails if a seed has failed.
     *
     * @return this result
     * @throws SimulationFailure if one has
     */
    public SimulationResult orThrow() {
        if (failure != null) {
            throw failure;
        }
        return this;
    }

    /** {@return the numbers, in a line for a reader} */
    @Override
    public String toString() {
        String kinds = faults.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .map(entry -> entry.getKey() + " " + entry.getValue())
                .collect(Collectors.joining(", "));
        return runs + " runs, " + virtualTime.toSeconds() + " virtual seconds, " + elections + " elections, "
                + failovers + " failovers, " + operations + " operations judged, " + unknown
                + " of them unknown, faults: "
                + (kinds.isEmpty() ? "none" : kinds)
                + (failure == null ? "" : "; seed " + failure.seed() + " broke: " + failure.violated());
    }
}
