package io.kvorum.core.snapshot;

/**
 * Limits of the snapshots that {@link Snapshots} reads. Each limit is checked before memory is allocated for what it
 * bounds.
 *
 * <p>Immutable.
 *
 * @param maxChunkLength the most bytes of a chunk: 16 to 2,147,483,639. A chunk has up to 1 MiB, and more only for one
 *     entry that is as long
 * @param maxKeyLength the most bytes of a key; at least 0
 * @param maxValueLength the most bytes of a value; at least 0
 * @param maxEntries the most entries; at least 0
 * @param maxBytes the most bytes of the whole snapshot; at least 1
 */
public record SnapshotLimits(int maxChunkLength, int maxKeyLength, int maxValueLength, long maxEntries, long maxBytes) {
    private static final int MAX_LENGTH = 512 << 20;
    private static final int MAX_CHUNK_LENGTH = Integer.MAX_VALUE - 8;
    private static final SnapshotLimits DEFAULTS =
            new SnapshotLimits((1 << 30) + (2 << 20), MAX_LENGTH, MAX_LENGTH, 1L << 32, 1L << 40);

    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if a value is out of range
     */
    public SnapshotLimits {
        requireAtLeast("maxChunkLength", 16, maxChunkLength);
        if (maxChunkLength > MAX_CHUNK_LENGTH) {
            throw new IllegalArgumentException(
                    "maxChunkLength must be at most " + MAX_CHUNK_LENGTH + ": " + maxChunkLength);
        }
        requireAtLeast("maxKeyLength", 0, maxKeyLength);
        requireAtLeast("maxValueLength", 0, maxValueLength);
        requireAtLeast("maxEntries", 0, maxEntries);
        requireAtLeast("maxBytes", 1, maxBytes);
    }

    private static void requireAtLeast(String name, long least, long value) {
        if (value < least) {
            throw new IllegalArgumentException(name + " must be at least " + least + ": " + value);
        }
    }

    /**
     * {@return limits that no store with default settings exceeds: keys and values of at most 512 MiB, and as much of
     * everything else as that takes, up to 4,294,967,296 entries and 1 TiB} Use lower limits for snapshots from sources
     * that you do not trust.
     */
    public static SnapshotLimits defaults() {
        return DEFAULTS;
    }

    /**
     * {@return these limits with another limit for chunks}
     *
     * @param newMaxChunkLength the most bytes of a chunk: 16 to 2,147,483,639
     */
    public SnapshotLimits withMaxChunkLength(int newMaxChunkLength) {
        return new SnapshotLimits(newMaxChunkLength, maxKeyLength, maxValueLength, maxEntries, maxBytes);
    }

    /**
     * {@return these limits with another limit for keys}
     *
     * @param newMaxKeyLength the most bytes of a key; at least 0
     */
    public SnapshotLimits withMaxKeyLength(int newMaxKeyLength) {
        return new SnapshotLimits(maxChunkLength, newMaxKeyLength, maxValueLength, maxEntries, maxBytes);
    }

    /**
     * {@return these limits with another limit for values}
     *
     * @param newMaxValueLength the most bytes of a value; at least 0
     */
    public SnapshotLimits withMaxValueLength(int newMaxValueLength) {
        return new SnapshotLimits(maxChunkLength, maxKeyLength, newMaxValueLength, maxEntries, maxBytes);
    }

    /**
     * {@return these limits with another limit for entries}
     *
     * @param newMaxEntries the most entries; at least 0
     */
    public SnapshotLimits withMaxEntries(long newMaxEntries) {
        return new SnapshotLimits(maxChunkLength, maxKeyLength, maxValueLength, newMaxEntries, maxBytes);
    }

    /**
     * {@return these limits with another limit for the whole snapshot}
     *
     * @param newMaxBytes the most bytes of the whole snapshot; at least 1
     */
    public SnapshotLimits withMaxBytes(long newMaxBytes) {
        return new SnapshotLimits(maxChunkLength, maxKeyLength, maxValueLength, maxEntries, newMaxBytes);
    }
}
