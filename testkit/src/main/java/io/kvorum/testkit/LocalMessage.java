package io.kvorum.testkit;

import static java.util.Objects.requireNonNull;

import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeCommand;
import io.kvorum.failover.SentinelMessage;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.slots.topology.NodeId;

/**
 * What one party of a {@link LocalCluster} sends to another.
 *
 * @param from the sender
 * @param to the receiver
 * @param content a {@link ReplicationMessage}, a {@link SentinelMessage}, a {@link NodeCommand} or a
 *     {@link NodeAnswer}; its buffers are borrowed until the call to which the message is given returns
 */
public record LocalMessage(NodeId from, NodeId to, Object content) {
    /** Checks that nothing is missing. */
    public LocalMessage {
        requireNonNull(from, "from");
        requireNonNull(to, "to");
        requireNonNull(content, "content");
    }

    /** Lets go of buffers that nobody takes. */
    void release() {
        if (content instanceof ReplicationMessage message) {
            message.release();
        }
    }

    /** {@return a message that can be delivered beside this one} */
    LocalMessage copy() {
        return content instanceof ReplicationMessage message ? new LocalMessage(from, to, message.copy()) : this;
    }
}
