package io.kvorum.slots.topology;

/**
 * A point in a shard's replication log: everything up to {@code offset}, the last of it written in {@code epoch}. Two
 * nodes of a shard at equal positions hold equal data.
 *
 * <p>The order is the one by which logs are compared for completeness: the later epoch first, then the greater offset.
 *
 * <p>Immutable.
 *
 * @param epoch the epoch of the last record before the position; 0 where there is none
 * @param offset the number of bytes since the shard's history began; at least 0
 */
public record LogPosition(long epoch, long offset) implements Comparable<LogPosition> {
    /** The position before the first record. */
    public static final LogPosition START = new LogPosition(0, 0);

    /**
     * Checks the parts.
     *
     * @throws IllegalArgumentException if {@code epoch} or {@code offset} is negative
     */
    public LogPosition {
        if (epoch < 0) {
            throw new IllegalArgumentException("epoch must be at least 0: " + epoch);
        }
        if (offset < 0) {
            throw new IllegalArgumentException("offset must be at least 0: " + offset);
        }
    }

    @Override
    public int compareTo(LogPosition other) {
        int byEpoch = Long.compare(epoch, other.epoch);
        return byEpoch != 0 ? byEpoch : Long.compare(offset, other.offset);
    }

    /** {@return {@code epoch:offset}} */
    @Override
    public String toString() {
        return epoch + ":" + offset;
    }
}
