package io.kvorum.replication;

/**
 * The offset of the first record in each chunk of a log. A full ring drops records by chunks, so that no append needs
 * to read old records, which are in no cache, to find where one ends.
 *
 * <p>Knows the chunks of one ring's length before the end of the log. Guarded by the log's lock.
 */
final class ChunkStarts {
    private static final int SHIFT = 13;

    /** Of a ring that is not full yet. */
    static final ChunkStarts NONE = new ChunkStarts(0);

    private final long[] starts;

    /**
     * Knows no record yet.
     *
     * @param capacity the length of the ring, a power of two; one without a whole chunk has no chunks
     */
    ChunkStarts(int capacity) {
        starts = new long[capacity >> SHIFT];
    }

    /** Notes the record from {@code at} to {@code next}; if it ends in a later chunk, that chunk begins after it. */
    void note(long at, long next) {
        if (at >>> SHIFT != next >>> SHIFT && starts.length > 0) {
            for (long chunk = (at >>> SHIFT) + 1; chunk <= next >>> SHIFT; chunk++) {
                starts[index(chunk)] = next;
            }
        }
    }

    /**
     * {@return where the first record of the chunk after {@code offset} begins, or an earlier record if that chunk is
     * not written yet; -1 without chunks}
     */
    long startAfter(long offset) {
        return starts.length == 0 ? -1 : starts[index((offset >>> SHIFT) + 1)];
    }

    private int index(long chunk) {
        return (int) chunk & (starts.length - 1);
    }
}
