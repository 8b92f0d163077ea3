package io.kvorum.testkit.model;

import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A sentinel that runs attempts, one after the other. It remembers nothing that safety rests on.
 *
 * <pre>
 * Idle -> Asking -> [FencingPrimary ->] Fencing -> Promoted; any -> Idle or Asking
 * </pre>
 */
final class ModelCandidate {
    enum Kind {
        FAILOVER,
        SWITCHOVER,
        LOSSY_FAILOVER,
        BOOTSTRAP,
        BEGIN_ANEW
    }

    private enum Step {
        IDLE,
        ASKING,
        FENCING_PRIMARY,
        FENCING,
        PROMOTED
    }

    /** Draws numbers that nobody else draws. */
    interface Draw {
        long next();
    }

    private final int id;
    private final int sentinel;
    private final int number;
    private final int nodes;
    private final int topologyNodes;
    private final int firstPrimary;
    private final Rules rules;
    private final Draw draw;
    private final RandomGenerator random;
    private final List<Message> outbox;

    private Step step = Step.IDLE;
    private Kind kind = Kind.FAILOVER;
    private long epoch = Epochs.NONE;
    private Holder holder;
    private int oldPrimary;
    private final Message.@Nullable State[] answers;

    /**
     * @param id where answers are sent to: every candidate has another one
     * @param sentinel the identity of the sentinel: the same for two processes that were started as one by mistake
     * @param number the number in the epochs of the sentinel
     */
    ModelCandidate(
            int id,
            int sentinel,
            int number,
            int nodes,
            int topologyNodes,
            Rules rules,
            Draw draw,
            RandomGenerator random,
            List<Message> outbox) {
        this.id = id;
        this.sentinel = sentinel;
        this.number = rules.on(Rule.NUMBER_IN_EPOCH) ? number : 1;
        this.nodes = nodes;
        this.topologyNodes = topologyNodes;
        firstPrimary = random.nextInt(topologyNodes);
        this.rules = rules;
        this.draw = draw;
        this.random = random;
        this.outbox = outbox;
        holder = new Holder(sentinel, draw.next());
        answers = new Message.State[nodes];
    }

    boolean isIdle() {
        return step == Step.IDLE || step == Step.PROMOTED;
    }

    void forget() {
        step = Step.IDLE;
        epoch = Epochs.NONE;
        clearAnswers();
    }

    void start(Kind what) {
        kind = what;
        holder = new Holder(sentinel, draw.next());
        clearAnswers();
        step = Step.ASKING;
        for (int node = 0; node < asked(); node++) {
            outbox.add(new Message.Describe(id, node, holder.attempt()));
        }
    }

    void described(Message.Described answer) {
        if (step != Step.ASKING || answer.attempt() != holder.attempt()) {
            return;
        }
        answers[answer.state().node()] = answer.state();
        if (!enough()) {
            return;
        }
        long highest = Epochs.NONE;
        oldPrimary = -1;
        long leading = Epochs.NONE;
        for (Message.State state : answers) {
            if (state != null) {
                highest = Math.max(highest, state.promised());
                if (state.leading() > leading) {
                    leading = state.leading();
                    oldPrimary = state.node();
                }
            }
        }
        long round = Epochs.roundOf(highest);
        take(
                switch (kind) {
                    case FAILOVER, SWITCHOVER -> Epochs.nextRound(round, rules, random);
                    case BOOTSTRAP -> Epochs.firstRound(round, rules, random);
                    case LOSSY_FAILOVER, BEGIN_ANEW -> Epochs.lossyRound(round, rules, random);
                });
        clearAnswers();
        if (kind == Kind.SWITCHOVER && oldPrimary >= 0) {
            step = Step.FENCING_PRIMARY;
            outbox.add(new Message.Fence(id, oldPrimary, epoch, holder));
        } else {
            fenceAll();
        }
    }

    void fenced(Message.Fenced answer) {
        if (step == Step.IDLE || step == Step.ASKING || !isForThisAttempt(answer)) {
            return;
        }
        if (step == Step.FENCING_PRIMARY) {
            if (answer.state().node() == oldPrimary) {
                answers[oldPrimary] = answer.state();
                fenceAll();
            }
            return;
        }
        if (step == Step.PROMOTED && rules.on(Rule.ONE_PROMOTION)) {
            return;
        }
        answers[answer.state().node()] = answer.state();
        if (enough() && (kind == Kind.BOOTSTRAP || random.nextBoolean())) {
            promote();
        }
    }

    private boolean isForThisAttempt(Message.Fenced answer) {
        if (answer.refused() && rules.on(Rule.REFUSALS_DO_NOT_COUNT)) {
            return false;
        }
        return !rules.on(Rule.COUNT_OWN_ANSWERS)
                || (answer.epoch() == epoch && answer.holder().isSameAs(holder, rules));
    }

    private void take(long round) {
        epoch = Epochs.of(round, number);
    }

    private int asked() {
        return kind == Kind.BOOTSTRAP ? topologyNodes : nodes;
    }

    private void fenceAll() {
        step = Step.FENCING;
        for (int node = 0; node < asked(); node++) {
            outbox.add(new Message.Fence(id, node, epoch, holder));
        }
    }

    private void clearAnswers() {
        Arrays.fill(answers, null);
    }

    /** Says whether those that answered are enough for this step. */
    private boolean enough() {
        return switch (kind) {
            case FAILOVER, SWITCHOVER -> (step == Step.ASKING && !rules.on(Rule.ASK_A_MAJORITY)) || majority();
            case LOSSY_FAILOVER -> newest() != null && random.nextInt(3) == 0;
            case BEGIN_ANEW -> random.nextInt(3) == 0;
            case BOOTSTRAP -> bootstrapMayGoOn();
        };
    }

    private boolean bootstrapMayGoOn() {
        int count = 0;
        boolean ask = step == Step.ASKING || rules.on(Rule.BOOTSTRAP_ASKS_THE_FENCED);
        for (Message.State state : answers) {
            if (state != null) {
                count++;
                if (state.begun() && ask) {
                    step = Step.IDLE;
                    return false;
                }
            }
        }
        boolean majorityWillDo = step == Step.FENCING && !rules.on(Rule.BOOTSTRAP_FENCES_ALL);
        return count == topologyNodes || (majorityWillDo && count > topologyNodes / 2);
    }

    private boolean counts(Message.@Nullable State state) {
        Rule rule = step == Step.ASKING ? Rule.ASK_COMPLETE_MEMBERS : Rule.COUNT_COMPLETE_MEMBERS;
        return state != null && (state.complete() || !rules.on(rule));
    }

    private boolean majority() {
        Message.State newest = newest();
        return newest != null && newest.log().majority(newest.committed(), rules, this::isCounted);
    }

    private boolean isCounted(int node, int incarnation) {
        Message.State state = answers[node];
        return state != null
                && counts(state)
                && (state.incarnation() == incarnation || !rules.on(Rule.COUNT_INCARNATIONS));
    }

    /** The complete node with the greatest position, hence with the newest list. */
    private Message.@Nullable State newest() {
        Message.State newest = null;
        for (Message.State state : answers) {
            if (state != null
                    && state.complete()
                    && (newest == null
                            || (rules.on(Rule.NEWEST_LIST)
                                    ? state.log().isAfter(newest.log())
                                    : newest.log().isAfter(state.log())))) {
                newest = state;
            }
        }
        return newest;
    }

    private void promote() {
        switch (kind) {
            case BOOTSTRAP, BEGIN_ANEW -> begin();
            default -> {
                Message.State chosen = choose();
                if (chosen != null) {
                    step = Step.PROMOTED;
                    outbox.add(new Message.Promote(
                            chosen.node(),
                            epoch,
                            holder,
                            chosen.incarnation(),
                            chosen.log(),
                            kind == Kind.LOSSY_FAILOVER));
                }
            }
        }
    }

    private Message.@Nullable State choose() {
        Message.State newest = newest();
        if (newest == null) {
            return null;
        }
        Message.State best = null;
        for (Message.State state : answers) {
            if (state == null
                    || !counts(state)
                    || !newest.log().isMember(state.node(), newest.committed(), rules, this::isCounted)) {
                continue;
            }
            if (best == null || isBetter(state, best)) {
                best = state;
            }
        }
        return best != null && (best.electable() || kind == Kind.LOSSY_FAILOVER) ? best : null;
    }

    /** A greater position; among equals priority, and chance in place of ids. */
    private boolean isBetter(Message.State state, Message.State best) {
        if (!rules.on(Rule.GREATEST_POSITION) && random.nextBoolean()) {
            return true;
        }
        if (!state.log().samePosition(best.log())) {
            return state.log().isAfter(best.log());
        }
        return random.nextBoolean() && (state.electable() || !best.electable());
    }

    private void begin() {
        int first = firstPrimary;
        Message.State best = null;
        int[] incarnations = new int[nodes];
        for (Message.State state : answers) {
            if (state != null) {
                incarnations[state.node()] = state.incarnation();
                boolean asComplete = best != null && state.complete() == best.complete();
                if (best == null
                        || (!asComplete && state.complete())
                        || (asComplete && state.log().isAfter(best.log()))) {
                    best = state;
                }
            }
        }
        if (best == null || (kind == Kind.BOOTSTRAP && answers[first] == null)) {
            return;
        }
        if (kind == Kind.BEGIN_ANEW) {
            first = best.node();
        }
        if (kind == Kind.BEGIN_ANEW && rules.on(Rule.BEGIN_ANEW_LISTS_ONE)) {
            incarnations = new int[nodes];
            incarnations[first] = best.incarnation();
        }
        step = Step.PROMOTED;
        outbox.add(new Message.Begin(first, epoch, holder, Members.of(incarnations), kind == Kind.BEGIN_ANEW));
    }
}
