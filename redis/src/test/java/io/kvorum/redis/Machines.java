package io.kvorum.redis;

import io.kvorum.slots.topology.NodeId;
import io.lettuce.core.RedisURI;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The network between machines, on each of which are a server, its node, a sentinel and clients. A machine can be cut
 * off from the others. Safe for use by any number of threads.
 */
final class Machines implements AutoCloseable {
    private final Map<NodeId, RealServer> servers;
    private final Map<NodeId, Map<NodeId, Wire>> wires = new LinkedHashMap<>();
    private final Set<NodeId> isolated = ConcurrentHashMap.newKeySet();

    Machines(Map<NodeId, RealServer> servers) {
        this.servers = Map.copyOf(servers);
        for (NodeId from : servers.keySet()) {
            Map<NodeId, Wire> ofOne = new LinkedHashMap<>();
            servers.forEach((to, server) -> {
                if (!to.equals(from)) {
                    ofOne.put(to, new Wire(server.port()));
                }
            });
            wires.put(from, ofOne);
        }
    }

    /** Returns where a machine finds each server. */
    Map<NodeId, RedisURI> uris(NodeId from) {
        Map<NodeId, RedisURI> uris = new LinkedHashMap<>();
        servers.forEach((to, server) -> {
            Wire wire = wires.getOrDefault(from, Map.of()).get(to);
            uris.put(to, wire == null ? server.uri() : RedisURI.create("127.0.0.1", wire.port()));
        });
        return uris;
    }

    boolean isOpen(NodeId from, NodeId to) {
        return from.equals(to) || (!isolated.contains(from) && !isolated.contains(to));
    }

    void isolate(NodeId node) {
        isolated.add(node);
        update();
    }

    void join(NodeId node) {
        isolated.remove(node);
        update();
    }

    private void update() {
        wires.forEach((from, ofOne) -> ofOne.forEach((to, wire) -> {
            if (isOpen(from, to)) {
                wire.heal();
            } else {
                wire.cut();
            }
        }));
    }

    @Override
    public void close() {
        wires.values().forEach(ofOne -> ofOne.values().forEach(Wire::close));
    }
}
