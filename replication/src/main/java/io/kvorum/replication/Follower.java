package io.kvorum.replication;

import io.kvorum.replication.ReplicationMessage.SnapshotPart;
import io.kvorum.replication.ReplicationMessage.SyncEnd;
import io.kvorum.replication.ReplicationMessage.Taken;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * The replica's side: takes over what the primary sends, if it continues what is here, and says where this node is.
 *
 * <p>A full sync is built aside. Until it is complete, this node keeps its old data and its old log, and answers and
 * votes with them: they may be what the next primary needs. The states of the full sync:
 *
 * <pre>
 * NONE      no full sync of this primary was begun
 *           -> BUILDING  the first part of one came
 * BUILDING  parts are loaded aside
 *           -> ENDED     the last part was taken, or one could not be
 *           -> BUILDING  the first part of a later one came
 *           -> NONE      another primary is followed
 * ENDED     parts of it, or of an earlier one, come late
 *           -> BUILDING  the first part of a later one came
 *           -> NONE      another primary is followed
 * </pre>
 */
final class Follower {
    private sealed interface Sync permits None, Building, Ended {
        /** {@return the number of the newest full sync of this primary that was begun here; 0 before the first} */
        long number();
    }

    private record None() implements Sync {
        @Override
        public long number() {
            return 0;
        }
    }

    private static final class Building implements Sync {
        private final long number;
        final Restoration restoration;
        /** The number of the newest message that brought a part of it. */
        long sequence;

        int nextPart;
        LogPosition restored;

        Building(long number, Restoration restoration, LogPosition start) {
            this.number = number;
            this.restoration = restoration;
            this.restored = start;
        }

        @Override
        public long number() {
            return number;
        }
    }

    private record Ended(long number, Taken outcome) implements Sync {}

    private final NodeIdentity identity;
    private final MachineLog log;
    private final ReplicatedState state;
    private final Outbox outbox;
    private final long incarnation;
    private final long life;

    private boolean complete;
    private @Nullable NodeId following;
    private LogPosition primaryEnd = LogPosition.START;
    private long committed = -1;
    private Sync sync = new None();

    Follower(
            NodeIdentity identity,
            MachineLog log,
            ReplicatedState state,
            Outbox outbox,
            Promise promise,
            boolean complete) {
        this.identity = identity;
        this.log = log;
        this.state = state;
        this.outbox = outbox;
        this.incarnation = promise.incarnation();
        this.life = promise.life();
        this.complete = complete;
    }

    boolean isComplete() {
        return complete;
    }

    /** Takes the data that is here as the shard's data: the shard begins here. */
    void declareComplete() {
        complete = true;
        committed = -1;
    }

    @Nullable
    NodeId following() {
        return following;
    }

    /** {@return the offset that is known to be committed; -1 if none is} */
    long committed() {
        return committed;
    }

    /** Learns that the log is committed up to an offset, at least. */
    void learnCommitted(long offset) {
        committed = Math.max(committed, offset);
    }

    long lag() {
        return Math.max(0, primaryEnd.offset() - log.end().offset());
    }

    /** Follows a primary from a new epoch on, or, if it is null, waits for one. */
    void follow(@Nullable NodeId primary) {
        following = primary;
        primaryEnd = LogPosition.START;
        abort();
        sync = new None();
    }

    /** Takes a message of the primary that this node follows, in the promised epoch. */
    void receive(NodeId primary, ReplicationMessage.FromPrimary message) {
        Taken taken;
        long committedThere = -1;
        if (message instanceof ReplicationMessage.Heartbeat heartbeat) {
            primaryEnd = heartbeat.end();
            committedThere = heartbeat.committed();
            taken = Taken.TAKEN;
        } else if (message instanceof ReplicationMessage.Append append) {
            taken = append(append);
            committedThere = append.committed();
        } else if (message instanceof SnapshotPart part) {
            taken = restore(part);
        } else {
            throw new AssertionError(message);
        }
        LogPosition end = log.end();
        if (complete && end.epoch() == message.epoch()) { // only then this log is a prefix of the primary's
            committed = Math.max(committed, Math.min(committedThere, end.offset()));
        }
        outbox.requireDurable(end.offset());
        boolean building = sync instanceof Building;
        outbox.send(
                primary,
                new ReplicationMessage.Ack(
                        identity.shard(),
                        message.epoch(),
                        message.sequence(),
                        incarnation,
                        life,
                        end,
                        complete,
                        taken,
                        building ? sync.number() : 0,
                        sync instanceof Building under ? under.nextPart : 0));
    }

    private Taken append(ReplicationMessage.Append append) {
        ByteBuf records = append.records();
        if (!complete) {
            return Taken.NOT_COMPLETE;
        }
        LogPosition end = log.end();
        if (!append.previous().equals(end)) {
            boolean here = append.previous().offset() + records.readableBytes() <= end.offset()
                    && end.epoch() == append.epoch();
            return here ? Taken.TAKEN : Taken.GAP;
        }
        if (!isKnown(records)) {
            return Taken.UNKNOWN_KIND;
        }
        log.take(records);
        try {
            apply(records, state::apply);
        } catch (RuntimeException | Error e) { // the data is not what the log says any more
            complete = false;
            outbox.publish(new ReplicationEvent.RecordNotApplied(identity.node(), log.end(), Outbox.text(e)));
            return Taken.NOT_APPLIED;
        }
        LogPosition after = log.end();
        primaryEnd = primaryEnd.offset() < after.offset() ? after : primaryEnd;
        if (sync instanceof Building building && append.sequence() > building.sequence) {
            abort(); // the primary has found that this node can continue without it
            sync = new None();
        }
        return Taken.TAKEN;
    }

    /** {@return whether all records are of known kinds} */
    private boolean isKnown(ByteBuf records) {
        try {
            Records.check(records);
            return true;
        } catch (UnknownRecordException e) {
            outbox.publish(new ReplicationEvent.UnknownRecord(identity.node(), log.end(), e.kind(), e.version()));
            return false;
        }
    }

    private interface RecordConsumer {
        void accept(int slot, ByteBuf payload);
    }

    private static void apply(ByteBuf records, RecordConsumer consumer) {
        int end = records.writerIndex();
        for (int index = records.readerIndex(); index < end; index += Records.size(records, index)) {
            if (Records.kind(records, index) == Records.DATA) {
                consumer.accept(Records.slot(records, index), Records.payload(records, index));
            }
        }
    }

    // ---- full sync

    private Taken restore(SnapshotPart part) {
        if (part.incarnation() != incarnation || part.life() != life) {
            return Taken.OTHER_LIFE;
        }
        if (part.sync() > sync.number() && part.part() == 0) {
            abort();
            try {
                sync = new Building(part.sync(), state.restore(), part.start());
            } catch (RuntimeException | Error e) {
                return notRestored(part, e);
            }
        }
        if (part.sync() != sync.number()) {
            return Taken.GAP;
        }
        if (sync instanceof Ended ended) {
            return ended.outcome;
        }
        if (!(sync instanceof Building building)) {
            return Taken.GAP;
        }
        building.sequence = Math.max(building.sequence, part.sequence());
        if (part.part() < building.nextPart) {
            return Taken.TAKEN;
        }
        if (part.part() > building.nextPart || !part.start().equals(building.restored)) {
            return Taken.GAP;
        }
        return load(part, building);
    }

    private Taken load(SnapshotPart part, Building building) {
        if (!isKnown(part.records())) {
            abort();
            sync = new Ended(part.sync(), Taken.UNKNOWN_KIND);
            return Taken.UNKNOWN_KIND;
        }
        SyncEnd end = part.end();
        try {
            apply(part.records(), building.restoration::apply);
            building.restoration.load(part.entries());
            building.nextPart++;
            if (part.records().isReadable()) {
                building.restored = new LogPosition(
                        part.epoch(),
                        building.restored.offset() + part.records().readableBytes());
            }
            return end == null ? Taken.TAKEN : complete(building, end);
        } catch (RuntimeException | Error e) {
            return notRestored(part, e);
        }
    }

    private Taken notRestored(SnapshotPart part, Throwable failure) {
        outbox.publish(new ReplicationEvent.RecordNotApplied(identity.node(), part.start(), Outbox.text(failure)));
        abort();
        sync = new Ended(part.sync(), Taken.NOT_APPLIED);
        return Taken.NOT_APPLIED;
    }

    /**
     * Takes the new state over, unless the primary has given this sync up and this node's log has gone on since: what
     * it holds may have been acknowledged, whether or not the state could apply it.
     */
    private Taken complete(Building building, SyncEnd ofPrimary) {
        LogPosition end = log.end();
        LogPosition restored = building.restored;
        if (end.epoch() == restored.epoch() && end.offset() > restored.offset()) {
            abort();
            sync = new Ended(building.number, Taken.TAKEN);
            return Taken.TAKEN;
        }
        ReplicationEvent.RecordsDiscarded discarded = null;
        if (complete && !ofPrimary.history().contains(end, restored.offset())) {
            long common = log.history().commonPrefix(end.offset(), ofPrimary.history(), restored.offset());
            boolean exact = common >= log.firstOffset();
            discarded =
                    new ReplicationEvent.RecordsDiscarded(identity.node(), common, end, log.countFrom(common), exact);
        }
        complete = false; // should the state fail half-way
        sync = new Ended(building.number, Taken.NOT_APPLIED);
        building.restoration.complete();
        log.reset(restored, ofPrimary.history(), ofPrimary.members());
        complete = true;
        committed = -1;
        sync = new Ended(building.number, Taken.TAKEN);
        if (discarded != null) {
            outbox.publish(discarded);
        }
        outbox.publish(new ReplicationEvent.FullSyncCompleted(identity.node(), restored));
        return Taken.TAKEN;
    }

    /** Forgets what was built of a full sync. */
    void abort() {
        if (sync instanceof Building building) {
            sync = new Ended(building.number, Taken.GAP);
            try {
                building.restoration.abort();
            } catch (RuntimeException | Error e) {
                outbox.publish(new ReplicationEvent.UserCodeFailed(identity.node(), "restoration", Outbox.text(e)));
            }
        }
    }
}
