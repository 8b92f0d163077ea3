package io.kvorum.failover;

import io.kvorum.slots.topology.NodeId;
import java.util.function.Consumer;

/**
 * How sentinels reach the nodes. Implemented for whatever is watched: the nodes of this library, or anything else with
 * a primary and replicas that can keep the promises of {@link NodeCommand}.
 *
 * <p>A driver calls it from the thread that takes its step: never from two at a time, but from changing ones. A gateway
 * with several drivers is called by as many threads at a time. Safe for use by any number of threads.
 */
@FunctionalInterface
public interface NodeGateway {
    /**
     * Sends a command. Never blocks and never throws; a node that cannot be reached just does not answer.
     *
     * @param node the node to send it to
     * @param command the command
     * @param answer takes the answer, on any thread; it may come never, late, or more than once
     */
    void send(NodeId node, NodeCommand command, Consumer<NodeAnswer> answer);
}
