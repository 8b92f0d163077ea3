package io.kvorum.slots.topology;

import io.kvorum.slots.MalformedTextException;
import org.jspecify.annotations.Nullable;

/**
 * A point in a shard's replication log: everything up to {@code offset}, the last of it written in {@code epoch}. Two
 * nodes of a shard at equal positions hold equal data.
 *
 * <p>Ordered by completeness: by epoch first, then by offset.
 *
 * <p>Immutable.
 *
 * @param epoch the epoch of the last record before the position; 0 if there is none
 * @param offset the number of bytes since the shard's history began; at least 0
 */
public record LogPosition(long epoch, long offset) implements Comparable<LogPosition> {
    /** The position before the first record. */
    public static final LogPosition START = new LogPosition(0, 0);

    /**
     * Checks the parts.
     *
     * @throws IllegalArgumentException if {@code epoch} is no {@linkplain Epoch epoch} or {@code offset} is negative
     */
    public LogPosition {
        Epoch.check(epoch);
        if (offset < 0) {
            throw new IllegalArgumentException("offset must be at least 0: " + offset);
        }
    }

    /**
     * Parses the form that {@link #toString()} writes.
     *
     * @param text the text
     * @return the position
     * @throws MalformedTextException if the text has another form, or a number in it is out of range
     */
    public static LogPosition parse(String text) {
        int colon = text.indexOf(':');
        if (colon < 0) {
            throw new MalformedTextException(text.length(), "position must have the form epoch:offset: " + text);
        }
        long epoch = Epoch.parse(text.substring(0, colon));
        return new LogPosition(epoch, Epoch.number(text, colon + 1, text.length(), "offset", Long.MAX_VALUE));
    }

    @Override
    public int compareTo(LogPosition other) {
        int byEpoch = Long.compare(epoch, other.epoch);
        return byEpoch != 0 ? byEpoch : Long.compare(offset, other.offset);
    }

    /** {@return the epoch and the offset, as in {@code 7.2:120}} */
    @Override
    public String toString() {
        return Epoch.toString(epoch) + ":" + offset;
    }

    /** As of any record. Written out, because each message asks, and what the JDK makes is slow while it is cold. */
    @Override
    public boolean equals(@Nullable Object other) {
        return this == other || (other instanceof LogPosition that && offset == that.offset && epoch == that.epoch);
    }

    @Override
    public int hashCode() {
        return 31 * Long.hashCode(epoch) + Long.hashCode(offset);
    }
}
