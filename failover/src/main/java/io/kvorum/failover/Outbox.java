package io.kvorum.failover;

import io.kvorum.failover.Sentinel.AddressedCommand;
import io.kvorum.failover.Sentinel.Envelope;
import io.kvorum.slots.topology.NodeId;
import java.util.ArrayList;
import java.util.List;

/** Collects what a sentinel wants done until its driver asks for it. */
final class Outbox {
    private final NodeId self;
    private final List<NodeId> peers;
    private List<Envelope> messages = new ArrayList<>();
    private List<AddressedCommand> commands = new ArrayList<>();
    private List<SentinelEvent> events = new ArrayList<>();

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

    void add(SentinelEvent event) {
        events.add(event);
    }

    List<Envelope> takeMessages() {
        List<Envelope> taken = messages;
        messages = new ArrayList<>();
        return taken;
    }

    List<AddressedCommand> takeCommands() {
        List<AddressedCommand> taken = commands;
        commands = new ArrayList<>();
        return taken;
    }

    List<SentinelEvent> takeEvents() {
        List<SentinelEvent> taken = events;
        events = new ArrayList<>();
        return taken;
    }
}
