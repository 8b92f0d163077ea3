package io.kvorum.replication;

import io.kvorum.slots.topology.NodeId;

/**
 * Carries messages between the nodes of a shard.
 *
 * <p>The protocol expects nothing of it: a message may be lost, repeated, delayed or overtaken. What it delivers must
 * be what was sent, and must come from whom it says.
 *
 * <p>Safe for use by any number of threads.
 */
@FunctionalInterface
public interface Transport {
    /**
     * Sends a message, or loses it. Never blocks and never throws.
     *
     * <p>The transport takes over the message's buffers, even if it throws: it releases them if it drops the message,
     * and hands them on to the receiver otherwise. To deliver a message twice it sends
     * {@link ReplicationMessage#copy()} once.
     *
     * @param to the receiver
     * @param message the message
     */
    void send(NodeId to, ReplicationMessage message);
}
