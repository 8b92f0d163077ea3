package io.kvorum.replication;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * The replica's side: takes over what the primary sends, if it continues what is here, and says where this node is.
 *
 * <p>A full sync is built aside. Until it is complete, this node keeps its old data and its old log, and answers and
 * votes with them: they may be what the next primary needs.
 */
final class Replica {
    private final NodeIdentity identity;
    private final ReplicationLog log;
    private final ReplicatedState state;
    private final Outbox outbox;

    private final long life;
    private boolean synced;
    private @Nullable NodeId following;
    private LogPosition primaryEnd = LogPosition.START;
    private long committed = -1;

    private @Nullable Restoration restoration;
    private long sync = NONE;
    private int nextPart;
    private LogPosition restored = LogPosition.START;

    /** The newest full sync of this primary that was completed here; a part of it, or of an older one, comes late. */
    private long completedSync = NONE;

    private static final long NONE = -1;

    Replica(NodeIdentity identity, ReplicationLog log, ReplicatedState state, Outbox outbox, ShardNode.Start start) {
        this.identity = identity;
        this.log = log;
        this.state = state;
        this.outbox = outbox;
        this.life = start.life();
        this.synced = start.synced();
    }

    boolean isSynced() {
        return synced;
    }

    @Nullable
    NodeId following() {
        return following;
    }

    long committed() {
        return committed;
    }

    long lag() {
        return Math.max(0, primaryEnd.offset() - log.end().offset());
    }

    /** Follows a primary from a new epoch on, or, if it is null, waits for one. */
    void follow(@Nullable NodeId primary) {
        following = primary;
        primaryEnd = LogPosition.START;
        committed = NONE;
        completedSync = NONE;
        abort();
    }

    /** Takes a message of the primary that this node follows, in the promised epoch. */
    void receive(NodeId primary, ReplicationMessage.FromPrimary message) {
        boolean taken = true;
        if (message instanceof ReplicationMessage.Heartbeat heartbeat) {
            primaryEnd = heartbeat.end();
            committed = Math.max(committed, heartbeat.committed());
        } else if (message instanceof ReplicationMessage.Append append) {
            taken = append(append);
        } else if (message instanceof ReplicationMessage.SnapshotPart part) {
            taken = restore(part);
        } else {
            throw new AssertionError(message);
        }
        outbox.send(
                primary,
                new ReplicationMessage.Ack(
                        message.epoch(), message.sequence(), life, log.end(), synced, taken, sync, nextPart));
    }

    private boolean append(ReplicationMessage.Append append) {
        ByteBuf records = append.records();
        if (!synced || !append.previous().equals(log.end())) {
            return false;
        }
        Records.check(records);
        log.take(records);
        try {
            apply(records, state::apply);
        } catch (RuntimeException e) { // the data is not what the log says any more
            synced = false;
            outbox.publish(new ReplicationEvent.RecordNotApplied(identity.node(), log.end(), e.toString()));
            return false;
        }
        primaryEnd = primaryEnd.compareTo(log.end()) < 0 ? log.end() : primaryEnd;
        committed = Math.max(committed, append.committed());
        return true;
    }

    private interface RecordConsumer {
        void accept(int slot, ByteBuf payload);
    }

    private static void apply(ByteBuf records, RecordConsumer consumer) {
        int end = records.writerIndex();
        for (int index = records.readerIndex(); index < end; index += Records.size(records, index)) {
            int tag = Records.tag(records, index);
            if (tag != Records.EPOCH) {
                consumer.accept(tag, Records.payload(records, index));
            }
        }
    }

    private boolean restore(ReplicationMessage.SnapshotPart part) {
        if (part.life() != life) { // it was sent to an earlier life of this node
            return false;
        }
        if (part.part() == 0 && part.sync() > Math.max(sync, completedSync)) {
            abort();
            restoration = state.restore();
            sync = part.sync();
            restored = part.start();
        }
        Restoration building = restoration;
        if (building == null
                || part.sync() != sync
                || part.part() != nextPart
                || !part.start().equals(restored)) {
            return false;
        }
        Records.check(part.records());
        try {
            apply(part.records(), building::apply);
            building.load(part.entries());
        } catch (RuntimeException e) {
            outbox.publish(new ReplicationEvent.RecordNotApplied(identity.node(), restored, e.toString()));
            abort();
            return false;
        }
        nextPart++;
        if (part.records().isReadable()) {
            restored = new LogPosition(
                    part.epoch(), restored.offset() + part.records().readableBytes());
        }
        return !part.last() || complete(building, part.history());
    }

    /** Takes the new state over, unless the primary has given this sync up and this node has gone on since. */
    private boolean complete(Restoration building, LogHistory ofPrimary) {
        LogPosition end = log.end();
        completedSync = sync;
        if (synced && end.epoch() == restored.epoch() && end.offset() > restored.offset()) {
            abort();
            return false;
        }
        if (synced && !ofPrimary.contains(end, restored.offset())) {
            long common = log.history().commonPrefix(end.offset(), ofPrimary, restored.offset());
            boolean exact = common >= log.firstOffset();
            outbox.publish(
                    new ReplicationEvent.RecordsDiscarded(identity.node(), common, end, log.countFrom(common), exact));
        }
        building.complete();
        log.reset(restored, ofPrimary);
        synced = true;
        forget();
        outbox.publish(new ReplicationEvent.FullSyncCompleted(identity.node(), restored));
        return true;
    }

    /** Forgets a full sync that is under way. */
    void abort() {
        if (restoration != null) {
            restoration.abort();
            forget();
        }
    }

    private void forget() {
        restoration = null;
        sync = NONE;
        nextPart = 0;
    }
}
