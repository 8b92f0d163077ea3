package io.kvorum.core.snapshot;

import io.kvorum.core.ChangeTooLongException;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.LocalStore;
import io.kvorum.core.engine.Engine;
import io.kvorum.core.engine.Engines;
import io.kvorum.core.snapshot.SnapshotEvents.SnapshotLoadedEvent;
import io.kvorum.core.snapshot.SnapshotEvents.SnapshotWrittenEvent;
import io.kvorum.slots.SlotSet;
import java.io.BufferedOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Objects;

/**
 * Snapshots of a {@link LocalStore}, or of a {@link io.kvorum.core.ShardedStore} of local ones, or of some of its
 * slots, in a file or any other stream: a versioned binary format with checksums, which {@code docs/snapshot-format.md}
 * describes. A snapshot in which a single byte is missing, changed or added is refused.
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
     * @return a summary of the snapshot
     * @throws IOException if the stream fails; the bytes written so far are not a valid snapshot
     * @see #write(KeyValueStore, SlotSet, OutputStream)
     */
    public static SnapshotSummary write(KeyValueStore store, OutputStream target) throws IOException {
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
     * <p>Deadlines are stored as absolute times. Expired keys are left out.
     *
     * @param store the store
     * @param slots the slots; an empty one is part of the snapshot too, as one without a key
     * @param target takes the snapshot; flushed and not closed
     * @return a summary of the snapshot
     * @throws IOException if the stream fails; the bytes written so far are not a valid snapshot
     */
    public static SnapshotSummary write(KeyValueStore store, SlotSet slots, OutputStream target) throws IOException {
        return write(store, slots, target, SnapshotFormat.CHUNK_LENGTH, SnapshotProgress.none());
    }

    /**
     * Writes all slots of a store to a file. The file appears, or replaces another one, when it is complete and on the
     * disk; until then its name ends in {@code .tmp}.
     *
     * @param store the store
     * @param file the file
     * @return a summary of the snapshot
     * @throws IOException if the file cannot be written; an existing file is left unchanged
     * @see #write(KeyValueStore, SlotSet, OutputStream)
     */
    public static SnapshotSummary write(KeyValueStore store, Path file) throws IOException {
        return write(store, file, SnapshotProgress.none());
    }

    /**
     * As {@link #write(KeyValueStore, Path)}.
     *
     * @param store the store
     * @param file the file
     * @param progress receives the progress
     * @return a summary of the snapshot
     * @throws IOException if the file cannot be written; an existing file is left unchanged
     */
    public static SnapshotSummary write(KeyValueStore store, Path file, SnapshotProgress progress) throws IOException {
        Objects.requireNonNull(progress, "progress");
        Path unfinished = file.resolveSibling(file.getFileName() + ".tmp");
        try {
            SnapshotSummary summary;
            try (FileOutputStream disk = new FileOutputStream(unfinished.toFile())) {
                OutputStream target = new BufferedOutputStream(disk, 1 << 16);
                summary = write(store, SlotSet.ALL, target, SnapshotFormat.CHUNK_LENGTH, progress);
                disk.getFD().sync();
            }
            Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            return summary;
        } finally {
            Files.deleteIfExists(unfinished);
        }
    }

    /** Returns the engines that a store is made of, all in this JVM. */
    private static List<Engine> engines(KeyValueStore store) {
        List<Engine> engines = Engines.of(Objects.requireNonNull(store, "store"));
        if (engines.isEmpty()) {
            throw new IllegalArgumentException("a snapshot is of a LocalStore or a ShardedStore of local ones: "
                    + store.getClass().getName());
        }
        return engines;
    }

    static SnapshotSummary write(KeyValueStore store, SlotSet slots, OutputStream target, int chunkLength)
            throws IOException {
        return write(store, slots, target, chunkLength, SnapshotProgress.none());
    }

    private static SnapshotSummary write(
            KeyValueStore store, SlotSet slots, OutputStream target, int chunkLength, SnapshotProgress progress)
            throws IOException {
        Objects.requireNonNull(slots, "slots");
        Objects.requireNonNull(target, "target");
        List<Engine> engines = engines(store);
        SnapshotWrittenEvent event = new SnapshotWrittenEvent();
        event.begin();
        SnapshotSummary summary = new SnapshotWriter(engines, chunkLength, target, progress).write(slots);
        event.commit(summary);
        return summary;
    }

    /**
     * Verifies a snapshot: reads it to its end without loading it.
     *
     * @param source the snapshot, and nothing after it; not closed
     * @param limits the limits that the snapshot must keep
     * @return a summary of the snapshot
     * @throws SnapshotFormatException if it could not be loaded either
     * @throws IOException if the stream fails
     */
    public static SnapshotSummary verify(InputStream source, SnapshotLimits limits) throws IOException {
        Objects.requireNonNull(source, "source");
        Objects.requireNonNull(limits, "limits");
        return new SnapshotReader(source, limits).read((slot, chunk, from, to) -> {});
    }

    /**
     * Replaces the keys of the slots that a snapshot covers; other slots are not changed. The snapshot is read into
     * memory and checked to its end first: if it is refused, nothing has changed. It takes as much memory as it is
     * long, until the slots are replaced, one after the other in ascending order, and in addition a few times as much
     * as the slot that is being replaced.
     *
     * <p>Each slot is replaced in one {@link KeyValueStore#transact(int, java.util.function.Function) transaction}:
     * keys that the snapshot does not have are deleted, those that it has are set, the sink sees all that as one
     * change, and the slot is locked as long as it takes. Keys that have expired by the store's clock do not come back.
     *
     * <p>If the sink finds the change of a slot too long, which it says by {@link ChangeTooLongException}, the slot is
     * replaced in several steps, which others see. If it refuses for any other reason, or a memory limit does, its
     * exception ends the loading: the slots before are replaced then, and the others are not. To load the same snapshot
     * again does no harm.
     *
     * @param store the store
     * @param source the snapshot, and nothing after it; not closed
     * @param limits the limits that the snapshot must keep; keys and values must be short enough for the settings of
     *     the store too
     * @return a summary of the snapshot
     * @throws SnapshotFormatException if the snapshot is refused; the store is as it was
     * @throws io.kvorum.slots.topology.RefusedException if the sink refuses; slots below
     *     {@link io.kvorum.slots.topology.RefusedException#slot} may have been replaced
     * @throws IllegalArgumentException if the sink finds even the change of one key too long; slots may have been
     *     replaced
     * @throws IOException if the stream fails; the store is as it was
     */
    public static SnapshotSummary load(KeyValueStore store, InputStream source, SnapshotLimits limits)
            throws IOException {
        return load(store, source, limits, SnapshotProgress.none());
    }

    /**
     * As {@link #load(KeyValueStore, InputStream, SnapshotLimits)}, from a file with
     * {@linkplain SnapshotLimits#defaults() default limits}.
     *
     * @param store the store
     * @param file the file
     * @return a summary of the snapshot
     * @throws IOException if the file cannot be read; the store is as it was
     */
    public static SnapshotSummary load(KeyValueStore store, Path file) throws IOException {
        return load(store, file, SnapshotProgress.none());
    }

    /**
     * As {@link #load(KeyValueStore, Path)}.
     *
     * @param store the store
     * @param file the file
     * @param progress is told how many slots have been replaced
     * @return a summary of the snapshot
     * @throws IOException if the file cannot be read; the store is as it was
     */
    public static SnapshotSummary load(KeyValueStore store, Path file, SnapshotProgress progress) throws IOException {
        try (InputStream source = Files.newInputStream(file)) {
            return load(store, source, SnapshotLimits.defaults(), Objects.requireNonNull(progress, "progress"));
        }
    }

    private static SnapshotSummary load(
            KeyValueStore store, InputStream source, SnapshotLimits limits, SnapshotProgress progress)
            throws IOException {
        Objects.requireNonNull(source, "source");
        List<Engine> engines = engines(store);
        SnapshotLoadedEvent event = new SnapshotLoadedEvent();
        event.begin();
        SnapshotLimits narrower = limits;
        for (Engine engine : engines) {
            narrower = narrower.withMaxKeyLength(
                            Math.min(narrower.maxKeyLength(), engine.settings().maxKeyLength()))
                    .withMaxValueLength(Math.min(
                            narrower.maxValueLength(), engine.settings().maxValueLength()));
        }
        SnapshotContents contents = new SnapshotContents(engines);
        SnapshotSummary summary = new SnapshotReader(source, narrower).read(contents);
        contents.replace(store, summary.slots(), progress);
        event.commit(summary);
        return summary;
    }
}
