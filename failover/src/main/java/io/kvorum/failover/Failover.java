package io.kvorum.failover;

import io.kvorum.failover.SentinelEvent.AbortReason;
import io.kvorum.failover.SentinelEvent.FailoverAborted;
import io.kvorum.failover.SentinelEvent.NodeFenced;
import io.kvorum.failover.SentinelEvent.NodePromoted;
import io.kvorum.failover.SentinelEvent.NodeSelected;
import io.kvorum.failover.SentinelEvent.PrimaryPaused;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What an elected leader does in its epoch: it has the nodes promise the epoch, chooses among those that did, and
 * promotes the chosen one. If any of it fails, or takes too long, the leader gives up; whatever it has done by then is
 * harmless, and a later epoch does it anew. A leader promotes at most one node, so an epoch has at most one primary.
 *
 * <p>For a switchover, that is with a primary which is well, it first has the primary hold its writes back until a
 * replica has all of them.
 */
final class Failover {
    private enum Step {
        PAUSING,
        CATCHING_UP,
        FENCING,
        PROMOTING,
        PROMOTED,
        ABORTED
    }

    private final long epoch;
    private final Configuration before;
    private final boolean switchover;
    private final List<NodeId> nodes;
    private final SentinelSettings settings;
    private final Watch watch;
    private final Outbox outbox;

    private Step step;
    /** When the primary was to be paused, or the nodes to be fenced: each has its own time limit. */
    private long begunAt;

    private long sentAt;
    private @Nullable LogPosition finalPosition;
    /** In a switchover the nodes that have all of the primary's writes, itself included. */
    private final Set<NodeId> caughtUp = new LinkedHashSet<>();

    private final Map<NodeId, NodeReport> promised = new LinkedHashMap<>();
    /** When the promises sufficed to go on; meaningful once {@link #enough} is set. */
    private long enoughAt;

    private boolean enough;
    private @Nullable NodeReport chosen;

    /**
     * Starts the failover; the primary is paused first if {@code switchover} is set.
     *
     * @param epoch the epoch that this sentinel was elected for
     * @param before the configuration to replace
     */
    Failover(
            long epoch,
            Configuration before,
            boolean switchover,
            SentinelSettings settings,
            Watch watch,
            Outbox outbox,
            long now) {
        this.epoch = epoch;
        this.before = before;
        this.switchover = switchover;
        this.settings = settings;
        this.watch = watch;
        this.outbox = outbox;
        nodes = watch.nodes();
        step = switchover ? Step.PAUSING : Step.FENCING;
        begunAt = now;
        if (switchover && nodes.stream().noneMatch(this::mayBePromoted)) {
            outbox.add(new FailoverAborted(now, outbox.self(), before.shard(), epoch, AbortReason.NO_ELIGIBLE_NODE));
            step = Step.ABORTED;
        }
        send(now);
    }

    private boolean mayBePromoted(NodeId node) {
        NodeReport report = watch.report(node);
        return report != null && !node.equals(before.primary()) && report.synced() && report.priority() > 0;
    }

    long epoch() {
        return epoch;
    }

    boolean isAborted() {
        return step == Step.ABORTED;
    }

    /** {@return the configuration that this failover has brought about, or null while it has not} */
    @Nullable
    Configuration result() {
        return step == Step.PROMOTED && chosen != null ? new Configuration(before.shard(), epoch, chosen.node()) : null;
    }

    void tick(long now) {
        if (isTooLate(now)) {
            abortTooLate(now);
            return;
        }
        if (step == Step.FENCING) {
            chooseIfReady(now);
        }
        long period = step == Step.CATCHING_UP // writes are held back meanwhile
                ? settings.tickPeriod().toNanos()
                : settings.resendPeriod().toNanos();
        if (now - sentAt >= period) {
            send(now);
        }
    }

    private boolean isTooLate(long now) {
        boolean pausing = step == Step.PAUSING || step == Step.CATCHING_UP;
        Duration limit = pausing ? settings.pauseLimit() : settings.attemptTimeout();
        return now - begunAt >= limit.toNanos();
    }

    private void abortTooLate(long now) {
        if (step == Step.PAUSING || step == Step.CATCHING_UP) {
            abort(AbortReason.REPLICAS_BEHIND, now);
        } else {
            abort(step == Step.PROMOTING ? AbortReason.PROMOTION_TIMEOUT : AbortReason.TOO_FEW_NODES, now);
        }
    }

    /** Sends what is still unanswered in this step. */
    private void send(long now) {
        sentAt = now;
        if (step == Step.PAUSING) {
            outbox.send(before.primary(), new NodeCommand.Pause(before.shard(), before.epoch(), settings.pauseLimit()));
        } else if (step == Step.CATCHING_UP) {
            for (NodeId node : nodes) {
                if (!node.equals(before.primary())) {
                    outbox.send(node, new NodeCommand.Describe(before.shard()));
                }
            }
        } else if (step == Step.FENCING) {
            for (NodeId node : nodes) {
                if (!promised.containsKey(node)) {
                    outbox.send(node, new NodeCommand.Fence(before.shard(), epoch));
                }
            }
        } else if (step == Step.PROMOTING && chosen != null) {
            outbox.send(chosen.node(), new NodeCommand.Promote(before.shard(), epoch, chosen.position(), nodes));
        }
    }

    private void enter(Step next, long now) {
        step = next;
        send(now);
    }

    /** Another sentinel has come up in a later epoch, or a node has promised one. */
    void superseded(long now) {
        abort(AbortReason.SUPERSEDED, now);
    }

    /** Gives up; what was asked of the nodes is harmless. */
    void abort(AbortReason reason, long now) {
        if (step == Step.PAUSING || step == Step.CATCHING_UP) {
            outbox.send(before.primary(), new NodeCommand.Resume(before.shard(), before.epoch()));
        }
        step = Step.ABORTED;
        outbox.add(new FailoverAborted(now, outbox.self(), before.shard(), epoch, reason));
    }

    void answered(NodeAnswer answer, long now) {
        NodeReport report = answer.report();
        if (step == Step.PROMOTED || step == Step.ABORTED || !nodes.contains(report.node())) {
            return;
        }
        if (report.epoch() > epoch) {
            superseded(now);
        } else if (step != Step.PROMOTING && isTooLate(now)) { // what is promoted already may still be found to be so
            abortTooLate(now);
        } else if (step == Step.PAUSING && answer.command() instanceof NodeCommand.Pause pause) {
            paused(pause, answer, now);
        } else if (step == Step.CATCHING_UP) {
            describedWhilePaused(report, now);
        } else if (step == Step.FENCING && answer.command() instanceof NodeCommand.Fence fence) {
            if (fence.epoch() == epoch && answer.done() && !promised.containsKey(report.node())) {
                promised.put(report.node(), report);
                outbox.add(new NodeFenced(
                        now, outbox.self(), before.shard(), epoch, report.node(), report.position(), report.synced()));
                chooseIfReady(now);
            }
        } else if (step == Step.PROMOTING) {
            promoteAnswered(answer, now);
        }
    }

    private void paused(NodeCommand.Pause pause, NodeAnswer answer, long now) {
        NodeReport report = answer.report();
        if (pause.epoch() != before.epoch() || !report.node().equals(before.primary())) {
            return;
        }
        if (!answer.done()) {
            abort(AbortReason.PAUSE_REFUSED, now);
            return;
        }
        finalPosition = report.position();
        caughtUp.add(report.node());
        outbox.add(new PrimaryPaused(now, outbox.self(), before.shard(), epoch, report.node(), report.position()));
        enter(Step.CATCHING_UP, now);
    }

    /** Goes on once so many nodes have everything that the promises of the others are not needed. */
    private void describedWhilePaused(NodeReport report, long now) {
        if (report.synced() && report.position().equals(finalPosition)) {
            caughtUp.add(report.node());
        }
        int needed = settings.allowLossyFailover() ? 2 : Math.max(2, Watch.majority(nodes.size()));
        if (caughtUp.size() >= needed && caughtUp.stream().anyMatch(this::mayBePromoted)) {
            begunAt = now;
            enter(Step.FENCING, now);
        }
    }

    private void chooseIfReady(long now) {
        long synced = promised.values().stream().filter(NodeReport::synced).count();
        if (synced < (settings.allowLossyFailover() ? 1 : Watch.majority(nodes.size()))) {
            return;
        }
        if (!enough) {
            enough = true;
            enoughAt = now;
        }
        boolean othersMayAnswer = nodes.stream().anyMatch(node -> !promised.containsKey(node) && !watch.isDown(node));
        if (othersMayAnswer && now - enoughAt < settings.fenceGrace().toNanos()) {
            return;
        }
        NodeId former = before.primary();
        Selection selection = new Selection(
                switchover || watch.report(former) == null ? null : former,
                switchover ? former : null,
                settings.allowLossyFailover());
        chosen = selection.choose(promised.values());
        if (chosen == null) {
            abort(AbortReason.NO_ELIGIBLE_NODE, now);
            return;
        }
        outbox.add(new NodeSelected(now, outbox.self(), before.shard(), epoch, chosen.node(), chosen.position()));
        enter(Step.PROMOTING, now);
    }

    private void promoteAnswered(NodeAnswer answer, long now) {
        NodeReport report = answer.report();
        if (chosen == null || !report.node().equals(chosen.node())) {
            return;
        }
        if (report.leads(epoch)) { // whatever it answers: a lost answer to the promotion is made up for by any other
            step = Step.PROMOTED;
            outbox.add(new NodePromoted(now, outbox.self(), before.shard(), epoch, report.node()));
        } else if (answer.command() instanceof NodeCommand.Promote promote
                && promote.epoch() == epoch
                && !answer.done()
                && answer.outcome() != NodeAnswer.Outcome.NOT_SAVED) {
            abort(AbortReason.PROMOTION_REFUSED, now);
        }
    }
}
