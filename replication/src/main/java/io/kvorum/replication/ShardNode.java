package io.kvorum.replication;

import static java.util.Objects.requireNonNull;

import io.kvorum.replication.ControlAnswer.Outcome;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.Membership;
import io.kvorum.slots.topology.NodeId;
import io.netty.buffer.ByteBufAllocator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The protocol of one node of a shard: its promises, its role, and what follows from them.
 *
 * <p>A node <em>promises</em> an epoch when it is fenced at it, or when it hears a primary of it. From then on it
 * refuses records, acknowledgements and promotions of lower epochs, over restarts too, since its {@link Promise} is
 * kept; a primary that promises a later epoch takes no more writes. A shard fails over safely in three steps, which
 * {@code io.kvorum.failover} or any other party with epochs of its own takes: {@link #fence} a majority of the members,
 * which return their final positions; choose the greatest of the complete ones ({@link LogPosition#compareTo});
 * {@link #promote} that node, and no other in the same epoch. Since every write that was acknowledged by a majority is
 * on some node of every fenced majority, it is on the chosen one.
 *
 * <p>A new shard <em>begins</em> once, at one node, by {@link #begin}. Any other node becomes part of it by a full
 * sync, and so does a node that restarts without its data: until then its data is not complete, it refuses to be
 * promoted and its acknowledgements do not count. A node that lost its promise too comes back in another incarnation,
 * which counts for nothing until the primary has taken it into the member list.
 *
 * <p>A message of another shard, or of a sender that is neither a member nor otherwise known to this node, changes
 * nothing and is counted in {@link NodeStatus#strays}. A primary of an epoch that is over is told so, known or not.
 *
 * <p>This is a pure state machine: it owns no thread, reads no clock and sends nothing. Every time is in nanoseconds
 * and must never decrease from one call to the next. One step is any number of inputs followed by {@link #ready()},
 * which does the work that they have made possible, once, and says what is to be done and when the next step is due.
 * Confined to one thread, except for the log and the state, which it shares with writers.
 */
public final class ShardNode {
    private final ReplicationSettings settings;
    private final NodeIdentity identity;
    private final MachineLog log;
    private final ReplicatedState state;
    private final ByteBufAllocator allocator;
    private final Outbox outbox = new Outbox();
    private final Follower follower;
    private final Member self;

    private Promise promise;
    private @Nullable Promise toSave;
    /** The leadership of this node, while it has one. */
    private @Nullable Leadership leadership;
    /** Whether this node was the primary and does not know yet who is now. */
    private boolean fenced;

    /** Why this node takes no part any more, or null while it does. */
    private Refusal.@Nullable End end;

    private long strays;
    private long now;

    /**
     * Starts a node as a replica that follows nobody yet. Its promise is the first to be saved: the number of its life
     * must be on disk before anything of that life leaves the node.
     *
     * @param settings the settings
     * @param identity who it is
     * @param log its log; the node works its gate
     * @param state what it replicates
     * @param allocator gives the buffers of the messages
     * @param promise {@link Promise#first} if it has none yet, and otherwise the {@link Promise#nextLife} of the one
     *     that was saved last
     * @param complete whether it kept its state and its log over the restart, both complete up to the end of the log; a
     *     new node has nothing that could be complete
     * @param now the current time
     * @throws IllegalArgumentException if a node that was never part of its shard is to be complete
     */
    public ShardNode(
            ReplicationSettings settings,
            NodeIdentity identity,
            ReplicationLog log,
            ReplicatedState state,
            ByteBufAllocator allocator,
            Promise promise,
            boolean complete,
            long now) {
        if (complete && !promise.begun()) {
            throw new IllegalArgumentException(
                    "a node that was never part of its shard must not be complete: " + identity.node());
        }
        this.settings = requireNonNull(settings, "settings");
        this.identity = requireNonNull(identity, "identity");
        this.log = (MachineLog) requireNonNull(log, "log");
        this.state = requireNonNull(state, "state");
        this.allocator = requireNonNull(allocator, "allocator");
        long ofLog = this.log.end().epoch();
        this.promise = ofLog > promise.epoch() ? promise.withEpoch(ofLog, null) : promise;
        this.toSave = this.promise;
        this.self = new Member(identity.node(), promise.incarnation());
        this.follower = new Follower(identity, this.log, state, outbox, promise, complete);
        this.now = now;
        closeGate();
    }

    /**
     * Tells the time. Call it when the time of {@link Ready#wakeAt} has come, or when something was appended.
     *
     * @param now the current time
     */
    public void tick(long now) {
        this.now = now;
    }

    /**
     * Takes a message of another node. Any message may come late, twice or never.
     *
     * @param from who sent it
     * @param message the message; its buffers are released
     * @param now the current time
     * @throws IllegalArgumentException if the message carries what no node could have sent; nothing was changed
     */
    public void receive(NodeId from, ReplicationMessage message, long now) {
        this.now = now;
        try {
            if (end != null) {
                return;
            }
            boolean own = message.shard().equals(identity.shard());
            boolean known = own && isKnown(from);
            strays += known ? 0 : 1;
            if (own && message instanceof ReplicationMessage.FromPrimary && message.epoch() < promise.epoch()) {
                // of one that was replaced, too, which nobody else tells
                outbox.send(from, new ReplicationMessage.StaleEpoch(identity.shard(), promise.epoch()));
            } else if (!known) {
                return;
            } else if (message instanceof ReplicationMessage.FromPrimary fromPrimary) {
                receive(from, fromPrimary);
            } else if (message instanceof ReplicationMessage.Ack ack) {
                if (leadership != null) {
                    leadership.acknowledged(from, ack, now);
                }
            } else if (message instanceof ReplicationMessage.StaleEpoch stale) {
                if (leadership != null && stale.epoch() > promise.epoch()) {
                    promise(stale.epoch(), null, null);
                }
            } else {
                throw new AssertionError(message);
            }
        } finally {
            message.release();
        }
    }

    /** {@return whether a message of a node can be meant for this one: a node without any list believes all} */
    private boolean isKnown(NodeId from) {
        if (from.equals(identity.node()) || from.equals(follower.following())) {
            return !from.equals(identity.node());
        }
        Membership membership = membership();
        return leadership != null ? leadership.feeds(from) : membership == null || membership.knows(from);
    }

    private void receive(NodeId from, ReplicationMessage.FromPrimary message) {
        if (message.epoch() > promise.epoch()) {
            promise(message.epoch(), null, from);
        } else if (leadership == null && follower.following() == null && message.epoch() > 0) {
            startFollowing(from);
        }
        if (!from.equals(follower.following())) {
            strays++;
            return;
        }
        follower.receive(from, message);
        if (follower.isComplete() && !promise.begun()) {
            keep(promise.withBegun());
        }
    }

    /**
     * Promises to refuse everything of epochs below {@code epoch}. A primary of a lower epoch takes no more writes, and
     * the position in the answer is final for all epochs below.
     *
     * @param epoch the epoch; positive
     * @param holder who asks for the promise: nobody else can use it
     * @return done, now or before; or that a later epoch was promised, or this one to somebody else, or to nobody,
     *     because the epoch has a primary
     */
    public ControlAnswer fence(long epoch, NodeId holder) {
        requireNonNull(holder, "holder");
        if (end != null) {
            return answer(Outcome.CLOSED);
        }
        if (Epoch.check(epoch) < promise.epoch() || epoch == 0) {
            return answer(Outcome.STALE_EPOCH);
        }
        NodeId known = promise.holder();
        if (epoch > promise.epoch()) {
            promise(epoch, holder, null);
        } else if (known == null) { // the epoch has, or had, its primary
            return answer(Outcome.STALE_EPOCH);
        } else if (!known.equals(holder)) {
            outbox.publish(new ReplicationEvent.OtherHolder(identity.node(), epoch, known, holder));
            return answer(Outcome.OTHER_HOLDER);
        }
        return answer(Outcome.DONE);
    }

    /**
     * Makes this node the primary of the epoch at which it was fenced. The log begins the leadership with a record of
     * its own, and the gate opens, once as many replicas are caught up as the settings demand. Who promotes must
     * promote no other node in the same epoch.
     *
     * @param epoch the epoch
     * @param holder who has the promise of the epoch
     * @param incarnation the incarnation of this node that was chosen
     * @param expected the position that this node's {@link #fence} answered
     * @param committed the offset up to which the fenced nodes know this log to be committed, at least; -1 if they do
     *     not. A node forgets that when it restarts, and a member list that is not known to be committed does not count
     *     alone
     * @param now the current time
     * @return done, now or before, or why not
     */
    public ControlAnswer promote(
            long epoch, NodeId holder, long incarnation, LogPosition expected, long committed, long now) {
        this.now = now;
        Outcome obstacle = obstacle(epoch, holder);
        if (obstacle != null) {
            return answer(obstacle);
        }
        if (incarnation != self.incarnation()) {
            return answer(Outcome.OTHER_INCARNATION);
        }
        if (leadership != null) {
            return answer(Outcome.DONE);
        }
        if (follower.following() != null) {
            return answer(Outcome.OTHER_PRIMARY);
        }
        if (!follower.isComplete()) {
            return answer(Outcome.NOT_COMPLETE);
        }
        if (!log.end().equals(expected) || expected.epoch() >= epoch || committed > expected.offset()) {
            return answer(Outcome.WRONG_POSITION);
        }
        Membership membership = membership();
        if (membership == null || !membership.isMember(self)) {
            return answer(Outcome.NOT_MEMBER);
        }
        follower.learnCommitted(committed);
        lead(null);
        outbox.publish(new ReplicationEvent.Promoted(identity.node(), epoch));
        return answer(Outcome.DONE);
    }

    /**
     * Begins the shard at this node, which becomes its primary. A shard begins once. If it has lost its majority, it
     * can be begun anew, with the data that this node still has, whole or not, and with this node as its only member:
     * the others may still have the shard's old data, and must not count before they have the new.
     *
     * <p>The promise of the epoch is used up by it: once that is saved, nobody can have this node begin or lead in the
     * epoch again, and the gate opens.
     *
     * @param epoch the epoch at which all members, or for a new beginning all that answered, were fenced
     * @param holder who has the promise of the epoch
     * @param members the first members, this node in this incarnation among them
     * @param joining nodes that are fed, too, and taken in as members once they are complete
     * @param dataLost whether the shard has begun before and data is given up
     * @param now the current time
     * @return done, now or before, or why not
     * @throws IllegalArgumentException if the list of all these is too long for the log; nothing was changed
     */
    public ControlAnswer begin(
            long epoch, NodeId holder, MemberList members, List<NodeId> joining, boolean dataLost, long now) {
        this.now = now;
        if (leadership != null && leadership.epoch() == epoch) {
            return answer(Outcome.DONE);
        }
        Outcome obstacle = obstacle(epoch, holder);
        if (obstacle != null) {
            return answer(obstacle);
        }
        if (follower.following() != null) {
            return answer(Outcome.OTHER_PRIMARY);
        }
        if (!members.contains(self)) {
            return answer(members.member(self.node()) == null ? Outcome.NOT_MEMBER : Outcome.OTHER_INCARNATION);
        }
        LogPosition end = log.end();
        if (!dataLost && (promise.begun() || end.offset() > 0)) {
            return answer(Outcome.ALREADY_BEGUN);
        }
        if (end.epoch() >= epoch) {
            return answer(Outcome.WRONG_POSITION);
        }
        Roster first = new Roster(members, joining);
        first.checkFits(log.maxPayload());
        keep(promise.withEpoch(epoch, null).withBegun());
        // No node may continue from a position before this one: what others have counts for nothing any more.
        log.reset(new LogPosition(0, end.offset()), LogHistory.EMPTY, LogMembers.NONE);
        follower.declareComplete();
        lead(first);
        outbox.publish(new ReplicationEvent.ShardBegun(identity.node(), epoch, members, dataLost));
        outbox.publish(new ReplicationEvent.Promoted(identity.node(), epoch));
        return answer(Outcome.DONE);
    }

    /** {@return why a party cannot command at an epoch, or null if it has this node's promise} */
    private @Nullable Outcome obstacle(long epoch, NodeId holder) {
        if (end != null) {
            return Outcome.CLOSED;
        }
        if (epoch < promise.epoch()) {
            return Outcome.STALE_EPOCH;
        }
        NodeId known = promise.holder();
        if (epoch > promise.epoch() || known == null) {
            boolean primaryKnown = epoch == promise.epoch() && knownPrimary() != null;
            return primaryKnown ? Outcome.OTHER_PRIMARY : Outcome.NOT_FENCED;
        }
        return known.equals(holder) ? null : Outcome.OTHER_HOLDER;
    }

    private void lead(@Nullable Roster first) {
        fenced = false;
        long committed = follower.committed();
        leadership = Leadership.begin(
                settings, identity, self, log, state, allocator, outbox, promise.epoch(), first, committed, now);
    }

    private void keep(Promise later) {
        promise = later;
        toSave = later;
    }

    /**
     * Tells this node whom to follow. A primary of a lower epoch takes no more writes.
     *
     * @param epoch the epoch of the primary
     * @param primary the primary
     * @param now the current time
     * @return done, or that a later epoch was promised, or that this node follows another primary of the epoch
     */
    public ControlAnswer follow(long epoch, NodeId primary, long now) {
        this.now = now;
        if (end != null) {
            return answer(Outcome.CLOSED);
        }
        if (Epoch.check(epoch) < promise.epoch() || epoch == 0) {
            return answer(Outcome.STALE_EPOCH);
        }
        NodeId known = epoch == promise.epoch() ? knownPrimary() : null;
        if (known != null) {
            return answer(known.equals(primary) ? Outcome.DONE : Outcome.OTHER_PRIMARY);
        }
        if (primary.equals(identity.node())) {
            return answer(Outcome.NOT_PRIMARY);
        }
        if (epoch > promise.epoch()) {
            promise(epoch, null, primary);
        } else {
            startFollowing(primary);
        }
        return answer(Outcome.DONE);
    }

    /**
     * Holds writes back at the primary, so that a replica can catch up for a switchover. Ends by itself.
     *
     * @param epoch the epoch of the primary
     * @param until when writes are taken again at the latest
     * @return done, with the position that no write changes before {@code until}; or why not
     */
    public ControlAnswer pause(long epoch, long until) {
        Leadership leading = leadingIn(epoch);
        if (leading == null) {
            return answer(notPrimary(epoch));
        }
        leading.pause(until);
        return answer(Outcome.DONE);
    }

    /**
     * Takes writes again after a {@link #pause}.
     *
     * @param epoch the epoch of the primary
     * @param now the current time
     * @return done, or why not
     */
    public ControlAnswer resume(long epoch, long now) {
        this.now = now;
        Leadership leading = leadingIn(epoch);
        if (leading == null) {
            return answer(notPrimary(epoch));
        }
        leading.resume(now);
        return answer(Outcome.DONE);
    }

    /**
     * Replaces a member by another node. The primary feeds the other node from now on, and changes the member list once
     * that is complete and almost at the end of the log. Ask {@link NodeStatus#membership()} whether it has. A
     * replacement ends within {@link ReplicationSettings#replaceTimeout()}: by {@link ReplicationEvent.MembersChanged},
     * by {@link ReplicationEvent.ReplacementGivenUp}, or with the leadership.
     *
     * @param epoch the epoch of the primary
     * @param outgoing the member to replace, or a node that is to join; not the primary itself
     * @param incoming the node that takes its place
     * @return done if the replacement has begun or is over; or why not
     * @throws IllegalArgumentException if the member list is then too long for the log; nothing was changed
     */
    public ControlAnswer replace(long epoch, NodeId outgoing, NodeId incoming) {
        Leadership leading = leadingIn(epoch);
        if (leading == null) {
            return answer(notPrimary(epoch));
        }
        return answer(leading.replace(outgoing, incoming, now));
    }

    private @Nullable Leadership leadingIn(long epoch) {
        return leadership != null && leadership.epoch() == epoch ? leadership : null;
    }

    private Outcome notPrimary(long epoch) {
        Outcome open = epoch < promise.epoch() ? Outcome.STALE_EPOCH : Outcome.NOT_PRIMARY;
        return end != null ? Outcome.CLOSED : open;
    }

    /**
     * Asks for a {@link Ready.Completion} once enough nodes have what was written up to a position. For a position of
     * an earlier leadership, the history of the shard says whether it is still there.
     *
     * @param request the number of the request, chosen by the caller, unique at this node
     * @param position a position that {@link ReplicationLog#end} has returned, at this node or at an earlier primary
     * @param level how many nodes must have it
     * @param deadline when to give up
     */
    public void await(long request, LogPosition position, Acknowledgement level, long deadline) {
        if (leadership == null) {
            outbox.complete(request, position, end != null ? Ready.Outcome.CLOSED : Ready.Outcome.DEPOSED, 0);
        } else {
            leadership.await(request, position, level, deadline);
        }
    }

    /**
     * Asks for a {@link Ready.Completion} once a majority has confirmed, after this call, that this node is still the
     * primary, and has everything that is in the log now. What was read here before this call is then linearizable (the
     * read index of Raft, section 6.4 of Ongaro's thesis).
     *
     * @param request the number of the request, chosen by the caller, unique at this node
     * @param deadline when to give up
     */
    public void confirm(long request, long deadline) {
        if (leadership == null) {
            outbox.complete(request, log.end(), end != null ? Ready.Outcome.CLOSED : Ready.Outcome.DEPOSED, 0);
        } else {
            leadership.confirm(request, deadline);
        }
    }

    /**
     * Gives up what waits, stops taking writes and lets go of everything that is under way. The log and the state stay
     * as they are. The last {@link #ready()} is to be asked after it.
     */
    public void close() {
        end(Refusal.End.CLOSED);
    }

    /** Ends this node like {@link #close()}, after a defect of its own: writes are refused with that reason. */
    public void fail() {
        end(Refusal.End.FAILED);
    }

    private void end(Refusal.End reason) {
        end = reason;
        if (leadership != null) {
            leadership.end(Ready.Outcome.CLOSED);
            leadership = null;
        }
        follower.abort();
        closeGate();
    }

    /**
     * {@return whether {@link #ready()} has a promise to save, before which no answer to a command may leave, and no
     * further command should be given}
     */
    public boolean hasNewPromise() {
        return toSave != null;
    }

    /**
     * Does the work that the inputs since the last call, and the time that they told, have made possible.
     *
     * @return what is to be done; the caller owns the buffers of the messages
     */
    public Ready ready() {
        long wakeAt = leadership == null ? Ready.NEVER : leadership.work(now);
        Ready ready = outbox.take(toSave, wakeAt);
        toSave = null;
        return ready;
    }

    /** All that {@link #ready()} has said to save so far is saved. A primary takes no writes before it hears that. */
    public void promiseSaved() {
        if (toSave == null && leadership != null) {
            leadership.promiseSaved(now);
        }
    }

    /** {@return the end of the log as of the last {@link #ready()}: up to there nothing needs a wake-up any more} */
    public long seenOffset() {
        return leadership == null ? log.end().offset() : leadership.seen();
    }

    /**
     * Has a wake-up run once, when a writer's append moves the end of the log past an offset; at once if it is past it
     * now. Replaces the wake-up that was set before. The thread that appends runs it, inside of whatever lock the
     * writer holds: it must be quick and must not throw.
     *
     * @param offset the offset, such as {@link #seenOffset()}; {@link Long#MAX_VALUE} for never
     * @param wakeup the wake-up
     */
    public void wakeWhen(long offset, Runnable wakeup) {
        log.wakeWhen(offset, wakeup);
    }

    /** {@return where this node stands} */
    public NodeStatus status() {
        return NodeStatus.of(identity, promise, follower, leadership, log.snapshot(), strays, now);
    }

    private @Nullable Membership membership() {
        return leadership == null ? log.members().membership(follower.committed()) : leadership.membership();
    }

    private @Nullable NodeId knownPrimary() {
        return leadership == null ? follower.following() : identity.node();
    }

    /** Promises a later epoch, and follows its primary if that is known. */
    private void promise(long epoch, @Nullable NodeId holder, @Nullable NodeId newPrimary) {
        keep(promise.withEpoch(epoch, holder));
        Leadership deposed = leadership;
        leadership = null;
        fenced = newPrimary == null && (fenced || deposed != null);
        if (deposed != null) {
            follower.learnCommitted(deposed.committed());
        }
        follower.follow(newPrimary);
        closeGate();
        if (deposed != null) {
            deposed.end(Ready.Outcome.DEPOSED);
            outbox.publish(new ReplicationEvent.Deposed(identity.node(), deposed.epoch(), epoch, log.end()));
        }
        if (newPrimary != null) {
            outbox.publish(new ReplicationEvent.Following(identity.node(), newPrimary, epoch));
        }
    }

    private void startFollowing(NodeId newPrimary) {
        fenced = false;
        follower.follow(newPrimary);
        closeGate();
        outbox.publish(new ReplicationEvent.Following(identity.node(), newPrimary, promise.epoch()));
    }

    private void closeGate() {
        log.refuse(Refusal.of(identity, fenced, end, follower.following(), promise.epoch()));
    }

    private ControlAnswer answer(Outcome outcome) {
        return new ControlAnswer(outcome, status());
    }

    /** {@return true, for use in an {@code assert}, if what must hold after every step does; otherwise it throws} */
    public boolean checkInvariants() {
        require(log.end().epoch() <= promise.epoch(), "the log ends in an epoch above the promise");
        require(leadership != null || !log.isWritable(), "a replica takes writes");
        require(promise.begun() || !follower.isComplete(), "a node is complete that was never part of its shard");
        if (leadership != null) {
            require(leadership.epoch() == promise.epoch(), "a primary leads in another epoch than it promised");
            require(follower.following() == null, "a primary follows another one");
            leadership.checkInvariants();
        }
        return true;
    }

    private void require(boolean holds, String broken) {
        if (!holds) {
            throw new AssertionError(broken + ": " + status());
        }
    }
}
