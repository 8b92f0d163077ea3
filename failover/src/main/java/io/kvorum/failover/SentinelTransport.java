package io.kvorum.failover;

import io.kvorum.slots.topology.NodeId;

/**
 * Carries messages between sentinels.
 *
 * <p>A driver calls it from the thread that takes its step: never from two at a time, but from changing ones. A
 * transport with several drivers is called by as many threads at a time. Safe for use by any number of threads.
 */
@FunctionalInterface
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
