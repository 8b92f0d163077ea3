package io.kvorum.replication;

import io.kvorum.slots.topology.LogPosition;
import io.netty.buffer.ByteBuf;

/**
 * What the nodes of a shard say to one another. A primary speaks in its epoch and numbers what it says; a node answers
 * each message of its primary with an {@link Ack}, or any message of a lower epoch with a {@link StaleEpoch}.
 *
 * <p>A message that carries buffers owns one reference to each. Who sends it gives them away to the {@link Transport},
 * and the receiving {@link ShardNode} releases them.
 */
public sealed interface ReplicationMessage {
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
        long epoch();

        /** {@return the number of this message in the leadership} */
        long sequence();
    }

    /**
     * Tells that the primary is there.
     *
     * @param epoch the epoch of the primary
     * @param sequence the number of this message
     * @param end the position after the primary's last record
     * @param committed the offset up to which a majority holds the records; -1 while that is not known
     */
    record Heartbeat(long epoch, long sequence, LogPosition end, long committed) implements FromPrimary {}

    /**
     * Carries records to a replica that has everything before them.
     *
     * @param epoch the epoch of the primary
     * @param sequence the number of this message
     * @param previous the position before the first record
     * @param committed the offset up to which a majority holds the records; -1 while that is not known
     * @param records whole records, as they lie in the log
     */
    record Append(long epoch, long sequence, LogPosition previous, long committed, ByteBuf records)
            implements FromPrimary {
        @Override
        public void release() {
            records.release();
        }

        @Override
        public Append copy() {
            return new Append(epoch, sequence, previous, committed, records.retainedDuplicate());
        }
    }

    /**
     * Carries one part of a full sync: the records since the part before, then some entries of the snapshot scan.
     *
     * @param epoch the epoch of the primary
     * @param sequence the number of this message
     * @param life the number of the receiver's life for which the full sync was begun; see {@link ShardNode.Start}
     * @param sync the number of the full sync, unique in the leadership
     * @param part the number of the part, from 0
     * @param start the position before the part's first record
     * @param history the history of the primary's log
     * @param last whether the replica is complete with this part
     * @param records whole records, as they lie in the log
     * @param entries entries of the snapshot scan
     */
    record SnapshotPart(
            long epoch,
            long sequence,
            long life,
            long sync,
            int part,
            LogPosition start,
            LogHistory history,
            boolean last,
            ByteBuf records,
            ByteBuf entries)
            implements FromPrimary {
        @Override
        public void release() {
            records.release();
            entries.release();
        }

        @Override
        public SnapshotPart copy() {
            return withSequence(sequence);
        }

        /** {@return a copy under a new number, with references of its own} */
        SnapshotPart withSequence(long newSequence) {
            return new SnapshotPart(
                    epoch,
                    newSequence,
                    life,
                    sync,
                    part,
                    start,
                    history,
                    last,
                    records.retainedDuplicate(),
                    entries.retainedDuplicate());
        }
    }

    /**
     * Answers a message of the primary: says where this node is.
     *
     * @param epoch the epoch of the primary
     * @param sequence the number of the message that is answered
     * @param life the number of this node's life; see {@link ShardNode.Start}
     * @param position the position after this node's last record
     * @param synced whether the node's data is complete up to that position; a node that restarted empty is not
     * @param taken whether the message fitted, so that what it carried was taken over
     * @param sync the number of the full sync under way at this node, or -1
     * @param nextPart the part of that full sync that the node waits for
     */
    record Ack(
            long epoch,
            long sequence,
            long life,
            LogPosition position,
            boolean synced,
            boolean taken,
            long sync,
            int nextPart)
            implements ReplicationMessage {}

    /**
     * Answers a message of a lower epoch: its sender is deposed.
     *
     * @param promised the epoch that the answering node has promised
     */
    record StaleEpoch(long promised) implements ReplicationMessage {}
}
