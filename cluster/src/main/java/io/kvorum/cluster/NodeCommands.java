package io.kvorum.cluster;

import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeCommand;
import io.kvorum.failover.NodeReport;
import io.kvorum.replication.ControlAnswer;
import io.kvorum.replication.NodeRole;
import io.kvorum.replication.NodeStatus;
import io.kvorum.replication.runtime.NodeDriver;
import java.lang.System.Logger.Level;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Carries out the commands of sentinels at a replicated node: the glue between failover and replication, for a node
 * that is driven without a {@link ClusterNode}.
 */
public final class NodeCommands {
    private static final System.Logger logger = System.getLogger(NodeCommands.class.getName());

    private NodeCommands() {}

    /**
     * Carries a command out at a node. Every command, {@link NodeCommand.Describe} too, takes a step of the node's
     * driver, so a node whose driver is stuck is silent; so is one that is overloaded, or closed.
     *
     * @param driver runs the node
     * @param command the command
     * @param answer takes the answer, if there is one, on a thread of the driver's scheduler; what it throws is logged,
     *     and the answer counts as lost
     */
    public static void execute(NodeDriver driver, NodeCommand command, Consumer<? super NodeAnswer> answer) {
        execute(driver, command, NodeCommands::report, answer);
    }

    /** Carries out a command as above, with reports made by a function. */
    static void execute(
            NodeDriver driver,
            NodeCommand command,
            Function<NodeStatus, NodeReport> reports,
            Consumer<? super NodeAnswer> answer) {
        boolean ownShard = driver.status().shard().equals(command.shard());
        if (!ownShard || command instanceof NodeCommand.Describe) {
            driver.describe(given -> pass(command, ownShard, given, reports, answer));
        } else {
            begin(driver, command).thenAccept(given -> pass(command, true, given, reports, answer));
        }
    }

    private static void pass(
            NodeCommand command,
            boolean ownShard,
            ControlAnswer given,
            Function<NodeStatus, NodeReport> reports,
            Consumer<? super NodeAnswer> answer) {
        boolean silent =
                given.outcome() == ControlAnswer.Outcome.CLOSED || given.outcome() == ControlAnswer.Outcome.OVERLOADED;
        if (!silent) { // answered by a step
            NodeAnswer.Outcome outcome = ownShard ? outcome(given.outcome()) : NodeAnswer.Outcome.WRONG_SHARD;
            pass(new NodeAnswer(command, outcome, reports.apply(given.status())), answer);
        }
    }

    private static void pass(NodeAnswer given, Consumer<? super NodeAnswer> answer) {
        try {
            answer.accept(given);
        } catch (Throwable e) { // of the caller's code, which else would not hear of it
            logger.log(Level.WARNING, () -> "answer of node " + given.report().node() + " could not be passed on", e);
        }
    }

    private static CompletionStage<ControlAnswer> begin(NodeDriver driver, NodeCommand command) {
        if (command instanceof NodeCommand.Fence fence) {
            return driver.fence(fence.epoch(), fence.holder());
        } else if (command instanceof NodeCommand.Promote promote) {
            return driver.promote(
                    promote.epoch(), promote.holder(), promote.incarnation(), promote.expected(), promote.committed());
        } else if (command instanceof NodeCommand.Begin begin) {
            return driver.begin(begin.epoch(), begin.holder(), begin.members(), begin.joining(), begin.dataLost());
        } else if (command instanceof NodeCommand.Follow follow) {
            return driver.follow(follow.epoch(), follow.primary());
        } else if (command instanceof NodeCommand.Pause pause) {
            return driver.pause(pause.epoch(), pause.limit());
        } else if (command instanceof NodeCommand.Resume resume) {
            return driver.resume(resume.epoch());
        } else if (command instanceof NodeCommand.Replace replace) {
            return driver.replace(replace.epoch(), replace.outgoing(), replace.incoming());
        } else {
            throw new AssertionError(command);
        }
    }

    private static NodeAnswer.Outcome outcome(ControlAnswer.Outcome outcome) {
        return switch (outcome) {
            case DONE -> NodeAnswer.Outcome.DONE;
            case STALE_EPOCH -> NodeAnswer.Outcome.STALE_EPOCH;
            case OTHER_HOLDER -> NodeAnswer.Outcome.OTHER_HOLDER;
            case NOT_FENCED -> NodeAnswer.Outcome.NOT_FENCED;
            case NOT_COMPLETE -> NodeAnswer.Outcome.NOT_COMPLETE;
            case OTHER_INCARNATION -> NodeAnswer.Outcome.OTHER_INCARNATION;
            case WRONG_POSITION -> NodeAnswer.Outcome.WRONG_POSITION;
            case OTHER_PRIMARY -> NodeAnswer.Outcome.OTHER_PRIMARY;
            case NOT_PRIMARY -> NodeAnswer.Outcome.NOT_PRIMARY;
            case ALREADY_BEGUN -> NodeAnswer.Outcome.ALREADY_BEGUN;
            case CHANGE_UNDER_WAY -> NodeAnswer.Outcome.CHANGE_UNDER_WAY;
            case WRONG_SHARD -> NodeAnswer.Outcome.WRONG_SHARD;
            case NOT_SAVED -> NodeAnswer.Outcome.NOT_SAVED;
            case OVERLOADED -> NodeAnswer.Outcome.OVERLOADED;
            case CLOSED -> NodeAnswer.Outcome.CLOSED;
            case NOT_MEMBER -> NodeAnswer.Outcome.NOT_MEMBER;
        };
    }

    static NodeReport report(NodeStatus status) {
        boolean leads = status.role() == NodeRole.PRIMARY;
        return new NodeReport(
                status.node(),
                status.shard(),
                status.incarnation(),
                leads,
                status.epoch(),
                leads ? null : status.primary(),
                status.position(),
                status.committed(),
                status.complete(),
                status.begun(),
                status.membership(),
                status.membersAt(),
                status.joining(),
                status.priority());
    }
}
