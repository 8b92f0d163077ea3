package io.kvorum.replication;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link ShardNode} wants done, grouped by where it goes.
 *
 * <p>The promise comes first: before it is saved, nothing of this value or of a later one may leave the node.
 *
 * @param promise the promised epoch to save, or -1 if it has not changed
 * @param messages to send, in order; whoever takes this value owns their buffers
 * @param events to publish, in order
 * @param completions requests that have an outcome
 */
public record Ready(
        long promise, List<Envelope> messages, List<ReplicationEvent> events, List<Completion> completions) {
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
     * @param reason why the outcome is unknown; null if the position was acknowledged
     */
    public record Completion(long request, LogPosition position, OutcomeUnknownException.@Nullable Reason reason) {}
}
