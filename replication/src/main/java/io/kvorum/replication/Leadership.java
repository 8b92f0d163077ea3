package io.kvorum.replication;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.Membership;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * One leadership of a primary: its epoch, what is committed, who waits for what, the gate of the log, and the changes
 * of the member list.
 *
 * <p>A position is committed once a majority of the members has it, and it is not before the record that began this
 * leadership: until a majority has that record, records of earlier epochs could still be replaced (Ongaro and
 * Ousterhout, "In Search of an Understandable Consensus Algorithm", section 5.4.2). The majority is counted by
 * {@link Membership}, over two lists while a change is not committed. A member counts with what it acknowledged in the
 * incarnation that the list names; this node counts with what its log has durably.
 *
 * <p>The member list changes only after the leadership's first record is committed, and one change at a time. A node
 * that is to join, or came back in another incarnation, is taken in once it is complete; so is one that is to replace
 * another.
 */
final class Leadership {
    /** A pause of writes for a switchover. */
    private record Pause(long until) {}

    private final Feed feed;
    private final Member self;
    private final ReplicatedState state;
    private final PendingAcks pending;
    private final Map<NodeId, Feeder> feeders = new TreeMap<>();
    /** All feeders in order, for what each step goes through. */
    private final List<Feeder> all = new ArrayList<>();

    private final Heartbeats heartbeats;
    private final ToLongFunction<Member> held = this::heldBy;
    private final ToLongFunction<Member> answered = this::answeredBy;

    /** The offset after the record that began this leadership. */
    private final long begin;

    private LogMembers lists;
    private Membership membership;
    private @Nullable Replacement replacement;
    private @Nullable SharedScan scan;
    private long syncs;

    private @Nullable Pause pause;

    /** Whether the promise that this leadership rests on is saved. Until then it takes no writes. */
    private boolean promiseSaved;

    /** Why the gate is closed, or null while it is open. */
    private RefusedException.@Nullable Kind closedFor = RefusedException.Kind.CLUSTER_DOWN;

    /** Whether something was heard that may complete a request. */
    private boolean heardSomething = true;

    /** The end of the log at the last count. */
    private long counted = -1;

    private Leadership(Feed feed, Member self, ReplicatedState state, long begin, Membership membership, long now) {
        this.feed = feed;
        this.self = self;
        this.state = state;
        this.begin = begin;
        this.pending = new PendingAcks(feed.outbox, feed.settings.maxWaiting(), this::replicasWith);
        this.lists = feed.view().members();
        this.membership = membership;
        this.heartbeats = new Heartbeats(feed, all, now);
        updateFeeders();
    }

    /**
     * Begins a leadership in the log, with the gate closed until the promise is saved.
     *
     * @param first the members of a shard that begins, or null to go on with those of the log
     * @param committed the offset that this node knows to be committed
     */
    static Leadership begin(
            ReplicationSettings settings,
            NodeIdentity identity,
            Member self,
            MachineLog log,
            ReplicatedState state,
            ByteBufAllocator allocator,
            Outbox outbox,
            long epoch,
            @Nullable Roster first,
            long committed,
            long now) {
        long begin = log.begin(epoch, first, refusal(RefusedException.Kind.CLUSTER_DOWN, identity, epoch));
        Feed feed = new Feed(settings, identity, log, outbox, allocator, epoch, committed);
        Membership membership = feed.view().members().membership(committed);
        if (membership == null) {
            throw new AssertionError("a leadership needs members");
        }
        return new Leadership(feed, self, state, begin, membership, now);
    }

    long epoch() {
        return feed.epoch;
    }

    long committed() {
        return feed.committed();
    }

    Membership membership() {
        return membership;
    }

    /** {@return the end of the log that the last work has seen} */
    long seen() {
        return feed.end();
    }

    boolean feeds(NodeId node) {
        return feeders.containsKey(node);
    }

    List<ReplicaStatus> replicas(long now) {
        if (feeders.isEmpty()) {
            return List.of();
        }
        List<ReplicaStatus> statuses = new ArrayList<>(feeders.size());
        for (Feeder feeder : all) {
            statuses.add(feeder.status(now));
        }
        return statuses;
    }

    // ---- inputs

    /** Answers the request once the position is acknowledged at the level, or known to be lost. */
    void await(long request, LogPosition position, Acknowledgement level, long deadline) {
        if (position.epoch() != feed.epoch && !isInHistory(position)) {
            LogHistory history = feed.log.history();
            boolean told = position.epoch() < feed.epoch
                    && position.epoch() >= history.leaderships().get(0).epoch();
            if (!told) {
                complete(request, position, Ready.Outcome.DEPOSED);
            } else if (committed() >= begin) {
                complete(request, position, Ready.Outcome.LOST);
            } else {
                pending.awaitLoss(request, position, begin, deadline);
            }
            return;
        }
        if (level.equals(Acknowledgement.MAJORITY)) {
            if (committed() >= position.offset()) {
                complete(request, position, Ready.Outcome.ACKNOWLEDGED);
            } else {
                pending.awaitCommit(request, position, deadline);
                heardSomething = true;
            }
            return;
        }
        int replicas = level.replicas();
        if (replicas == 0 || reachedBy(replicas) >= position.offset()) {
            complete(request, position, Ready.Outcome.ACKNOWLEDGED);
        } else {
            pending.awaitReplicas(request, position, replicas, deadline);
        }
    }

    private boolean isInHistory(LogPosition position) {
        return feed.log.history().contains(position, feed.log.end().offset());
    }

    private void complete(long request, LogPosition position, Ready.Outcome outcome) {
        int acknowledged = outcome == Ready.Outcome.ACKNOWLEDGED ? replicasWith(position.offset()) : 0;
        feed.outbox.complete(request, position, outcome, acknowledged);
    }

    /** Answers the request once a majority has this leadership confirmed and has all that is in the log now. */
    void confirm(long request, long deadline) {
        pending.confirm(request, feed.log.end(), feed.sequence() + 1, deadline);
        heartbeats.want();
        heardSomething = true;
    }

    /** The promise is saved. */
    void promiseSaved(long now) {
        promiseSaved = true;
        updateGate(now);
    }

    /** Holds writes back until {@code until}, at the most. */
    void pause(long until) {
        pause = new Pause(until);
        close(RefusedException.Kind.PAUSED);
    }

    void resume(long now) {
        pause = null;
        updateGate(now);
    }

    /** Begins to replace a member by another node, which is fed from now on. */
    ControlAnswer.Outcome replace(NodeId outgoing, NodeId incoming, long now) {
        MemberList current = membership.current();
        boolean leaves = current.member(outgoing) != null || lists.joining().contains(outgoing);
        boolean there = current.member(incoming) != null;
        if (there && !leaves) {
            return ControlAnswer.Outcome.DONE;
        }
        if (replacement != null && replacement.isOf(outgoing, incoming)) {
            return ControlAnswer.Outcome.DONE;
        }
        if (there || !leaves || outgoing.equals(self.node())) {
            return ControlAnswer.Outcome.NOT_MEMBER;
        }
        Feeder pendingOne = replacement == null ? null : feeders.get(replacement.incoming());
        if (membership.previous() != null || (pendingOne != null && pendingOne.isConnected(now))) {
            return ControlAnswer.Outcome.CHANGE_UNDER_WAY;
        }
        Replacement next = new Replacement(
                outgoing, incoming, now + feed.settings.replaceTimeout().toNanos());
        Roster then = new Roster(current, lists.joining()).takingIn(new Member(incoming, self.incarnation()), next);
        if (then != null) {
            then.checkFits(feed.log.maxPayload());
        }
        replacement = next;
        updateFeeders();
        heartbeats.want();
        return ControlAnswer.Outcome.DONE;
    }

    /** Takes an answer of a node that this one feeds. */
    void acknowledged(NodeId from, ReplicationMessage.Ack ack, long now) {
        Feeder feeder = feeders.get(from);
        if (feeder != null && ack.epoch() == feed.epoch) {
            feeder.acknowledged(ack, now);
            heardSomething = true;
        }
    }

    // ---- work

    /**
     * Does what is due by now, and what the inputs since the last time have made possible. Returns when the next work
     * falls due that only time brings about.
     */
    long work(long now) {
        feed.refresh();
        if (heardSomething || feed.end() != counted) {
            count();
            if (changeMembers()) {
                count();
            }
        }
        giveUpReplacement(now);
        boolean contested = scan != null && (scan.isShared() || isAnyWaiting());
        for (Feeder feeder : all) {
            feeder.work(now, contested);
        }
        sync(now);
        heartbeats.sendIfDue(now);
        feed.endStep();
        pending.expire(now);
        if (pause != null && now - pause.until >= 0) {
            pause = null;
        }
        updateGate(now);
        return wakeAt(now);
    }

    private long wakeAt(long now) {
        long wait = Long.MAX_VALUE;
        if (!feeders.isEmpty()) {
            wait = heartbeats.dueAt() - now;
            if (closedFor == null && feed.settings.minReplicas() > 0) {
                for (Feeder feeder : all) {
                    if (feeder.isCaughtUp(now)) {
                        wait = Math.min(wait, feeder.caughtUpUntil() - now);
                    }
                }
            }
        }
        if (!pending.isEmpty()) {
            wait = Math.min(wait, pending.firstDeadline() - now);
        }
        if (pause != null) {
            wait = Math.min(wait, pause.until - now);
        }
        if (replacement != null && membership.current().member(replacement.incoming()) == null) {
            wait = Math.min(wait, replacement.endsAt() - now);
        }
        return wait == Long.MAX_VALUE ? Ready.NEVER : now + Math.max(0, wait);
    }

    /** Counts what is committed, acknowledged and confirmed. */
    private void count() {
        heardSomething = false;
        counted = feed.end();
        lists = feed.view().members();
        boolean changed;
        do {
            changed = false;
            long reached = membership.majorityValue(held);
            if (reached >= begin && reached > committed()) {
                feed.commit(reached);
                changed = membership.previous() != null && reached >= lists.at().offset();
                if (changed) {
                    changeIsCommitted();
                }
            }
        } while (changed);
        if (!pending.isEmpty()) {
            pending.acknowledged(committed(), this::reachedBy);
            if (pending.hasConfirmations()) {
                pending.confirmed(membership.majorityValue(answered), committed());
            }
        }
    }

    private void changeIsCommitted() {
        membership = Membership.committed(membership.current());
        if (replacement != null && membership.current().member(replacement.incoming()) != null) {
            replacement = null;
        }
        updateFeeders();
        feed.outbox.publish(new ReplicationEvent.MembersChanged(self.node(), membership.current()));
    }

    private long heldBy(Member member) {
        if (member.node().equals(self.node())) {
            return member.equals(self) ? Math.min(feed.end(), feed.log.durableOffset()) : -1;
        }
        Feeder feeder = feeders.get(member.node());
        return feeder == null ? -1 : feeder.acknowledgedBy(member.incarnation());
    }

    private long answeredBy(Member member) {
        if (member.node().equals(self.node())) {
            return member.equals(self) ? Long.MAX_VALUE : -1;
        }
        Feeder feeder = feeders.get(member.node());
        return feeder == null ? -1 : feeder.answeredBy(member.incarnation());
    }

    /** {@return how many members beside this one have an offset} */
    private int replicasWith(long offset) {
        int count = 0;
        List<Member> members = membership.current().members();
        for (int i = 0; i < members.size(); i++) {
            Member member = members.get(i);
            if (!member.node().equals(self.node()) && heldBy(member) >= offset) {
                count++;
            }
        }
        return count;
    }

    /** {@return the offset that a number of members beside this one have; -1 if there are not so many} */
    private long reachedBy(int count) {
        List<Member> members = membership.current().members();
        long[] offsets = new long[members.size()];
        int others = 0;
        for (int i = 0; i < members.size(); i++) {
            if (!members.get(i).node().equals(self.node())) {
                offsets[others++] = heldBy(members.get(i));
            }
        }
        if (count > others) {
            return -1;
        }
        Arrays.sort(offsets, 0, others);
        return offsets[others - count];
    }

    // ---- members

    /** Appends the next member list, if one is due and may be appended now. */
    private boolean changeMembers() {
        boolean settled =
                membership.previous() == null && committed() >= lists.at().offset();
        if (committed() < begin || !settled || pause != null) {
            return false;
        }
        Roster next = nextMembers();
        if (next == null) {
            return false;
        }
        try {
            feed.log.appendMembers(next);
        } catch (RefusedException e) { // there is no room: later
            return false;
        }
        feed.refresh();
        lists = feed.view().members();
        membership = new Membership(next.members(), membership.current());
        updateFeeders();
        feed.outbox.publish(new ReplicationEvent.MembersChanging(
                self.node(), next.members(), feed.view().end()));
        return true;
    }

    private @Nullable Roster nextMembers() {
        MemberList current = membership.current();
        Roster next = null;
        for (Feeder feeder : all) {
            Member ready = feeder.readyMember();
            if (next == null && ready != null && !ready.equals(current.member(ready.node()))) {
                next = new Roster(current, lists.joining()).takingIn(ready, replacement);
            }
        }
        return next;
    }

    /** Ends a replacement whose time is over, unless the list shows it by now and is on its way to be committed. */
    private void giveUpReplacement(long now) {
        Replacement late = replacement;
        if (late == null || now - late.endsAt() < 0 || membership.current().member(late.incoming()) != null) {
            return;
        }
        replacement = null;
        Feeder feeder = feeders.get(late.incoming());
        String state = feeder == null ? "PROBING" : feeder.status(now).state();
        updateFeeders();
        feed.outbox.publish(
                new ReplicationEvent.ReplacementGivenUp(self.node(), late.outgoing(), late.incoming(), state));
    }

    /** Feeds the nodes of the lists that count, those that are to join, and the one that is to replace a member. */
    private void updateFeeders() {
        Set<NodeId> wanted = new TreeSet<>(membership.nodes());
        wanted.addAll(lists.joining());
        if (replacement != null) {
            wanted.add(replacement.incoming());
        }
        Iterator<Map.Entry<NodeId, Feeder>> entries = feeders.entrySet().iterator();
        while (entries.hasNext()) {
            Map.Entry<NodeId, Feeder> entry = entries.next();
            if (!wanted.contains(entry.getKey())) {
                entry.getValue().close();
                entries.remove();
            }
        }
        wanted.forEach(this::addFeeder);
        all.clear();
        all.addAll(feeders.values());
    }

    private void addFeeder(NodeId node) {
        if (!node.equals(self.node()) && !feeders.containsKey(node)) {
            feeders.put(node, new Feeder(node, feed));
            heartbeats.want();
        }
    }

    // ---- full syncs

    /** Ends a scan that nobody needs any more; takes those that wait into one that is open, or begins the next one. */
    private void sync(long now) {
        if (scan != null) {
            if (scan.isAbandoned()) {
                endScan();
            } else {
                scan.holdWhileTaken(now, feed.settings.replicaTimeoutNanos());
            }
        }
        if (!isAnyWaiting()) {
            return;
        }
        if (scan == null) {
            scan = beginScan(now);
        }
        if (scan != null && scan.isOpen()) {
            for (Feeder feeder : all) {
                if (feeder.isWaitingFor(scan)) {
                    feeder.becomeSyncing(scan, now);
                }
            }
            for (Feeder feeder : all) {
                feeder.feedParts(now);
            }
        }
    }

    private boolean isAnyWaiting() {
        for (Feeder feeder : all) {
            if (feeder.isWaiting()) {
                return true;
            }
        }
        return false;
    }

    /**
     * {@return whether a node waits that did not fail again and again: only for such a one writers may have to wait}
     */
    private boolean isAnyTrusted() {
        return all.stream().anyMatch(feeder -> feeder.isWaiting() && feeder.isTrusted());
    }

    private @Nullable SharedScan beginScan(long now) {
        ReplicationSettings settings = feed.settings;
        try {
            return SharedScan.begin(
                    ++syncs,
                    feed.log,
                    state,
                    feed.allocator,
                    settings.batchBytes(),
                    settings.windowParts(),
                    settings.lagPolicy() == LagPolicy.SLOW_WRITERS,
                    isAnyTrusted());
        } catch (RuntimeException | Error e) {
            feed.outbox.publish(new ReplicationEvent.UserCodeFailed(self.node(), "snapshot scan", Outbox.text(e)));
        }
        for (Feeder feeder : all) {
            if (feeder.isWaiting()) {
                feeder.failed(ReplicationEvent.Reason.SCAN_FAILED, now);
            }
        }
        return null;
    }

    private void endScan() {
        SharedScan over = scan;
        scan = null;
        if (over != null) {
            try {
                over.close();
            } catch (RuntimeException | Error e) {
                feed.outbox.publish(new ReplicationEvent.UserCodeFailed(self.node(), "snapshot scan", Outbox.text(e)));
            }
        }
    }

    // ---- the gate

    private void updateGate(long now) {
        if (pause != null) {
            close(RefusedException.Kind.PAUSED);
        } else if (!promiseSaved) {
            close(RefusedException.Kind.CLUSTER_DOWN);
        } else if (feed.settings.minReplicas() > 0 && caughtUp(now) < feed.settings.minReplicas()) {
            close(RefusedException.Kind.TOO_FEW_REPLICAS);
        } else if (closedFor != null) {
            closedFor = null;
            feed.log.admit();
        }
    }

    private void close(RefusedException.Kind reason) {
        if (closedFor != reason) {
            closedFor = reason;
            feed.log.refuse(refusal(reason, feed.identity, feed.epoch));
        }
    }

    private int caughtUp(long now) {
        int count = 0;
        for (Map.Entry<NodeId, Feeder> entry : feeders.entrySet()) {
            if (membership.knows(entry.getKey()) && entry.getValue().isCaughtUp(now)) {
                count++;
            }
        }
        return count;
    }

    private static Refusal refusal(RefusedException.Kind kind, NodeIdentity identity, long epoch) {
        return new Refusal(kind, null, identity.shard(), identity.node(), identity.node(), epoch);
    }

    // ---- the end

    /** Ends the leadership: what was not acknowledged is unknown from now on. */
    void end(Ready.Outcome outcome) {
        pending.giveUp(outcome);
        feed.endStep(); // of a step that a defect has ended
        all.forEach(Feeder::close);
        endScan();
    }

    void checkInvariants() {
        if (committed() > feed.log.end().offset()) {
            throw new AssertionError("committed " + committed() + " is after the log, which ends at " + feed.log.end());
        }
        all.forEach(Feeder::checkInvariants);
    }
}
