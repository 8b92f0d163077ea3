package io.kvorum.replication;

import static java.util.Objects.requireNonNull;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import io.netty.buffer.ByteBufAllocator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The protocol of one node of a shard: its promises, its role, and what follows from them.
 *
 * <p>A node <em>promises</em> an epoch when it is fenced at it, or when it hears a primary of it. From then on it
 * refuses records, acknowledgements and promotions of lower epochs, over restarts too if its promise is kept; a primary
 * that promises a later epoch takes no more writes. A shard fails over safely in three steps, which
 * {@code io.kvorum.failover} or any other party with an epoch of its own takes: {@link #fence} a majority of the nodes,
 * which return their final positions; choose the greatest of them ({@link LogPosition#compareTo}); {@link #promote}
 * that node. Since every write that was acknowledged by a majority is on some node of every fenced majority, it is on
 * the chosen one. A new shard begins in the same way.
 *
 * <p>A node that restarts without its data is not synced: it refuses to be promoted and its acknowledgements do not
 * count, until a full sync is complete. It must come back with its promise; a node that lost that too must come back
 * under another id.
 *
 * <p>This is a pure state machine: it owns no thread, reads no clock and sends nothing. Every method takes the current
 * time in nanoseconds, which must never decrease from one call to the next. What is to be done is in {@link #ready()},
 * to be asked after each input. Confined to one thread, except for the log and the state, which it shares with writers.
 */
public final class ShardNode {
    /**
     * What a node starts with.
     *
     * <p>Each start begins a new <em>life</em> of the node. Its number tells what was sent to an earlier life from what
     * is meant for this one: a full sync that comes late must not be taken for the one that a node without its data
     * waits for. It must differ from the numbers of the node's earlier lives: draw it at random, or count.
     *
     * @param promised the epoch that it has promised, 0 if none
     * @param synced whether its log and state are complete up to the end of its log
     * @param life the number of this life
     */
    public record Start(long promised, boolean synced, long life) {
        /**
         * Checks the parts.
         *
         * @throws IllegalArgumentException if {@code promised} is negative
         */
        public Start {
            if (promised < 0) {
                throw new IllegalArgumentException("epoch must be at least 0: " + promised);
            }
        }

        /** {@return the start of a node of a new shard, which is complete because there is nothing yet} */
        public static Start fresh() {
            return new Start(0, true, 0);
        }

        /**
         * {@return the start of a node that still has its data and its log}
         *
         * @param promised the epoch that it has promised
         * @param life a number that no earlier life of the node had; not 0, which is that of the first one
         */
        public static Start withData(long promised, long life) {
            return new Start(promised, true, life);
        }

        /**
         * {@return the start of a node that lost its data}
         *
         * @param promised the epoch that it has promised
         * @param life a number that no earlier life of the node had; not 0, which is that of the first one
         */
        public static Start empty(long promised, long life) {
            return new Start(promised, false, life);
        }
    }

    private final ReplicationSettings settings;
    private final NodeIdentity identity;
    private final ReplicationLog log;
    private final ReplicatedState state;
    private final ByteBufAllocator allocator;
    private final Outbox outbox = new Outbox();
    private final Replica replica;

    /** The leadership of this node, while it has one. */
    private @Nullable Primary primary;

    private long promised;
    private long announcedPromise;

    /** Whether this node was the primary and does not know yet who is now. */
    private boolean fenced;

    /**
     * Starts a node as a replica that follows nobody yet.
     *
     * @param settings the settings
     * @param identity who it is
     * @param log its log; the node works its gate
     * @param state what it replicates
     * @param allocator gives the buffers of the messages
     * @param start what it starts with
     */
    public ShardNode(
            ReplicationSettings settings,
            NodeIdentity identity,
            ReplicationLog log,
            ReplicatedState state,
            ByteBufAllocator allocator,
            Start start) {
        this.settings = requireNonNull(settings, "settings");
        this.identity = requireNonNull(identity, "identity");
        this.log = requireNonNull(log, "log");
        this.state = requireNonNull(state, "state");
        this.allocator = requireNonNull(allocator, "allocator");
        this.promised = Math.max(start.promised(), log.end().epoch());
        this.announcedPromise = start.promised();
        this.replica = new Replica(identity, log, state, outbox, start);
        closeGate();
    }

    /**
     * Does what is due: heartbeats, shipping, timeouts. Call it after other inputs and at least each heartbeat
     * interval.
     *
     * @param now the current time, in nanoseconds
     */
    public void tick(long now) {
        if (primary != null) {
            primary.tick(now);
        }
    }

    /**
     * Takes a message of another node. Any message may come late, twice or never.
     *
     * @param from who sent it
     * @param message the message; its buffers are released
     * @param now the current time, in nanoseconds
     * @throws IllegalArgumentException if the message carries what no node could have sent; nothing was changed
     */
    public void receive(NodeId from, ReplicationMessage message, long now) {
        try {
            if (message instanceof ReplicationMessage.FromPrimary fromPrimary) {
                receive(from, fromPrimary);
            } else if (message instanceof ReplicationMessage.Ack ack) {
                if (primary != null) {
                    primary.acknowledged(from, ack, now);
                }
            } else if (message instanceof ReplicationMessage.StaleEpoch stale) {
                if (stale.promised() > promised) {
                    promise(stale.promised(), null);
                }
            } else {
                throw new AssertionError(message);
            }
        } finally {
            message.release();
        }
    }

    private void receive(NodeId from, ReplicationMessage.FromPrimary message) {
        if (message.epoch() < promised) {
            outbox.send(from, new ReplicationMessage.StaleEpoch(promised));
            return;
        }
        if (message.epoch() > promised) {
            promise(message.epoch(), from);
        } else if (primary == null && replica.following() == null) {
            startFollowing(from);
        }
        if (from.equals(replica.following())) {
            replica.receive(from, message);
        }
    }

    /**
     * Promises to refuse everything of epochs below {@code epoch}. A primary of a lower epoch takes no more writes, and
     * the position in the answer is final for all epochs below.
     *
     * @param epoch the epoch
     * @return done, or that a later epoch was promised
     */
    public ControlAnswer fence(long epoch) {
        if (epoch < promised) {
            return answer(ControlAnswer.Outcome.STALE_EPOCH);
        }
        if (epoch > promised) {
            promise(epoch, null);
        }
        return answer(ControlAnswer.Outcome.DONE);
    }

    /**
     * Makes this node the primary of the epoch at which it was fenced. The log begins the leadership with a record of
     * its own, and the gate opens. Who promotes must promote no other node in the same epoch.
     *
     * @param epoch the epoch
     * @param expected the position that this node's {@link #fence} answered
     * @param nodes all nodes of the shard, this one among them; a majority is more than half of them
     * @return done, now or before, or why not
     * @throws IllegalArgumentException if this node is not among {@code nodes}
     */
    public ControlAnswer promote(long epoch, LogPosition expected, List<NodeId> nodes) {
        if (!nodes.contains(identity.node())) {
            throw new IllegalArgumentException("nodes must contain " + identity.node() + ": " + nodes);
        }
        if (epoch < promised) {
            return answer(ControlAnswer.Outcome.STALE_EPOCH);
        }
        if (epoch > promised) {
            return answer(ControlAnswer.Outcome.NOT_FENCED);
        }
        if (primary != null) {
            return answer(ControlAnswer.Outcome.DONE);
        }
        if (replica.following() != null) {
            return answer(ControlAnswer.Outcome.OTHER_PRIMARY);
        }
        if (!replica.isSynced()) {
            return answer(ControlAnswer.Outcome.NOT_SYNCED);
        }
        if (!log.end().equals(expected) || expected.epoch() >= epoch) {
            return answer(ControlAnswer.Outcome.WRONG_POSITION);
        }
        fenced = false;
        primary = new Primary(settings, identity, log, state, allocator, outbox, epoch, nodes);
        outbox.publish(new ReplicationEvent.Promoted(identity.node(), epoch));
        return answer(ControlAnswer.Outcome.DONE);
    }

    /**
     * Tells this node whom to follow. A primary of a lower epoch takes no more writes.
     *
     * @param epoch the epoch of the primary
     * @param newPrimary the primary
     * @return done, or that a later epoch was promised, or that this node follows another primary of the epoch
     */
    public ControlAnswer follow(long epoch, NodeId newPrimary) {
        if (epoch < promised) {
            return answer(ControlAnswer.Outcome.STALE_EPOCH);
        }
        NodeId known = epoch == promised ? knownPrimary() : null;
        if (known != null) {
            return answer(known.equals(newPrimary) ? ControlAnswer.Outcome.DONE : ControlAnswer.Outcome.OTHER_PRIMARY);
        }
        if (newPrimary.equals(identity.node())) {
            return answer(ControlAnswer.Outcome.NOT_PRIMARY);
        }
        if (epoch > promised) {
            promise(epoch, newPrimary);
        } else {
            startFollowing(newPrimary);
        }
        return answer(ControlAnswer.Outcome.DONE);
    }

    /**
     * Holds writes back at the primary, so that a replica can catch up for a switchover. Ends by itself.
     *
     * @param epoch the epoch of the primary
     * @param until when writes are taken again at the latest, in nanoseconds
     * @return done, with the position that no write changes before {@code until}; or why not
     */
    public ControlAnswer pause(long epoch, long until) {
        if (primary == null || primary.epoch() != epoch) {
            return answer(epoch < promised ? ControlAnswer.Outcome.STALE_EPOCH : ControlAnswer.Outcome.NOT_PRIMARY);
        }
        primary.pause(until);
        return answer(ControlAnswer.Outcome.DONE);
    }

    /**
     * Takes writes again after a {@link #pause}.
     *
     * @param epoch the epoch of the primary
     * @param now the current time, in nanoseconds
     * @return done, or why not
     */
    public ControlAnswer resume(long epoch, long now) {
        if (primary == null || primary.epoch() != epoch) {
            return answer(epoch < promised ? ControlAnswer.Outcome.STALE_EPOCH : ControlAnswer.Outcome.NOT_PRIMARY);
        }
        primary.resume(now);
        return answer(ControlAnswer.Outcome.DONE);
    }

    /**
     * Asks for a {@link Ready.Completion} once enough nodes have what was written up to a position.
     *
     * @param request the number of the request, chosen by the caller, unique at this node
     * @param position a position that {@link ReplicationLog#end} has returned
     * @param level how many nodes must have it
     * @param deadline when to give up, in nanoseconds
     */
    public void await(long request, LogPosition position, Acknowledgement level, long deadline) {
        if (primary == null) {
            outbox.complete(request, position, OutcomeUnknownException.Reason.DEPOSED);
        } else {
            primary.await(request, position, level, deadline);
        }
    }

    /**
     * Asks for a {@link Ready.Completion} once a majority has confirmed, after this call, that this node is still the
     * primary, and has everything that is in the log now. What was read here before this call is then linearizable (the
     * read index of Raft, section 6.4 of Ongaro's thesis).
     *
     * @param request the number of the request, chosen by the caller, unique at this node
     * @param deadline when to give up, in nanoseconds
     */
    public void confirm(long request, long deadline) {
        if (primary == null) {
            outbox.complete(request, log.end(), OutcomeUnknownException.Reason.DEPOSED);
        } else {
            primary.confirm(request, deadline);
        }
    }

    /**
     * {@return whether {@link #ready()} has a promise to save, before which nothing else is to be asked of this node}
     */
    public boolean hasNewPromise() {
        return promised != announcedPromise;
    }

    /** {@return what is to be done since the last call; the caller owns the buffers of the messages} */
    public Ready ready() {
        long promise = hasNewPromise() ? promised : -1;
        announcedPromise = promised;
        return outbox.take(promise);
    }

    /** {@return where this node stands} */
    public NodeStatus status() {
        return new NodeStatus(
                identity.node(),
                identity.shard(),
                primary == null ? NodeRole.REPLICA : NodeRole.PRIMARY,
                promised,
                knownPrimary(),
                log.end(),
                primary == null ? replica.committed() : primary.committed(),
                primary == null ? replica.lag() : 0,
                replica.isSynced(),
                log.isWritable(),
                identity.priority());
    }

    /**
     * Gives up what waits, stops taking writes and lets go of everything that is under way. The log and the state stay
     * as they are. The last {@link #ready()} is to be asked after it.
     */
    public void close() {
        if (primary != null) {
            primary.end(OutcomeUnknownException.Reason.CLOSED);
            primary = null;
        }
        replica.abort();
        closeGate();
    }

    private @Nullable NodeId knownPrimary() {
        return primary == null ? replica.following() : identity.node();
    }

    /** Promises a later epoch, and follows its primary if that is known. */
    private void promise(long epoch, @Nullable NodeId newPrimary) {
        promised = epoch;
        Primary deposed = primary;
        primary = null;
        fenced = newPrimary == null && (fenced || deposed != null);
        replica.follow(newPrimary);
        closeGate();
        if (deposed != null) {
            deposed.end(OutcomeUnknownException.Reason.DEPOSED);
            outbox.publish(new ReplicationEvent.Deposed(identity.node(), deposed.epoch(), epoch, log.end()));
        }
        if (newPrimary != null) {
            outbox.publish(new ReplicationEvent.Following(identity.node(), newPrimary, epoch));
        }
    }

    private void startFollowing(NodeId newPrimary) {
        fenced = false;
        replica.follow(newPrimary);
        closeGate();
        outbox.publish(new ReplicationEvent.Following(identity.node(), newPrimary, promised));
    }

    private void closeGate() {
        log.refuse(new ReplicationLog.Refusal(
                fenced ? RefusedException.Kind.FENCED : RefusedException.Kind.READ_ONLY,
                identity.shard(),
                identity.node(),
                replica.following(),
                promised));
    }

    private ControlAnswer answer(ControlAnswer.Outcome outcome) {
        return new ControlAnswer(outcome, status());
    }

    /**
     * Checks what must hold after every step; for use in an {@code assert}.
     *
     * @return true
     * @throws AssertionError if it does not hold
     */
    public boolean checkInvariants() {
        if (log.end().epoch() > promised) {
            throw new AssertionError("the log ends in epoch " + log.end().epoch() + ", above the promise " + promised);
        }
        if (primary == null && log.isWritable()) {
            throw new AssertionError("a replica takes writes");
        }
        if (primary != null) {
            if (primary.epoch() != promised) {
                throw new AssertionError("primary of epoch " + primary.epoch() + " with the promise " + promised);
            }
            if (replica.following() != null) {
                throw new AssertionError("a primary follows " + replica.following());
            }
            primary.checkInvariants();
        }
        return true;
    }
}
