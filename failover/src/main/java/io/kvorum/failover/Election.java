package io.kvorum.failover;

import io.kvorum.failover.SentinelEvent.AbortReason;
import io.kvorum.failover.SentinelEvent.Candidacy;
import io.kvorum.failover.SentinelEvent.FailoverAborted;
import io.kvorum.failover.SentinelEvent.LeaderElected;
import io.kvorum.failover.SentinelEvent.VoteGiven;
import io.kvorum.failover.SentinelEvent.VoteRefused;
import io.kvorum.failover.SentinelMessage.ElectionMessage;
import io.kvorum.failover.SentinelMessage.PreVoteAnswer;
import io.kvorum.failover.SentinelMessage.PreVoteRequest;
import io.kvorum.failover.SentinelMessage.Refusal;
import io.kvorum.failover.SentinelMessage.VoteAnswer;
import io.kvorum.failover.SentinelMessage.VoteRequest;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * One sentinel's part in the elections of one shard, as a candidate and as a voter.
 *
 * <p>A candidate waits for a random moment, so that candidates rarely meet; asks in a pre-vote whether a majority would
 * vote for it, which uses up no epoch; and only then votes for itself and asks for the votes. A voter that has given
 * its vote yields: for a while it is no candidate and supports none, and for as long as the leader says that it is at
 * work.
 */
final class Election {
    private enum Phase {
        IDLE,
        WAITING,
        PRE_VOTE,
        VOTE
    }

    private final ShardId shard;
    private final SentinelSettings settings;
    private final Ballot ballot;
    private final Outbox outbox;
    private final RandomGenerator random;
    /** How many votes elect a leader. */
    private final int needed;

    private Phase phase = Phase.IDLE;
    private long epoch;
    private boolean manual;
    private boolean wonManually;
    /** When the present phase ends: the wait, or the patience with the voters. */
    private long phaseEndsAt;

    private long sentAt;
    private final Set<NodeId> granted = new LinkedHashSet<>();
    private final Set<NodeId> refused = new LinkedHashSet<>();
    /** After a lost election the next one waits until this moment. */
    private long notBefore;

    private @Nullable Yield yield;

    /** For whom a voter waits. */
    private record Yield(NodeId to, long epoch, boolean atWork, long until) {}

    Election(ShardId shard, SentinelSettings settings, Ballot ballot, Outbox outbox, RandomGenerator random, long now) {
        this.shard = shard;
        this.settings = settings;
        this.ballot = ballot;
        this.outbox = outbox;
        this.random = random;
        int sentinels = outbox.peers().size() + 1;
        needed = Math.max(Watch.majority(sentinels), settings.quorum());
        notBefore = now;
    }

    boolean isIdle() {
        return phase == Phase.IDLE;
    }

    /** {@return whether an operator had asked for the election that was last won} */
    boolean wonManually() {
        return wonManually;
    }

    /** {@return whether this sentinel waits for another one that fails the shard over, or is about to} */
    boolean isYielding(long now) {
        return yield != null && now - yield.until < 0;
    }

    // As a candidate.

    /**
     * Goes on with the candidacy, or starts or ends one.
     *
     * @param wanted whether the shard needs a failover
     * @return the epoch that this sentinel was elected for, or 0
     */
    long tick(boolean wanted, long now) {
        boolean may = (wanted || manual) && !isYielding(now);
        if (phase == Phase.IDLE && may && now - notBefore >= 0) {
            phase = Phase.WAITING;
            phaseEndsAt = now + (manual ? 0 : upTo(settings.electionJitter().toNanos()));
        }
        if ((phase == Phase.WAITING || phase == Phase.PRE_VOTE) && !may) {
            withdraw(now);
        } else if (phase == Phase.WAITING && now - phaseEndsAt >= 0) {
            return askForPreVotes(now);
        }
        loseIfTooLate(now);
        resend(now);
        return 0;
    }

    /** An election ends with its time even if that is only noticed when another answer comes. */
    private void loseIfTooLate(long now) {
        if ((phase == Phase.PRE_VOTE || phase == Phase.VOTE) && now - phaseEndsAt >= 0) {
            lose(phase == Phase.VOTE ? AbortReason.NOT_ELECTED : AbortReason.PRE_VOTE_LOST, now);
        }
    }

    /**
     * Starts an election that an operator asked for, whether or not the primary is down.
     *
     * @return the epoch that this sentinel was elected for at once, or 0
     */
    long startManually(long now) {
        manual = true;
        phase = Phase.WAITING;
        phaseEndsAt = now;
        return tick(true, now);
    }

    /** Gives a candidacy up, because the reason for it is gone or another sentinel has come first. */
    private void withdraw(long now) {
        withdraw(AbortReason.SUPERSEDED, now);
    }

    /** Gives a candidacy up for a reason that was announced nowhere else. */
    void withdraw(AbortReason reason, long now) {
        if (phase == Phase.VOTE || manual) {
            outbox.add(new FailoverAborted(now, outbox.self(), shard, epoch, reason));
        }
        phase = Phase.IDLE;
        manual = false;
    }

    private long askForPreVotes(long now) {
        begin(Phase.PRE_VOTE, ballot.highest() + 1, now);
        granted.add(outbox.self());
        outbox.broadcast(preVoteRequest());
        return granted.size() >= needed ? askForVotes(now) : 0;
    }

    private long askForVotes(long now) {
        begin(Phase.VOTE, epoch, now);
        outbox.add(new Candidacy(now, outbox.self(), shard, epoch, manual));
        vote(outbox.self(), epoch, now);
        granted.add(outbox.self());
        outbox.broadcast(voteRequest());
        return electedIfEnough(now);
    }

    private void begin(Phase next, long nextEpoch, long now) {
        phase = next;
        epoch = nextEpoch;
        phaseEndsAt = now + settings.electionTimeout().toNanos();
        sentAt = now;
        granted.clear();
        refused.clear();
    }

    private void resend(long now) {
        if ((phase != Phase.PRE_VOTE && phase != Phase.VOTE)
                || now - sentAt < settings.resendPeriod().toNanos()) {
            return;
        }
        sentAt = now;
        for (NodeId peer : outbox.peers()) {
            if (!granted.contains(peer) && !refused.contains(peer)) {
                outbox.send(peer, phase == Phase.VOTE ? voteRequest() : preVoteRequest());
            }
        }
    }

    private PreVoteRequest preVoteRequest() {
        return new PreVoteRequest(ballot.configuration(), epoch, manual);
    }

    private VoteRequest voteRequest() {
        return new VoteRequest(ballot.configuration(), epoch);
    }

    private long electedIfEnough(long now) {
        if (granted.size() < needed) {
            return 0;
        }
        phase = Phase.IDLE;
        wonManually = manual;
        manual = false;
        outbox.add(new LeaderElected(now, outbox.self(), shard, epoch, granted.size()));
        return epoch;
    }

    private void lose(AbortReason reason, long now) {
        phase = Phase.IDLE;
        manual = false;
        postpone(now);
        outbox.add(new FailoverAborted(now, outbox.self(), shard, epoch, reason));
    }

    /** Lets a random time pass before the next candidacy, so that rivals do not meet again. */
    void postpone(long now) {
        notBefore = now + upTo(settings.electionTimeout().toNanos());
    }

    private long upTo(long limit) {
        return limit == 0 ? 0 : random.nextLong(limit);
    }

    /** {@return the epoch that this sentinel was elected for, or 0} */
    long receive(NodeId from, PreVoteAnswer answer, long now) {
        loseIfTooLate(now);
        if (phase != Phase.PRE_VOTE || answer.epoch() != epoch) {
            return 0;
        }
        if (ballot.highest() >= epoch) { // used up in the meantime
            return askForPreVotes(now);
        }
        if (answer.refusal() == null) { // a refusal may become a yes any moment: keep asking
            granted.add(from);
        }
        return granted.size() >= needed ? askForVotes(now) : 0;
    }

    /** {@return the epoch that this sentinel was elected for, or 0} */
    long receive(NodeId from, VoteAnswer answer, long now) {
        loseIfTooLate(now);
        if (phase != Phase.VOTE || answer.epoch() != epoch) {
            return 0;
        }
        if (answer.refusal() == null) {
            granted.add(from);
            refused.remove(from);
            return electedIfEnough(now);
        }
        if (!granted.contains(from)) {
            refused.add(from);
        }
        if (outbox.peers().size() + 1 - refused.size() < needed) {
            lose(AbortReason.NOT_ELECTED, now);
        }
        return 0;
    }

    // As a voter.

    /**
     * Answers a pre-vote.
     *
     * @param down whether this sentinel holds the primary down
     * @param leading whether it is failing the shard over itself
     */
    void receive(NodeId from, PreVoteRequest request, boolean down, boolean leading, long now) {
        Refusal refusal = ballot.refusal(from, request.epoch(), request.configuration());
        if (refusal == null && request.epoch() <= ballot.votedEpoch()) {
            refusal = Refusal.STALE_EPOCH;
        }
        if (refusal == null && (leading || isYielding(now))) {
            refusal = Refusal.FAILOVER_IN_PROGRESS;
        }
        if (refusal == null && !down && !request.manual()) {
            refusal = Refusal.PRIMARY_UP;
        }
        outbox.send(from, new PreVoteAnswer(ballot.configuration(), request.epoch(), refusal, ballot.highest()));
    }

    /** Answers a request for a vote. */
    void receive(NodeId from, VoteRequest request, long now) {
        Refusal refusal = ballot.refusal(from, request.epoch(), request.configuration());
        if (refusal == null && !ballot.votedFor(from, request.epoch())) {
            vote(from, request.epoch(), now);
            yieldTo(from, request.epoch(), false, now);
            withdraw(now);
        }
        answer(from, request, refusal, now);
    }

    /** Refuses whatever is asked for. */
    void refuse(NodeId from, ElectionMessage request, Refusal refusal, long now) {
        if (request instanceof PreVoteRequest) {
            outbox.send(from, new PreVoteAnswer(ballot.configuration(), request.epoch(), refusal, ballot.highest()));
        } else if (request instanceof VoteRequest vote) {
            answer(from, vote, refusal, now);
        }
    }

    private void answer(NodeId to, VoteRequest request, @Nullable Refusal refusal, long now) {
        if (refusal != null) {
            outbox.add(new VoteRefused(now, outbox.self(), shard, request.epoch(), to, refusal));
        }
        outbox.send(to, new VoteAnswer(ballot.configuration(), request.epoch(), refusal, ballot.highest()));
    }

    private void vote(NodeId candidate, long inEpoch, long now) {
        ballot.vote(candidate, inEpoch);
        outbox.add(new VoteGiven(now, outbox.self(), shard, inEpoch, candidate));
    }

    private void yieldTo(NodeId leader, long inEpoch, boolean atWork, long now) {
        yield = new Yield(
                leader, inEpoch, atWork, now + settings.electionTimeout().toNanos());
    }

    /** Another sentinel says whether it leads a failover. */
    void heardOf(NodeId from, long leading, long now) {
        if (leading > ballot.configuration().epoch() && leading >= ballot.votedEpoch()) {
            yieldTo(from, leading, true, now);
        } else if (leading == 0 && yield != null && yield.atWork && yield.to.equals(from)) {
            yield = null; // it has given up
        }
    }

    /** A later configuration ends every candidacy, and whatever this sentinel waited for. */
    void adopted(Configuration configuration, long now) {
        withdraw(now);
        if (yield != null && yield.epoch <= configuration.epoch()) {
            yield = null;
        }
    }

    void checkInvariants() {
        if (phase == Phase.VOTE && !ballot.votedFor(outbox.self(), epoch)) {
            throw new AssertionError("a candidate must have voted for itself: " + shard + " in epoch " + epoch);
        }
    }
}
