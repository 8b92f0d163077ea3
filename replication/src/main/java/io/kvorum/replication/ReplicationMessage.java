package io.kvorum.replication;

import static java.util.Objects.requireNonNull;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.ShardId;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * What the nodes of a shard say to one another. A primary speaks in its epoch and numbers what it says; a node answers
 * each message of its primary with an {@link Ack}, and a primary of a lower epoch with a {@link StaleEpoch}.
 *
 * <p>Every message names its shard. A node that receives one of another shard, or of a sender that it does not know,
 * counts it and does nothing.
 *
 * <p>A message that carries buffers owns one reference to each. The sender hands them over to the {@link Transport},
 * and the receiving {@link ShardNode} releases them.
 */
public sealed interface ReplicationMessage {
    /** {@return the shard it is about} */
    ShardId shard();

    /** {@return the epoch in which it is said; see the kinds} */
    long epoch();

    /** Releases the message's buffers. */
    default void release() {}

    /** {@return a message that can be delivered beside this one: it owns references and indexes of its own} */
    default ReplicationMessage copy() {
        return this;
    }

    /**
     * A message of a primary.
     *
     * <p>Its {@code sequence} grows by one with each message of a leadership, over all receivers.
     */
    sealed interface FromPrimary extends ReplicationMessage {
        /** {@return the epoch in which the sender is the primary} */
        @Override
        long epoch();

        /** {@return the number of this message in the leadership} */
        long sequence();
    }

    /**
     * Tells that the primary is there.
     *
     * @param shard the shard
     * @param epoch the epoch of the primary
     * @param sequence the number of this message
     * @param end the position after the primary's last record
     * @param committed the offset up to which a majority holds the records; -1 while that is not known
     */
    record Heartbeat(ShardId shard, long epoch, long sequence, LogPosition end, long committed) implements FromPrimary {
        /** Checks that nothing is missing. */
        public Heartbeat {
            requireNonNull(shard, "shard");
            requireNonNull(end, "end");
        }
    }

    /**
     * Carries records to a replica that has everything before them.
     *
     * @param shard the shard
     * @param epoch the epoch of the primary
     * @param sequence the number of this message
     * @param previous the position before the first record
     * @param committed the offset up to which a majority holds the records; -1 while that is not known
     * @param records whole records, as they lie in the log
     */
    record Append(ShardId shard, long epoch, long sequence, LogPosition previous, long committed, ByteBuf records)
            implements FromPrimary {
        /** Checks that nothing is missing. */
        public Append {
            requireNonNull(shard, "shard");
            requireNonNull(previous, "previous");
            requireNonNull(records, "records");
        }

        @Override
        public void release() {
            records.release();
        }

        @Override
        public Append copy() {
            return new Append(shard, epoch, sequence, previous, committed, records.retainedDuplicate());
        }
    }

    /**
     * Carries one part of a full sync: records, then entries of the snapshot scan. The records of all parts follow one
     * another without a gap.
     *
     * @param shard the shard
     * @param epoch the epoch of the primary
     * @param sequence the number of this message
     * @param incarnation the incarnation of the receiver for which the full sync was begun
     * @param life the life of that incarnation
     * @param sync the number of the full sync, from 1, unique in the leadership and growing
     * @param part the number of the part, from 0
     * @param start the position before the part's first record
     * @param end what the receiver needs to know of the log behind it, in the last part, with which it is complete;
     *     {@code null} in all others
     * @param records whole records, as they lie in the log
     * @param entries entries of the snapshot scan
     */
    record SnapshotPart(
            ShardId shard,
            long epoch,
            long sequence,
            long incarnation,
            long life,
            long sync,
            int part,
            LogPosition start,
            @Nullable SyncEnd end,
            ByteBuf records,
            ByteBuf entries)
            implements FromPrimary {
        /** Checks that nothing is missing. */
        public SnapshotPart {
            requireNonNull(shard, "shard");
            requireNonNull(start, "start");
            requireNonNull(records, "records");
            requireNonNull(entries, "entries");
        }

        @Override
        public void release() {
            records.release();
            entries.release();
        }

        @Override
        public SnapshotPart copy() {
            return new SnapshotPart(
                    shard,
                    epoch,
                    sequence,
                    incarnation,
                    life,
                    sync,
                    part,
                    start,
                    end,
                    records.retainedDuplicate(),
                    entries.retainedDuplicate());
        }
    }

    /**
     * The log behind a full sync.
     *
     * @param history the history of the log up to the end of the full sync
     * @param members the member lists as of the end of the full sync
     */
    record SyncEnd(LogHistory history, LogMembers members) {
        /** Checks that nothing is missing. */
        public SyncEnd {
            requireNonNull(history, "history");
            requireNonNull(members, "members");
        }
    }

    /**
     * Answers a message of the primary: says where this node is.
     *
     * @param shard the shard
     * @param epoch the epoch of the primary
     * @param sequence the number of the message that is answered
     * @param incarnation the incarnation of this node
     * @param life the life of that incarnation
     * @param position the position after this node's last record
     * @param complete whether the node's data is complete up to that position
     * @param taken what became of what the message carried
     * @param sync the number of the full sync under way at this node, or 0
     * @param nextPart the part of that full sync that the node waits for
     */
    record Ack(
            ShardId shard,
            long epoch,
            long sequence,
            long incarnation,
            long life,
            LogPosition position,
            boolean complete,
            Taken taken,
            long sync,
            int nextPart)
            implements ReplicationMessage {
        /** Checks that nothing is missing. */
        public Ack {
            requireNonNull(shard, "shard");
            requireNonNull(position, "position");
            requireNonNull(taken, "taken");
        }
    }

    /** What became of what a message of the primary carried. */
    enum Taken {
        /** It was taken over, now or before, or the message carried nothing. */
        TAKEN,
        /** It does not continue what the node has. */
        GAP,
        /** The node has no complete data that it could continue. */
        NOT_COMPLETE,
        /** It was meant for another incarnation or life of the node. */
        OTHER_LIFE,
        /** The node's state could not apply it. */
        NOT_APPLIED,
        /** It has a record of a kind or version that the node does not know. */
        UNKNOWN_KIND
    }

    /**
     * Answers a message of a primary of a lower epoch: the sender is deposed.
     *
     * @param shard the shard
     * @param epoch the epoch that the answering node has promised
     */
    record StaleEpoch(ShardId shard, long epoch) implements ReplicationMessage {
        /** Checks that nothing is missing. */
        public StaleEpoch {
            requireNonNull(shard, "shard");
        }
    }
}
