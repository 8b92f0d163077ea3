package io.kvorum.testkit;

import static java.util.Objects.requireNonNull;

import io.kvorum.cluster.ClusterClient;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.replicated.ReplicatedStore;
import io.kvorum.failover.AbortReason;
import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeCommand;
import io.kvorum.failover.OperationFailedException;
import io.kvorum.failover.SentinelList;
import io.kvorum.failover.SentinelMessage;
import io.kvorum.failover.runtime.SentinelDriver;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.Scheduler;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.runtime.EventFeed;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.Shard;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
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
    private static final Duration BOOTSTRAP_PAUSE = Duration.ofMillis(20);

    /** How many events may wait for a slow listener. */
    private static final int MAX_EVENTS = 1 << 16;

    private static final System.Logger logger = System.getLogger(LocalCluster.class.getName());

    private final LocalClusterSettings settings;
    private final ScheduledExecutorService executor;
    private final Scheduler scheduler;
    private final Set<Thread> threads = ConcurrentHashMap.newKeySet();
    private final Links links = new Links();
    private final FollowedTopology topology;
    private final Map<NodeId, LocalNode> nodes = new LinkedHashMap<>();
    private final Map<NodeId, LocalSentinel> sentinels = new LinkedHashMap<>();
    private final ClusterClient client;
    private final EventFeed<ClusterEvent> events;
    private final Wire wire;
    private volatile boolean closed;

    private LocalCluster(LocalClusterSettings settings) {
        this.settings = settings;
        this.executor = newExecutor();
        this.scheduler = Scheduler.of(executor);
        this.wire = settings.encoded() ? Wire.encoding() : Wire.NONE;
        this.events = new EventFeed<>(
                scheduler,
                MAX_EVENTS,
                (count, last) -> new ClusterEvent.EventsLost(last.at(), count),
                failure -> logger.log(Level.WARNING, "listener failed", failure));
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
        SentinelList list = SentinelList.of(sentinelIds);
        for (NodeId sentinel : sentinelIds) {
            sentinels.put(sentinel, new LocalSentinel(this, sentinel, list, initial));
        }
        this.client = ClusterClient.builder()
                .topology(topology::latest)
                .nodes(this::reachableStore)
                .scheduler(scheduler)
                .writeLevel(settings.acknowledgement())
                .timeout(settings.timeout())
                .build();
    }

    /**
     * Starts a cluster. Its nodes and sentinels run when this returns, but may not know each other yet.
     *
     * @param settings its shape and timings
     * @return the cluster, which the caller closes
     */
    public static LocalCluster start(LocalClusterSettings settings) {
        LocalCluster cluster = new LocalCluster(requireNonNull(settings, "settings"));
        cluster.nodes.values().forEach(LocalNode::start);
        cluster.sentinels.values().forEach(LocalSentinel::start);
        for (Shard shard : cluster.topology().shards()) {
            cluster.bootstrap(shard.id());
        }
        return cluster;
    }

    /** Begins a shard, with as many tries as a busy machine may need. */
    private void bootstrap(ShardId shard) {
        for (LocalSentinel sentinel : sentinels.values()) {
            SentinelDriver driver = sentinel.driverIfRunning();
            if (driver != null) {
                driver.bootstrap(shard).whenComplete((primary, failure) -> {
                    boolean begun = failure instanceof OperationFailedException refused
                            && refused.reason() == AbortReason.ALREADY_BEGUN;
                    if (failure != null && !begun) {
                        bootstrapLater(shard);
                    }
                });
                return;
            }
        }
        bootstrapLater(shard); // when a sentinel runs again
    }

    private void bootstrapLater(ShardId shard) {
        if (!closed) {
            scheduler.schedule(() -> bootstrap(shard), BOOTSTRAP_PAUSE.toNanos());
        }
    }

    private static ClusterTopology initialTopology(LocalClusterSettings settings) {
        List<TopologyChange> changes = new ArrayList<>();
        for (int i = 1; i <= settings.slots().size(); i++) {
            ShardId shard = new ShardId("shard-" + i);
            List<NodeId> replicas = new ArrayList<>();
            for (int j = 2; j <= settings.replicas() + 1; j++) {
                replicas.add(new NodeId("node-" + i + "." + j));
            }
            changes.add(new TopologyChange.AddShard(shard, 0, new NodeId("node-" + i + ".1"), replicas));
            SlotSet slots = settings.slots().get(i - 1);
            if (!slots.isEmpty()) {
                changes.add(new TopologyChange.AssignSlots(slots, shard));
            }
        }
        return ClusterTopology.EMPTY.apply(ClusterTopology.EMPTY.version(), changes);
    }

    /** A few threads are enough for any number of nodes, since nothing that runs on them waits. */
    private ScheduledExecutorService newExecutor() {
        AtomicInteger number = new AtomicInteger();
        ScheduledThreadPoolExecutor made = new ScheduledThreadPoolExecutor(2, task -> {
            Thread thread = new Thread(task, "kvorum-local-" + number.incrementAndGet());
            thread.setDaemon(true);
            threads.add(thread);
            return thread;
        });
        made.setRemoveOnCancelPolicy(true);
        return made;
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
            if (sentinel.isRunning() && !sentinel.driver().quorumCheck().votesReachable()) {
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
        return node.status().complete()
                && primary.id().equals(node.status().primary())
                && node.status().position().equals(primary.status().position());
    }

    /**
     * Waits until a condition holds, which is checked each millisecond.
     *
     * @param condition the condition; quick, and free of side effects
     * @param limit how long to wait at most
     * @return whether it came to hold
     * @throws RuntimeException whatever the condition throws, an {@link Error} too, at once
     */
    public boolean await(BooleanSupplier condition, Duration limit) {
        CompletableFuture<Boolean> held = new CompletableFuture<>();
        ScheduledFuture<?> checks = executor.scheduleWithFixedDelay(
                () -> {
                    try {
                        if (!held.isDone() && condition.getAsBoolean()) {
                            held.complete(true);
                        }
                    } catch (RuntimeException | Error e) {
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
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw (RuntimeException) e.getCause();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } finally {
            checks.cancel(false);
        }
    }

    /**
     * {@return the whole cluster as one store} It writes at the acknowledgement level of the settings, reads what is
     * confirmed, and waits out failovers within the timeout of the settings.
     */
    public KeyValueStore client() {
        return client.store();
    }

    /** {@return the client behind {@link #client}, with its asynchronous form and other timeouts} */
    public ClusterClient clusterClient() {
        return client;
    }

    /**
     * {@return the slots that the client cannot reach now, because nobody owns them or because the primary of their
     * shard is down or cut off}
     */
    public SlotSet uncovered() {
        ClusterTopology current = topology();
        SlotSet uncovered = current.uncovered();
        for (Shard shard : current.shards()) {
            if (reachableStore(shard.primary()) == null) {
                uncovered = uncovered.union(shard.slots());
            }
        }
        return uncovered;
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
     * @param listener takes the events in order, one at a time, on a thread of the cluster. It may crash, restart and
     *     close whatever it likes, the cluster included; what it throws is logged and ends nothing
     */
    public void onEvent(Consumer<? super ClusterEvent> listener) {
        events.add(listener);
    }

    /**
     * Stops everything, in good order. When this returns, the cluster has no thread any more, except the caller's own
     * if a listener calls it. Repeating it changes nothing.
     */
    @Override
    public void close() {
        closed = true;
        sentinels.values().forEach(LocalSentinel::crash);
        nodes.values().forEach(LocalNode::crash);
        events.close();
        executor.shutdown(); // the tries that clients wait for still run, and find that it is over
        if (!threads.contains(Thread.currentThread())) {
            awaitEnd();
        }
    }

    private void awaitEnd() {
        boolean interrupted = false;
        while (true) {
            try {
                if (executor.awaitTermination(1, TimeUnit.SECONDS)) {
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

    Scheduler scheduler() {
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
            node.receive(from, wire.carry(message));
        } else {
            message.release();
        }
    }

    void send(NodeId from, NodeId to, SentinelMessage message) {
        LocalSentinel sentinel = sentinels.get(to);
        if (sentinel != null && links.isOpen(from, to)) {
            sentinel.receive(from, wire.carry(message));
        }
    }

    void send(NodeId from, NodeId to, NodeCommand command, Consumer<NodeAnswer> answer) {
        LocalNode node = nodes.get(to);
        if (node != null && links.isOpen(from, to)) {
            node.execute(wire.carry(command), result -> {
                if (links.isOpen(to, from)) {
                    answer.accept(wire.carry(result));
                }
            });
        }
    }

    void publish(ClusterEvent event) {
        events.publish(event);
    }

    private @Nullable ReplicatedStore reachableStore(NodeId id) {
        LocalNode node = nodes.get(id);
        return node != null && links.isOpen(CLIENT, id) && links.isOpen(id, CLIENT) ? node.storeIfRunning() : null;
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
