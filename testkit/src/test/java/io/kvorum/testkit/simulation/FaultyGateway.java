package io.kvorum.testkit.simulation;

import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeCommand;
import io.kvorum.failover.NodeGateway;
import io.kvorum.failover.NodeReport;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * A gateway that breaks a rule, for the mutants that need it. The nodes keep the rules that it doesn't break, so it
 * tells them what they must hear to go along.
 */
final class FaultyGateway implements NodeGateway {
    private static final long RECENT = Plan.SECOND;

    private final NodeGateway nodes;
    private final Mutant mutant;
    private final LongSupplier now;
    private final Map<NodeId, Heard> reports = new HashMap<>();

    private record Heard(NodeReport report, long at) {}

    FaultyGateway(NodeGateway nodes, Mutant mutant, LongSupplier now) {
        this.now = now;
        this.nodes = nodes;
        this.mutant = mutant;
    }

    @Override
    public void send(NodeId node, NodeCommand command, Consumer<NodeAnswer> answer) {
        Heard last = reports.get(node);
        if (mutant == Mutant.FENCE_IGNORED && command instanceof NodeCommand.Fence fence && last != null) {
            boolean recent = now.getAsLong() - last.at < RECENT;
            LogPosition position = recent ? last.report.position() : LogPosition.START;
            NodeReport pretended = with(last.report, fence.epoch(), position);
            answer.accept(new NodeAnswer(command, NodeAnswer.Outcome.DONE, pretended));
        } else if (command instanceof NodeCommand.Promote promote) {
            promoteAnyhow(node, promote, answer);
        } else {
            nodes.send(node, command, given -> {
                reports.put(node, new Heard(given.report(), now.getAsLong()));
                answer.accept(rewritten(given));
            });
        }
    }

    /** Promotes the node at whatever position it has. */
    private void promoteAnyhow(NodeId node, NodeCommand.Promote promote, Consumer<NodeAnswer> answer) {
        nodes.send(node, new NodeCommand.Fence(promote.shard(), promote.epoch(), promote.holder()), fenced -> {
            NodeCommand actual = new NodeCommand.Promote(
                    promote.shard(),
                    promote.epoch(),
                    promote.holder(),
                    fenced.report().incarnation(),
                    fenced.report().position());
            nodes.send(
                    node,
                    actual,
                    given -> answer.accept(rewritten(new NodeAnswer(promote, given.outcome(), given.report()))));
        });
    }

    private NodeAnswer rewritten(NodeAnswer given) {
        if (mutant != Mutant.PRIORITY_DECIDES) {
            return given;
        }
        NodeReport report = given.report();
        return new NodeAnswer(given.command(), given.outcome(), with(report, report.epoch(), LogPosition.START));
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
                report.complete(),
                report.begun(),
                report.membership(),
                report.priority());
    }
}
