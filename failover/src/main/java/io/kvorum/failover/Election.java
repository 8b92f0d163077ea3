package io.kvorum.failover;

import io.kvorum.failover.SentinelFact.Candidacy;
import io.kvorum.failover.SentinelFact.FailoverAborted;
import io.kvorum.failover.SentinelFact.LeaderElected;
import io.kvorum.failover.SentinelFact.VoteGiven;
import io.kvorum.failover.SentinelFact.VoteRefused;
import io.kvorum.failover.SentinelMessage.PreVoteAnswer;
import io.kvorum.failover.SentinelMessage.PreVoteRequest;
import io.kvorum.failover.SentinelMessage.Refusal;
import io.kvorum.failover.SentinelMessage.VoteAnswer;
import io.kvorum.failover.SentinelMessage.VoteRequest;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.NodeId;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One sentinel's part in the elections of one shard, as a candidate and as a voter.
 *
 * <p>Elections keep candidates from working against each other. Nothing else rests on them: two candidates at work take
 * different epochs, and the promises of the members decide between them. So a vote is not an epoch's but an attempt's,
 * a random number that the candidate draws; it is kept in memory only, and lapses after a while.
 *
 * <p>Candidates are ranked, so that usually only one stands. Those that hold the primary down are put in the order of
 * their numbers, rotated by the round of the shard's epoch and by the attempts that have failed since, so that the next
 * one has its turn after a failure. The first stands at once, each other one {@code electionStep} later, and one that
 * stands already steps back for one that comes before it. Chance is used only after repeated failures.
 *
 * <p>A voter gives its vote to the first that asks, for {@code electionTimeout}, or for as long as the candidate says
 * that it is at work. It does not judge the primary: the quorum has done so.
 *
 * <pre>
 * Idle            -> Waiting          a failover is wanted and another candidate has precedence, or a pause is due
 * Idle, Waiting   -> AskingPreVotes   its turn has come, or an operator asks for a switchover
 * AskingPreVotes  -> Waiting          another candidate that comes before it stands, too
 * AskingPreVotes  -> AskingVotes      enough sentinels would vote for it
 * AskingVotes     -> Leading          enough sentinels have voted for it
 * Idle, Waiting   -> Leading          an operator begins a shard, which needs no votes
 * all but Leading -> Idle             the failover is no longer wanted, too few votes came, or its own vote went to another
 * Leading         -> Idle             the attempt is over
 * </pre>
 */
final class Election {
    private sealed interface State permits Idle, Waiting, Asking, Leading {}

    /** Not a candidate, and none again before a moment. */
    private record Idle(long notBefore) implements State {}

    /** A candidate whose turn comes at a moment. */
    private record Waiting(long until) implements State {}

    /** A candidate that collects answers until a moment. */
    private sealed interface Asking extends State permits AskingPreVotes, AskingVotes {
        long attempt();

        boolean manual();

        Set<NodeId> granted();

        long resendAt();

        long endsAt();
    }

    private record AskingPreVotes(long attempt, boolean manual, Set<NodeId> granted, long resendAt, long endsAt)
            implements Asking {}

    private record AskingVotes(
            long attempt, boolean manual, Set<NodeId> granted, Set<NodeId> refused, long resendAt, long endsAt)
            implements Asking {}

    /** The one candidate at work. */
    private record Leading(long attempt, boolean manual) implements State {}

    /** The vote that this sentinel gave to another, while it lasts. */
    private record Vote(NodeId candidate, long attempt, boolean atWork, long until) {}

    private final ShardContext context;
    private final SentinelSettings settings;
    private State state;
    private @Nullable Vote vote;
    private ShardPrimary primary;
    /** How many attempts have failed since the primary was last replaced. */
    private int failures;
    /** For whom this candidate has stepped back since it was idle; never twice, since two may rank each other first. */
    private final Set<NodeId> yielded = new LinkedHashSet<>();

    Election(ShardContext context, ShardPrimary primary, long now) {
        this.context = context;
        this.primary = primary;
        settings = context.settings();
        state = new Idle(now);
    }

    /** {@return the attempt by which this sentinel fails the shard over now, or 0} */
    long leadingAttempt() {
        return state instanceof Leading leading ? leading.attempt : 0;
    }

    /** {@return whether this sentinel leads, by an order of an operator} */
    boolean isLeadingManually() {
        return state instanceof Leading leading && leading.manual;
    }

    /** {@return whether an operator's order is under way: this sentinel asks for votes for it, or leads} */
    boolean isManual() {
        return (state instanceof Asking asking && asking.manual()) || isLeadingManually();
    }

    /** {@return whether this sentinel could become a candidate: it is none and waits for nobody} */
    boolean isFree() {
        return (state instanceof Idle || state instanceof Waiting) && vote == null;
    }

    // As a candidate.

    /**
     * Does what is due.
     *
     * @param wanted whether the shard needs a failover
     * @param agreeing the other sentinels that hold the primary down
     */
    void advance(boolean wanted, List<NodeId> agreeing, long now) {
        if (vote != null && now - vote.until >= 0) {
            lapse();
        }
        if (state instanceof Idle idle && wanted && vote == null && now - idle.notBefore >= 0) {
            becomeWaiting(now + delay(agreeing));
        }
        if (state instanceof Waiting waiting) {
            if (!wanted || vote != null) {
                becomeIdle(now);
            } else if (now - waiting.until >= 0) {
                becomeAskingPreVotes(false, now);
            }
        } else if (state instanceof Asking asking) {
            if (!wanted && !asking.manual()) {
                becomeIdle(now);
            } else if (now - asking.endsAt() >= 0) {
                lose(asking, now);
            } else if (now - asking.resendAt() >= 0) {
                askAgain(asking, now);
            }
        }
    }

    /** Stands at once, because an operator asks for it. */
    void standManually(long now) {
        becomeAskingPreVotes(true, now);
    }

    /** Leads without votes, because an operator begins the shard. */
    void leadManually() {
        becomeLeading(context.draw(), true);
    }

    /** The attempt of this sentinel failed; it lets others go first. */
    void failed(long now) {
        failures++;
        becomeIdle(now + pause());
    }

    /** Gives up an election that an operator asked for. */
    void withdraw(long now) {
        if (state instanceof Asking) {
            becomeIdle(now);
        }
    }

    /** How long this candidate lets those before it go first. */
    private long delay(List<NodeId> agreeing) {
        int own = place(context.self());
        long before = agreeing.stream().filter(peer -> place(peer) < own).count();
        return before * settings.electionStep().toNanos();
    }

    private int place(NodeId sentinel) {
        long rotation = Epoch.roundOf(primary.epoch()) + failures;
        return (int) Math.floorMod(context.sentinels().indexOf(sentinel) - rotation, (long)
                context.sentinels().size());
    }

    /** The pause after a failure: longer after each, and by chance where candidates keep meeting. */
    private long pause() {
        long step = settings.electionStep().toNanos();
        long pause = Math.min(
                step << Math.min(failures - 1, 16), settings.attemptTimeout().toNanos());
        return pause + (failures > 1 ? context.random().nextLong(pause) : 0);
    }

    private void lose(Asking asking, long now) {
        AbortReason reason = asking instanceof AskingVotes ? AbortReason.NOT_ELECTED : AbortReason.PRE_VOTE_LOST;
        failed(now);
        context.tell(new FailoverAborted(context.shard(), primary.epoch(), reason), now);
    }

    private void askAgain(Asking asking, long now) {
        long resendAt = now + settings.resendPeriod().toNanos();
        if (asking instanceof AskingPreVotes) {
            state = new AskingPreVotes(asking.attempt(), asking.manual(), asking.granted(), resendAt, asking.endsAt());
        } else if (asking instanceof AskingVotes votes) {
            state = new AskingVotes(votes.attempt, votes.manual, votes.granted, votes.refused, resendAt, votes.endsAt);
        }
        for (NodeId peer : context.outbox().peers()) {
            boolean refused = asking instanceof AskingVotes votes && votes.refused.contains(peer);
            if (!asking.granted().contains(peer) && !refused) {
                context.outbox().send(peer, request(asking));
            }
        }
    }

    private SentinelMessage request(Asking asking) {
        return asking instanceof AskingVotes
                ? new VoteRequest(primary, asking.attempt())
                : new PreVoteRequest(primary, asking.attempt());
    }

    void receive(NodeId from, PreVoteAnswer answer, long now) {
        if (state instanceof AskingPreVotes asking && answer.attempt() == asking.attempt && answer.refusal() == null) {
            asking.granted.add(from);
            askForVotesIfEnough(asking, now);
        } // a refusal may become a yes any moment: it is asked again
    }

    private void askForVotesIfEnough(AskingPreVotes asking, long now) {
        if (asking.granted.size() >= context.votesNeeded()) {
            becomeAskingVotes(asking.attempt, asking.manual, now);
        }
    }

    void receive(NodeId from, VoteAnswer answer, long now) {
        if (!(state instanceof AskingVotes asking) || answer.attempt() != asking.attempt) {
            return;
        }
        if (answer.refusal() == null) {
            asking.refused.remove(from);
            asking.granted.add(from);
            leadIfEnough(asking, now);
        } else if (!asking.granted.contains(from)) {
            asking.refused.add(from);
            if (context.sentinels().size() - asking.refused.size() < context.votesNeeded()) {
                lose(asking, now);
            }
        }
    }

    private void leadIfEnough(AskingVotes asking, long now) {
        int votes = asking.granted.size();
        if (votes >= context.votesNeeded()) {
            becomeLeading(asking.attempt, asking.manual);
            context.tell(new LeaderElected(context.shard(), primary.epoch(), asking.attempt, votes), now);
        }
    }

    // The transitions.

    private void becomeIdle(long notBefore) {
        state = new Idle(notBefore);
        yielded.clear();
    }

    private void becomeWaiting(long until) {
        check(
                state instanceof Idle || state instanceof AskingPreVotes,
                "only who asks for no votes waits for its turn");
        state = new Waiting(until);
    }

    private void becomeAskingPreVotes(boolean manual, long now) {
        check(state instanceof Idle || state instanceof Waiting, "only a sentinel that is no candidate stands");
        AskingPreVotes asking = new AskingPreVotes(
                context.draw(), manual, new LinkedHashSet<>(List.of(context.self())), resendAt(now), endsAt(now));
        state = asking;
        context.outbox().broadcast(request(asking));
        askForVotesIfEnough(asking, now);
    }

    private void becomeAskingVotes(long attempt, boolean manual, long now) {
        check(state instanceof AskingPreVotes, "votes come after pre-votes");
        AskingVotes asking = new AskingVotes(
                attempt,
                manual,
                new LinkedHashSet<>(List.of(context.self())),
                new LinkedHashSet<>(),
                resendAt(now),
                endsAt(now));
        state = asking;
        context.tell(new Candidacy(context.shard(), primary.epoch(), attempt, manual), now);
        context.outbox().broadcast(request(asking));
        leadIfEnough(asking, now);
    }

    private void becomeLeading(long attempt, boolean manual) {
        check(!(state instanceof Leading), "a shard has one attempt of a sentinel at a time");
        state = new Leading(attempt, manual);
    }

    private long resendAt(long now) {
        return now + settings.resendPeriod().toNanos();
    }

    private long endsAt(long now) {
        return now + settings.electionTimeout().toNanos();
    }

    // As a voter.

    void receive(NodeId from, PreVoteRequest request, long now) {
        Refusal refusal = refusal(from, request.primary(), request.attempt(), now);
        context.outbox().send(from, new PreVoteAnswer(primary, request.attempt(), refusal));
        boolean stands = state instanceof AskingPreVotes asking && !asking.manual;
        if (stands && refusal == null && place(from) < place(context.self()) && yielded.add(from)) {
            becomeWaiting(now + settings.electionStep().toNanos());
        }
    }

    void receive(NodeId from, VoteRequest request, long now) {
        Refusal refusal = refusal(from, request.primary(), request.attempt(), now);
        if (refusal == null) {
            if (vote == null || vote.attempt != request.attempt()) {
                context.tell(new VoteGiven(context.shard(), primary.epoch(), from, request.attempt()), now);
            }
            voteFor(from, request.attempt(), false, now);
        } else {
            context.tell(new VoteRefused(context.shard(), primary.epoch(), from, request.attempt(), refusal), now);
        }
        context.outbox().send(from, new VoteAnswer(primary, request.attempt(), refusal));
    }

    private @Nullable Refusal refusal(NodeId from, ShardPrimary known, long attempt, long now) {
        if (known.epoch() < primary.epoch()) {
            return Refusal.STALE_PRIMARY;
        } else if (state instanceof Leading) {
            return Refusal.FAILOVER_IN_PROGRESS;
        } else if (state instanceof AskingVotes) { // its vote is its own
            return Refusal.ALREADY_VOTED;
        }
        boolean others = vote != null
                && now - vote.until < 0
                && !(vote.candidate.equals(from) && (vote.attempt == attempt || !vote.atWork));
        return others ? Refusal.ALREADY_VOTED : null;
    }

    private void voteFor(NodeId candidate, long attempt, boolean atWork, long now) {
        vote = new Vote(candidate, attempt, atWork, endsAt(now));
        if (state instanceof Waiting || state instanceof AskingPreVotes) {
            becomeIdle(now);
        }
    }

    /** Another sentinel says by which attempt it is failing the shard over; 0 if it is not. */
    void heard(NodeId from, long attempt, long now) {
        if (attempt != 0 && !(state instanceof Leading) && !(state instanceof AskingVotes)) {
            voteFor(from, attempt, true, now);
        } else if (attempt == 0 && vote != null && vote.atWork && vote.candidate.equals(from)) {
            lapse(); // it has given up
        }
    }

    private void lapse() {
        vote = null;
        failures++;
    }

    /** A later primary ends every election. */
    void adopted(ShardPrimary later, long now) {
        primary = later;
        failures = 0;
        vote = null;
        becomeIdle(now);
    }

    /** {@return the earlier of {@code due} and the moment when something is due here} */
    long dueBy(long due, long now) {
        if (vote != null) {
            due = ShardContext.earlier(due, vote.until);
        }
        if (state instanceof Idle idle && now - idle.notBefore < 0) {
            due = ShardContext.earlier(due, idle.notBefore);
        } else if (state instanceof Waiting waiting) {
            due = ShardContext.earlier(due, waiting.until);
        } else if (state instanceof Asking asking) {
            due = ShardContext.earlier(due, ShardContext.earlier(asking.resendAt(), asking.endsAt()));
        }
        return due;
    }

    private void check(boolean holds, String rule) {
        if (!holds) {
            throw new IllegalStateException(rule + ": " + context.shard() + ", " + state);
        }
    }
}
