package io.kvorum.testkit;

import static java.util.Objects.requireNonNull;

import io.kvorum.core.KeyValueStore;
import io.kvorum.core.ShardedStore;
import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeCommand;
import io.kvorum.failover.NodeGateway;
import io.kvorum.failover.SentinelMessage;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.replication.ShardNode;
import io.kvorum.replication.runtime.NodeDriver;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.Shard;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A whole cluster in this JVM, under real threads and real time: shards of nodes, the sentinels that watch them, and a
 * client. Its nodes can be crashed, restarted and cut off, to see what an application makes of it.
 *
 * <pre>{@code
 * try (LocalCluster cluster = LocalCluster.start(LocalClusterSettings.defaults())) {
 *     cluster.awaitReady(Duration.ofSeconds(10));
 *     cluster.client().set(key, value);
 *     cluster.primaryFor(key).crash();
 * }
 * }</pre>
 *
 * <p>The nodes are called {@code node-1.1}, {@code node-1.2} and so on, by their shard and their number in it; the
 * shards {@code shard-1} and so on, the sentinels {@code sentinel-1} and so on. The first node of each shard is its
 * first primary.
 *
 * <p>Safe for use by any number of threads.
 */
public final class LocalCluster implements AutoCloseable {
    /** The party to the links that stands for the client. */
    public static final NodeId CLIENT = new NodeId("client");

    private static final Duration CHECK_PERIOD = Duration.ofMillis(1);

    private final LocalClusterSettings settings;
    private final ScheduledExecutorService scheduler;
    private final Links links = new Links();
    private final FollowedTopology topology;
    private final Map<NodeId, LocalNode> nodes = new LinkedHashMap<>();
    private final Map<NodeId, LocalSentinel> sentinels = new LinkedHashMap<>();
    private final NodeGateway gateway = new ShardNodeGateway(this::driver);
    private final ShardedStore client;
    private final List<Consumer<? super ClusterEvent>> listeners = new CopyOnWriteArrayList<>();
    private final Object order = new Object();

    private LocalCluster(LocalClusterSettings settings) {
        this.settings = settings;
        this.scheduler = newScheduler();
        ClusterTopology initial = initialTopology(settings);
        this.topology = new FollowedTopology(initial);
        for (Shard shard : initial.shards()) {
            for (NodeId node : shard.nodes()) {
                nodes.put(node, new LocalNode(this, shard.id(), node));
            }
        }
        List<NodeId> sentinelIds = new ArrayList<>();
        for (int i = 1; i <= settings.sentinels(); i++) {
            sentinelIds.add(new NodeId("sentinel-" + i));
        }
        for (NodeId sentinel : sentinelIds) {
            sentinels.put(sentinel, new LocalSentinel(this, sentinel, sentinelIds, initial));
        }
        this.client = new ShardedStore(topology::latest, this::reachableStore);
    }

    /**
     * Starts a cluster. Its nodes and sentinels run when this returns, but may not know each other yet.
     *
     * @param settings its shape and timings
     * @return the cluster, which the caller closes
     */
    public static LocalCluster start(LocalClusterSettings settings) {
        LocalCluster cluster = new LocalCluster(requireNonNull(settings, "settings"));
        cluster.nodes.values().forEach(node -> node.start(ShardNode.Start.fresh()));
        for (Shard shard : cluster.topology().shards()) {
            shard.nodes().forEach(node -> cluster.node(node).begin(shard));
        }
        cluster.sentinels.values().forEach(LocalSentinel::start);
        return cluster;
    }

    private static ClusterTopology initialTopology(LocalClusterSettings settings) {
        List<TopologyChange> changes = new ArrayList<>();
        for (int i = 1; i <= settings.slots().size(); i++) {
            ShardId shard = new ShardId("shard-" + i);
            List<NodeId> replicas = new ArrayList<>();
            for (int j = 2; j <= settings.replicas() + 1; j++) {
                replicas.add(new NodeId("node-" + i + "." + j));
            }
            changes.add(new TopologyChange.AddShard(shard, 1, new NodeId("node-" + i + ".1"), replicas));
            SlotSet slots = settings.slots().get(i - 1);
            if (!slots.isEmpty()) {
                changes.add(new TopologyChange.AssignSlots(slots, shard));
            }
        }
        return ClusterTopology.EMPTY.apply(ClusterTopology.EMPTY.version(), changes);
    }

    /** A few threads are enough for any number of nodes, since nothing that runs on them waits. */
    private static ScheduledExecutorService newScheduler() {
        AtomicInteger number = new AtomicInteger();
        ScheduledThreadPoolExecutor scheduler = new ScheduledThreadPoolExecutor(2, task -> {
            Thread thread = new Thread(task, "kvorum-local-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
        scheduler.setRemoveOnCancelPolicy(true);
        return scheduler;
    }

    /** {@return the settings} */
    public LocalClusterSettings settings() {
        return settings;
    }

    /**
     * Waits until every slot is served, every running node is complete and follows its primary, and the sentinels reach
     * each other.
     *
     * @param limit how long to wait at most
     * @throws IllegalStateException if the cluster is not ready by then; the message says what is missing
     */
    public void awaitReady(Duration limit) {
        if (!await(() -> missing() == null, limit)) {
            throw new IllegalStateException("cluster must be ready within " + limit + ": " + missing());
        }
    }

    private @Nullable String missing() {
        for (LocalSentinel sentinel : sentinels.values()) {
            if (sentinel.isRunning() && !sentinel.driver().quorumCheck().majorityReachable()) {
                return sentinel.id() + " reaches too few sentinels";
            }
        }
        for (Shard shard : topology().shards()) {
            LocalNode primary = node(shard.primary());
            if (!primary.isRunning() || !primary.status().writable()) {
                return shard.id() + " has no primary";
            }
            for (NodeId node : shard.nodes()) {
                if (node(node).isRunning() && !isInSync(node(node), primary)) {
                    return node + " has not caught up with " + primary.id();
                }
            }
        }
        return null;
    }

    private static boolean isInSync(LocalNode node, LocalNode primary) {
        return node.status().synced()
                && primary.id().equals(node.status().primary())
                && node.status().position().equals(primary.status().position());
    }

    /**
     * Waits until a condition holds, which is checked each millisecond.
     *
     * @param condition the condition; quick, and free of side effects
     * @param limit how long to wait at most
     * @return whether it came to hold
     */
    public boolean await(BooleanSupplier condition, Duration limit) {
        CompletableFuture<Boolean> held = new CompletableFuture<>();
        ScheduledFuture<?> checks = scheduler.scheduleWithFixedDelay(
                () -> {
                    try {
                        if (condition.getAsBoolean()) {
                            held.complete(true);
                        }
                    } catch (RuntimeException e) {
                        held.completeExceptionally(e);
                    }
                },
                0,
                CHECK_PERIOD.toNanos(),
                TimeUnit.NANOSECONDS);
        try {
            return held.get(limit.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            throw new IllegalStateException("condition must not throw", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } finally {
            checks.cancel(false);
        }
    }

    /**
     * {@return a view of the whole cluster that follows the topology: it goes to the primary of each key, writes at the
     * acknowledgement level of the settings, and reads what is confirmed}
     */
    public ShardedStore client() {
        return client;
    }

    /** {@return the topology as the client knows it from the sentinels that it has reached} */
    public ClusterTopology topology() {
        return topology.latest();
    }

    /** {@return all nodes, by shard} */
    public List<LocalNode> nodes() {
        return List.copyOf(nodes.values());
    }

    /**
     * {@return the nodes of a shard}
     *
     * @param shard the shard
     * @throws IllegalArgumentException if there is no such shard
     */
    public List<LocalNode> nodes(ShardId shard) {
        return shard(shard).nodes().stream().map(this::node).toList();
    }

    /**
     * {@return a node}
     *
     * @param id its id
     * @throws IllegalArgumentException if there is no such node
     */
    public LocalNode node(NodeId id) {
        return existing("node", id, nodes.get(id));
    }

    /**
     * {@return the primary of the shard that owns the slot of a key, by {@link #topology()}}
     *
     * @param key the key
     * @throws IllegalArgumentException if no shard owns the slot
     */
    public LocalNode primaryFor(byte[] key) {
        int slot = HashSlot.of(key);
        NodeId primary = topology().primaryOf(slot);
        if (primary == null) {
            throw new IllegalArgumentException("slot must have a shard: " + slot);
        }
        return node(primary);
    }

    /**
     * {@return the primary of a shard, by {@link #topology()}}
     *
     * @param shard the shard
     * @throws IllegalArgumentException if there is no such shard
     */
    public LocalNode primaryOf(ShardId shard) {
        return node(shard(shard).primary());
    }

    /** {@return all sentinels} */
    public List<LocalSentinel> sentinels() {
        return List.copyOf(sentinels.values());
    }

    /**
     * {@return a sentinel}
     *
     * @param id its id
     * @throws IllegalArgumentException if there is no such sentinel
     */
    public LocalSentinel sentinel(NodeId id) {
        return existing("sentinel", id, sentinels.get(id));
    }

    /**
     * Cuts parties off: nothing reaches them, nor do they reach anything, not even each other.
     *
     * @param parties nodes, sentinels or {@link #CLIENT}
     * @throws IllegalArgumentException if one is not of this cluster
     */
    public void isolate(NodeId... parties) {
        List<NodeId> cutOff = List.of(parties);
        cut(cutOff, everybody());
        cut(everybody(), cutOff);
    }

    /**
     * Cuts the links between some parties and all others. They still reach each other.
     *
     * @param side nodes, sentinels or {@link #CLIENT}
     * @throws IllegalArgumentException if one is not of this cluster
     */
    public void partition(Collection<NodeId> side) {
        List<NodeId> others = everybody();
        others.removeAll(side);
        cut(side, others);
        cut(others, side);
    }

    /**
     * Cuts one direction only.
     *
     * @param from whose messages do not arrive
     * @param to where they do not arrive
     * @throws IllegalArgumentException if one is not of this cluster
     */
    public void cut(Collection<NodeId> from, Collection<NodeId> to) {
        List<NodeId> everybody = everybody();
        for (Collection<NodeId> parties : List.of(from, to)) {
            for (NodeId party : parties) {
                if (!everybody.contains(party)) {
                    throw new IllegalArgumentException("party must be one of this cluster: " + party);
                }
            }
        }
        links.cut(from, to);
    }

    /** Opens all links again. */
    public void heal() {
        links.heal();
        for (LocalSentinel sentinel : sentinels.values()) {
            if (sentinel.isRunning()) {
                learn(sentinel.id(), sentinel.driver().topology());
            }
        }
    }

    /**
     * Adds a listener for what happens from now on.
     *
     * @param listener hears the events, one at a time, on the threads of the cluster: it must return at once
     */
    public void onEvent(Consumer<? super ClusterEvent> listener) {
        listeners.add(requireNonNull(listener, "listener"));
    }

    /**
     * Stops everything, in good order. When this returns, the cluster has no thread any more. Repeating it changes
     * nothing. Not to be called by a listener, whose end it would wait for.
     */
    @Override
    public void close() {
        sentinels.values().forEach(LocalSentinel::crash);
        nodes.values().forEach(LocalNode::crash);
        scheduler.shutdownNow();
        boolean interrupted = false;
        while (true) {
            try {
                if (scheduler.awaitTermination(1, TimeUnit.SECONDS)) {
                    break;
                }
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    // ---- what the nodes and sentinels are wired with

    ScheduledExecutorService scheduler() {
        return scheduler;
    }

    /** A sentinel has news for the client. */
    void learn(NodeId sentinel, ClusterTopology news) {
        if (links.isOpen(sentinel, CLIENT)) {
            topology.learn(news);
        }
    }

    void send(NodeId from, NodeId to, ReplicationMessage message) {
        LocalNode node = nodes.get(to);
        if (node != null && links.isOpen(from, to)) {
            node.receive(from, message);
        } else {
            message.release();
        }
    }

    void send(NodeId from, NodeId to, SentinelMessage message) {
        LocalSentinel sentinel = sentinels.get(to);
        if (sentinel != null && links.isOpen(from, to)) {
            sentinel.receive(from, message);
        }
    }

    void send(NodeId from, NodeId to, NodeCommand command, Consumer<NodeAnswer> answer) {
        if (links.isOpen(from, to)) {
            gateway.send(to, command, result -> {
                if (links.isOpen(to, from)) {
                    answer.accept(result);
                }
            });
        }
    }

    void publish(ClusterEvent event) {
        synchronized (order) {
            listeners.forEach(listener -> listener.accept(event));
        }
    }

    private @Nullable NodeDriver driver(NodeId id) {
        LocalNode node = nodes.get(id);
        return node == null ? null : node.driver();
    }

    private @Nullable KeyValueStore reachableStore(NodeId id) {
        LocalNode node = nodes.get(id);
        return node != null && links.isOpen(CLIENT, id) && links.isOpen(id, CLIENT) ? node.clientStore() : null;
    }

    private List<NodeId> everybody() {
        List<NodeId> everybody = new ArrayList<>(nodes.keySet());
        everybody.addAll(sentinels.keySet());
        everybody.add(CLIENT);
        return everybody;
    }

    private Shard shard(ShardId id) {
        Shard shard = topology().shard(id);
        if (shard == null) {
            throw new IllegalArgumentException("shard must be one of this cluster: " + id);
        }
        return shard;
    }

    private static <T> T existing(String what, NodeId id, @Nullable T found) {
        if (found == null) {
            throw new IllegalArgumentException(what + " must be one of this cluster: " + id);
        }
        return found;
    }
}
