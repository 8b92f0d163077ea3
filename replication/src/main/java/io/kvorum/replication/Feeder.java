package io.kvorum.replication;

import io.kvorum.replication.ReplicationEvent.Reason;
import io.kvorum.replication.ReplicationMessage.Ack;
import io.kvorum.replication.ReplicationMessage.Taken;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.NodeId;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Feeds one node that follows the primary: continues from its position where that can be done, and takes it through a
 * full sync where not.
 *
 * <p>It pushes. Every message is answered with the node's position, and from that answer the feeder decides. So there
 * is nothing to negotiate, and each lost, repeated or overtaken message is repaired by the next heartbeat. Its states
 * and the transitions between them:
 *
 * <pre>
 * PROBING    waits to hear where the node is
 *            -> STREAMING   its position is in the history
 *            -> WAITING     it is not, or the data is not complete
 * STREAMING  sends records from the node's position on
 *            -> WAITING     the node cannot continue, or takes no record for too long, for the first time in a row
 *            -> SUSPENDED   the same, again
 *            -> PROBING     the node began a new life, or went back
 * WAITING    waits for the next scan
 *            -> SYNCING     the scan begins
 *            -> STREAMING   the node can continue after all
 *            -> PROBING     it fell silent, went back, or began a new life
 *            -> SUSPENDED   the scan cannot begin
 * SYNCING    sends the parts of a full sync
 *            -> STREAMING   the node is complete
 *            -> WAITING     the full sync failed, for the first time in a row
 *            -> SUSPENDED   it failed, again
 *            -> PROBING     the node fell silent, went back, or began a new life
 * SUSPENDED  leaves the node alone after a failure, for longer each time
 *            -> WAITING     the time is over
 *            -> PROBING     the time is over and the node is silent, or it went back, or began a new life
 * </pre>
 */
final class Feeder {
    private sealed interface State permits Probing, Streaming, Waiting, Syncing, Suspended {}

    private record Probing() implements State {}

    private static final class Streaming implements State {
        final long start;

        /** The newest message before: that a node answered one of these while it was not complete yet is no news. */
        final long after;

        /** Holds the log from what the node has acknowledged. */
        LogCursor hold;

        long released;

        /** The offset of the next record to send. */
        long next;

        /** The newest message that carried records. */
        long lastData;

        /** Answers up to this message do not ask again for what was sent again after it. */
        long resentAfter;

        /** Whether what was sent again has not arrived yet. Until then only one batch is under way. */
        boolean repairing;

        Streaming(long start, long after, LogCursor hold) {
            this.start = start;
            this.after = after;
            this.hold = hold;
            this.released = start;
            this.next = start;
        }
    }

    private record Waiting(Reason reason) implements State {}

    private static final class Syncing implements State {
        final SharedScan scan;
        final SharedScan.Share share;

        /** The newest message before the full sync: answers up to it say nothing about the full sync. */
        final long after;

        long lastData;
        long resentAfter;
        long progressAt;

        /** The newest message when the node was first known to have begun: answers to later ones know of it. */
        long begun = Long.MAX_VALUE;

        Syncing(SharedScan scan, SharedScan.Share share, long after, long now) {
            this.scan = scan;
            this.share = share;
            this.after = after;
            this.progressAt = now;
        }
    }

    private record Suspended(Reason reason, long retryAt) implements State {}

    /** The end of the log at a time: a node that has that much lacked nothing then. */
    private record Mark(long offset, long at) {}

    private final NodeId node;
    private final Feed feed;
    private State state = new Probing();
    private @Nullable Heard heard;
    private @Nullable Mark mark;

    /** The number of the newest message that any incarnation and life of the node has answered. */
    private long answered;

    /** The number of the newest heartbeat. */
    private long beat;

    Feeder(NodeId node, Feed feed) {
        this.node = node;
        this.feed = feed;
    }

    // ---- what is known

    /** {@return the offset that a member, this node in that incarnation, has acknowledged; -1 if none} */
    long acknowledgedBy(long incarnation) {
        return heard != null && heard.incarnation == incarnation ? heard.acknowledged : -1;
    }

    /** {@return the newest message that a member, this node in that incarnation, has answered with complete data} */
    long answeredBy(long incarnation) {
        return heard != null && heard.incarnation == incarnation && heard.complete ? heard.sequence : -1;
    }

    /** {@return whether the node is connected, complete, and lacked nothing within the time} */
    boolean isCaughtUp(long now) {
        return heard != null
                && heard.complete
                && heard.caughtUp
                && isConnected(now)
                && now - heard.caughtUpAt < feed.settings.replicaTimeoutNanos();
    }

    /** {@return when {@link #isCaughtUp} ends if nothing more is heard; asked only while it holds} */
    long caughtUpUntil() {
        Heard known = known();
        long since = known.caughtUpAt - known.at < 0 ? known.caughtUpAt : known.at;
        return since + feed.settings.replicaTimeoutNanos();
    }

    /** {@return whether the node was heard within the time} */
    boolean isConnected(long now) {
        return heard != null && now - heard.at < feed.settings.replicaTimeoutNanos();
    }

    /**
     * {@return the member that the node could be, or null: it must stream, be complete and almost at the end, and have
     * answered something that was said after it was first heard}
     */
    @Nullable
    Member readyMember() {
        boolean ready = state instanceof Streaming
                && heard != null
                && heard.complete
                && heard.sequence > heard.since
                && feed.end() - heard.acknowledged <= feed.settings.windowBytes();
        return ready ? new Member(node, known().incarnation) : null;
    }

    boolean isWaiting() {
        return state instanceof Waiting;
    }

    /** {@return whether the node has all that is in the log, and has said so since the last heartbeat} */
    boolean rests() {
        return state instanceof Streaming streaming
                && heard != null
                && heard.complete
                && heard.acknowledged == feed.end()
                && streaming.next == feed.end()
                && heard.sequence >= beat;
    }

    /** {@return whether the node has failed at most once in a row} */
    boolean isTrusted() {
        return heard != null && heard.failures <= 1;
    }

    /** {@return whether the node waits for a scan, and not because this very one has failed at it} */
    boolean isWaitingFor(SharedScan scan) {
        return state instanceof Waiting && known().lastSync < scan.number();
    }

    ReplicaStatus status(long now) {
        String name;
        if (state instanceof Probing) {
            name = "PROBING";
        } else if (state instanceof Streaming) {
            name = "STREAMING";
        } else if (state instanceof Waiting) {
            name = "WAITING";
        } else if (state instanceof Syncing) {
            name = "SYNCING";
        } else {
            name = "SUSPENDED";
        }
        long acknowledged = heard == null ? -1 : heard.acknowledged;
        long lag = Math.max(0, feed.end() - Math.max(0, acknowledged));
        return new ReplicaStatus(node, name, acknowledged, lag, heard != null && heard.complete, isConnected(now));
    }

    private Heard known() {
        if (heard == null) {
            throw new AssertionError(node + " was never heard");
        }
        return heard;
    }

    // ---- what was heard

    /** Takes an answer of the node in this epoch. */
    void acknowledged(Ack ack, long now) {
        Heard known = heard;
        if (ack.sequence() > feed.sequence()) {
            return; // nobody said that
        }
        if (known == null || known.incarnation != ack.incarnation() || known.life < ack.life()) {
            if (known != null && known.incarnation != ack.incarnation() && ack.sequence() <= answered) {
                return; // by one that is gone
            }
            becomeProbing();
            known = new Heard(ack, feed.sequence(), now);
            heard = known;
        } else if (ack.life() < known.life || ack.sequence() <= known.sequence) {
            return;
        }
        known.sequence = ack.sequence();
        answered = Math.max(answered, ack.sequence());
        known.connectedAt = isConnected(now) ? known.connectedAt : now;
        known.at = now;
        if (!ack.complete() && state instanceof Streaming streaming && ack.sequence() <= streaming.after) {
            return;
        }
        known.complete = ack.complete();
        if (ack.complete() && ack.position().offset() < known.acknowledged) {
            if (ack.sequence() <= known.grownAfter) {
                return; // given before what was heard already: the messages that the two answer overtook each other
            }
            becomeProbing(); // it went back, which no node should: nothing that it had can be counted on
            known.acknowledged = -1;
        }
        Reason obstacle = obstacle(ack);
        if (ack.complete() && obstacle != Reason.DIVERGED) {
            has(known, ack.position().offset(), now);
        }
        decide(ack, obstacle, now);
    }

    /** {@return why the node cannot continue from its own position, or null if it can} */
    private @Nullable Reason obstacle(Ack ack) {
        MachineLog.Snapshot view = feed.view();
        if (!ack.complete()) {
            return ack.taken() == Taken.NOT_APPLIED ? Reason.NOT_APPLIED : Reason.NOT_COMPLETE;
        }
        if (!view.history().contains(ack.position(), view.end().offset())) {
            return Reason.DIVERGED;
        }
        return ack.position().offset() < view.firstOffset() ? Reason.TOO_FAR_BEHIND : null;
    }

    private void has(Heard known, long offset, long now) {
        if (offset > known.acknowledged) {
            known.acknowledged = offset;
            known.grownAfter = feed.sequence();
            known.progressAt = now;
            if (state instanceof Streaming streaming) {
                streaming.repairing = false;
            }
        } else if (offset >= feed.end()) {
            known.progressAt = now;
        }
        if (mark != null && offset >= mark.offset) {
            known.caughtUp = true;
            known.caughtUpAt = mark.at;
            mark = null;
            if (state instanceof Streaming streaming && offset > streaming.start) {
                known.failures = 0;
            }
        }
    }

    private void decide(Ack ack, @Nullable Reason obstacle, long now) {
        if (state instanceof Probing) {
            if (obstacle == null) {
                becomeStreaming(ack.position().offset());
                feed.outbox.publish(new ReplicationEvent.PartialSync(feed.identity.node(), node, ack.position()));
            } else {
                becomeWaiting(obstacle);
            }
        } else if (state instanceof Streaming streaming) {
            if (ack.taken() == Taken.UNKNOWN_KIND) {
                failed(Reason.UNKNOWN_KIND, now);
            } else if (obstacle != null) {
                failed(obstacle, now);
            } else {
                repair(streaming, ack);
            }
        } else if (state instanceof Waiting waiting) {
            boolean poisoned = waiting.reason == Reason.UNKNOWN_KIND || waiting.reason == Reason.NOT_APPLIED;
            if (obstacle == null && !poisoned) {
                becomeStreaming(ack.position().offset());
            } else if (obstacle != null && !poisoned && obstacle != waiting.reason) {
                becomeWaiting(obstacle);
            }
        } else if (state instanceof Syncing syncing) {
            if (ack.sequence() > syncing.after) {
                continueSync(syncing, ack, obstacle, now);
            }
        }
    }

    /** Goes back to where the node is if something was lost on the way to it. */
    private void repair(Streaming streaming, Ack ack) {
        long offset = ack.position().offset();
        boolean refused = ack.taken() == Taken.GAP && ack.sequence() > streaming.resentAfter;
        boolean behind = ack.sequence() >= streaming.lastData && offset < streaming.next;
        if (refused || behind || offset > streaming.next) {
            streaming.repairing = offset < streaming.next;
            streaming.next = offset;
            streaming.resentAfter = feed.sequence();
        }
    }

    private void continueSync(Syncing syncing, Ack ack, @Nullable Reason obstacle, long now) {
        boolean past = ack.complete() && ack.position().offset() >= syncing.scan.firstOffset();
        if (ack.taken() == Taken.NOT_APPLIED || ack.taken() == Taken.UNKNOWN_KIND) {
            failed(ack.taken() == Taken.UNKNOWN_KIND ? Reason.UNKNOWN_KIND : Reason.NOT_APPLIED, now);
        } else if (past && obstacle == null) {
            becomeStreaming(ack.position().offset());
        } else if (past && obstacle == Reason.TOO_FAR_BEHIND) { // the log went on without it
            failed(obstacle, now);
        } else if (ack.sync() != syncing.scan.number() && ack.sequence() > syncing.begun) {
            failed(Reason.NOT_APPLIED, now); // it had begun and has given up; the answer that said so was lost
        } else if (ack.sync() == syncing.scan.number()
                && syncing.scan.acknowledged(syncing.share, ack.nextPart(), now)) {
            syncing.progressAt = now;
            syncing.begun = Math.min(syncing.begun, feed.sequence());
        } else {
            boolean refused = ack.taken() == Taken.GAP && ack.sequence() > syncing.resentAfter;
            if (refused || ack.sequence() >= syncing.lastData) {
                resendParts(syncing);
            }
        }
    }

    private void resendParts(Syncing syncing) {
        syncing.resentAfter = feed.sequence();
        for (int i = syncing.share.acknowledged(); i < syncing.share.sent(); i++) {
            SharedScan.Part part = syncing.scan.part(i);
            if (part == null) {
                throw new AssertionError("part " + i + " was dropped before " + node + " had it");
            }
            send(syncing, part);
        }
    }

    // ---- what is sent

    /**
     * Does what is due by now, and sends what there is room for.
     *
     * @param contested whether others wait for a full sync, so that this one must go on or make room
     */
    void work(long now, boolean contested) {
        if (state instanceof Streaming streaming) {
            known().noteLack(known().acknowledged < feed.end(), now);
            if (isStuck(now, patience(contested))) {
                failed(Reason.NO_PROGRESS, now);
            } else {
                hold(streaming, now);
                feedRecords(streaming, now);
            }
        } else if (state instanceof Waiting) {
            if (!isConnected(now)) {
                becomeProbing();
            }
        } else if (state instanceof Syncing syncing) {
            if (syncing.scan.failure() != null) {
                failed(syncing.scan.failure(), now);
            } else if (!isConnected(now)) {
                becomeProbing(); // others wait for the next scan
            } else if (syncing.share.sent() == syncing.share.acknowledged()) {
                syncing.progressAt = now; // it waits for the others
                feedParts(syncing, now);
            } else if (now - syncing.progressAt >= patience(contested)) {
                failed(Reason.NO_PROGRESS, now);
            } else {
                feedParts(syncing, now);
            }
        } else if (state instanceof Suspended suspended && now - suspended.retryAt >= 0) {
            if (isConnected(now)) {
                becomeWaiting(suspended.reason);
            } else {
                becomeProbing();
            }
        }
    }

    /** {@return whether the node has answered for a time, and taken none of the records that it lacks} */
    private boolean isStuck(long now, long patience) {
        Heard known = known();
        return isConnected(now)
                && known.lacks
                && now - known.lacksSince >= patience
                && now - known.progressAt >= patience
                && now - known.connectedAt >= patience;
    }

    /**
     * {@return how long the node may take for a part or a record: longer after each failure, unless others wait for it}
     */
    private long patience(boolean contested) {
        return feed.settings.replicaTimeoutNanos() << (contested ? 0 : Math.min(known().failures, 5));
    }

    /** Retains the log for a node that goes on taking it, and no longer for one that does not. */
    private void hold(Streaming streaming, long now) {
        Heard known = known();
        long timeout = feed.settings.replicaTimeoutNanos();
        boolean inTime = now - known.progressAt < timeout
                || (streaming.hold.isHolding() && known.lacks && now - known.lacksSince < timeout);
        boolean wanted = inTime && feed.settings.lagPolicy() == LagPolicy.SLOW_WRITERS;
        if (wanted && !streaming.hold.isHolding()) {
            streaming.hold.close();
            streaming.hold = feed.log.openCursor(known.acknowledged);
            streaming.released = known.acknowledged;
        } else if (!wanted) {
            streaming.hold.letGo();
        }
        long gain = known.acknowledged - streaming.released;
        int quantum = Math.min(feed.settings.batchBytes(), feed.log.maxPayload() / 4);
        if (gain >= quantum || (gain > 0 && known.acknowledged >= feed.end())) {
            streaming.hold.advanceTo(known.acknowledged);
            streaming.released = known.acknowledged;
        }
    }

    private void feedRecords(Streaming streaming, long now) {
        long acknowledged = known().acknowledged;
        int window = streaming.repairing ? 1 : feed.settings.windowBytes();
        while (streaming.next < feed.end() && streaming.next - acknowledged < window) {
            Feed.Batch batch = feed.batchAt(streaming.next);
            if (batch == null) {
                failed(Reason.TOO_FAR_BEHIND, now);
                return;
            }
            streaming.next += batch.records().readableBytes();
            streaming.lastData = feed.nextSequence();
            feed.send(
                    node,
                    new ReplicationMessage.Append(
                            feed.identity.shard(),
                            feed.epoch,
                            streaming.lastData,
                            batch.previous(),
                            feed.committed(),
                            batch.records().retainedDuplicate()));
        }
    }

    /** Sends the parts of a full sync that are there, or can be cut now. */
    void feedParts(long now) {
        if (state instanceof Syncing syncing) {
            feedParts(syncing, now);
        }
    }

    private void feedParts(Syncing syncing, long now) {
        SharedScan.Share share = syncing.share;
        while (share.sent() - share.acknowledged() < feed.settings.windowParts()) {
            SharedScan.Part part = syncing.scan.part(share.sent());
            if (part == null) {
                break;
            }
            share.sentOne();
            send(syncing, part);
        }
        Reason failure = syncing.scan.failure();
        if (failure != null) {
            failed(failure, now);
        }
    }

    private void send(Syncing syncing, SharedScan.Part part) {
        Heard known = known();
        syncing.lastData = feed.nextSequence();
        feed.send(
                node,
                new ReplicationMessage.SnapshotPart(
                        feed.identity.shard(),
                        feed.epoch,
                        syncing.lastData,
                        known.incarnation,
                        known.life,
                        syncing.scan.number(),
                        part.number(),
                        part.start(),
                        part.end(),
                        part.records().retainedDuplicate(),
                        part.entries().retainedDuplicate()));
    }

    void heartbeat(long now) {
        LogPosition end = feed.view().end();
        if (mark == null) {
            mark = new Mark(end.offset(), now);
        }
        beat = feed.nextSequence();
        feed.send(
                node, new ReplicationMessage.Heartbeat(feed.identity.shard(), feed.epoch, beat, end, feed.committed()));
    }

    // ---- transitions

    private void becomeProbing() {
        leave();
        state = new Probing();
    }

    private void becomeStreaming(long from) {
        require(!(state instanceof Suspended) && !(state instanceof Streaming));
        LogCursor hold = feed.log.openCursor(from); // before the scan lets go
        leave();
        state = new Streaming(from, feed.sequence(), hold);
        known().progressAt = known().at;
    }

    private void becomeWaiting(Reason reason) {
        leave();
        state = new Waiting(reason);
    }

    /** Begins a full sync by a scan that is open. */
    void becomeSyncing(SharedScan scan, long now) {
        require(state instanceof Waiting);
        Reason reason = ((Waiting) state).reason;
        known().lastSync = scan.number();
        state = new Syncing(scan, scan.join(now, patience(false)), feed.sequence(), now);
        feed.outbox.publish(new ReplicationEvent.FullSyncStarted(feed.identity.node(), node, reason));
    }

    /** Tries another way after a failure: at once the first time, later the more often it has failed. */
    void failed(Reason reason, long now) {
        require(!(state instanceof Probing) && !(state instanceof Suspended));
        Heard known = known();
        known.failures++;
        if (known.failures == 1 && reason != Reason.SCAN_FAILED) {
            becomeWaiting(reason);
            return;
        }
        long pause = feed.settings.retryNanos(known.failures);
        leave();
        state = new Suspended(reason, now + pause);
        feed.outbox.publish(new ReplicationEvent.ReplicaSuspended(
                feed.identity.node(), node, reason, known.failures, Duration.ofNanos(pause)));
    }

    /** Lets go of all. */
    void close() {
        becomeProbing();
    }

    private void leave() {
        if (state instanceof Streaming streaming) {
            streaming.hold.close();
        } else if (state instanceof Syncing syncing) {
            syncing.scan.leave(syncing.share);
        }
    }

    private void require(boolean allowed) {
        if (!allowed) {
            throw new AssertionError(node + " cannot leave " + state);
        }
    }

    void checkInvariants() {
        if (heard != null && heard.acknowledged > feed.log.end().offset()) {
            throw new AssertionError(node + " has more than the log: " + heard.acknowledged);
        }
        if (state instanceof Streaming streaming
                && streaming.next > feed.log.end().offset()) {
            throw new AssertionError(node + " was sent more than the log has: " + streaming.next);
        }
    }
}
