package io.kvorum.replication;

import io.kvorum.replication.ReplicationEvent.FullSyncStarted.Reason;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The primary's side of one leadership: feeds the replicas and counts what they have.
 *
 * <p>It pushes. Every heartbeat is answered with the replica's position, and from that answer the primary decides: a
 * position in its own history that is still retained is continued from (go back and send again, if something was lost);
 * any other takes a full sync. So there is nothing to negotiate, and each lost, repeated or overtaken message is
 * repaired by the next heartbeat.
 *
 * <p>A position is committed once a majority has it, this node included, and it is not before the record that began
 * this leadership: until a majority has that record, records of earlier epochs could still be replaced (Ongaro and
 * Ousterhout, "In Search of an Understandable Consensus Algorithm", section 5.4.2).
 */
final class Primary {
    private final ReplicationSettings settings;
    private final NodeIdentity identity;
    private final ReplicationLog log;
    private final ReplicatedState state;
    private final ByteBufAllocator allocator;
    private final Outbox outbox;
    private final long epoch;

    /** The offset after the record that began this leadership. */
    private final long begin;

    private final Map<NodeId, ReplicaProgress> replicas = new LinkedHashMap<>();
    private final Waiting waiting;

    /** Scratch for {@link #greatest}: one place for each replica. */
    private final long[] values;

    private long sequence;
    private long heartbeatAt;
    private boolean heartbeatWanted = true;
    private long committed = -1;

    private boolean paused;
    private long pausedUntil;

    Primary(
            ReplicationSettings settings,
            NodeIdentity identity,
            ReplicationLog log,
            ReplicatedState state,
            ByteBufAllocator allocator,
            Outbox outbox,
            long epoch,
            List<NodeId> nodes) {
        this.settings = settings;
        this.identity = identity;
        this.log = log;
        this.state = state;
        this.allocator = allocator;
        this.outbox = outbox;
        this.epoch = epoch;
        this.begin = log.begin(epoch);
        for (NodeId node : nodes) {
            if (!node.equals(identity.node())) {
                replicas.put(node, new ReplicaProgress(node));
            }
        }
        this.values = new long[replicas.size()];
        this.waiting = new Waiting(outbox, settings.maxWaiting());
    }

    long epoch() {
        return epoch;
    }

    long committed() {
        return committed;
    }

    /** Answers the request once the position is acknowledged at the level. */
    void await(long request, LogPosition position, Acknowledgement level, long deadline) {
        if (position.epoch() != epoch) {
            outbox.complete(request, position, OutcomeUnknownException.Reason.DEPOSED);
            return;
        }
        int needed = level.replicasOf(replicas.size() + 1);
        if (acknowledgedBy(needed) >= position.offset()) {
            outbox.complete(request, position, null);
        } else {
            waiting.await(request, position, needed, deadline);
        }
    }

    /** Answers the request once a majority has this leadership confirmed and has all that is in the log now. */
    void confirm(long request, long deadline) {
        waiting.confirm(request, log.end(), sequence + 1, deadline);
        heartbeatWanted = true;
    }

    /** Holds writes back until {@code until}, at the most. */
    void pause(long until) {
        paused = true;
        pausedUntil = until;
        log.refuse(refusal(RefusedException.Kind.PAUSED));
    }

    void resume(long now) {
        paused = false;
        updateGate(now);
    }

    void tick(long now) {
        if (paused && now - pausedUntil >= 0) {
            paused = false;
        }
        updateGate(now);
        if (heartbeatWanted || now - heartbeatAt >= settings.heartbeatInterval().toNanos()) {
            heartbeat(now);
        }
        for (ReplicaProgress replica : replicas.values()) {
            feed(replica, now);
        }
        waiting.expire(now);
        commit();
    }

    /** Ends the leadership: nothing is known any more of what was not acknowledged. */
    void end(OutcomeUnknownException.Reason reason) {
        waiting.giveUp(reason);
        replicas.values().forEach(ReplicaProgress::endSync);
    }

    void acknowledged(NodeId from, ReplicationMessage.Ack ack, long now) {
        ReplicaProgress replica = replicas.get(from);
        if (replica == null || ack.epoch() != epoch || ack.sequence() <= replica.heardSequence) {
            return;
        }
        replica.heardSequence = ack.sequence();
        replica.heardAt = now;
        replica.heard = true;
        replica.life = ack.life();
        replica.synced = ack.synced();
        LogPosition position = ack.position();
        Reason obstacle = obstacle(ack);
        if (ack.synced() && obstacle != Reason.DIVERGED) {
            replica.acknowledged = Math.max(replica.acknowledged, position.offset());
        }
        switch (replica.phase) {
            case PROBING -> {
                if (obstacle == null) {
                    stream(replica, position);
                } else {
                    replica.needs = obstacle;
                }
            }
            case STREAMING -> {
                if (obstacle != null) {
                    replica.probe(obstacle);
                } else {
                    repair(replica, ack);
                }
            }
            case SYNCING -> continueSync(replica, ack, obstacle, now);
        }
        commit();
    }

    /** {@return why a replica cannot continue from its own position, or null if it can} */
    private @Nullable Reason obstacle(ReplicationMessage.Ack ack) {
        if (!ack.synced()) {
            return Reason.NOT_SYNCED;
        }
        if (!log.history().contains(ack.position(), log.end().offset())) {
            return Reason.DIVERGED;
        }
        return ack.position().offset() < log.firstOffset() ? Reason.TOO_FAR_BEHIND : null;
    }

    private void stream(ReplicaProgress replica, LogPosition position) {
        replica.stream(position.offset());
        outbox.publish(new ReplicationEvent.PartialSync(identity.node(), replica.node, position));
    }

    /** Goes back to where the replica is if something was lost on the way to it. */
    private void repair(ReplicaProgress replica, ReplicationMessage.Ack ack) {
        long offset = ack.position().offset();
        boolean refused = !ack.taken() && ack.sequence() > replica.resentAfter;
        boolean behind = ack.sequence() >= replica.lastDataSequence && offset < replica.next;
        if (refused || behind || offset > replica.next) {
            replica.next = offset;
            replica.resentAfter = sequence;
        }
    }

    private void continueSync(
            ReplicaProgress replica, ReplicationMessage.Ack ack, @Nullable Reason obstacle, long now) {
        FullSync sync = replica.sync;
        if (sync == null) {
            throw new AssertionError(replica.node);
        }
        boolean complete =
                ack.synced() && obstacle != Reason.DIVERGED && ack.position().offset() >= sync.firstOffset();
        if (complete && obstacle == null) {
            replica.stream(ack.position().offset());
        } else if (complete || ack.life() != sync.life() || (ack.sync() != sync.id() && sync.isAcknowledged())) {
            delaySync(replica, now); // the log went on without it, it restarted, or it could not read a part
            replica.probe(obstacle == null ? Reason.NOT_SYNCED : obstacle);
        } else if (ack.sync() != sync.id()) {
            if (ack.taken() && ack.sequence() > replica.lastDataSequence) { // the first part was lost
                resendParts(replica, sync);
            }
        } else if (!sync.acknowledged(ack.nextPart())) {
            boolean refused = !ack.taken() && ack.sequence() > replica.resentAfter;
            if (refused || ack.sequence() >= replica.lastDataSequence) {
                resendParts(replica, sync);
            }
        }
    }

    private void resendParts(ReplicaProgress replica, FullSync sync) {
        replica.resentAfter = sequence;
        for (ReplicationMessage.SnapshotPart part : sync.sentParts()) {
            send(replica, part.withSequence(nextDataSequence(replica)));
        }
    }

    private void delaySync(ReplicaProgress replica, long now) {
        replica.syncDelayed = true;
        replica.syncNotBefore = now + settings.heartbeatInterval().toNanos();
    }

    private void heartbeat(long now) {
        heartbeatWanted = false;
        heartbeatAt = now;
        LogPosition end = log.end();
        for (ReplicaProgress replica : replicas.values()) {
            send(replica, new ReplicationMessage.Heartbeat(epoch, ++sequence, end, committed));
        }
    }

    private void feed(ReplicaProgress replica, long now) {
        switch (replica.phase) {
            case PROBING -> {
                if (replica.needs != null) {
                    beginSync(replica, replica.needs, now);
                }
            }
            case STREAMING -> feedRecords(replica, now);
            case SYNCING -> {
                if (now - replica.heardAt >= settings.replicaTimeout().toNanos()) {
                    replica.probe(null); // others wait for its turn
                } else {
                    feedParts(replica, now);
                }
            }
        }
    }

    private void feedRecords(ReplicaProgress replica, long now) {
        long end = log.end().offset();
        while (replica.next < end && replica.next - replica.acknowledged < settings.windowBytes()) {
            ByteBuf records = read(replica.next, end);
            if (records == null) {
                replica.probe(Reason.TOO_FAR_BEHIND);
                beginSync(replica, Reason.TOO_FAR_BEHIND, now);
                return;
            }
            LogPosition previous = log.history().positionAt(replica.next);
            replica.next += records.readableBytes();
            send(
                    replica,
                    new ReplicationMessage.Append(epoch, nextDataSequence(replica), previous, committed, records));
        }
    }

    /** Reads one batch, or returns null if the log no longer retains it. */
    private @Nullable ByteBuf read(long from, long end) {
        ByteBuf records = allocator.buffer((int) Math.min(end - from, settings.batchBytes()));
        try {
            return log.read(from, records, settings.batchBytes()) > 0 ? records.retain() : null;
        } finally {
            records.release();
        }
    }

    private void beginSync(ReplicaProgress replica, Reason reason, long now) {
        if (replica.syncDelayed && now - replica.syncNotBefore < 0) {
            return;
        }
        if (replicas.values().stream().filter(r -> r.sync != null).count() >= settings.maxFullSyncs()) {
            return;
        }
        replica.syncDelayed = false;
        replica.phase = ReplicaProgress.Phase.SYNCING;
        replica.sync = new FullSync(++sequence, replica.life, log, state, allocator, settings.batchBytes());
        outbox.publish(new ReplicationEvent.FullSyncStarted(identity.node(), replica.node, reason));
        feedParts(replica, now);
    }

    private void feedParts(ReplicaProgress replica, long now) {
        FullSync sync = replica.sync;
        while (sync != null && !sync.isAllSent() && sync.underWay() < settings.windowParts()) {
            ReplicationMessage.SnapshotPart part = sync.next(epoch, nextDataSequence(replica));
            if (part == null) {
                delaySync(replica, now);
                replica.probe(Reason.TOO_FAR_BEHIND);
                return;
            }
            send(replica, part);
        }
    }

    private long nextDataSequence(ReplicaProgress replica) {
        replica.lastDataSequence = ++sequence;
        return sequence;
    }

    private void send(ReplicaProgress replica, ReplicationMessage message) {
        outbox.send(replica.node, message);
    }

    private void commit() {
        int others = (replicas.size() + 1) / 2;
        long majority = acknowledgedBy(others);
        if (majority >= begin && majority > committed) {
            committed = majority;
        }
        waiting.acknowledged(this::acknowledgedBy);
        waiting.confirmed(answeredBy(others), committed);
    }

    /** {@return the offset that this node and at least {@code count} replicas have} */
    private long acknowledgedBy(int count) {
        if (count > 0) {
            int i = 0;
            for (ReplicaProgress replica : replicas.values()) {
                values[i++] = replica.acknowledged;
            }
        }
        return greatest(count, log.end().offset());
    }

    /**
     * {@return the number of a message such that at least {@code count} complete replicas answered it or a later one}
     */
    private long answeredBy(int count) {
        if (count > 0) {
            int i = 0;
            for (ReplicaProgress replica : replicas.values()) {
                values[i++] = replica.synced ? replica.heardSequence : -1;
            }
        }
        return greatest(count, Long.MAX_VALUE);
    }

    /** The value that at least {@code count} of {@link #values} reach, or {@code own} for none. */
    private long greatest(int count, long own) {
        if (count == 0) {
            return own;
        }
        if (count > values.length) {
            return -1;
        }
        Arrays.sort(values);
        return values[values.length - count];
    }

    private void updateGate(long now) {
        if (paused) {
            return;
        }
        if (settings.minReplicas() > 0 && connected(now) < settings.minReplicas()) {
            log.refuse(refusal(RefusedException.Kind.TOO_FEW_REPLICAS));
        } else {
            log.admit();
        }
    }

    private long connected(long now) {
        long timeout = settings.replicaTimeout().toNanos();
        return replicas.values().stream()
                .filter(replica -> replica.isConnected(now, timeout))
                .count();
    }

    private ReplicationLog.Refusal refusal(RefusedException.Kind kind) {
        return new ReplicationLog.Refusal(kind, identity.shard(), identity.node(), identity.node(), epoch);
    }

    void checkInvariants() {
        if (committed > log.end().offset()) {
            throw new AssertionError("committed " + committed + " is after the log, which ends at " + log.end());
        }
        for (ReplicaProgress replica : replicas.values()) {
            if (replica.acknowledged > log.end().offset()) {
                throw new AssertionError(replica.node + " has more than the log: " + replica.acknowledged);
            }
            if ((replica.phase == ReplicaProgress.Phase.SYNCING) != (replica.sync != null)) {
                throw new AssertionError(replica.node + " has a full sync in phase " + replica.phase);
            }
        }
    }
}
