package io.kvorum.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.core.KeyValueStore;
import io.kvorum.core.replicated.ReadLevel;
import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeCommand;
import io.kvorum.failover.SentinelList;
import io.kvorum.failover.SentinelSettings;
import io.kvorum.failover.ShardPrimary;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/** A shard of three nodes and its sentinel with threads and directories, wired by calls within this JVM. */
final class Wired implements AutoCloseable {
    /** Each wait ends as soon as its condition holds; this is only for failures, and for machines that are busy. */
    static final Duration LIMIT = Duration.ofSeconds(60);

    static final ShardId SHARD = new ShardId("shard");
    static final NodeId A = new NodeId("a");
    static final NodeId B = new NodeId("b");
    static final NodeId C = new NodeId("c");
    static final NodeId WATCHER = new NodeId("watcher");

    private final Path directory;
    private final Map<NodeId, ClusterNode> nodes = new ConcurrentHashMap<>();
    private final Set<NodeId> silent = ConcurrentHashMap.newKeySet();
    private final ClusterTopology initial = ClusterTopology.EMPTY.apply(
            ClusterTopology.EMPTY.version(),
            List.of(
                    new TopologyChange.AddShard(SHARD, 0, A, List.of(B, C)),
                    new TopologyChange.AssignSlots(SlotSet.ALL, SHARD)));
    private volatile ClusterSentinel sentinel;

    Wired(Path directory) throws IOException {
        this.directory = directory;
        for (NodeId id : List.of(A, B, C, WATCHER)) {
            Files.createDirectory(directoryOf(id));
        }
    }

    /** Starts everything, and begins the shard. */
    static Wired started(Path directory) throws IOException {
        Wired wired = new Wired(directory);
        wired.startNodes();
        wired.startSentinel(builder -> builder);
        wired.bootstrap();
        wired.awaitFollowing(B);
        wired.awaitFollowing(C);
        return wired;
    }

    void startNodes() throws IOException {
        for (NodeId id : List.of(A, B, C)) {
            start(id, builder -> builder);
        }
    }

    Path directoryOf(NodeId id) {
        return directory.resolve(id.value());
    }

    Path promiseOf(NodeId id) {
        return directoryOf(id).resolve(ClusterNode.PROMISE_FILE);
    }

    Path stateOfSentinel() {
        return directoryOf(WATCHER).resolve(ClusterSentinel.STATE_FILE);
    }

    ClusterNode.Builder builder(NodeId id) {
        return ClusterNode.builder(SHARD, id)
                .directory(directoryOf(id))
                .transport((to, message) -> {
                    ClusterNode node = nodes.get(to);
                    if (node == null || silent.contains(id) || silent.contains(to)) {
                        message.release();
                    } else {
                        node.receive(id, message);
                    }
                })
                .topology(() -> sentinel == null ? initial : sentinel.topology());
    }

    ClusterNode start(NodeId id, UnaryOperator<ClusterNode.Builder> change) throws IOException {
        ClusterNode node = change.apply(builder(id)).start();
        nodes.put(id, node);
        return node;
    }

    ClusterSentinel.Builder sentinelBuilder() {
        return ClusterSentinel.builder(WATCHER, SentinelList.of(WATCHER), initial)
                .directory(directoryOf(WATCHER))
                .settings(SentinelSettings.defaults()
                        .withQuorum(1)
                        .withDownAfter(Duration.ofMillis(300))
                        .withOperationTimeout(LIMIT)
                        .withAttemptTimeout(Duration.ofSeconds(3)))
                .transport((to, message) -> {})
                .gateway(this::execute);
    }

    /** Carries a command to a node that can be reached. */
    void execute(NodeId to, NodeCommand command, Consumer<NodeAnswer> answer) {
        ClusterNode node = nodes.get(to);
        if (node != null && !silent.contains(to)) {
            node.execute(command, answer);
        }
    }

    ClusterSentinel startSentinel(UnaryOperator<ClusterSentinel.Builder> change) throws IOException {
        sentinel = change.apply(sentinelBuilder()).start();
        return sentinel;
    }

    ShardPrimary bootstrap() {
        return sentinel.bootstrap(SHARD).toCompletableFuture().join();
    }

    ClusterNode node(NodeId id) {
        return nodes.get(id);
    }

    ClusterSentinel sentinel() {
        return sentinel;
    }

    /** Nothing reaches the node any more, nor comes from it. */
    void cutOff(NodeId id) {
        silent.add(id);
    }

    void close(NodeId id) {
        nodes.remove(id).close();
    }

    NodeId primary() {
        return sentinel.topology().shard(SHARD).primary();
    }

    void set(String key, String value) {
        store(primary(), Acknowledgement.MAJORITY).set(key.getBytes(UTF_8), value.getBytes(UTF_8));
    }

    String get(NodeId id, String key) {
        byte[] value = nodes.get(id)
                .store()
                .store(Acknowledgement.LOCAL, ReadLevel.LOCAL, LIMIT)
                .get(key.getBytes(UTF_8));
        return value == null ? null : new String(value, UTF_8);
    }

    KeyValueStore store(NodeId id, Acknowledgement level) {
        return nodes.get(id).store().store(level, ReadLevel.CONFIRMED, LIMIT);
    }

    /** Waits until the primary leads, and the node follows it with complete data. */
    void awaitFollowing(NodeId id) {
        await(() -> nodes.get(id).status().complete()
                && primary().equals(nodes.get(id).status().primary()));
    }

    /** Waits until something happened that nobody tells of. */
    static void await(BooleanSupplier condition) {
        long begun = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - begun > LIMIT.toNanos()) {
                throw new AssertionError("it did not happen within " + LIMIT);
            }
            LockSupport.parkNanos(1_000_000);
        }
    }

    /** {@return the threads that nodes and sentinels have started} */
    static Set<Thread> threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("kvorum-"))
                .collect(Collectors.toSet());
    }

    @Override
    public void close() {
        if (sentinel != null) {
            sentinel.close();
        }
        nodes.values().forEach(ClusterNode::close);
    }
}
