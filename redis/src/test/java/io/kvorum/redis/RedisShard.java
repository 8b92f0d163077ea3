package io.kvorum.redis;

import io.kvorum.cluster.ClusterSentinel;
import io.kvorum.failover.NodeCommand;
import io.kvorum.failover.NodeReport;
import io.kvorum.failover.SentinelEvent;
import io.kvorum.failover.SentinelList;
import io.kvorum.failover.SentinelSettings;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import io.lettuce.core.RedisURI;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Three real servers with a node beside each, and three sentinels that watch them. */
final class RedisShard implements AutoCloseable {
    static final ShardId SHARD = new ShardId("orders");
    static final List<NodeId> NODES = List.of(new NodeId("a"), new NodeId("b"), new NodeId("c"));

    private static final SentinelList SENTINELS =
            SentinelList.of(new NodeId("sentinel-1"), new NodeId("sentinel-2"), new NodeId("sentinel-3"));

    final Map<NodeId, RealServer> servers = new LinkedHashMap<>();
    final Map<NodeId, RedisURI> uris = new LinkedHashMap<>();
    final Map<NodeId, RedisNode> nodes = new ConcurrentHashMap<>();
    final Map<NodeId, ClusterSentinel> sentinels = new ConcurrentHashMap<>();
    final List<SentinelEvent> events = new CopyOnWriteArrayList<>();
    private final Path directory;
    private final SentinelSettings settings;
    private @Nullable Machines machines;

    /** Starts the servers and the nodes. */
    RedisShard(Path directory, SentinelSettings settings) {
        this(directory, settings, false);
    }

    /**
     * As the other one, with a sentinel on the machine of each server, and machines that can be cut off if so wished.
     */
    RedisShard(Path directory, SentinelSettings settings, boolean onMachines) {
        this.directory = directory;
        this.settings = settings;
        try {
            for (NodeId node : NODES) {
                RealServer server = RealServer.start(RealServer.newest(), "--replicaof", "127.0.0.1", "1");
                servers.put(node, server);
                uris.put(node, server.uri());
            }
            if (onMachines) {
                machines = new Machines(servers);
            }
            for (NodeId node : NODES) {
                Files.createDirectories(directory.resolve(node.value()));
                startNode(node);
            }
        } catch (IOException e) {
            close();
            throw new UncheckedIOException(e);
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    void startNode(NodeId node) throws IOException {
        nodes.put(node, RedisNode.start(node, SHARD, uris(node), directory.resolve(node.value())));
    }

    Machines machines() {
        if (machines == null) {
            throw new IllegalStateException("all are on one machine");
        }
        return machines;
    }

    /** Returns where a node finds each server. */
    Map<NodeId, RedisURI> uris(NodeId from) {
        return machines == null ? uris : machines.uris(from);
    }

    private static NodeId machineOf(NodeId sentinel) {
        return NODES.get(SENTINELS.ids().indexOf(sentinel));
    }

    ClusterSentinel sentinelAt(NodeId machine) {
        ClusterSentinel sentinel = sentinels.get(SENTINELS.ids().get(NODES.indexOf(machine)));
        if (sentinel == null) {
            throw new IllegalStateException("no sentinel at " + machine);
        }
        return sentinel;
    }

    private boolean isOpen(NodeId from, NodeId to) {
        return machines == null || machines.isOpen(from, to);
    }

    /** Waits until a node says of itself what is expected. */
    private void awaitReport(NodeId node, Predicate<NodeReport> expected) {
        AtomicBoolean seen = new AtomicBoolean();
        AtomicInteger asked = new AtomicInteger();
        RealServers.await("the node is as it should be", () -> {
            RedisNode reached = nodes.get(node);
            if (reached != null && asked.getAndIncrement() % 20 == 0) {
                reached.execute(new NodeCommand.Describe(SHARD, 0), answer -> {
                    if (expected.test(answer.report())) {
                        seen.set(true);
                    }
                });
            }
            return seen.get();
        });
    }

    /** Starts the sentinels, and begins the shard with the first node as its primary, once all nodes answer. */
    void begin() {
        NODES.forEach(node -> awaitReport(node, report -> true));
        try {
            ClusterTopology topology = ClusterTopology.EMPTY.apply(
                    ClusterTopology.EMPTY.version(),
                    List.of(
                            new TopologyChange.AddShard(SHARD, 0, NODES.get(0), NODES.subList(1, 3)),
                            new TopologyChange.AssignSlots(SlotSet.ALL, SHARD)));
            for (NodeId sentinel : SENTINELS.ids()) {
                sentinels.put(
                        sentinel,
                        ClusterSentinel.builder(sentinel, SENTINELS, topology)
                                .settings(settings)
                                .transport((to, message) -> {
                                    ClusterSentinel other = sentinels.get(to);
                                    if (other != null && isOpen(machineOf(sentinel), machineOf(to))) {
                                        other.receive(sentinel, message);
                                    }
                                })
                                .gateway((node, command, answer) -> {
                                    RedisNode reached = nodes.get(node);
                                    if (reached != null && isOpen(machineOf(sentinel), node)) {
                                        reached.execute(command, given -> {
                                            if (isOpen(node, machineOf(sentinel))) {
                                                answer.accept(given);
                                            }
                                        });
                                    }
                                })
                                .listener(events::add)
                                .start());
            }
            anySentinel().bootstrap(SHARD).toCompletableFuture().join();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    RealServer server(NodeId node) {
        RealServer server = servers.get(node);
        if (server == null) {
            throw new IllegalStateException("no server of " + node);
        }
        return server;
    }

    ClusterSentinel anySentinel() {
        return sentinels.values().iterator().next();
    }

    NodeId primary() {
        NodeId primary = anySentinel().topology().primaryOf(0);
        if (primary == null) {
            throw new IllegalStateException("no primary");
        }
        return primary;
    }

    List<NodeId> replicas() {
        List<NodeId> replicas = new ArrayList<>(NODES);
        replicas.remove(primary());
        return replicas;
    }

    /** Waits until the other servers are connected to the primary, and their nodes know that they are complete. */
    void awaitReplicas(int count) {
        RealServers.await(
                "replicas are connected",
                () -> server(primary()).ask("INFO replication").split("state=online", -1).length > count);
        replicas().forEach(node -> awaitReport(node, NodeReport::complete));
    }

    /** Returns a store that follows the first sentinel, with a limit for commands and for connecting. */
    RedisStore store(Duration limit) {
        return RedisStore.builder()
                .uris(uris.values().toArray(RedisURI[]::new))
                .primary(() -> uris.get(primary()))
                .timeout(limit)
                .connectTimeout(limit)
                .connect();
    }

    @Override
    public void close() {
        sentinels.values().forEach(ClusterSentinel::close);
        nodes.values().forEach(RedisNode::close);
        if (machines != null) {
            machines.close();
        }
        servers.values().forEach(RealServer::close);
    }
}
