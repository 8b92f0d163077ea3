package io.kvorum.replication;

import io.kvorum.slots.topology.LogPosition;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * The state that the control records of a log add up to: the epoch of its last record, its history and its members.
 *
 * <p>Immutable.
 *
 * @param epoch the epoch of the last record; 0 in an empty log
 * @param history the leaderships that wrote the log
 * @param members the newest member lists
 */
record LogHead(long epoch, LogHistory history, LogMembers members) {
    static final LogHead EMPTY = new LogHead(0, LogHistory.EMPTY, LogMembers.NONE);

    /**
     * {@return this after a BEGIN record}
     *
     * @param first the members that the shard begins with, or null if it has begun
     * @throws IllegalArgumentException if the epoch is not above the one before
     */
    LogHead begun(long newEpoch, @Nullable Roster first, long start, long end) {
        LogHistory longer = history.with(newEpoch, start);
        return new LogHead(
                newEpoch, longer, first == null ? members : LogMembers.first(first, new LogPosition(newEpoch, end)));
    }

    /** {@return this after a MEMBERS record} */
    LogHead listed(Roster roster, long end) {
        return new LogHead(epoch, history, members.with(roster, new LogPosition(epoch, end)));
    }

    /**
     * {@return this after the control records of a batch}
     *
     * @param batch sound records
     * @param end where the log ended before them
     * @throws IllegalArgumentException if an epoch among them is not above the one before
     */
    LogHead after(ByteBuf batch, long end) {
        LogHead head = this;
        int start = batch.readerIndex();
        for (int index = start; index < batch.writerIndex(); ) {
            int next = index + Records.size(batch, index);
            int kind = Records.kind(batch, index);
            if (kind == Records.BEGIN) {
                Roster first = Records.beginsShard(batch, index) ? Records.roster(batch, index) : null;
                head = head.begun(Records.epoch(batch, index), first, end + index - start, end + next - start);
            } else if (kind == Records.MEMBERS) {
                head = head.listed(Records.roster(batch, index), end + next - start);
            }
            index = next;
        }
        return head;
    }
}
