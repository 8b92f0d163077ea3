package io.kvorum.failover;

import io.kvorum.slots.NodeId;

/** Carries messages between sentinels. */
public interface SentinelTransport {
    /**
     * Sends a message to another sentinel. Never blocks and never throws; the message may be lost, delayed, repeated,
     * or overtaken by another.
     *
     * @param to the receiving sentinel
     * @param message the message
     */
    void send(NodeId to, SentinelMessage message);
}
