package io.kvorum.failover;

import io.kvorum.failover.NodeAnswer.Outcome;
import io.kvorum.failover.SentinelFact.EpochTaken;
import io.kvorum.failover.SentinelFact.FailoverAborted;
import io.kvorum.failover.SentinelFact.NodeFenced;
import io.kvorum.failover.SentinelFact.NodePromoted;
import io.kvorum.failover.SentinelFact.NodeSelected;
import io.kvorum.failover.SentinelFact.NumberConflict;
import io.kvorum.failover.SentinelFact.PrimaryPaused;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.Membership;
import io.kvorum.slots.topology.NodeId;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One attempt to give a shard another primary: a failover, or the switchover from a primary that is well.
 *
 * <p>Each step rests on a majority of the shard's members, never on a timer and never on this sentinel's memory:
 *
 * <ul>
 *   <li><em>Asking.</em> A majority of complete members has answered this very question, and the epoch is above all
 *       that they have promised. An epoch that anyone ever led had the promises of a majority, so one of those
 *       answering had promised it or a later one, unless it forgot that, and then it answers as another member and does
 *       not count. So no epoch is led twice, not even by a sentinel that has lost its memory and takes its own old
 *       messages for new. Where losses are allowed and no majority answers, the round is drawn ({@link Rounds}).
 *   <li><em>Fencing.</em> A majority of the members has promised the epoch and is complete. A write that any majority
 *       has acknowledged in a lower epoch is held by at least one of them, and no other can be acknowledged any more:
 *       those who promised refuse it. Their positions are final, so the greatest of them includes every such write.
 *       Where losses are allowed, everyone who is up is waited for, and a node of priority 0 that has more than all
 *       others has no say: if that shows only now, the nodes promise another epoch, of a drawn round.
 *   <li><em>Promoting.</em> In this epoch one node is asked to lead, once and for all, and accepts only if nothing has
 *       happened to it since its promise: same incarnation, same position, no later promise. If it refuses, the attempt
 *       is over; another node may lead in another epoch only.
 * </ul>
 *
 * <p>A switchover adds steps before the fencing, on which its loss of nothing rests: the primary holds its writes back,
 * enough replicas take over all of them, and then the primary promises the epoch <em>alone and first</em>. Until it has
 * promised, the switchover can be given up and the primary goes on; after that it is a failover among nodes of which a
 * majority has every write. If the target is lost at that point the former primary can be promoted again.
 *
 * <p>If this sentinel dies at any step, another one begins anew at a later epoch: whatever this one has asked of the
 * nodes by then is harmless.
 *
 * <pre>
 * Asking         -> Fencing          enough members answered to have a prospect; an epoch is taken
 * Asking         -> Pausing          the same, for a switchover
 * Pausing        -> CatchingUp       the primary holds its writes back
 * CatchingUp     -> FencingPrimary   enough replicas have all of its writes
 * FencingPrimary -> Fencing          the primary has promised the epoch
 * Fencing        -> Fencing          those that have the most may not lead, and losses are allowed
 * Fencing        -> Promoting        enough complete members have promised it, and one of them is chosen
 * Promoting      -> Promoted         the chosen node leads the epoch
 * all but Promoted -> Ended          a node refused, the time of the step is over, or a later primary came up;
 *                                    from Pausing, CatchingUp and FencingPrimary the primary is told to go on
 * </pre>
 */
final class Failover implements Procedure {
    /** A step, with the data of that step. */
    sealed interface Step permits Waiting, Procedure.Promoted, Procedure.Ended {}

    /** A step that waits for answers until a moment. */
    private sealed interface Waiting extends Step
            permits Asking, Pausing, CatchingUp, FencingPrimary, Fencing, Promoting {
        long endsAt();
    }

    private record Asking(long nonce, Answers answers, long endsAt) implements Waiting {}

    private record Pausing(Taken taken, long endsAt) implements Waiting {}

    private record CatchingUp(Taken taken, LogPosition end, long endsAt) implements Waiting {}

    private record FencingPrimary(Taken taken, long endsAt) implements Waiting {}

    private record Fencing(Taken taken, Answers promised, long graceEndsAt, long endsAt) implements Waiting {}

    private record Promoting(long epoch, NodeReport chosen, long committed, long endsAt) implements Waiting {}

    /**
     * An epoch that was taken.
     *
     * @param lossy whether data may be lost, so that one complete member must do in the end
     */
    private record Taken(long epoch, boolean lossy) {}

    private final ShardContext context;
    private final SentinelSettings settings;
    private final Watch watch;
    private final Deposals deposals;
    private final ShardPrimary before;
    private final boolean switchover;
    /** The only node to switch over to, or null if any may lead. */
    private final @Nullable NodeId target;
    /** To whom the promises of this attempt are given. */
    private final NodeId holder;

    private Step step;
    /** When the commands of the present step are repeated. */
    private long resendAt;

    private Failover(
            ShardContext context,
            Watch watch,
            Deposals deposals,
            ShardPrimary before,
            boolean switchover,
            @Nullable NodeId target,
            long now) {
        this.context = context;
        this.watch = watch;
        this.deposals = deposals;
        this.before = before;
        this.switchover = switchover;
        this.target = target;
        settings = context.settings();
        long attempt = context.draw();
        holder = context.holder(attempt);
        step = new Asking(
                attempt, new Answers(), now + settings.attemptTimeout().toNanos());
        resendAt = now;
    }

    /**
     * Begins an attempt.
     *
     * @param before the primary to replace
     * @param switchover whether that primary is well and is to hand over
     * @param target the only node to switch over to, or null if any may lead
     */
    static Failover begin(
            ShardContext context,
            Watch watch,
            Deposals deposals,
            ShardPrimary before,
            boolean switchover,
            @Nullable NodeId target,
            long now) {
        Failover failover = new Failover(context, watch, deposals, before, switchover, target, now);
        failover.send(now);
        return failover;
    }

    @Override
    public @Nullable End end() {
        return step instanceof End end ? end : null;
    }

    // 1. Asking: an epoch above the promises of a majority.

    private void reported(Asking asking, NodeAnswer answer, long now) {
        if (answer.done() // a node that cannot save its promise cannot give another
                && answer.command() instanceof NodeCommand.Describe question
                && question.nonce() == asking.nonce) {
            asking.answers.add(answer.report());
            takeEpochIfEnough(asking, now);
        }
    }

    private void takeEpochIfEnough(Asking asking, long now) {
        if (!prospect(asking).isGood()) {
            return;
        }
        boolean lossy = !Prospect.of(lossless(), watch.nodes(), asking.answers.reports())
                .isGood();
        if (lossy && now - asking.endsAt < 0 && isAnyoneLeft(asking.answers)) {
            return; // if not with all data of a majority, at least with all of those who are there
        }
        if (switchover && watch.reports().stream().noneMatch(this::isTarget)) {
            becomeEnded(AbortReason.NO_ELIGIBLE_NODE, target == null ? List.of() : List.of(target), now);
            return;
        }
        long known = Math.max(asking.answers.highestEpoch(), Math.max(watch.highestEpoch(), before.epoch()));
        Taken taken = takeEpoch(known, lossy, now);
        if (switchover) {
            becomePausing(taken, now);
        } else {
            becomeFencing(taken, new Answers(), now);
        }
    }

    private Taken takeEpoch(long known, boolean lossy, long now) {
        long epoch = lossy
                ? Rounds.lossy(known, context.number(), context.random())
                : Rounds.next(known, context.number(), context.random());
        context.tell(new EpochTaken(context.shard(), epoch), now);
        return new Taken(epoch, lossy);
    }

    private Prospect prospect(Asking asking) {
        boolean lossy = settings.allowLossyFailover();
        return Prospect.of(lossy ? Prospect.Kind.LOSSY_FAILOVER : lossless(), watch.nodes(), asking.answers.reports());
    }

    private Prospect.Kind lossless() {
        return switchover ? Prospect.Kind.SWITCHOVER : Prospect.Kind.FAILOVER;
    }

    /** {@return whether a node that is up is not among those who answered} */
    private boolean isAnyoneLeft(Answers answers) {
        return watch.nodes().stream().anyMatch(node -> !watch.isDown(node) && !answers.isFrom(node));
    }

    // 2. A switchover: the primary pauses, a replica catches up, the primary promises.

    private void paused(Pausing pausing, NodeAnswer answer, long now) {
        if (!(answer.command() instanceof NodeCommand.Pause pause)
                || pause.epoch() != before.epoch()
                || !answer.report().node().equals(before.primary())) {
            return;
        }
        if (answer.done()) {
            context.tell(
                    new PrimaryPaused(
                            context.shard(),
                            pausing.taken.epoch,
                            before.primary(),
                            answer.report().position()),
                    now);
            becomeCatchingUp(pausing, answer.report().position(), now);
        } else if (!answer.isTransient()) {
            becomeEnded(AbortReason.PAUSE_REFUSED, now);
        }
    }

    /** Goes on once so many members have everything that the promises of the others are not needed. */
    private void fencePrimaryIfCaughtUp(CatchingUp catchingUp, long now) {
        List<NodeReport> caughtUp = watch.reports().stream()
                .filter(report -> report.complete() && report.position().compareTo(catchingUp.end) >= 0)
                .toList();
        Membership membership = Answers.newest(caughtUp);
        boolean enough = membership != null
                && (catchingUp.taken.lossy
                        || membership.isMajority(member -> caughtUp.stream()
                                .anyMatch(report -> report.member().equals(member))));
        if (enough && caughtUp.stream().anyMatch(this::isTarget)) {
            becomeFencingPrimary(catchingUp, now);
        }
    }

    private boolean isTarget(NodeReport report) {
        return (target == null
                        ? !report.node().equals(before.primary())
                        : report.node().equals(target))
                && report.complete()
                && report.priority() > 0;
    }

    private void primaryAnswered(FencingPrimary fencing, NodeAnswer answer, long now) {
        if (answer.report().node().equals(before.primary()) && isPromise(answer, fencing.taken.epoch, now)) {
            Answers promised = new Answers();
            promised.add(answer.report());
            becomeFencing(fencing.taken, promised, now);
        }
    }

    // 3. Fencing: no lower epoch can acknowledge anything any more.

    private void fenceAnswered(Fencing fencing, NodeAnswer answer, long now) {
        if (isPromise(answer, fencing.taken.epoch, now)) {
            fencing.promised.add(answer.report());
            chooseIfEnough(fencing, now);
        }
    }

    /** Whether an answer is the promise of an epoch; a refusal ends the attempt. */
    private boolean isPromise(NodeAnswer answer, long epoch, long now) {
        NodeReport report = answer.report();
        if (!(answer.command() instanceof NodeCommand.Fence fence)
                || fence.epoch() != epoch
                || !fence.holder().equals(holder)) {
            return false;
        }
        if (answer.outcome() == Outcome.OTHER_HOLDER) {
            context.tell(new NumberConflict(context.shard(), epoch, report.node()), now);
            becomeEnded(AbortReason.OTHER_HOLDER, List.of(report.node()), now);
        } else if (answer.outcome() == Outcome.STALE_EPOCH || (answer.done() && report.epoch() > epoch)) {
            becomeEnded(AbortReason.SUPERSEDED, List.of(report.node()), now);
        } else if (answer.done() && report.epoch() == epoch) {
            context.tell(
                    new NodeFenced(context.shard(), epoch, report.node(), report.position(), report.complete()), now);
            return true;
        }
        return false;
    }

    private void chooseIfEnough(Fencing fencing, long now) {
        List<NodeReport> candidates = fencing.promised.candidates();
        boolean enough = fencing.taken.lossy ? !candidates.isEmpty() : fencing.promised.isCompleteMajority();
        boolean waits = fencing.taken.lossy
                ? now - fencing.endsAt < 0 && isAnyoneLeft(fencing.promised)
                : (now - fencing.graceEndsAt < 0 && othersMayPromise(fencing)) || isTargetAwaited(fencing, now);
        if (!enough || waits) {
            return;
        }
        NodeId former = before.primary();
        Selection selection = new Selection(
                target,
                switchover || watch.report(former) == null ? null : former,
                switchover ? former : null,
                deposals.deposed(),
                fencing.taken.lossy);
        NodeReport chosen = selection.choose(candidates);
        if (chosen == null && settings.allowLossyFailover() && !switchover && !fencing.taken.lossy) {
            becomeFencing(takeEpoch(fencing.taken.epoch, true, now), new Answers(), now);
        } else if (chosen == null) {
            becomeEnded(AbortReason.NO_ELIGIBLE_NODE, now);
        } else {
            context.tell(new NodeSelected(context.shard(), fencing.taken.epoch, chosen.node(), chosen.position()), now);
            becomePromoting(fencing, chosen, now);
        }
    }

    /** Whether a complete member that is up has not promised yet; it may have more data. */
    private boolean othersMayPromise(Fencing fencing) {
        Membership members = Answers.newest(fencing.promised.reports());
        for (NodeReport report : watch.reports()) {
            if (report.complete()
                    && !watch.isDown(report.node())
                    && !fencing.promised.isFrom(report.node())
                    && members != null
                    && members.isMember(report.member())) {
                return true;
            }
        }
        return false;
    }

    /**
     * Whether the node that is to lead has not promised yet, and most of the time is left for another if it never does.
     */
    private boolean isTargetAwaited(Fencing fencing, long now) {
        return target != null
                && !watch.isDown(target)
                && !fencing.promised.isFrom(target)
                && now - targetAwaitedUntil(fencing) < 0;
    }

    private long targetAwaitedUntil(Fencing fencing) {
        return fencing.endsAt - settings.attemptTimeout().toNanos() / 4 * 3;
    }

    // 4. Promoting: one node, asked to lead this epoch once and for all.

    private void promoteAnswered(Promoting promoting, NodeAnswer answer, long now) {
        NodeReport report = answer.report();
        if (!report.node().equals(promoting.chosen.node())) {
            return;
        }
        if (answer.isOfPrimary() && report.leads(promoting.epoch)) { // any answer makes up for a lost one
            becomePromoted(promoting, now);
        } else if (answer.command() instanceof NodeCommand.Promote promote
                && promote.epoch() == promoting.epoch
                && !answer.done()
                && !answer.isTransient()) {
            becomeEnded(
                    answer.outcome() == Outcome.STALE_EPOCH ? AbortReason.SUPERSEDED : AbortReason.PROMOTION_REFUSED,
                    List.of(report.node()),
                    now);
        }
    }

    // Answers and time.

    @Override
    public void answered(NodeAnswer answer, long now) {
        if (step instanceof Asking asking) {
            reported(asking, answer, now);
        } else if (step instanceof Pausing pausing) {
            paused(pausing, answer, now);
        } else if (step instanceof CatchingUp catchingUp) {
            fencePrimaryIfCaughtUp(catchingUp, now);
        } else if (step instanceof FencingPrimary fencing) {
            primaryAnswered(fencing, answer, now);
        } else if (step instanceof Fencing fencing) {
            fenceAnswered(fencing, answer, now);
        } else if (step instanceof Promoting promoting) {
            promoteAnswered(promoting, answer, now);
        }
    }

    @Override
    public void heardOf(ShardPrimary later, long now) {
        if (step instanceof Promoting promoting
                && later.equals(context.primary(promoting.epoch, promoting.chosen.node()))) {
            becomePromoted(promoting, now);
        }
    }

    @Override
    public void tick(long now) {
        if (step instanceof Asking asking) {
            takeEpochIfEnough(asking, now);
        } else if (step instanceof Fencing fencing) {
            chooseIfEnough(fencing, now);
        }
        if (step instanceof Waiting waiting) {
            if (now - waiting.endsAt() >= 0) {
                expire(waiting, now);
            } else if (now - resendAt >= 0) {
                send(now);
            }
        }
    }

    private void expire(Waiting waiting, long now) {
        if (waiting instanceof Asking asking) {
            Prospect prospect = prospect(asking);
            becomeEnded(prospect.reason(), prospect.obstructing(), now);
        } else if (waiting instanceof Pausing) {
            becomeEnded(AbortReason.PRIMARY_SILENT, List.of(before.primary()), now);
        } else if (waiting instanceof CatchingUp) {
            becomeEnded(AbortReason.REPLICAS_BEHIND, now);
        } else if (waiting instanceof FencingPrimary) {
            becomeEnded(AbortReason.PRIMARY_NOT_FENCED, List.of(before.primary()), now);
        } else if (waiting instanceof Fencing fencing) {
            List<NodeId> silent = watch.nodes().stream()
                    .filter(node -> !fencing.promised.isFrom(node))
                    .toList();
            becomeEnded(AbortReason.TOO_FEW_PROMISES, silent, now);
        } else if (waiting instanceof Promoting promoting) {
            becomeEnded(AbortReason.PROMOTION_TIMEOUT, List.of(promoting.chosen.node()), now);
        }
    }

    /** Sends what is unanswered in this step. */
    private void send(long now) {
        Duration pause = settings.resendPeriod();
        if (step instanceof Asking asking) {
            boolean again =
                    prospect(asking).obstacle() == SentinelFact.Obstacle.NO_ELIGIBLE_MEMBER; // perhaps still behind
            for (NodeId node : watch.nodes()) {
                if (again || !asking.answers.isFrom(node)) {
                    context.send(node, new NodeCommand.Describe(context.shard(), asking.nonce));
                }
            }
        } else if (step instanceof Pausing) {
            context.send(
                    before.primary(), new NodeCommand.Pause(context.shard(), before.epoch(), settings.pauseLimit()));
        } else if (step instanceof CatchingUp) {
            pause = settings.catchUpPeriod();
            for (NodeId node : watch.nodes()) {
                context.send(node, new NodeCommand.Describe(context.shard(), 0));
            }
        } else if (step instanceof FencingPrimary fencing) {
            context.send(before.primary(), fence(fencing.taken.epoch));
        } else if (step instanceof Fencing fencing) {
            for (NodeId node : watch.nodes()) {
                if (!fencing.promised.isFrom(node)) {
                    context.send(node, fence(fencing.taken.epoch));
                }
            }
        } else if (step instanceof Promoting promoting) {
            NodeReport chosen = promoting.chosen;
            context.send(
                    chosen.node(),
                    new NodeCommand.Promote(
                            context.shard(),
                            promoting.epoch,
                            holder,
                            chosen.incarnation(),
                            chosen.position(),
                            promoting.committed));
        }
        resendAt = now + pause.toNanos();
    }

    private NodeCommand fence(long epoch) {
        return new NodeCommand.Fence(context.shard(), epoch, holder);
    }

    @Override
    public void abort(AbortReason reason, long now) {
        if (step instanceof Waiting) {
            becomeEnded(reason, now);
        }
    }

    /** {@return whether the primary still leads for certain, so that an abort changes nothing} */
    boolean isHarmless() {
        return step instanceof Asking || isPrimaryHeld();
    }

    private boolean isPrimaryHeld() {
        return step instanceof Pausing || step instanceof CatchingUp || step instanceof FencingPrimary;
    }

    @Override
    public long dueBy(long due, long now) {
        if (step instanceof Waiting waiting) {
            due = ShardContext.earlier(due, ShardContext.earlier(resendAt, waiting.endsAt()));
        }
        if (step instanceof Fencing fencing && now - fencing.graceEndsAt < 0) {
            due = ShardContext.earlier(due, fencing.graceEndsAt);
        } else if (step instanceof Fencing fencing && isTargetAwaited(fencing, now)) {
            due = ShardContext.earlier(due, targetAwaitedUntil(fencing));
        }
        return due;
    }

    // The transitions.

    private void becomePausing(Taken taken, long now) {
        check(step instanceof Asking, "a switchover asks before it pauses");
        enter(new Pausing(taken, now + settings.pauseLimit().toNanos()), now);
    }

    private void becomeCatchingUp(Pausing pausing, LogPosition end, long now) {
        check(step == pausing, "a replica catches up with a primary that is paused");
        CatchingUp catchingUp = new CatchingUp(pausing.taken, end, pausing.endsAt);
        enter(catchingUp, now);
        fencePrimaryIfCaughtUp(catchingUp, now);
    }

    private void becomeFencingPrimary(CatchingUp catchingUp, long now) {
        check(step == catchingUp, "a primary is fenced once a replica has caught up");
        enter(new FencingPrimary(catchingUp.taken, catchingUp.endsAt), now);
    }

    private void becomeFencing(Taken taken, Answers promised, long now) {
        check(
                step instanceof Asking || step instanceof FencingPrimary || step instanceof Fencing,
                "an epoch is taken before it is promised");
        Fencing fencing = new Fencing(
                taken,
                promised,
                now + settings.fenceGrace().toNanos(),
                now + settings.attemptTimeout().toNanos());
        enter(fencing, now);
        chooseIfEnough(fencing, now); // a shard of one member
    }

    private void becomePromoting(Fencing fencing, NodeReport chosen, long now) {
        check(step == fencing, "a node is promoted once a majority has promised");
        long endsAt = fencing.taken.lossy // which may have waited to the end
                ? now + settings.attemptTimeout().toNanos()
                : fencing.endsAt;
        enter(new Promoting(fencing.taken.epoch, chosen, fencing.promised.committed(chosen), endsAt), now);
    }

    private void becomePromoted(Promoting promoting, long now) {
        check(step == promoting, "only the chosen node leads");
        NodeId node = promoting.chosen.node();
        context.tell(new NodePromoted(context.shard(), promoting.epoch, node), now);
        step = new Promoted(context.primary(promoting.epoch, node));
    }

    private void becomeEnded(AbortReason reason, long now) {
        becomeEnded(reason, List.of(), now);
    }

    private void becomeEnded(AbortReason reason, List<NodeId> nodes, long now) {
        check(step instanceof Waiting, "only an attempt under way ends");
        if (isPrimaryHeld()) {
            context.send(before.primary(), new NodeCommand.Resume(context.shard(), before.epoch()));
        }
        step = new Ended(epoch(), reason, nodes);
        context.tell(new FailoverAborted(context.shard(), epoch(), reason), now);
    }

    private void enter(Waiting next, long now) {
        step = next;
        send(now);
    }

    /** {@return the epoch that was taken; that of the former primary before that} */
    private long epoch() {
        if (step instanceof Pausing pausing) {
            return pausing.taken.epoch;
        } else if (step instanceof CatchingUp catchingUp) {
            return catchingUp.taken.epoch;
        } else if (step instanceof FencingPrimary fencing) {
            return fencing.taken.epoch;
        } else if (step instanceof Fencing fencing) {
            return fencing.taken.epoch;
        } else if (step instanceof Promoting promoting) {
            return promoting.epoch;
        } else if (step instanceof Promoted promoted) {
            return promoted.primary().epoch();
        } else if (step instanceof Ended ended) {
            return ended.epoch();
        }
        return before.epoch();
    }

    private void check(boolean holds, String rule) {
        if (!holds) {
            throw new IllegalStateException(rule + ": " + context.shard() + ", " + step);
        }
    }
}
