package io.kvorum.testkit.simulation;

import io.kvorum.testkit.simulation.SimulatedNetwork.Rule;
import java.util.ArrayList;
import java.util.List;

/**
 * An election that all but one of those who took part in it forget, while its promotion is under way for seconds: a
 * primary is cut off, a first sentinel wins and orders a promotion that is late, and crashes; its voters lose their
 * state; another sentinel, which has heard nothing of all that, is elected, and by then the old primary is back.
 *
 * <p>Confined to one thread.
 */
final class ForgottenElection implements SimulatedNetwork.Taps {
    private static final List<MessageKind> ANSWERS =
            List.of(MessageKind.DESCRIBED, MessageKind.FENCED, MessageKind.PROMOTED, MessageKind.FOLLOWED);

    private static final long SPREAD = 100 * Plan.MILLISECOND;

    private final Cluster cluster;
    private final FaultInjector faults;
    private final SimulatedNetwork network;
    private final Shape shape;
    private final int primary;
    private final int shard;
    private final int leader;
    private final int unaware;
    private final long answersLate;
    private final List<Rule> rules = new ArrayList<>();
    private Phase phase = Phase.BEFORE_PROMOTION;
    private int chosen = -1;

    private enum Phase {
        BEFORE_PROMOTION,
        FORGOTTEN,
        SECOND_LEADER,
        OVER
    }

    /**
     * Begins; {@link #end} ends it.
     *
     * @param primary the primary that is cut off
     * @param random draws who takes which part, and how late messages are
     */
    ForgottenElection(Cluster cluster, FaultInjector faults, int primary, Randomness random) {
        this.cluster = cluster;
        this.faults = faults;
        this.network = cluster.network();
        this.shape = cluster.plan().shape();
        this.primary = primary;
        this.shard = shape.shardOf(primary);
        int first = random.nextInt(shape.sentinels());
        this.leader = shape.nodes() + first;
        this.unaware = shape.nodes() + (first + 1 + random.nextInt(shape.sentinels() - 1)) % shape.sentinels();
        this.answersLate = random.nextLong(2 * Plan.SECOND, 4 * Plan.SECOND);
        cut(1L << primary, shape.everybody() & ~(1L << primary), 1);
        cut(1L << unaware, 1L << leader, 1);
        answersLate(1L << unaware);
        add(new Rule(
                MessageKind.PRE_VOTE,
                1L << unaware,
                shape.everybody(),
                1000,
                SimulatedNetwork.NEVER,
                SimulatedNetwork.NEVER));
        long promotionLate = random.nextLong(3 * Plan.SECOND, 5 * Plan.SECOND);
        add(new Rule(
                MessageKind.PROMOTE, 1L << leader, shape.everybody(), 1000, promotionLate, promotionLate + SPREAD));
    }

    private void cut(long some, long others, int change) {
        network.cut(some, others, change);
        network.cut(others, some, change);
    }

    private void answersLate(long receivers) {
        ANSWERS.forEach(
                kind -> add(new Rule(kind, shape.everybody(), receivers, 1000, answersLate, answersLate + SPREAD)));
    }

    private void add(Rule rule) {
        rules.add(rule);
        network.add(rule);
    }

    private void removeRules() {
        rules.forEach(network::remove);
        rules.clear();
    }

    @Override
    public void sent(MessageKind kind, SimulatedProcess from, SimulatedProcess to) {
        if (phase == Phase.BEFORE_PROMOTION && kind == MessageKind.PROMOTE && from.index() == leader) {
            if (shape.isNode(to.index()) && shape.shardOf(to.index()) == shard) {
                phase = Phase.FORGOTTEN;
                chosen = to.index();
                cluster.after(0, this::forget);
            }
        } else if (phase == Phase.FORGOTTEN && kind == MessageKind.FENCE && from.index() == unaware) {
            phase = Phase.SECOND_LEADER;
            cluster.after(0, this::bringBack);
        }
    }

    private void forget() {
        cluster.coverage().count(Sometimes.FORGOTTEN_ELECTION);
        removeRules();
        answersLate(shape.allSentinels());
        faults.crash(leader, 10 * Plan.SECOND, Memory.KEPT);
        for (int i = shape.nodes(); i < shape.nodes() + shape.sentinels(); i++) {
            if (i != leader && i != unaware) {
                faults.crash(i, Plan.MILLISECOND, Memory.ALL_LOST);
            }
        }
    }

    private void bringBack() {
        removeRules();
        cut(1L << primary, shape.everybody() & ~(1L << primary), -1);
        cut(1L << chosen, shape.everybody() & ~(1L << chosen | 1L << leader), 1);
    }

    /** Ends it: everybody reaches everybody again. */
    void end() {
        removeRules();
        if (phase == Phase.SECOND_LEADER) {
            cut(1L << chosen, shape.everybody() & ~(1L << chosen | 1L << leader), -1);
        } else {
            cut(1L << primary, shape.everybody() & ~(1L << primary), -1);
        }
        cut(1L << unaware, 1L << leader, -1);
        phase = Phase.OVER;
    }
}
