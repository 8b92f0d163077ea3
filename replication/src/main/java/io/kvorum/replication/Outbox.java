package io.kvorum.replication;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a node's machine has to say since it was last asked. */
final class Outbox {
    private List<Ready.Envelope> messages = new ArrayList<>();
    private List<ReplicationEvent> events = new ArrayList<>();
    private List<Ready.Completion> completions = new ArrayList<>();

    void send(NodeId to, ReplicationMessage message) {
        messages.add(new Ready.Envelope(to, message));
    }

    void publish(ReplicationEvent event) {
        events.add(event);
    }

    void complete(long request, LogPosition position, OutcomeUnknownException.@Nullable Reason reason) {
        completions.add(new Ready.Completion(request, position, reason));
    }

    Ready take(long promise) {
        Ready ready = new Ready(promise, messages, events, completions);
        messages = new ArrayList<>();
        events = new ArrayList<>();
        completions = new ArrayList<>();
        return ready;
    }
}
