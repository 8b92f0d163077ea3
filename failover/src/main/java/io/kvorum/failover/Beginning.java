package io.kvorum.failover;

import io.kvorum.failover.NodeAnswer.Outcome;
import io.kvorum.failover.SentinelFact.EpochTaken;
import io.kvorum.failover.SentinelFact.NodeFenced;
import io.kvorum.failover.SentinelFact.NumberConflict;
import io.kvorum.failover.SentinelFact.ShardBegun;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.NodeId;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Begins a shard, by order of an operator: for the first time, or anew because its data is lost.
 *
 * <p>A new shard has no members yet, so no majority of them can be asked. Instead <em>all</em> nodes of the topology
 * must answer that they never were part of the shard's history, and all must promise the epoch. Had the shard been
 * begun before, its first primary would say so, which keeps that fact with its promise; and a second sentinel that
 * begins the same shard at the same time needs the same promises, which only one of them can have.
 *
 * <p>To begin anew is for a shard that has no majority of complete members left. It rests on the operator's word alone:
 * of the nodes that answer in time it takes the one with the most complete data, as the only member. All other nodes
 * are named, too, but count for nothing until they have the new history, and were taken in.
 *
 * <p>Neither rests on a majority, so the round is drawn ({@link Rounds}).
 *
 * <pre>
 * Asking   -> Fencing    all nodes answered; to begin anew: all that do in time
 * Fencing  -> Starting   all those have promised the epoch; to begin anew: all that do in time
 * Starting -> Promoted   the chosen node leads the epoch
 * all but Promoted -> Ended   a node refused, the time of the step is over, or nothing is lost after all
 * </pre>
 */
final class Beginning implements Procedure {
    /** A step, with the data of that step. */
    sealed interface Step permits Waiting, Procedure.Promoted, Procedure.Ended {}

    /** A step that waits for answers until a moment. */
    private sealed interface Waiting extends Step permits Asking, Fencing, Starting {
        long endsAt();
    }

    private record Asking(long nonce, Answers answers, long endsAt) implements Waiting {}

    private record Fencing(long epoch, Answers asked, Answers promised, long endsAt) implements Waiting {}

    private record Starting(long epoch, MemberList members, List<NodeId> joining, NodeReport chosen, long endsAt)
            implements Waiting {}

    private final ShardContext context;
    private final SentinelSettings settings;
    private final ShardPrimary designated;
    private final List<NodeId> nodes;
    private final boolean dataLost;
    /** To whom the promises of this attempt are given. */
    private final NodeId holder;

    private Step step;
    private long resendAt;

    private Beginning(ShardContext context, ShardPrimary designated, List<NodeId> nodes, boolean dataLost, long now) {
        this.context = context;
        this.designated = designated;
        this.nodes = nodes;
        this.dataLost = dataLost;
        settings = context.settings();
        long attempt = context.draw();
        holder = context.holder(attempt);
        step = new Asking(
                attempt, new Answers(), now + settings.attemptTimeout().toNanos());
        resendAt = now;
    }

    /**
     * Begins.
     *
     * @param designated the latest primary, which is the first one of a new shard
     * @param nodes the nodes to ask
     * @param dataLost whether the shard is begun anew
     */
    static Beginning begin(
            ShardContext context, ShardPrimary designated, List<NodeId> nodes, boolean dataLost, long now) {
        Beginning beginning = new Beginning(context, designated, nodes, dataLost, now);
        beginning.send(now);
        return beginning;
    }

    @Override
    public @Nullable End end() {
        return step instanceof End end ? end : null;
    }

    private void reported(Asking asking, NodeAnswer answer, long now) {
        NodeReport report = answer.report();
        if (!answer.done() // a node that cannot save its promise cannot give another
                || !(answer.command() instanceof NodeCommand.Describe question)
                || question.nonce() != asking.nonce) {
            return;
        }
        if (report.begun() && !dataLost) {
            becomeEnded(AbortReason.ALREADY_BEGUN, List.of(report.node()), now);
            return;
        }
        asking.answers.add(report);
        if (missingIn(asking.answers, nodes).isEmpty()) {
            becomeFencing(asking, now);
        }
    }

    private void fenceAnswered(Fencing fencing, NodeAnswer answer, long now) {
        NodeReport report = answer.report();
        if (!(answer.command() instanceof NodeCommand.Fence fence)
                || fence.epoch() != fencing.epoch
                || !fence.holder().equals(holder)) {
            return;
        }
        if (answer.outcome() == Outcome.OTHER_HOLDER) {
            context.tell(new NumberConflict(context.shard(), fencing.epoch, report.node()), now);
            becomeEnded(AbortReason.OTHER_HOLDER, List.of(report.node()), now);
        } else if (answer.outcome() == Outcome.STALE_EPOCH || (answer.done() && report.epoch() > fencing.epoch)) {
            becomeEnded(AbortReason.SUPERSEDED, List.of(report.node()), now);
        } else if (answer.done() && report.epoch() == fencing.epoch && report.begun() && !dataLost) {
            becomeEnded(AbortReason.ALREADY_BEGUN, List.of(report.node()), now); // by another sentinel, meanwhile
        } else if (answer.done() && report.epoch() == fencing.epoch) {
            fencing.promised.add(report);
            context.tell(
                    new NodeFenced(context.shard(), fencing.epoch, report.node(), report.position(), report.complete()),
                    now);
            if (missingIn(fencing.promised, nodesOf(fencing.asked)).isEmpty()) {
                becomeStarting(fencing, now);
            }
        }
    }

    private void beginAnswered(Starting starting, NodeAnswer answer, long now) {
        NodeReport report = answer.report();
        if (!report.node().equals(starting.chosen.node())) {
            return;
        }
        if (answer.isOfPrimary() && report.leads(starting.epoch)) {
            becomePromoted(starting, now);
        } else if (answer.command() instanceof NodeCommand.Begin begin
                && begin.epoch() == starting.epoch
                && !answer.done()
                && !answer.isTransient()) {
            AbortReason reason = switch (answer.outcome()) {
                case STALE_EPOCH -> AbortReason.SUPERSEDED;
                case ALREADY_BEGUN -> AbortReason.ALREADY_BEGUN;
                default -> AbortReason.BEGIN_REFUSED;
            };
            becomeEnded(reason, List.of(report.node()), now);
        }
    }

    private static List<NodeId> missingIn(Answers answers, List<NodeId> of) {
        return of.stream().filter(node -> !answers.isFrom(node)).toList();
    }

    private static List<NodeId> nodesOf(Answers answers) {
        return answers.reports().stream().map(NodeReport::node).distinct().toList();
    }

    @Override
    public void answered(NodeAnswer answer, long now) {
        if (step instanceof Asking asking) {
            reported(asking, answer, now);
        } else if (step instanceof Fencing fencing) {
            fenceAnswered(fencing, answer, now);
        } else if (step instanceof Starting starting) {
            beginAnswered(starting, answer, now);
        }
    }

    @Override
    public void heardOf(ShardPrimary later, long now) {
        if (step instanceof Starting starting
                && later.equals(context.primary(starting.epoch, starting.chosen.node()))) {
            becomePromoted(starting, now);
        }
    }

    @Override
    public void tick(long now) {
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
            if (dataLost && !asking.answers.reports().isEmpty()) {
                becomeFencing(asking, now);
            } else {
                becomeEnded(AbortReason.NODES_MISSING, missingIn(asking.answers, nodes), now);
            }
        } else if (waiting instanceof Fencing fencing) {
            if (dataLost && !fencing.promised.reports().isEmpty()) {
                becomeStarting(fencing, now);
            } else {
                becomeEnded(AbortReason.NODES_MISSING, missingIn(fencing.promised, nodesOf(fencing.asked)), now);
            }
        } else if (waiting instanceof Starting starting) {
            becomeEnded(AbortReason.PROMOTION_TIMEOUT, List.of(starting.chosen.node()), now);
        }
    }

    private void send(long now) {
        if (step instanceof Asking asking) {
            for (NodeId node : missingIn(asking.answers, nodes)) {
                context.send(node, new NodeCommand.Describe(context.shard(), asking.nonce));
            }
        } else if (step instanceof Fencing fencing) {
            for (NodeId node : missingIn(fencing.promised, nodesOf(fencing.asked))) {
                context.send(node, new NodeCommand.Fence(context.shard(), fencing.epoch, holder));
            }
        } else if (step instanceof Starting starting) {
            context.send(
                    starting.chosen.node(),
                    new NodeCommand.Begin(
                            context.shard(), starting.epoch, holder, starting.members, starting.joining, dataLost));
        }
        resendAt = now + settings.resendPeriod().toNanos();
    }

    @Override
    public void abort(AbortReason reason, long now) {
        if (step instanceof Waiting) {
            becomeEnded(reason, List.of(), now);
        }
    }

    @Override
    public long dueBy(long due, long now) {
        return step instanceof Waiting waiting
                ? ShardContext.earlier(due, ShardContext.earlier(resendAt, waiting.endsAt()))
                : due;
    }

    // The transitions.

    private void becomeFencing(Asking asking, long now) {
        check(step == asking, "an epoch is taken above what the nodes have promised");
        if (dataLost && canFailOver(asking.answers)) {
            becomeEnded(AbortReason.MAJORITY_LEFT, nodesOf(asking.answers), now);
            return;
        }
        long known = Math.max(asking.answers.highestEpoch(), designated.epoch());
        long epoch = dataLost
                ? Rounds.lossy(known, context.number(), context.random())
                : Rounds.first(known, context.number(), context.random());
        context.tell(new EpochTaken(context.shard(), epoch), now);
        enter(
                new Fencing(
                        epoch,
                        asking.answers,
                        new Answers(),
                        now + settings.attemptTimeout().toNanos()),
                now);
    }

    private boolean canFailOver(Answers answers) {
        return answers.isCompleteMajority()
                && Prospect.of(context.failover(), nodes, answers.reports()).isGood();
    }

    private void becomeStarting(Fencing fencing, long now) {
        check(step == fencing, "a node begins a shard once all nodes have promised the epoch");
        if (dataLost && canFailOver(fencing.promised)) { // by a member that has become complete since
            becomeEnded(AbortReason.MAJORITY_LEFT, nodesOf(fencing.promised), now);
            return;
        }
        Collection<NodeReport> promised = fencing.promised.reports();
        List<NodeId> twice = nodesOf(fencing.promised);
        if (!dataLost && twice.size() < promised.size()) { // a node lost its promise just now
            becomeEnded(AbortReason.BEGIN_REFUSED, twice, now);
            return;
        }
        Optional<NodeReport> chosen = dataLost
                ? promised.stream()
                        .max(Comparator.comparing(NodeReport::complete)
                                .thenComparing(NodeReport::position)
                                .thenComparing(report -> report.priority() > 0)
                                .thenComparing(NodeReport::priority, Comparator.reverseOrder())
                                .thenComparing(NodeReport::node, Comparator.reverseOrder()))
                : promised.stream()
                        .filter(report -> report.node().equals(designated.primary()))
                        .findFirst();
        if (chosen.isEmpty()) {
            becomeEnded(AbortReason.NODES_MISSING, List.of(designated.primary()), now);
            return;
        }
        NodeReport first = chosen.get();
        MemberList members = dataLost
                ? MemberList.of(first.member())
                : new MemberList(Stream.concat(Stream.of(first), promised.stream())
                        .map(NodeReport::member)
                        .distinct()
                        .limit(MemberList.MAX_SIZE) // the others join
                        .toList());
        List<NodeId> joining = nodes.stream()
                .filter(node -> members.member(node) == null)
                .limit(MemberList.MAX_SIZE)
                .toList();
        long endsAt = dataLost // which may have waited to the end
                ? now + settings.attemptTimeout().toNanos()
                : fencing.endsAt;
        enter(new Starting(fencing.epoch, members, joining, first, endsAt), now);
    }

    private void becomePromoted(Starting starting, long now) {
        check(step == starting, "only the chosen node begins the shard");
        NodeId node = starting.chosen.node();
        context.tell(new ShardBegun(context.shard(), starting.epoch, node, starting.members, dataLost), now);
        step = new Promoted(context.primary(starting.epoch, node));
    }

    private void becomeEnded(AbortReason reason, List<NodeId> of, long now) {
        check(step instanceof Waiting, "only an attempt under way ends");
        long epoch = designated.epoch();
        if (step instanceof Fencing fencing) {
            epoch = fencing.epoch;
        } else if (step instanceof Starting starting) {
            epoch = starting.epoch;
        }
        step = new Ended(epoch, reason, of);
        context.tell(new SentinelFact.FailoverAborted(context.shard(), epoch, reason), now);
    }

    private void enter(Waiting next, long now) {
        step = next;
        send(now);
    }

    private void check(boolean holds, String rule) {
        if (!holds) {
            throw new IllegalStateException(rule + ": " + context.shard() + ", " + step);
        }
    }
}
