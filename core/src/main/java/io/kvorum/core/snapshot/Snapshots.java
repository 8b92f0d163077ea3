package io.kvorum.core.snapshot;

import io.kvorum.core.ChangeTooLongException;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.LocalStore;
import io.kvorum.core.StoreSettings;
import io.kvorum.core.engine.Engine;
import io.kvorum.core.engine.Engines;
import io.kvorum.core.snapshot.SnapshotEvents.SnapshotLoadedEvent;
import io.kvorum.core.snapshot.SnapshotEvents.SnapshotWrittenEvent;
import io.kvorum.slots.SlotSet;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Objects;

/**
 * Snapshots of a {@link LocalStore}, or of some of its slots, in a file or any other stream: a versioned binary format
 * with checksums, which {@code docs/snapshot-format.md} describes. A snapshot in which a single byte is missing,
 * changed or added is not read.
 *
 * <p>Safe for use by any number of threads, each with a stream of its own.
 */
public final class Snapshots {
    private Snapshots() {}

    /**
     * Writes all slots of a store.
     *
     * @param store the store
     * @param target takes the snapshot; flushed and not closed
     * @return what was written
     * @throws IOException if the stream fails; what it has got by then is no snapshot
     * @see #write(LocalStore, SlotSet, OutputStream)
     */
    public static SnapshotSummary write(LocalStore store, OutputStream target) throws IOException {
        return write(store, SlotSet.ALL, target);
    }

    /**
     * Writes some slots of a store, while others change it. Writers of a slot wait for no longer than it takes to copy
     * 1 MiB of it, or one entry if that is longer, and to pass over what has expired in between; never for the stream.
     *
     * <p>A slot whose entries take at most 1 MiB is as it was at one moment between the start and the end of the call.
     * Of a larger slot each MiB is of such a moment: an entry that was there throughout is in the snapshot, as it was
     * at some moment, but what was done to several keys of the slot in one step may be there in part. Slots are of
     * different moments. If a full sync replaces the store's contents meanwhile, the snapshot is of the old ones.
     *
     * <p>Deadlines are kept, as the absolute times that they are. Keys that have expired are left out.
     *
     * @param store the store
     * @param slots the slots; an empty one is part of the snapshot too, as one without a key
     * @param target takes the snapshot; flushed and not closed
     * @return what was written
     * @throws IOException if the stream fails; what it has got by then is no snapshot
     */
    public static SnapshotSummary write(LocalStore store, SlotSet slots, OutputStream target) throws IOException {
        return write(store, slots, target, SnapshotFormat.CHUNK_LENGTH);
    }

    static SnapshotSummary write(LocalStore store, SlotSet slots, OutputStream target, int chunkLength)
            throws IOException {
        Objects.requireNonNull(slots, "slots");
        Objects.requireNonNull(target, "target");
        Engine engine = Engines.only(store);
        SnapshotWrittenEvent event = new SnapshotWrittenEvent();
        event.begin();
        SnapshotSummary summary =
                new SnapshotWriter(engine.contents(), engine.clock(), chunkLength, target).write(slots);
        event.commit(summary);
        return summary;
    }

    /**
     * Reads a snapshot to its end and forgets it.
     *
     * @param source the snapshot, and nothing after it; not closed
     * @param limits what it may hold
     * @return what it says of itself
     * @throws SnapshotFormatException if it could not be loaded either
     * @throws IOException if the stream fails
     */
    public static SnapshotSummary verify(InputStream source, SnapshotLimits limits) throws IOException {
        Objects.requireNonNull(source, "source");
        Objects.requireNonNull(limits, "limits");
        return new SnapshotReader(source, limits).read((slot, chunk, from, to) -> {});
    }

    /**
     * Replaces what a store has in the slots that a snapshot covers; the other slots stay as they are. The snapshot is
     * read into memory and checked to its end first: if it is refused, nothing has changed. It takes as much memory as
     * it is long, until the slots are replaced, one after the other in ascending order, and in addition a few times as
     * much as the slot that is being replaced.
     *
     * <p>Each slot is replaced in one {@link KeyValueStore#transact transaction}: keys that the snapshot does not have
     * are deleted, those that it has are set, the sink sees all that as one change, and the slot is locked as long as
     * it takes. Keys that have expired by the store's clock do not come back.
     *
     * <p>If the sink finds the change of a slot too long, which it says by {@link ChangeTooLongException}, the slot is
     * replaced in several steps, which others see. If it refuses for any other reason, or a memory limit does, its
     * exception ends the loading: the slots before are replaced then, and the others are not. To load the same snapshot
     * again does no harm.
     *
     * @param store the store
     * @param source the snapshot, and nothing after it; not closed
     * @param limits what it may hold; keys and values must be short enough for the settings of the store too
     * @return what was loaded
     * @throws SnapshotFormatException if the snapshot is refused; the store is as it was
     * @throws io.kvorum.slots.topology.RefusedException if the sink refuses; slots below
     *     {@link io.kvorum.slots.topology.RefusedException#slot} may have been replaced
     * @throws IllegalArgumentException if the sink finds even the change of one key too long; slots may have been
     *     replaced
     * @throws IOException if the stream fails; the store is as it was
     */
    public static SnapshotSummary load(LocalStore store, InputStream source, SnapshotLimits limits) throws IOException {
        Objects.requireNonNull(source, "source");
        SnapshotLoadedEvent event = new SnapshotLoadedEvent();
        event.begin();
        StoreSettings settings = store.settings();
        SnapshotLimits narrower = limits.withMaxKeyLength(Math.min(limits.maxKeyLength(), settings.maxKeyLength()))
                .withMaxValueLength(Math.min(limits.maxValueLength(), settings.maxValueLength()));
        SnapshotContents contents = new SnapshotContents();
        SnapshotSummary summary = new SnapshotReader(source, narrower).read(contents);
        contents.replace(store, summary.slots());
        event.commit(summary);
        return summary;
    }
}
