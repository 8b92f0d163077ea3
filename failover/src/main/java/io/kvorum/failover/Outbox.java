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
    private List<Envelope> messages = List.of();
    private List<AddressedCommand> commands = List.of();
    private List<SentinelEvent> events = List.of();
    private List<Completion> completions = List.of();
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
        messages = messages.isEmpty() ? new ArrayList<>() : messages;
        messages.add(new Envelope(to, message));
    }

    void broadcast(SentinelMessage message) {
        for (NodeId peer : peers) {
            send(peer, message);
        }
    }

    void send(NodeId to, NodeCommand command) {
        commands = commands.isEmpty() ? new ArrayList<>() : commands;
        commands.add(new AddressedCommand(to, command));
    }

    void tell(SentinelFact fact, long now) {
        events = events.isEmpty() ? new ArrayList<>() : events;
        events.add(event(fact, now));
    }

    /** {@return the next event, for someone else to deliver} */
    SentinelEvent event(SentinelFact fact, long now) {
        return new SentinelEvent(++lastEvent, now, self, fact);
    }

    void complete(long request, Operation operation, OperationOutcome outcome, long now) {
        completions = completions.isEmpty() ? new ArrayList<>() : completions;
        completions.add(new Completion(request, operation, outcome));
        tell(new SentinelFact.OperationEnded(operation, outcome), now);
    }

    List<Envelope> takeMessages() {
        List<Envelope> taken = messages;
        messages = List.of();
        return taken;
    }

    List<AddressedCommand> takeCommands() {
        List<AddressedCommand> taken = commands;
        commands = List.of();
        return taken;
    }

    List<SentinelEvent> takeEvents() {
        List<SentinelEvent> taken = events;
        events = List.of();
        return taken;
    }

    List<Completion> takeCompletions() {
        List<Completion> taken = completions;
        completions = List.of();
        return taken;
    }
}
