package io.kvorum.cluster.sockets;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.cluster.ClusterNode;
import io.kvorum.cluster.ClusterSentinel;
import io.kvorum.failover.SentinelList;
import io.kvorum.failover.SentinelSettings;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.NodeStatus;
import io.kvorum.slots.Scheduler;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;

/**
 * One process of three: a node with a {@link SharedMap} and a sentinel. It does what it reads from its standard input,
 * a line each, and ends with it, so that it cannot outlive whoever started it.
 */
final class Member {
    static final ShardId SHARD = new ShardId("map");
    static final List<NodeId> NAMES = List.of(new NodeId("one"), new NodeId("two"), new NodeId("three"));

    private static final ClusterTopology TOPOLOGY = ClusterTopology.EMPTY.apply(
            ClusterTopology.EMPTY.version(),
            List.of(new TopologyChange.AddShard(SHARD, 0, NAMES.get(0), NAMES.subList(1, 3))));
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    private final Map<NodeId, InetSocketAddress> addresses = new ConcurrentHashMap<>();
    private final ConcurrentLinkedQueue<String> events = new ConcurrentLinkedQueue<>();
    private final ClusterNode node;
    private final ClusterSentinel sentinel;
    /** To whom the node says nothing. */
    private volatile String muteTo = "nobody";

    private Member(NodeId name, Path directory, ServerSocket server) throws IOException {
        SocketTransport sockets = new SocketTransport(name, addresses);
        ScheduledExecutorService executor = Executors.newScheduledThreadPool(2);
        Scheduler scheduler = Scheduler.of(executor);
        node = ClusterNode.builder(SHARD, name)
                .state(SharedMap::new)
                .directory(directory)
                .transport((to, message) -> {
                    if (to.value().equals(muteTo)) {
                        message.release();
                    } else {
                        sockets.send(to, message);
                    }
                })
                .logCapacity(1 << 20)
                .allocator(UnpooledByteBufAllocator.DEFAULT)
                .scheduler(scheduler)
                .listener(event -> events.add(event.toString()))
                .start();
        sentinel = ClusterSentinel.builder(name, SentinelList.of(NAMES), TOPOLOGY)
                .directory(directory)
                .settings(SentinelSettings.defaults()
                        .withDownAfter(Duration.ofSeconds(1))
                        .withOperationTimeout(Duration.ofSeconds(30)) // of JVMs that have just started
                        .withAttemptTimeout(Duration.ofSeconds(10)))
                .transport(sockets::send)
                .gateway(sockets::send)
                .scheduler(scheduler)
                .listener(event -> events.add(event.fact().toString()))
                .start();
        Executors.newSingleThreadExecutor().execute(() -> {
            try {
                sockets.serve(server, node.driver(), sentinel);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
    }

    /** Starts a member: its name, and its directory. */
    public static void main(String[] arguments) throws IOException {
        try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                BufferedReader orders = new BufferedReader(new InputStreamReader(System.in, UTF_8))) {
            Member member = new Member(new NodeId(arguments[0]), Path.of(arguments[1]), server);
            System.out.println("port " + server.getLocalPort());
            for (String order = orders.readLine(); order != null; order = orders.readLine()) {
                System.out.println(member.carryOut(order.split(" ", -1)));
            }
        } finally {
            Runtime.getRuntime().halt(0);
        }
    }

    private String carryOut(String[] words) {
        try {
            return switch (words[0]) {
                case "peer" -> {
                    addresses.put(
                            new NodeId(words[1]),
                            new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(words[2])));
                    yield "ok";
                }
                case "bootstrap" ->
                    "ok "
                            + sentinel.bootstrap(SHARD)
                                    .toCompletableFuture()
                                    .join()
                                    .primary();
                case "write" -> write(words[1], Integer.parseInt(words[2]));
                case "has" -> String.valueOf(map().contains(words[1]));
                case "status" -> status();
                case "primary" -> sentinel.topology().shard(SHARD).primary().value();
                case "events" ->
                    String.valueOf(events.stream()
                            .filter(event -> event.startsWith(words[1]))
                            .count());
                case "mute" -> {
                    muteTo = words[1];
                    yield "ok";
                }
                default -> "failed: unknown order";
            };
        } catch (CompletionException e) {
            return "failed: " + e.getCause();
        } catch (RuntimeException e) {
            return "failed: " + e;
        }
    }

    /** Writes keys one after the other, and tells of each as soon as a majority has it. */
    private String write(String prefix, int count) {
        for (int i = 0; i < count; i++) {
            String key = prefix + i;
            LogPosition position = map().put(key, "value of " + key, TIMEOUT);
            node.driver()
                    .acknowledged(position, Acknowledgement.MAJORITY, TIMEOUT)
                    .toCompletableFuture()
                    .join();
            System.out.println("acknowledged " + key);
        }
        return "ok";
    }

    private String status() {
        NodeStatus status = node.status();
        return status.role() + " " + status.complete() + " " + status.position() + " " + map().size() + " "
                + map().digest();
    }

    private SharedMap map() {
        return node.state(SharedMap.class);
    }
}
