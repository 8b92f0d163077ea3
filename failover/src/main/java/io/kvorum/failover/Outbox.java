package io.kvorum.failover;

import io.kvorum.failover.Sentinel.AddressedCommand;
import io.kvorum.failover.Sentinel.Completion;
import io.kvorum.failover.Sentinel.Envelope;
import io.kvorum.slots.topology.NodeId;
import java.util.ArrayList;
import java.util.List;

/** The outputs of a sentinel until its driver asks for them. */
final class Outbox {
    private final NodeId self;
    private final List<NodeId> peers;
    private List<Envelope> messages = new ArrayList<>();
    private List<AddressedCommand> commands = new ArrayList<>();
    private List<SentinelEvent> events = new ArrayList<>();
    private List<Completion> completions = new ArrayList<>();
    private long lastEvent;

    Outbox(NodeId self, List<NodeId> peers) {
        this.self = self;
        this.peers = peers;
    }

    NodeId self() {
        return self;
    }

    /** {@return the other sentinels} */
    List<NodeId> peers() {
        return peers;
    }

    void send(NodeId to, SentinelMessage message) {
        messages.add(new Envelope(to, message));
    }

    void broadcast(SentinelMessage message) {
        for (NodeId peer : peers) {
            send(peer, message);
        }
    }

    void send(NodeId to, NodeCommand command) {
        commands.add(new AddressedCommand(to, command));
    }

    void tell(SentinelFact fact, long now) {
        events.add(event(fact, now));
    }

    /** {@return the next event, for someone else to deliver} */
    SentinelEvent event(SentinelFact fact, long now) {
        return new SentinelEvent(++lastEvent, now, self, fact);
    }

    void complete(long request, Operation operation, OperationOutcome outcome, long now) {
        completions.add(new Completion(request, operation, outcome));
        tell(new SentinelFact.OperationEnded(operation, outcome), now);
    }

    List<Envelope> takeMessages() {
        List<Envelope> taken = messages;
        messages = taken.isEmpty() ? taken : new ArrayList<>();
        return List.copyOf(taken);
    }

    List<AddressedCommand> takeCommands() {
        List<AddressedCommand> taken = commands;
        commands = taken.isEmpty() ? taken : new ArrayList<>();
        return List.copyOf(taken);
    }

    List<SentinelEvent> takeEvents() {
        List<SentinelEvent> taken = events;
        events = taken.isEmpty() ? taken : new ArrayList<>();
        return List.copyOf(taken);
    }

    List<Completion> takeCompletions() {
        List<Completion> taken = completions;
        completions = taken.isEmpty() ? taken : new ArrayList<>();
        return List.copyOf(taken);
    }
}
