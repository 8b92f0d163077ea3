package io.kvorum.replication.runtime;

/**
 * How long writes wait at a node until enough nodes have them. Writes at the level {@code LOCAL} wait for nobody and
 * are not counted.
 *
 * <p>Immutable.
 *
 * @param waiting how many writes wait now
 * @param acknowledged how many were acknowledged
 * @param nanos how long those waited, all together, in nanoseconds
 * @param failed how many ended otherwise: with an unknown outcome, or as lost
 */
public record AcknowledgementStats(long waiting, long acknowledged, long nanos, long failed) {}
