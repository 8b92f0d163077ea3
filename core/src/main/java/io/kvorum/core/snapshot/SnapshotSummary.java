package io.kvorum.core.snapshot;

import io.kvorum.slots.SlotSet;
import java.time.Instant;
import java.util.Objects;

/**
 * What a whole and sound snapshot says of itself.
 *
 * <p>Immutable.
 *
 * @param version the version of the format
 * @param createdAt when it was begun, by the clock of its store, to the millisecond
 * @param slots the slots that it covers; one of them without an entry is empty
 * @param entries how many entries it holds
 * @param chunks in how many chunks
 * @param bytes how long it is
 */
public record SnapshotSummary(int version, Instant createdAt, SlotSet slots, long entries, long chunks, long bytes) {
    /** Checks that nothing is missing. */
    public SnapshotSummary {
        Objects.requireNonNull(createdAt, "createdAt");
        Objects.requireNonNull(slots, "slots");
    }
}
