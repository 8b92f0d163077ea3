package io.kvorum.failover;

import io.kvorum.failover.Procedure.Ended;
import io.kvorum.failover.Procedure.Promoted;
import io.kvorum.failover.SentinelFact.FailoverAborted;
import io.kvorum.failover.SentinelFact.ObjectivelyDown;
import io.kvorum.failover.SentinelFact.ObjectivelyUp;
import io.kvorum.failover.SentinelFact.PrimaryChanged;
import io.kvorum.failover.SentinelFact.Switched;
import io.kvorum.failover.SentinelMessage.ElectionMessage;
import io.kvorum.failover.SentinelMessage.Opinion;
import io.kvorum.failover.SentinelMessage.PreVoteAnswer;
import io.kvorum.failover.SentinelMessage.PreVoteRequest;
import io.kvorum.failover.SentinelMessage.VoteAnswer;
import io.kvorum.failover.SentinelMessage.VoteRequest;
import io.kvorum.failover.SentinelState.KnownShard;
import io.kvorum.failover.ShardOperation.AwaitingPrimary;
import io.kvorum.failover.ShardOperation.BeginningShard;
import io.kvorum.failover.ShardOperation.HandingOver;
import io.kvorum.failover.ShardOperation.Replacing;
import io.kvorum.failover.ShardOperation.TargetCheck;
import io.kvorum.slots.topology.Membership;
import io.kvorum.slots.topology.NodeId;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Everything that one sentinel does about one shard, independent of every other shard.
 *
 * <p>From a missed heartbeat to a new primary it goes like this. {@link Watch} pings the nodes; a primary that is
 * silent for too long is subjectively down, and this class says so to the other sentinels at once. When a quorum says
 * so of the same primary, it is objectively down. If by the latest reports a failover can succeed ({@link Prospect}),
 * the {@link Election} puts one candidate to work, and {@link Failover} brings about a primary: it takes an epoch,
 * fences, chooses, promotes. The sentinel adopts the new primary, {@link Publication} tells the others, and
 * {@link Repointing} has the other nodes follow.
 *
 * <p>{@link #advance} goes through these in that order. It runs after every input, so no decision waits for a tick;
 * time alone decides only at the moment that {@link #dueAt} names.
 */
final class ShardSentinel {
    private final ShardContext context;
    private final SentinelSettings settings;
    private final Watch watch;
    private final Deposals deposals;
    private final Peers peers;
    private final Election election;
    private final Repointing repointing;
    private final Announced announced;
    private final ToldProspect told;
    private final CommittedList lists = new CommittedList();

    private ShardPrimary primary;
    private boolean objectivelyDown;
    private @Nullable Procedure procedure;
    private @Nullable Publication publication;
    private @Nullable ShardOperation operation;
    private boolean changed = true;
    /** When time alone decides something next, as last told. */
    private long due;

    ShardSentinel(ShardContext context, ShardPrimary primary, Collection<NodeId> nodes, long now) {
        this.context = context;
        this.primary = primary;
        settings = context.settings();
        watch = new Watch(context, nodes, now);
        watch.watch(primary.primary(), now);
        deposals = new Deposals(settings, now);
        peers = new Peers(settings);
        election = new Election(context, primary, now);
        repointing = new Repointing(context, watch, now);
        told = new ToldProspect(context, watch, deposals);
        announced = new Announced(context, primary, now);
        due = now;
    }

    ShardPrimary primary() {
        return primary;
    }

    KnownShard known() {
        return new KnownShard(primary, watch.nodes());
    }

    /** {@return the opinion that the other sentinels were told} */
    Announced announced() {
        return announced;
    }

    /** {@return the nodes that this sentinel holds down} */
    List<NodeId> down() {
        return watch.down();
    }

    /** {@return whether what is worth remembering has changed since this was last asked} */
    boolean takeChanged() {
        boolean was = changed;
        changed = false;
        return was;
    }

    /** {@return the committed member lists that the topology may lack} */
    CommittedList lists() {
        return lists;
    }

    /** The topology lists these nodes now. */
    void listed(Collection<NodeId> nodes) {
        watch.keepOnly(nodes, primary.primary());
        changed = true;
    }

    /** {@return when time alone decides something next} */
    long dueAt(long now) {
        due = watch.dueAt(now);
        due = objectivelyDown ? deposals.dueBy(due, now) : due;
        due = peers.dueBy(due, now);
        due = election.dueBy(due, now);
        due = procedure == null ? due : procedure.dueBy(due, now);
        due = publication == null ? due : publication.dueBy(due);
        due = operation == null ? due : operation.dueBy(due);
        due = repointing.dueBy(due, now);
        return due;
    }

    // Inputs. Each ends with advance().

    void observerPaused(long since, long now) {
        watch.observerPaused(since, now);
    }

    void tick(long now) {
        advance(now);
    }

    /** {@return as {@link #answered}} */
    boolean heard(NodeId from, Opinion opinion, long now) {
        boolean calm = !opinion.subjectivelyDown() && opinion.leadingAttempt() == 0 && peers.isCalm(from);
        if (calm && opinion.primary().epoch() <= primary.epoch() && rests(now) && election.isFree()) {
            peers.heard(from, opinion, now);
            return false;
        }
        learn(opinion.primary(), now);
        peers.heard(from, opinion, now);
        election.heard(from, opinion.leadingAttempt(), now);
        if (publication != null) {
            publication.heard(from, opinion.primary());
        }
        advance(now);
        return true;
    }

    void receive(NodeId from, ElectionMessage message, long now) {
        learn(message.primary(), now);
        if (message instanceof PreVoteRequest request) {
            election.receive(from, request, now);
        } else if (message instanceof PreVoteAnswer answer) {
            election.receive(from, answer, now);
        } else if (message instanceof VoteRequest request) {
            election.receive(from, request, now);
        } else if (message instanceof VoteAnswer answer) {
            election.receive(from, answer, now);
        } else {
            throw new AssertionError(message);
        }
        advance(now);
    }

    /** {@return whether that may have changed what this class decides, or when; a ping mostly does not} */
    boolean answered(NodeAnswer answer, long now) {
        NodeReport report = answer.report();
        if (!watch.knows(report.node()) || !answer.isOfAStep()) {
            return true;
        }
        deposals.heard(report, primary, watch.report(report.node()) == null);
        boolean rests = rests(now) && watch.isNoNews(answer);
        boolean more = watch.heard(answer, primary, now);
        if (rests && !more) {
            return false;
        }
        changed |= more;
        lists.heard(report);
        if (procedure != null) {
            procedure.answered(answer, now);
            conclude(now);
        }
        endIfRefused(answer, now);
        if (answer.isOfPrimary()) { // of its epoch, in which there cannot be another
            learn(context.primary(report.epoch(), report.node()), now);
        }
        advance(now);
        return true;
    }

    /** Whether nothing is under way, and nothing is to do before the next ping. */
    private boolean rests(long now) {
        return isQuiet() && watch.isPingNext(due, now);
    }

    private boolean isQuiet() {
        return procedure == null && publication == null && operation == null && !objectivelyDown && repointing.isDone();
    }

    /** The topology lists these nodes, and knows of this primary. */
    void merged(ShardPrimary known, Collection<NodeId> nodes, long now) {
        for (NodeId node : nodes) {
            changed |= watch.watch(node, now);
        }
        learn(known, now);
        int before = watch.nodes().size();
        watch.keepOnly(nodes, primary.primary());
        changed |= watch.nodes().size() != before;
        advance(now);
    }

    /** The shard was removed: whatever is under way is given up. */
    void removed(long now) {
        if (procedure != null) {
            procedure.abort(AbortReason.UNKNOWN_SHARD, now);
        }
        failOperation(AbortReason.UNKNOWN_SHARD, List.of(), now);
    }

    // From a missed heartbeat to a new primary.

    private void advance(long now) {
        watch.pingIfDue(primary, isQuiet(), now);
        watch.judge(primary, now);
        List<NodeId> agreeing = peers.agreeing(primary, now);
        judgeTogether(agreeing, now);
        if (procedure != null) {
            abortIfNeedless(procedure, now);
            procedure.tick(now);
            conclude(now);
        }
        if (procedure == null) {
            election.advance(wantsFailover(now), agreeing, now);
            beginIfElected(now);
        }
        if (procedure == null && election.isFree()) { // nobody is beginning it
            told.tellIfNotBegun(primary, now);
        }
        completePublication(now);
        advanceOperation(now);
        repointing.advance(primary, now);
        announced.announce(primary, watch.isDown(primary.primary()), election.leadingAttempt(), now);
        if (publication != null) {
            publication.resend(announced.opinion(), now);
        }
    }

    private void judgeTogether(List<NodeId> agreeing, long now) {
        int count = watch.hasBegun() && watch.isDown(primary.primary()) ? 1 + agreeing.size() : 0;
        boolean down = count >= settings.quorum();
        if (down && !objectivelyDown) {
            context.tell(new ObjectivelyDown(context.shard(), primary.epoch(), primary.primary(), count), now);
        } else if (!down && objectivelyDown) {
            context.tell(new ObjectivelyUp(context.shard(), primary.epoch(), primary.primary()), now);
        }
        objectivelyDown = down;
    }

    /** Whether the shard needs a failover that can succeed and is due; if it needs one that is not, that is told. */
    private boolean wantsFailover(long now) {
        if (!objectivelyDown) {
            told.clear();
        }
        return objectivelyDown
                && told.isGood(primary, now)
                && (operation instanceof AwaitingPrimary || told.isDue(primary, now)); // operators do not wait
    }

    /** A failover that has deposed nobody yet is not needed if the primary is up again. */
    private void abortIfNeedless(Procedure underWay, long now) {
        if (underWay instanceof Failover failover
                && failover.isHarmless()
                && !objectivelyDown
                && !election.isLeadingManually()) {
            failover.abort(AbortReason.PRIMARY_UP, now);
        }
    }

    private void beginIfElected(long now) {
        if (election.leadingAttempt() != 0) {
            NodeId target = operation instanceof HandingOver handingOver
                    ? handingOver.operation().target()
                    : null;
            procedure = Failover.begin(context, watch, deposals, primary, election.isLeadingManually(), target, now);
            procedure.tick(now);
            conclude(now);
        }
    }

    /** Draws the conclusion from a procedure that has ended. */
    private void conclude(long now) {
        Procedure.End end = procedure == null ? null : procedure.end();
        if (end instanceof Promoted promoted) {
            procedure = null;
            adopt(promoted.primary(), true, now);
        } else if (end instanceof Ended ended) {
            boolean manual = election.isLeadingManually();
            procedure = null;
            election.failed(now);
            if (manual) {
                failOperation(ended, now);
            }
        }
    }

    /** Takes over a primary if it is later than the known one. */
    private void learn(ShardPrimary later, long now) {
        if (later.epoch() > primary.epoch() && procedure != null) {
            procedure.heardOf(later, now);
            conclude(now);
        }
        if (later.epoch() > primary.epoch()) {
            adopt(later, false, now);
        }
    }

    private void adopt(ShardPrimary later, boolean byOwnFailover, long now) {
        if (procedure != null) {
            boolean beginning = procedure instanceof Beginning;
            procedure.abort(AbortReason.SUPERSEDED, now);
            procedure = null;
            if (beginning && operation != null && operation.operation() instanceof Operation.BeginAnew) {
                failOperation(AbortReason.SUPERSEDED, List.of(), now); // what was lost is as lost as before
            }
        }
        deposed(later, now);
        if (objectivelyDown) {
            objectivelyDown = false;
            context.tell(new ObjectivelyUp(context.shard(), primary.epoch(), primary.primary()), now);
        }
        if (publication != null) {
            context.tell(
                    new FailoverAborted(context.shard(), publication.primary().epoch(), AbortReason.SUPERSEDED), now);
        }
        context.tell(new PrimaryChanged(context.shard(), later.epoch(), primary.primary(), later.primary()), now);
        primary = later;
        changed = true;
        publication = byOwnFailover ? new Publication(later, context, now) : null;
        watch.watch(later.primary(), now);
        watch.adopted(later, now);
        watch.judge(later, now);
        election.adopted(later, now);
        repointing.adopted(byOwnFailover, now);
        completePublication(now);
    }

    /** Another node leads from now on: by a failover, as far as anybody was heard to hold the former primary down. */
    private void deposed(ShardPrimary later, long now) {
        NodeId before = primary.primary();
        boolean down = watch.isDown(before) || !peers.agreeing(primary, now).isEmpty();
        deposals.adopted(before, watch.report(before), later.primary(), down, now);
    }

    private void completePublication(long now) {
        if (publication != null && publication.isComplete()) {
            ShardPrimary stored = publication.primary();
            publication = null;
            context.tell(new Switched(context.shard(), stored.epoch(), stored.primary()), now);
        }
    }

    // Operations.

    void start(long request, Operation ordered, long now) {
        if (operation != null) {
            refuse(request, ordered, AbortReason.OPERATION_IN_PROGRESS, List.of(), now);
            return;
        }
        long endsAt = now + settings.operationTimeout().toNanos();
        if (ordered instanceof Operation.FailOver failOver) {
            operation = new AwaitingPrimary(request, failOver, primary, now, endsAt);
        } else if (ordered instanceof Operation.Bootstrap) {
            startBeginning(new BeginningShard(request, ordered, primary, endsAt), false, now);
        } else if (ordered instanceof Operation.BeginAnew) {
            startBeginning(new BeginningShard(request, ordered, primary, endsAt), true, now);
        } else if (ordered instanceof Operation.Replace replace) {
            startReplacing(request, replace, now);
        } else {
            throw new AssertionError(ordered);
        }
        advance(now);
    }

    private void startBeginning(BeginningShard beginning, boolean dataLost, long now) {
        if (!dataLost && primary.epoch() > 0 && watch.reports().stream().anyMatch(NodeReport::begun)) {
            refuse(beginning.request(), beginning.operation(), AbortReason.ALREADY_BEGUN, List.of(), now);
        } else if (procedure != null || !election.isFree()) {
            refuse(beginning.request(), beginning.operation(), AbortReason.FAILOVER_IN_PROGRESS, List.of(), now);
        } else {
            operation = beginning;
            election.leadManually();
            procedure = Beginning.begin(context, primary, watch.nodes(), dataLost, now);
        }
    }

    private void startReplacing(long request, Operation.Replace replace, long now) {
        Membership membership = watch.membership();
        if (membership == null || primary.epoch() == 0) {
            refuse(request, replace, AbortReason.NOT_BEGUN, watch.silent(), now);
            return;
        }
        Replacing replacing = new Replacing(
                request,
                replace,
                replace.outgoing(),
                replace.incoming(),
                now,
                now + settings.replaceTimeout().toNanos());
        boolean known = watch.reports().stream()
                .anyMatch(report -> report.complete() && report.nodes().contains(replace.outgoing()));
        if (!known && !replacing.isDone(membership)) {
            refuse(request, replace, AbortReason.NOT_A_MEMBER, List.of(replace.outgoing()), now);
            return;
        }
        operation = replacing;
    }

    private void advanceOperation(long now) {
        if (operation instanceof AwaitingPrimary awaiting) {
            handOverIfPrimaryIsWell(awaiting, now);
        } else if (operation instanceof HandingOver handingOver) {
            endIfHandedOver(handingOver, now);
        } else if (operation instanceof BeginningShard beginning
                && primary.epoch() > beginning.before().epoch()) {
            succeedWhenKnown(now);
        } else if (operation instanceof Replacing replacing) {
            replace(replacing, now);
        }
        ShardOperation late = operation;
        if (late != null && now - late.endsAt() >= 0) {
            expire(late, now);
        }
    }

    private void handOverIfPrimaryIsWell(AwaitingPrimary awaiting, long now) {
        if (told.isNotBegun()) {
            failOperation(AbortReason.NOT_BEGUN, watch.silent(), now);
            return;
        }
        NodeId target = awaiting.operation().target();
        boolean reached = awaiting.isReached(primary);
        if (reached && target == null) {
            succeedWhenKnown(now);
            return;
        }
        Prospect prospect = told.obstacle();
        if (prospect != null) { // the primary is down, and no failover is possible
            failOperation(prospect.reason(), prospect.obstructing(), now);
            return;
        }
        if (!isPrimaryWell()) {
            return; // not heard from yet, or being failed over: never a failover by mistake
        }
        if (reached) {
            succeedWhenKnown(now);
            return;
        }
        if (target != null && publication != null) {
            return;
        }
        TargetCheck check = awaiting.check(watch, primary);
        if (check.obstacle() != null) {
            if (check.isNews()) {
                failOperation(check.obstacle(), target == null ? List.of() : List.of(target), now);
            }
            return;
        }
        if (procedure != null || !election.isFree()) {
            failOperation(AbortReason.FAILOVER_IN_PROGRESS, List.of(), now);
            return;
        }
        operation = new HandingOver(awaiting.request(), awaiting.operation(), primary, awaiting.endsAt());
        election.standManually(now);
        beginIfElected(now);
    }

    private boolean isPrimaryWell() {
        NodeReport report = watch.report(primary.primary());
        return !watch.isDown(primary.primary()) && report != null && report.leads(primary.epoch());
    }

    private void endIfHandedOver(HandingOver handingOver, long now) {
        NodeId target = handingOver.operation().target();
        if (primary.epoch() > handingOver.before().epoch()) {
            if (target == null || primary.primary().equals(target)) {
                succeedWhenKnown(now);
            } else {
                failOperation(AbortReason.TARGET_LOST, List.of(target), now);
            }
        } else if (!election.isManual()) {
            failOperation(
                    election.isFree() ? AbortReason.NOT_ELECTED : AbortReason.FAILOVER_IN_PROGRESS, List.of(), now);
        }
    }

    private void replace(Replacing replacing, long now) {
        NodeReport report = watch.report(primary.primary());
        Membership membership = report == null ? null : report.membership();
        if (report != null && membership != null && report.leads(primary.epoch()) && replacing.isDone(membership)) {
            succeedWhenKnown(now);
        } else if (now - replacing.resendAt() >= 0) {
            operation = replacing.sentAgain(now + settings.resendPeriod().toNanos());
            context.send(primary.primary(), replacing.command(context.shard(), primary.epoch()));
        }
    }

    /** A replacement that the primary takes for impossible need not be asked for until its time is over. */
    private void endIfRefused(NodeAnswer answer, long now) {
        if (operation instanceof Replacing replacing
                && answer.command() instanceof NodeCommand.Replace command
                && command.equals(replacing.command(context.shard(), primary.epoch()))
                && answer.outcome() == NodeAnswer.Outcome.NOT_MEMBER
                && answer.report().node().equals(primary.primary())) {
            failOperation(AbortReason.NOT_A_MEMBER, List.of(replacing.outgoing()), now);
        }
    }

    /** Ends the operation well; a primary of our own making once a majority of the sentinels knows it. */
    private void succeedWhenKnown(long now) {
        ShardOperation done = operation;
        if (done != null && publication == null) {
            operation = null;
            context.outbox().complete(done.request(), done.operation(), new OperationOutcome.Succeeded(primary), now);
        }
    }

    private void expire(ShardOperation late, long now) {
        if (late instanceof AwaitingPrimary awaiting) {
            expireBeforeBegun(awaiting, now);
            return;
        }
        failOperation(AbortReason.TIMED_OUT, List.of(), now);
        if (late instanceof HandingOver) {
            election.withdraw(now);
            if (procedure instanceof Failover failover && failover.isHarmless()) {
                failover.abort(AbortReason.TIMED_OUT, now);
                conclude(now);
            }
        }
    }

    private void expireBeforeBegun(AwaitingPrimary late, long now) {
        NodeId target = late.operation().target();
        AbortReason obstacle = late.check(watch, primary).obstacle();
        if (!isPrimaryWell()) {
            failOperation(AbortReason.PRIMARY_SILENT, List.of(primary.primary()), now);
        } else if (obstacle != null && target != null && !late.isReached(primary)) {
            failOperation(obstacle, List.of(target), now); // as it was before the order; it has not been heard since
        } else {
            failOperation(AbortReason.TIMED_OUT, List.of(), now); // the new primary is yet to become known
        }
    }

    private void failOperation(Ended ended, long now) {
        ShardOperation failed = operation;
        if (failed instanceof HandingOver || failed instanceof BeginningShard) {
            operation = null;
            context.outbox()
                    .complete(
                            failed.request(),
                            failed.operation(),
                            ShardOperation.failed(ended.epoch(), ended.reason(), ended.nodes()),
                            now);
        }
    }

    private void failOperation(AbortReason reason, List<NodeId> nodes, long now) {
        ShardOperation failed = operation;
        if (failed != null) {
            operation = null;
            refuse(failed.request(), failed.operation(), reason, nodes, now);
        }
    }

    private void refuse(long request, Operation refused, AbortReason reason, List<NodeId> nodes, long now) {
        context.outbox().complete(request, refused, ShardOperation.failed(primary.epoch(), reason, nodes), now);
    }

    void checkInvariants() {
        check((procedure != null) == (election.leadingAttempt() != 0), "who leads is at work, and no one else");
        check(procedure == null || procedure.end() == null, "a procedure that has ended is forgotten");
        check(publication == null || publication.primary().equals(primary), "only the latest primary is published");
        check(watch.knows(primary.primary()), "the primary is watched");
        Opinion said = announced.opinion();
        check(said.primary().equals(primary), "the latest primary is announced");
        check(said.leadingAttempt() == election.leadingAttempt(), "an attempt is announced");
    }

    private void check(boolean holds, String rule) {
        if (!holds) {
            throw new AssertionError(rule + ": " + primary + ", " + procedure);
        }
    }
}
