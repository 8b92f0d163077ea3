package io.kvorum.core.snapshot;

/**
 * The numbers of the snapshot format; {@code docs/snapshot-format.md} has the whole of it. All integers are big-endian.
 */
final class SnapshotFormat {
    /** {@code KVORUMSN} in ASCII. */
    static final long MAGIC = 0x4b564f52554d534eL;

    static final int VERSION = 1;

    /** Magic, version, flags, time and the number of slot ranges. */
    static final int FIXED_HEADER = Long.BYTES + Short.BYTES + Short.BYTES + Long.BYTES + Short.BYTES;

    /** The first and the last slot. */
    static final int RANGE = 2 * Short.BYTES;

    /** The length of no chunk, which says that the totals follow: entries, chunks, checksum of everything before. */
    static final int END = 0;

    static final int TOTALS = 2 * Long.BYTES;

    /** From this length on a chunk is not added to. */
    static final int CHUNK_LENGTH = 1 << 20;

    private SnapshotFormat() {}
}
