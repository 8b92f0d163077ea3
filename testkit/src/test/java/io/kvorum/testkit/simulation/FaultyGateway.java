package io.kvorum.testkit.simulation;

import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeAnswer.Outcome;
import io.kvorum.failover.NodeCommand;
import io.kvorum.failover.NodeGateway;
import io.kvorum.failover.NodeReport;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A gateway that breaks a rule, for the mutants that need it. The nodes keep the rules that it doesn't break, so it
 * tells them what they must hear to go along.
 *
 * <p>Confined to one thread.
 */
final class FaultyGateway implements NodeGateway {
    private final NodeGateway nodes;
    private final Mutant mutant;
    private final Map<NodeId, NodeReport> reports = new HashMap<>();
    private final Map<NodeId, Long> incarnations = new HashMap<>();
    private final Set<NodeId> promised = new HashSet<>();

    FaultyGateway(NodeGateway nodes, Mutant mutant) {
        this.nodes = nodes;
        this.mutant = mutant;
    }

    /** {@return whether a mutant needs this gateway} */
    static boolean isNeededFor(Mutant mutant) {
        return switch (mutant) {
            case FENCE_IGNORED,
                    REFUSAL_TAKEN_FOR_PROMISE,
                    OLD_PROMISE_COUNTS,
                    PRIORITY_DECIDES,
                    OLD_POSITION_COUNTS,
                    SECOND_PROMOTION,
                    SECOND_CHOICE,
                    PRIMARY_TAKEN_FOR_FENCED,
                    INCOMPLETE_PROMISE_COUNTS,
                    FORMER_INCARNATION_COUNTS,
                    PAUSE_LEFT_OUT -> true;
            default -> false;
        };
    }

    @Override
    public void send(NodeId node, NodeCommand command, Consumer<NodeAnswer> answer) {
        NodeReport last = reports.get(node);
        if (command instanceof NodeCommand.Fence fence) {
            fence(node, fence, last, answer);
        } else if (command instanceof NodeCommand.Promote promote) {
            promote(node, promote, answer);
        } else if (command instanceof NodeCommand.Pause && mutant == Mutant.PAUSE_LEFT_OUT && last != null) {
            answer.accept(new NodeAnswer(command, Outcome.DONE, last));
        } else {
            nodes.send(node, command, given -> answer.accept(heard(given)));
        }
    }

    private void fence(NodeId node, NodeCommand.Fence fence, @Nullable NodeReport last, Consumer<NodeAnswer> answer) {
        if (last != null && isPretended(node, last)) {
            answer.accept(promise(fence, last));
            return;
        }
        nodes.send(node, fence, given -> answer.accept(heard(given)));
    }

    private boolean isPretended(NodeId node, NodeReport last) {
        return switch (mutant) {
            case FENCE_IGNORED -> true;
            case OLD_PROMISE_COUNTS -> promised.contains(node);
            case PRIMARY_TAKEN_FOR_FENCED -> last.primary();
            default -> false;
        };
    }

    private static NodeAnswer promise(NodeCommand.Fence fence, NodeReport report) {
        return new NodeAnswer(fence, Outcome.DONE, with(report, fence.epoch(), report.position()));
    }

    /** Promotes a node at whatever position it has, and, for one mutant, another one beside it. */
    private void promote(NodeId node, NodeCommand.Promote promote, Consumer<NodeAnswer> answer) {
        if (mutant == Mutant.SECOND_PROMOTION) {
            nodes.send(node, promote, given -> answer.accept(heard(given)));
            promoteAnother(node, promote, answer);
        } else if (mutant == Mutant.SECOND_CHOICE) {
            nodes.send(node, promote, given -> {
                if (given.done()) {
                    answer.accept(heard(given));
                } else {
                    promoteAnother(node, promote, answer);
                }
            });
        } else if (mutant == Mutant.OLD_POSITION_COUNTS) {
            nodes.send(node, promote, answer);
        } else {
            promoteAnyhow(node, promote, answer);
        }
    }

    private void promoteAnother(NodeId node, NodeCommand.Promote promote, Consumer<NodeAnswer> answer) {
        reports.values().stream()
                .filter(report -> promised.contains(report.node())
                        && !report.node().equals(node)
                        && report.shard().equals(promote.shard()))
                .findFirst()
                .ifPresent(other -> promoteAnyhow(other.node(), promote, answer));
    }

    private void promoteAnyhow(NodeId node, NodeCommand.Promote promote, Consumer<NodeAnswer> answer) {
        nodes.send(node, new NodeCommand.Fence(promote.shard(), promote.epoch(), promote.holder()), fenced -> {
            NodeCommand actual = new NodeCommand.Promote(
                    promote.shard(),
                    promote.epoch(),
                    promote.holder(),
                    fenced.report().incarnation(),
                    fenced.report().position(),
                    -1);
            nodes.send(
                    node,
                    actual,
                    given -> answer.accept(heard(new NodeAnswer(promote, given.outcome(), given.report()))));
        });
    }

    private NodeAnswer heard(NodeAnswer given) {
        NodeReport report = given.report();
        NodeReport before = reports.get(report.node());
        if (mutant != Mutant.OLD_POSITION_COUNTS || isPing(given.command())) {
            reports.put(report.node(), report);
        }
        if (given.command() instanceof NodeCommand.Fence fence) {
            if (mutant == Mutant.REFUSAL_TAKEN_FOR_PROMISE && !given.done()) {
                return promise(fence, report);
            }
            if (given.done()) {
                promised.add(report.node());
            }
            if (mutant == Mutant.OLD_POSITION_COUNTS && before != null) {
                return new NodeAnswer(fence, given.outcome(), with(report, report.epoch(), before.position()));
            }
        }
        return switch (mutant) {
            case PRIORITY_DECIDES ->
                new NodeAnswer(given.command(), given.outcome(), with(report, report.epoch(), LogPosition.START));
            case INCOMPLETE_PROMISE_COUNTS ->
                new NodeAnswer(given.command(), given.outcome(), with(report, report.incarnation(), true));
            case FORMER_INCARNATION_COUNTS -> {
                long first = incarnations.computeIfAbsent(report.node(), any -> report.incarnation());
                yield new NodeAnswer(given.command(), given.outcome(), with(report, first, report.complete()));
            }
            default -> given;
        };
    }

    private static boolean isPing(NodeCommand command) {
        return command instanceof NodeCommand.Describe describe && describe.nonce() == 0;
    }

    private static NodeReport with(NodeReport report, long incarnation, boolean complete) {
        return new NodeReport(
                report.node(),
                report.shard(),
                incarnation,
                report.primary(),
                report.epoch(),
                report.following(),
                report.position(),
                report.committed(),
                complete,
                report.begun(),
                report.membership(),
                report.membersAt(),
                report.joining(),
                report.priority());
    }

    private static NodeReport with(NodeReport report, long epoch, LogPosition position) {
        return new NodeReport(
                report.node(),
                report.shard(),
                report.incarnation(),
                report.primary() && report.epoch() == epoch,
                epoch,
                report.following(),
                position,
                report.committed(),
                report.complete(),
                report.begun(),
                report.membership(),
                report.membersAt(),
                report.joining(),
                report.priority());
    }
}
