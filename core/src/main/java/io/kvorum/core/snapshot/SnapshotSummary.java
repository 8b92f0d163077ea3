package io.kvorum.core.snapshot;

import io.kvorum.slots.SlotSet;
import java.time.Instant;
import java.util.Objects;

/**
 * A summary of a valid snapshot.
 *
 * <p>Immutable.
 *
 * @param version the version of the format
 * @param createdAt when writing began, by the clock of the store, to the millisecond
 * @param slots the slots that it covers, including empty ones
 * @param entries the number of entries
 * @param chunks the number of chunks
 * @param bytes its length in bytes
 */
public record SnapshotSummary(int version, Instant createdAt, SlotSet slots, long entries, long chunks, long bytes) {
    /** Checks that nothing is missing. */
    public SnapshotSummary {
        Objects.requireNonNull(createdAt, "createdAt");
        Objects.requireNonNull(slots, "slots");
    }
}
