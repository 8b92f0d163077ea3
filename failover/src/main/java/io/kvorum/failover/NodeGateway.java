package io.kvorum.failover;

import io.kvorum.slots.NodeId;
import java.util.function.Consumer;

/**
 * How sentinels reach the nodes. Implemented for whatever is watched: the nodes of this library, or anything else with
 * a primary and replicas that can keep the promises of {@link NodeCommand}.
 */
public interface NodeGateway {
    /**
     * Sends a command. Never blocks and never throws; a node that can't be reached just doesn't answer.
     *
     * @param node the node to send it to
     * @param command the command
     * @param answer takes the answer, on any thread; it may come never, late, or more than once
     */
    void send(NodeId node, NodeCommand command, Consumer<NodeAnswer> answer);
}
