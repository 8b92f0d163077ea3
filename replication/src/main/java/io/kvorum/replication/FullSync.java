package io.kvorum.replication;

import io.kvorum.slots.topology.LogPosition;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * One full sync, at the primary: a scan of the state and the log since it began, cut into parts.
 *
 * <p>Each part carries the records since the part before it and then some entries of the scan. The log must so retain
 * only what is written between two parts, however long the scan takes. An entry may be newer than the records sent
 * before it; the records that follow bring the replica to the same again, and it is complete once it has all records
 * that were there when the scan ended.
 */
final class FullSync implements AutoCloseable {
    private final long id;
    private final long life;
    private final ReplicationLog log;
    private final ByteBufAllocator allocator;
    private final SnapshotScan scan;
    private final int partBytes;
    private final long firstOffset;

    /** Sent but not acknowledged. */
    private final ArrayDeque<ReplicationMessage.SnapshotPart> sent = new ArrayDeque<>();

    private LogPosition position;
    private int nextPart;
    private int acknowledgedPart;
    private long completeAt = -1;
    private boolean lastSent;

    FullSync(long id, long life, ReplicationLog log, ReplicatedState state, ByteBufAllocator allocator, int partBytes) {
        this.id = id;
        this.life = life;
        this.log = log;
        this.allocator = allocator;
        this.partBytes = partBytes;
        this.position = log.end();
        this.firstOffset = position.offset();
        this.scan = state.snapshot();
    }

    long id() {
        return id;
    }

    /** {@return the life of the replica for which it was begun} */
    long life() {
        return life;
    }

    /** {@return where the log was when the sync began: a node with this much of it needs the sync no more} */
    long firstOffset() {
        return firstOffset;
    }

    /** {@return whether the replica has taken a part and so should know of this sync} */
    boolean isAcknowledged() {
        return acknowledgedPart > 0;
    }

    int underWay() {
        return sent.size();
    }

    boolean isAllSent() {
        return lastSent;
    }

    /** Cuts the next part, or returns null if the log no longer retains the records that must be in it. */
    ReplicationMessage.@Nullable SnapshotPart next(long epoch, long sequence) {
        ByteBuf records = allocator.buffer();
        ByteBuf entries = allocator.buffer();
        try {
            int read = log.read(position.offset(), records, partBytes);
            if (read < 0) {
                return null;
            }
            if (completeAt < 0 && !scan.next(entries, partBytes)) {
                completeAt = log.end().offset();
            }
            LogPosition start = position;
            position = read == 0 ? position : new LogPosition(epoch, position.offset() + read);
            lastSent = completeAt >= 0 && position.offset() >= completeAt;
            ReplicationMessage.SnapshotPart part = new ReplicationMessage.SnapshotPart(
                    epoch,
                    sequence,
                    life,
                    id,
                    nextPart++,
                    start,
                    log.history(),
                    lastSent,
                    records.retain(),
                    entries.retain());
            sent.add(part);
            return part.copy();
        } finally {
            records.release();
            entries.release();
        }
    }

    /** Forgets the parts that the replica has. Returns whether it has one more than before. */
    boolean acknowledged(int replicaWaitsFor) {
        boolean progress = replicaWaitsFor > acknowledgedPart && replicaWaitsFor <= nextPart;
        while (progress && acknowledgedPart < replicaWaitsFor) {
            sent.remove().release();
            acknowledgedPart++;
        }
        return progress;
    }

    /** {@return the parts under way} */
    Iterable<ReplicationMessage.SnapshotPart> sentParts() {
        return sent;
    }

    @Override
    public void close() {
        scan.close();
        sent.forEach(ReplicationMessage::release);
        sent.clear();
    }
}
