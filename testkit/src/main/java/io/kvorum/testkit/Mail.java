package io.kvorum.testkit;

import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeCommand;
import io.kvorum.failover.SentinelMessage;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.slots.topology.NodeId;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Takes what the nodes and sentinels of a cluster send to its network and on to the receiver, and does what is to be
 * done at stop points.
 *
 * <p>Safe for use by any number of threads.
 */
final class Mail {
    private final Parties parties;
    private final Network network;
    private final Wire wire;
    private final Failures failures;
    private final Map<StopPoint, List<Consumer<? super StopPoint.Hit>>> stops = new ConcurrentHashMap<>();

    Mail(Parties parties, Network network, Wire wire, Failures failures) {
        this.parties = parties;
        this.network = network;
        this.wire = wire;
        this.failures = failures;
    }

    void at(StopPoint point, Consumer<? super StopPoint.Hit> action) {
        stops.computeIfAbsent(point, key -> new CopyOnWriteArrayList<>()).add(action);
    }

    /** Does what is to be done at a stop point; returns whether that is anything. */
    boolean hit(StopPoint.@Nullable Hit hit) {
        List<Consumer<? super StopPoint.Hit>> actions = hit == null ? null : stops.get(hit.point());
        if (hit == null || actions == null) {
            return false;
        }
        for (Consumer<? super StopPoint.Hit> action : actions) {
            try {
                action.accept(hit);
            } catch (Throwable e) { // the test is to know, and the party not
                failures.add(e);
            }
        }
        return true;
    }

    void send(NodeId from, NodeId to, ReplicationMessage message) {
        LocalNode node = parties.nodeOrNull(to);
        if (node == null) {
            message.release();
            return;
        }
        carry(
                new LocalMessage(from, to, wire.carry(message)),
                arrived -> node.receive(from, (ReplicationMessage) arrived.content()));
    }

    void send(NodeId from, NodeId to, SentinelMessage message) {
        LocalSentinel sentinel = parties.sentinelOrNull(to);
        if (sentinel != null) {
            carry(
                    new LocalMessage(from, to, wire.carry(message)),
                    arrived -> sentinel.receive(from, (SentinelMessage) arrived.content()));
        }
    }

    void send(NodeId from, NodeId to, NodeCommand command, Consumer<NodeAnswer> answer) {
        LocalNode node = parties.nodeOrNull(to);
        if (node != null) {
            carry(
                    new LocalMessage(from, to, wire.carry(command)),
                    arrived -> node.execute(
                            (NodeCommand) arrived.content(),
                            result -> carry(
                                    new LocalMessage(to, from, wire.carry(result)),
                                    answered -> answer.accept((NodeAnswer) answered.content()))));
        }
    }

    private void carry(LocalMessage message, Consumer<LocalMessage> receiver) {
        if (hit(StopPoint.of(message)) && !parties.isRunning(message.from())) {
            message.release();
        } else {
            network.carry(message, receiver);
        }
    }
}
