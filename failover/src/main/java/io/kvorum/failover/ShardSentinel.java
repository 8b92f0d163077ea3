package io.kvorum.failover;

import io.kvorum.failover.SentinelEvent.AbortReason;
import io.kvorum.failover.SentinelEvent.ConfigurationAdopted;
import io.kvorum.failover.SentinelEvent.FailoverAborted;
import io.kvorum.failover.SentinelEvent.FailoverRefused;
import io.kvorum.failover.SentinelEvent.ObjectivelyDown;
import io.kvorum.failover.SentinelEvent.ObjectivelyUp;
import io.kvorum.failover.SentinelEvent.Switched;
import io.kvorum.failover.SentinelMessage.ElectionMessage;
import io.kvorum.failover.SentinelMessage.Opinion;
import io.kvorum.failover.SentinelMessage.Opinions;
import io.kvorum.failover.SentinelMessage.PreVoteAnswer;
import io.kvorum.failover.SentinelMessage.PreVoteRequest;
import io.kvorum.failover.SentinelMessage.Refusal;
import io.kvorum.failover.SentinelMessage.VoteAnswer;
import io.kvorum.failover.SentinelMessage.VoteRequest;
import io.kvorum.failover.SentinelState.ShardMemory;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * All that one sentinel does about one shard, independent of every other shard: it watches the nodes, agrees with the
 * other sentinels, votes and stands for election, fails the shard over when elected, and keeps the replicas in line.
 */
final class ShardSentinel {
    private final ShardId shard;
    private final SentinelSettings settings;
    private final Outbox outbox;
    private final Ballot ballot;
    private final Watch watch;
    private final Peers peers;
    private final Election election;
    private final Repair repair;

    private boolean objectivelyDown;
    private @Nullable Failover failover;
    private @Nullable Publication publication;
    /** What the others were last told, at once or with the period. */
    private Opinion said;

    ShardSentinel(
            ShardMemory memory,
            List<NodeId> nodes,
            SentinelSettings settings,
            Outbox outbox,
            RandomGenerator random,
            long now) {
        shard = memory.configuration().shard();
        this.settings = settings;
        this.outbox = outbox;
        ballot = new Ballot(memory);
        watch = new Watch(shard, nodes, settings, outbox, now);
        peers = new Peers(settings);
        election = new Election(shard, settings, ballot, outbox, random, now);
        repair = new Repair(settings, watch, outbox);
        said = new Opinion(ballot.configuration(), false, 0);
    }

    Configuration configuration() {
        return ballot.configuration();
    }

    ShardMemory memory() {
        return ballot.memory();
    }

    boolean takeChanged() {
        return ballot.takeChanged();
    }

    /** {@return the nodes that this sentinel holds down} */
    List<NodeId> down() {
        return watch.down();
    }

    Opinion opinion() {
        return new Opinion(
                ballot.configuration(),
                watch.isDown(ballot.configuration().primary()),
                failover == null ? 0 : failover.epoch());
    }

    void observerWasLate(long nanos) {
        watch.observerWasLate(nanos);
    }

    boolean hasNodes(List<NodeId> nodes) {
        return watch.nodes().equals(nodes.stream().sorted().toList());
    }

    /** The shard is no more: whatever was under way is given up. */
    void removed(long now) {
        if (failover != null) {
            failover.abort(AbortReason.UNKNOWN_SHARD, now);
        } else if (publication != null) {
            outbox.add(new FailoverAborted(
                    now, outbox.self(), shard, publication.configuration().epoch(), AbortReason.UNKNOWN_SHARD));
        }
        election.withdraw(AbortReason.UNKNOWN_SHARD, now);
    }

    void tick(boolean abstaining, long now) {
        watch.ping(now);
        watch.judge(ballot.configuration(), now);
        judgeTogether(now);
        if (failover != null) {
            failover.tick(now);
            settle(now);
        } else if (!abstaining) {
            boolean wanted = objectivelyDown && (settings.allowLossyFailover() || watch.hearsMajority());
            lead(election.tick(wanted, now), now);
        }
        if (publication != null) {
            publication.resend(new Opinions(List.of(opinion())), settings, now);
        }
        repair.tick(ballot.configuration(), now);
        announce();
    }

    void failOver(boolean abstaining, long now) {
        if (abstaining || failover != null || !election.isIdle() || election.isYielding(now)) {
            outbox.add(new FailoverRefused(
                    now,
                    outbox.self(),
                    shard,
                    ballot.configuration().epoch(),
                    abstaining ? AbortReason.ABSTAINING : AbortReason.FAILOVER_IN_PROGRESS));
            return;
        }
        lead(election.startManually(now), now);
        announce();
    }

    void receive(NodeId from, Opinion opinion, long now) {
        learn(opinion.configuration(), now);
        ballot.hear(opinion.leading());
        peers.heard(from, opinion, now);
        election.heardOf(from, opinion.leading(), now);
        if (failover != null && opinion.leading() > failover.epoch()) {
            failover.superseded(now);
            settle(now);
        }
        if (publication != null) {
            publication.heard(from, opinion.configuration());
            completePublication(now);
        }
        judgeTogether(now);
        announce();
    }

    void receive(NodeId from, ElectionMessage message, boolean abstaining, long now) {
        learn(message.configuration(), now);
        if (message instanceof PreVoteAnswer answer) {
            ballot.hear(answer.highest());
            lead(election.receive(from, answer, now), now);
        } else if (message instanceof VoteAnswer answer) {
            ballot.hear(answer.highest());
            lead(election.receive(from, answer, now), now);
        } else if (abstaining) {
            election.refuse(from, message, Refusal.ABSTAINING, now);
        } else if (message instanceof PreVoteRequest request) {
            boolean down = watch.isDown(ballot.configuration().primary());
            election.receive(from, request, down, failover != null, now);
        } else if (message instanceof VoteRequest request) {
            ballot.hear(request.epoch());
            election.receive(from, request, now);
            if (failover != null && ballot.votedEpoch() > failover.epoch()) {
                failover.superseded(now);
                settle(now);
            }
        } else {
            throw new AssertionError(message);
        }
        announce();
    }

    void answered(NodeAnswer answer, long now) {
        NodeReport report = answer.report();
        if (!watch.knows(report.node())) {
            return;
        }
        ballot.hear(report.epoch());
        watch.heard(report, ballot.configuration(), now);
        if (failover != null) {
            failover.answered(answer, now);
            settle(now);
        }
        if (report.primary()) { // of its epoch, in which there cannot be another
            learn(new Configuration(shard, report.epoch(), report.node()), now);
        }
        announce();
    }

    /** Takes over a configuration if it is later than the known one. */
    void learn(Configuration configuration, long now) {
        if (configuration.epoch() > ballot.configuration().epoch() && watch.knows(configuration.primary())) {
            adopt(configuration, false, now);
        }
    }

    private void adopt(Configuration configuration, boolean byOwnFailover, long now) {
        NodeId former = ballot.configuration().primary();
        if (objectivelyDown) {
            objectivelyDown = false;
            outbox.add(new ObjectivelyUp(
                    now, outbox.self(), shard, ballot.configuration().epoch(), former));
        }
        ballot.adopt(configuration);
        outbox.add(new ConfigurationAdopted(
                now, outbox.self(), shard, configuration.epoch(), former, configuration.primary()));
        if (publication != null) {
            outbox.add(new FailoverAborted(
                    now, outbox.self(), shard, publication.configuration().epoch(), AbortReason.SUPERSEDED));
        }
        publication = byOwnFailover ? new Publication(configuration, outbox, now) : null;
        if (failover != null && failover.epoch() <= configuration.epoch()) {
            failover.superseded(now);
            failover = null;
        }
        watch.adopted(configuration, now);
        watch.judge(configuration, now);
        election.adopted(configuration, now);
        repair.adopted(byOwnFailover);
        completePublication(now);
    }

    private void lead(long epoch, long now) {
        if (epoch == 0) {
            return;
        }
        Configuration before = ballot.configuration();
        NodeReport primary = watch.report(before.primary());
        boolean switchover = election.wonManually()
                && !watch.isDown(before.primary())
                && primary != null
                && primary.leads(before.epoch());
        failover = new Failover(epoch, before, switchover, settings, watch, outbox, now);
        settle(now);
    }

    /** Draws the conclusion from a failover that has ended. */
    private void settle(long now) {
        if (failover == null) {
            return;
        }
        Configuration result = failover.result();
        if (result != null) {
            failover = null;
            adopt(result, true, now);
        } else if (failover.isAborted()) {
            failover = null;
            election.postpone(now);
        }
    }

    private void completePublication(long now) {
        if (publication != null && publication.isStoredByMajority()) {
            Configuration stored = publication.configuration();
            publication = null;
            outbox.add(new Switched(now, outbox.self(), shard, stored.epoch(), stored.primary()));
        }
    }

    private void judgeTogether(long now) {
        Configuration configuration = ballot.configuration();
        int agreeing = watch.isDown(configuration.primary()) ? 1 + peers.agreeing(configuration, now) : 0;
        boolean down = agreeing >= settings.quorum();
        if (down && !objectivelyDown) {
            outbox.add(new ObjectivelyDown(
                    now, outbox.self(), shard, configuration.epoch(), configuration.primary(), agreeing));
        } else if (!down && objectivelyDown) {
            outbox.add(new ObjectivelyUp(now, outbox.self(), shard, configuration.epoch(), configuration.primary()));
        }
        objectivelyDown = down;
    }

    /** Tells the other sentinels at once what they would else learn with the next period. */
    private void announce() {
        Opinion opinion = opinion();
        if (!opinion.equals(said)) {
            said = opinion;
            outbox.broadcast(new Opinions(List.of(opinion)));
        }
    }

    void checkInvariants() {
        election.checkInvariants();
        if (failover != null) {
            check(
                    failover.epoch() > ballot.configuration().epoch(),
                    "a leader's epoch must be later than the topology");
            check(failover.epoch() == ballot.votedEpoch(), "a leader must have voted in no later epoch than its own");
            check(ballot.votedFor(outbox.self(), failover.epoch()), "a leader must have voted for itself");
            check(election.isIdle(), "a leader must not be a candidate");
        }
        check(ballot.highest() >= ballot.votedEpoch(), "a vote must not be in an epoch never heard of");
        check(
                ballot.highest() >= ballot.configuration().epoch(),
                "a configuration must not be of an epoch never heard of");
        check(
                publication == null || publication.configuration().equals(configuration()),
                "only the latest is published");
        check(watch.knows(ballot.configuration().primary()), "the primary must be watched");
    }

    private void check(boolean holds, String rule) {
        if (!holds) {
            throw new AssertionError(rule + ": " + shard + ", " + ballot.memory());
        }
    }
}
