package io.kvorum.replication;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link ShardNode} wants done, grouped by where it goes.
 *
 * <p>The promise comes first: before it is saved, nothing of this value or of a later one may leave the node; once it
 * is, say so by {@link ShardNode#promiseSaved}. Then the log: before it is durable up to {@code durableOffset}, no
 * message and no completion of this value may leave.
 *
 * @param toSave the promise to save, or {@code null} if it has not changed
 * @param durableOffset the offset up to which the log must be durable first; 0 if nothing rests on that
 * @param messages to send, in order; whoever takes this value owns their buffers
 * @param events to publish, in order
 * @param completions requests that have an outcome
 * @param wakeAt when the next work falls due that only time brings about, in nanoseconds of the clock that the node is
 *     given; {@link #NEVER} if there is none
 */
public record Ready(
        @Nullable Promise toSave,
        long durableOffset,
        List<Envelope> messages,
        List<ReplicationEvent> events,
        List<Completion> completions,
        long wakeAt) {
    /** Says that nothing falls due by itself. */
    public static final long NEVER = Long.MAX_VALUE;

    /**
     * A message and where it goes.
     *
     * @param to the receiver
     * @param message the message
     */
    public record Envelope(NodeId to, ReplicationMessage message) {}

    /**
     * The outcome of a request to {@link ShardNode#await} or {@link ShardNode#confirm}.
     *
     * @param request the number of the request
     * @param position the position that was awaited
     * @param outcome what became of it
     * @param acknowledged how many replicas, beside this node, were known to have the position
     */
    public record Completion(long request, LogPosition position, Outcome outcome, int acknowledged) {}

    /** What became of a request. */
    public enum Outcome {
        /** Enough nodes have the position; a confirmation was given. */
        ACKNOWLEDGED(null),
        /** The position is not part of the shard's history, and never will be. */
        LOST(null),
        /** Too few nodes answered in time. */
        TIMEOUT(OutcomeUnknownException.Reason.TIMEOUT),
        /** The node is not the primary any more, or cannot tell. */
        DEPOSED(OutcomeUnknownException.Reason.DEPOSED),
        /** The node was closed. */
        CLOSED(OutcomeUnknownException.Reason.CLOSED),
        /** The node has as many requests waiting as it can hold. */
        OVERLOADED(OutcomeUnknownException.Reason.OVERLOADED);

        private final OutcomeUnknownException.@Nullable Reason unknown;

        Outcome(OutcomeUnknownException.@Nullable Reason unknown) {
            this.unknown = unknown;
        }

        /** {@return why the outcome is unknown, or {@code null} if it is known} */
        public OutcomeUnknownException.@Nullable Reason unknown() {
            return unknown;
        }
    }
}
