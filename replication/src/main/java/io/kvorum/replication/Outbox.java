package io.kvorum.replication;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a node's machine has to say since it was last asked. */
final class Outbox {
    private List<Ready.Envelope> messages = List.of();
    private List<ReplicationEvent> events = List.of();
    private List<Ready.Completion> completions = List.of();
    private long durableOffset;

    void send(NodeId to, ReplicationMessage message) {
        if (messages.isEmpty()) {
            messages = new ArrayList<>();
        }
        messages.add(new Ready.Envelope(to, message));
    }

    /** Demands that the log be durable up to an offset before anything leaves. */
    void requireDurable(long offset) {
        durableOffset = Math.max(durableOffset, offset);
    }

    void publish(ReplicationEvent event) {
        if (events.isEmpty()) {
            events = new ArrayList<>();
        }
        events.add(event);
    }

    /** {@return the text of a failure of user code; the name of its class if {@code toString} fails too} */
    static String text(Throwable failure) {
        try {
            return String.valueOf(failure);
        } catch (RuntimeException | Error e) {
            return failure.getClass().getName();
        }
    }

    void complete(long request, LogPosition position, Ready.Outcome outcome, int acknowledged) {
        if (completions.isEmpty()) {
            completions = new ArrayList<>();
        }
        completions.add(new Ready.Completion(request, position, outcome, acknowledged));
    }

    Ready take(@Nullable Promise toSave, long wakeAt) {
        Ready ready = new Ready(toSave, durableOffset, messages, events, completions, wakeAt);
        messages = List.of();
        events = List.of();
        completions = List.of();
        durableOffset = 0;
        return ready;
    }
}
