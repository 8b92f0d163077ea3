package io.kvorum.testkit;

import static java.util.Objects.requireNonNull;

import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeCommand;
import io.kvorum.failover.NodeGateway;
import io.kvorum.failover.NodeReport;
import io.kvorum.replication.ControlAnswer;
import io.kvorum.replication.NodeRole;
import io.kvorum.replication.NodeStatus;
import io.kvorum.replication.runtime.NodeDriver;
import io.kvorum.slots.topology.NodeId;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Lets sentinels watch the replicated nodes of this JVM and command them: the glue between failover and replication.
 *
 * <p>Every command, {@link NodeCommand.Describe} too, takes a step of the node's driver, so a node whose driver is not
 * run any more is silent. A node that is unknown or closed never answers.
 *
 * <p>Safe for use by any number of threads.
 */
public final class ShardNodeGateway implements NodeGateway {
    /** An epoch that every node has promised from its start, so that a fence at it only asks for the status. */
    private static final long NO_EPOCH = 0;

    private final Function<? super NodeId, ? extends @Nullable NodeDriver> nodes;

    /**
     * Makes a gateway.
     *
     * @param nodes finds the driver that runs a node now, or null; called for each command, by any thread
     */
    public ShardNodeGateway(Function<? super NodeId, ? extends @Nullable NodeDriver> nodes) {
        this.nodes = requireNonNull(nodes, "nodes");
    }

    @Override
    public void send(NodeId node, NodeCommand command, Consumer<NodeAnswer> answer) {
        NodeDriver driver = nodes.apply(node);
        if (driver == null) {
            return;
        }
        NodeStatus status = driver.status();
        if (!status.shard().equals(command.shard())) {
            answer.accept(new NodeAnswer(command, NodeAnswer.Outcome.WRONG_SHARD, report(status)));
            return;
        }
        carryOut(driver, command).thenAccept(given -> {
            if (given.outcome() != ControlAnswer.Outcome.CLOSED
                    && given.outcome() != ControlAnswer.Outcome.OVERLOADED) {
                answer.accept(new NodeAnswer(command, outcome(command, given.outcome()), report(given.status())));
            }
        });
    }

    private static CompletionStage<ControlAnswer> carryOut(NodeDriver driver, NodeCommand command) {
        if (command instanceof NodeCommand.Describe) {
            return driver.fence(NO_EPOCH);
        } else if (command instanceof NodeCommand.Fence fence) {
            return driver.fence(fence.epoch());
        } else if (command instanceof NodeCommand.Promote promote) {
            return driver.promote(promote.epoch(), promote.expected(), promote.nodes());
        } else if (command instanceof NodeCommand.Follow follow) {
            return driver.follow(follow.epoch(), follow.primary());
        } else if (command instanceof NodeCommand.Pause pause) {
            return driver.pause(pause.epoch(), pause.limit());
        } else if (command instanceof NodeCommand.Resume resume) {
            return driver.resume(resume.epoch());
        } else {
            throw new AssertionError(command);
        }
    }

    private static NodeAnswer.Outcome outcome(NodeCommand command, ControlAnswer.Outcome outcome) {
        return switch (outcome) {
            case DONE -> NodeAnswer.Outcome.DONE;
            case STALE_EPOCH ->
                command instanceof NodeCommand.Describe ? NodeAnswer.Outcome.DONE : NodeAnswer.Outcome.STALE_EPOCH;
            case NOT_SYNCED -> NodeAnswer.Outcome.NOT_SYNCED;
            case NOT_FENCED, WRONG_POSITION -> NodeAnswer.Outcome.WRONG_POSITION;
            case OTHER_PRIMARY, NOT_PRIMARY -> NodeAnswer.Outcome.NOT_PRIMARY;
            case NOT_SAVED, OVERLOADED, CLOSED -> NodeAnswer.Outcome.NOT_SAVED;
        };
    }

    private static NodeReport report(NodeStatus status) {
        boolean leads = status.role() == NodeRole.PRIMARY;
        return new NodeReport(
                status.node(),
                status.shard(),
                leads,
                status.epoch(),
                leads ? null : status.primary(),
                status.position(),
                status.synced(),
                status.priority());
    }
}
