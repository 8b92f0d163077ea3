package io.kvorum.replication;

import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.LogPosition;
import java.util.ArrayList;
import java.util.List;

/**
 * Which epoch wrote which part of a replication log: for each leadership the offset at which its records begin.
 *
 * <p>Two logs that agree on the epoch of their last record before an offset agree on everything before that offset. So
 * a replica may continue from its position exactly if that position lies in the primary's history. Redis remembers one
 * earlier history (its second replication id); this remembers the last {@value #MAX_LEADERSHIPS}.
 *
 * <p>Immutable.
 */
public final class LogHistory {
    /** How many leaderships a history remembers; a position in an older one cannot resume. */
    public static final int MAX_LEADERSHIPS = 1024;

    /** The history of an empty log. */
    public static final LogHistory EMPTY = new LogHistory(List.of());

    /**
     * The part of a log that one leadership wrote.
     *
     * @param epoch the epoch; positive
     * @param firstOffset where its records begin
     */
    public record Leadership(long epoch, long firstOffset) {}

    private final List<Leadership> leaderships;

    private LogHistory(List<Leadership> leaderships) {
        this.leaderships = leaderships;
    }

    /**
     * Creates a history from its parts, as another node has sent them.
     *
     * @param leaderships the leaderships, oldest first; at most {@value #MAX_LEADERSHIPS}
     * @return the history
     * @throws IllegalArgumentException if there are too many, an epoch does not rise, or an offset goes back
     */
    static LogHistory of(List<Leadership> leaderships) {
        if (leaderships.size() > MAX_LEADERSHIPS) {
            throw new IllegalArgumentException(
                    "history must have at most " + MAX_LEADERSHIPS + " leaderships: " + leaderships.size());
        }
        Leadership last = new Leadership(0, 0);
        for (Leadership each : leaderships) {
            if (each.epoch() <= last.epoch() || each.firstOffset() < last.firstOffset()) {
                throw new IllegalArgumentException("leaderships must be in order: " + each + " after " + last);
            }
            last = each;
        }
        return new LogHistory(List.copyOf(leaderships));
    }

    /** {@return the leaderships, oldest first} */
    public List<Leadership> leaderships() {
        return leaderships;
    }

    /** {@return the epoch of the last leadership, or 0 if there was none} */
    public long lastEpoch() {
        return leaderships.isEmpty()
                ? 0
                : leaderships.get(leaderships.size() - 1).epoch();
    }

    /**
     * {@return this history with one more leadership}
     *
     * @param epoch its epoch, above {@link #lastEpoch()}
     * @param firstOffset where its records begin, not before those of the last one
     * @throws IllegalArgumentException if the epoch or the offset goes back
     */
    LogHistory with(long epoch, long firstOffset) {
        if (epoch <= lastEpoch()) {
            throw new IllegalArgumentException(
                    "epoch must be above " + Epoch.toString(lastEpoch()) + ": " + Epoch.toString(epoch));
        }
        if (!leaderships.isEmpty()
                && firstOffset < leaderships.get(leaderships.size() - 1).firstOffset()) {
            throw new IllegalArgumentException("offset must not be before the last leadership: " + firstOffset);
        }
        List<Leadership> longer = new ArrayList<>(leaderships);
        longer.add(new Leadership(epoch, firstOffset));
        if (longer.size() > MAX_LEADERSHIPS) {
            longer.remove(0);
        }
        return new LogHistory(List.copyOf(longer));
    }

    /**
     * Tells whether a log at {@code position} is a prefix of the log that has this history and ends at {@code end}.
     * Linear in the number of leaderships.
     *
     * @param position a position, perhaps of another log
     * @param end the offset at which the log of this history ends
     * @return true if everything before the position is the same in both logs
     */
    public boolean contains(LogPosition position, long end) {
        if (position.equals(LogPosition.START)) {
            return true;
        }
        for (int i = leaderships.size() - 1; i >= 0; i--) {
            Leadership leadership = leaderships.get(i);
            if (leadership.epoch() == position.epoch()) {
                return position.offset() > leadership.firstOffset() && position.offset() <= endOf(i, end);
            }
        }
        return false;
    }

    /** {@return the position at {@code offset}, an offset at which a record of this history ends} */
    LogPosition positionAt(long offset) {
        for (int i = leaderships.size() - 1; i >= 0; i--) {
            if (leaderships.get(i).firstOffset() < offset) {
                return new LogPosition(leaderships.get(i).epoch(), offset);
            }
        }
        return new LogPosition(0, offset);
    }

    /**
     * {@return the offset up to which the log of this history and another one are the same, 0 if that cannot be told}
     *
     * @param end the offset at which the log of this history ends
     * @param other the history of the other log
     * @param otherEnd the offset at which the other log ends
     */
    long commonPrefix(long end, LogHistory other, long otherEnd) {
        for (int i = leaderships.size() - 1; i >= 0; i--) {
            int j = other.leaderships.indexOf(leaderships.get(i));
            if (j >= 0) {
                return Math.min(endOf(i, end), other.endOf(j, otherEnd));
            }
        }
        return 0;
    }

    private long endOf(int index, long end) {
        return index + 1 < leaderships.size() ? leaderships.get(index + 1).firstOffset() : end;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof LogHistory that && leaderships.equals(that.leaderships);
    }

    @Override
    public int hashCode() {
        return leaderships.hashCode();
    }

    /** {@return the leaderships as {@code epoch@offset}, oldest first} */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (Leadership leadership : leaderships) {
            text.append(text.isEmpty() ? "" : " ")
                    .append(leadership.epoch())
                    .append('@')
                    .append(leadership.firstOffset());
        }
        return text.toString();
    }
}
