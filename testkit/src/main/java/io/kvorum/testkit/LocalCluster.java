package io.kvorum.testkit;

import static java.util.Objects.requireNonNull;

import io.kvorum.cluster.ClusterClient;
import io.kvorum.cluster.ClusterNode;
import io.kvorum.core.KeyValueStore;
import io.kvorum.failover.AbortReason;
import io.kvorum.failover.Operation;
import io.kvorum.failover.OperationFailedException;
import io.kvorum.failover.SentinelList;
import io.kvorum.failover.runtime.SentinelDriver;
import io.kvorum.replication.NodeIdentity;
import io.kvorum.replication.ReplicatedState;
import io.kvorum.replication.ReplicationLog;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.Scheduler;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.runtime.EventFeed;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.Shard;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.testkit.ClusterEvent.Fault.Kind;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A whole cluster in this JVM: shards of nodes, the sentinels that watch them, and a client. Its nodes can be crashed,
 * restarted and cut off, and what they send be lost and delayed, to see what an application makes of it.
 *
 * <pre>{@code
 * try (LocalCluster cluster = LocalCluster.builder().virtualTime(42).start()) {
 *     cluster.awaitReady(Duration.ofSeconds(10));
 *     cluster.client().set(key, value);
 *     cluster.primaryFor(key).crash();
 *     cluster.client().get(key); // waits for the failover: some virtual seconds, no real time
 * }
 * }</pre>
 *
 * <p>The nodes are called {@code node-1.1}, {@code node-1.2} and so on, by their shard and their number in it; the
 * shards {@code shard-1} and so on, the sentinels {@code sentinel-1} and so on. The first node of each shard is its
 * first primary.
 *
 * <p><b>Time</b> is real, or {@linkplain LocalClusterBuilder#virtualTime virtual}. In virtual time nothing happens by
 * itself. While the thread of the test waits, by {@link #advance}, {@link #await}, a call of the {@link #client()} or a
 * stage of it, all that becomes due runs on this thread, one task after the other, and the {@link #clock} goes from one
 * to the next. Other threads of a test are {@linkplain #actor actors}. A run with the same seed, of a test that does
 * the same, is the same.
 *
 * <p><b>Failures.</b> What a condition, a listener, an actor or a rule of the test throws reaches the thread of the
 * test as it is: from the call in which that waits for the cluster next, or else from {@link #close}.
 *
 * <p>In real time safe for use by any number of threads; in virtual time for use by one thread at a time, and actors.
 */
public final class LocalCluster implements AutoCloseable {
    /** The party to the links that stands for the client. */
    public static final NodeId CLIENT = new NodeId("client");

    private static final Duration BOOTSTRAP_PAUSE = Duration.ofMillis(20);

    /** How many events may wait for a slow listener. */
    private static final int MAX_EVENTS = 1 << 16;

    /** How many events are kept for the timeline. */
    private static final int MAX_RECORDED = 10_000;

    private final LocalClusterSettings settings;
    private final @Nullable Function<? super ReplicationLog, ? extends ReplicatedState> state;
    private final ClusterTime time;
    private final Scheduler scheduler;
    private final long seed;
    private final Random random;
    private final Network network;
    private final Failures failures = new Failures();
    private final FollowedTopology topology;
    private final Map<NodeId, LocalNode> nodes = new LinkedHashMap<>();
    private final Map<NodeId, LocalSentinel> sentinels = new LinkedHashMap<>();
    private final ClusterClient client;
    private final EventFeed<ClusterEvent> events;
    private final List<Consumer<? super NodeId>> lives = new CopyOnWriteArrayList<>();
    private final EventRecord record = new EventRecord(MAX_RECORDED);
    private final Mail mail;
    private volatile boolean closed;
    private volatile @Nullable OpenCluster open;

    private LocalCluster(
            LocalClusterSettings settings,
            @Nullable Function<? super ReplicationLog, ? extends ReplicatedState> state,
            Map<NodeId, Integer> priorities,
            ClusterTime time,
            long seed,
            Duration minLatency,
            Duration maxLatency) {
        this.settings = settings;
        this.state = state;
        this.time = time;
        this.scheduler = time.scheduler();
        this.seed = seed;
        this.random = new Random(seed);
        this.network = new Network(scheduler, random, minLatency.toNanos(), maxLatency.toNanos());
        this.mail = new Mail(nodes, sentinels, network, settings.encoded() ? Wire.encoding() : Wire.NONE, failures);
        this.events = new EventFeed<>(
                scheduler, MAX_EVENTS, (count, last) -> new ClusterEvent.EventsLost(last.at(), count), failures::add);
        ClusterTopology initial = settings.topology();
        this.topology = new FollowedTopology(initial);
        for (Shard shard : initial.shards()) {
            for (NodeId node : shard.nodes()) {
                nodes.put(
                        node,
                        new LocalNode(
                                this, shard.id(), node, priorities.getOrDefault(node, NodeIdentity.DEFAULT_PRIORITY)));
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
                .nodes(id -> {
                    ClusterNode node = reachable(id);
                    return node == null ? null : node.store();
                })
                .scheduler(scheduler)
                .random(random)
                .writeLevel(settings.acknowledgement())
                .timeout(settings.timeout())
                .build();
    }

    /** {@return a builder, whose cluster is as {@link LocalClusterSettings#defaults} until it is told otherwise} */
    public static LocalClusterBuilder builder() {
        return new LocalClusterBuilder();
    }

    /**
     * Starts a cluster in real time. Its nodes and sentinels run when this returns, but may not know each other yet.
     *
     * @param settings its shape and timings
     * @return the cluster, which the caller closes
     */
    public static LocalCluster start(LocalClusterSettings settings) {
        return builder().settings(settings).start();
    }

    static LocalCluster start(
            LocalClusterSettings settings,
            @Nullable Function<? super ReplicationLog, ? extends ReplicatedState> state,
            Map<NodeId, Integer> priorities,
            ClusterTime time,
            long seed,
            Duration minLatency,
            Duration maxLatency) {
        LocalCluster cluster = new LocalCluster(settings, state, priorities, time, seed, minLatency, maxLatency);
        cluster.nodes.values().forEach(LocalNode::start);
        cluster.sentinels.values().forEach(LocalSentinel::start);
        for (Shard shard : cluster.topology().shards()) {
            cluster.bootstrap(shard.id());
        }
        cluster.open = OpenCluster.add(cluster);
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

    /** {@return the settings} */
    public LocalClusterSettings settings() {
        return settings;
    }

    /** {@return the seed of all that is random; the same run again needs virtual time too} */
    public long seed() {
        return seed;
    }

    // ---- time

    /** {@return the time of day of the cluster, for an application under test} */
    public InstantSource clock() {
        return time.clock();
    }

    /** {@return what runs the cluster, for an application under test: its time, and its later tasks} */
    public Scheduler scheduler() {
        return scheduler;
    }

    /**
     * Lets time pass. In virtual time all that becomes due has run when this returns.
     *
     * @param duration how long; at least 0
     * @throws IllegalArgumentException if it is negative
     * @throws RuntimeException whatever a listener or an actor has thrown
     */
    public void advance(Duration duration) {
        if (duration.isNegative()) {
            throw new IllegalArgumentException("duration must be at least 0: " + duration);
        }
        time.sleep(duration);
        failures.rethrow();
    }

    /**
     * Starts another thread of the test. In virtual time it runs while no other does: until it waits, for the cluster
     * or by {@link #advance}, which lets an actor sleep. If it waits for something else, such as a lock that another
     * actor holds, the others run on too; but then which of two actors goes first may differ from run to run, and a
     * limit of such a waiting is in real time. It ends when the cluster is closed, with a {@link CancellationException}
     * or an interrupt where it waits.
     *
     * @param name the name of the thread
     * @param body what it does
     * @return completes when it has ended. If it throws, the failure reaches the test, whether this is asked or not
     */
    public CompletionStage<@Nullable Void> actor(String name, Body body) {
        requireNonNull(body, "body");
        return time.start(requireNonNull(name, "name"), () -> {
            try {
                body.run();
                return null;
            } catch (Throwable e) {
                if (!closed) {
                    failures.add(e);
                }
                throw e;
            }
        });
    }

    /** What an actor does. */
    @FunctionalInterface
    public interface Body {
        /**
         * Does it.
         *
         * @throws Exception whatever it likes; it reaches the test
         */
        void run() throws Exception;
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
            throw new IllegalStateException("cluster must be ready within " + limit + ": " + missing() + replay());
        }
    }

    private String replay() {
        return time instanceof VirtualTime ? " (seed " + seed + ")" : "";
    }

    /** {@return what is missing until the cluster is ready, or null} */
    @Nullable
    String missing() {
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
     * Waits until a condition holds. It is checked each millisecond; in virtual time, after each task.
     *
     * @param condition the condition; quick, and free of side effects
     * @param limit how long to wait at most
     * @return whether it came to hold
     * @throws RuntimeException whatever the condition, a listener or an actor throws, an {@link Error} too, at once
     */
    public boolean await(BooleanSupplier condition, Duration limit) {
        requireNonNull(condition, "condition");
        boolean held = time.await(() -> !failures.isEmpty() || condition.getAsBoolean(), limit);
        failures.rethrow();
        return held;
    }

    /**
     * As {@link #await}, for a condition that must come to hold.
     *
     * @param condition the condition; quick, and free of side effects
     * @param limit how long to wait at most
     * @throws AssertionError if it does not hold by then
     * @throws RuntimeException whatever the condition, a listener or an actor throws, an {@link Error} too, at once
     */
    public void runUntil(BooleanSupplier condition, Duration limit) {
        if (!await(condition, limit)) {
            throw new AssertionError("condition did not come to hold within " + limit + replay());
        }
    }

    /**
     * Waits for an event that happens from now on.
     *
     * @param wanted which event
     * @param limit how long to wait at most
     * @return the event
     * @throws AssertionError if there is none by then
     */
    public ClusterEvent awaitEvent(Predicate<? super ClusterEvent> wanted, Duration limit) {
        AtomicReference<@Nullable ClusterEvent> found = new AtomicReference<>();
        Consumer<ClusterEvent> listener = event -> {
            if (found.get() == null && wanted.test(event)) {
                found.set(event);
            }
        };
        events.add(listener);
        try {
            runUntil(() -> found.get() != null, limit);
        } finally {
            events.remove(listener);
        }
        return requireNonNull(found.get(), "event");
    }

    /**
     * Has a shard fail over to another node, in good order, and waits for it.
     *
     * @param shard the shard
     * @return its new primary
     * @throws OperationFailedException if it does not succeed, with the reason
     * @throws IllegalStateException if no sentinel runs
     */
    public LocalNode failOver(ShardId shard) {
        return perform(new Operation.FailOver(shard));
    }

    /**
     * Has a shard fail over to one of its replicas, in good order, and waits for it.
     *
     * @param shard the shard
     * @param target the node that is to lead
     * @return that node
     * @throws OperationFailedException if it does not succeed, with the reason
     * @throws IllegalStateException if no sentinel runs
     */
    public LocalNode failOver(ShardId shard, NodeId target) {
        return perform(new Operation.FailOver(shard, requireNonNull(target, "target")));
    }

    private LocalNode perform(Operation operation) {
        for (LocalSentinel sentinel : sentinels.values()) {
            SentinelDriver driver = sentinel.driverIfRunning();
            if (driver != null) {
                return node(outcome(driver.perform(operation)).primary());
            }
        }
        throw new IllegalStateException("a sentinel must be running");
    }

    private static <T> T outcome(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw e;
        }
    }

    /**
     * {@return the whole cluster as one store} It writes at the acknowledgement level of the settings, reads what is
     * confirmed, and waits out failovers within the timeout of the settings.
     *
     * @throws IllegalStateException if the nodes have a {@linkplain LocalClusterBuilder#state state} of the test's
     */
    public KeyValueStore client() {
        return clusterClient().store();
    }

    /**
     * {@return the client behind {@link #client}, with its asynchronous form and other timeouts}
     *
     * @throws IllegalStateException if the nodes have a {@linkplain LocalClusterBuilder#state state} of the test's
     */
    public ClusterClient clusterClient() {
        if (state != null) {
            throw new IllegalStateException(
                    "nodes must have a key-value store for a client: those of " + this + " have a state of the test's");
        }
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
            if (reachable(shard.primary()) == null) {
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
        requireParties(cutOff);
        network.cut(cutOff, everybody());
        network.cut(everybody(), cutOff);
        fault(Kind.CUT, cutOff, "from everybody");
    }

    /**
     * Cuts the links between some parties and all others. They still reach each other.
     *
     * @param side nodes, sentinels or {@link #CLIENT}
     * @throws IllegalArgumentException if one is not of this cluster
     */
    public void partition(Collection<NodeId> side) {
        requireParties(side);
        List<NodeId> others = everybody();
        others.removeAll(side);
        network.cut(side, others);
        network.cut(others, side);
        fault(Kind.CUT, side, "from all others");
    }

    /**
     * Cuts one direction only.
     *
     * @param from whose messages do not arrive
     * @param to where they do not arrive
     * @throws IllegalArgumentException if one is not of this cluster
     */
    public void cut(Collection<NodeId> from, Collection<NodeId> to) {
        requireParties(from);
        requireParties(to);
        network.cut(from, to);
        fault(Kind.CUT, from, "on the way to " + to);
    }

    private void requireParties(Collection<NodeId> parties) {
        List<NodeId> everybody = everybody();
        for (NodeId party : parties) {
            if (!everybody.contains(party)) {
                throw new IllegalArgumentException("party must be one of this cluster: " + party);
            }
        }
    }

    /**
     * Has what some parties send to others take longer. Of several delays the longest counts.
     *
     * @param from whose messages are late
     * @param to where they are late
     * @param min the shortest time; at least 0
     * @param max the longest time
     * @throws IllegalArgumentException if a party is not of this cluster, a time is negative, or {@code max} is less
     *     than {@code min}
     */
    public void delay(Collection<NodeId> from, Collection<NodeId> to, Duration min, Duration max) {
        requireParties(from);
        requireParties(to);
        requireRange(min, max);
        network.delay(from, to, min, max);
        fault(Kind.NETWORK, from, "late by " + min + " to " + max + " on the way to " + to);
    }

    static void requireRange(Duration min, Duration max) {
        if (min.isNegative() || max.compareTo(min) < 0) {
            throw new IllegalArgumentException("times must be at least 0 and in order: " + min + " to " + max);
        }
    }

    /**
     * Loses messages.
     *
     * @param lost which; called for each message of nodes and sentinels, on any thread of the cluster
     */
    public void drop(Predicate<? super LocalMessage> lost) {
        requireNonNull(lost, "lost");
        network.drop(message -> {
            try {
                return lost.test(message);
            } catch (Throwable e) { // the test is to know, and the node not
                failures.add(e);
                return false;
            }
        });
        fault(Kind.NETWORK, List.of(), "loses some messages");
    }

    /**
     * Delivers messages twice.
     *
     * @param share the share of messages, from 0 to 1
     * @throws IllegalArgumentException if it is out of range
     */
    public void duplicate(double share) {
        network.duplicate(checkedShare(share));
        fault(Kind.NETWORK, List.of(), "repeats " + share + " of the messages");
    }

    /**
     * Has messages be overtaken by later ones.
     *
     * @param share the share of messages, from 0 to 1
     * @throws IllegalArgumentException if it is out of range
     */
    public void reorder(double share) {
        network.reorder(checkedShare(share));
        fault(Kind.NETWORK, List.of(), "mixes up " + share + " of the messages");
    }

    /** Has a rule say what becomes of each message, until the network is healed. */
    void rule(Network.Rule rule, String what) {
        network.add(rule);
        fault(Kind.NETWORK, List.of(), what);
    }

    /** Has the messages of each link be numbered from now on, for {@link #rule rules}. */
    void numberMessages() {
        network.number();
    }

    private static double checkedShare(double share) {
        if (!(share >= 0 && share <= 1)) {
            throw new IllegalArgumentException("share must be from 0 to 1: " + share);
        }
        return share;
    }

    /**
     * Does something whenever a party comes to a point in a protocol: there, before the party goes on. If the party is
     * crashed, it does not go on.
     *
     * @param point the point
     * @param action what to do; called on any thread of the cluster
     */
    public void at(StopPoint point, Consumer<? super StopPoint.Hit> action) {
        requireNonNull(action, "action");
        mail.at(requireNonNull(point, "point"), action);
    }

    /**
     * Has the network carry everything again, in order and in time. Paused parties stay paused.
     *
     * @see LocalNode#resume
     */
    public void heal() {
        network.heal();
        fault(Kind.HEAL, List.of(), "");
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
     *     close whatever it likes, the cluster included; what it throws ends nothing in the cluster, and reaches the
     *     test
     */
    public void onEvent(Consumer<? super ClusterEvent> listener) {
        events.add(listener);
    }

    /**
     * {@return whether what one party sends reaches another}
     *
     * @param from who sends: a node, a sentinel or {@link #CLIENT}
     * @param to who is to hear it
     */
    public boolean isOpen(NodeId from, NodeId to) {
        return network.isOpen(from, to);
    }

    /**
     * Adds a listener for the starts and ends of nodes and sentinels from now on.
     *
     * @param listener takes whoever was started, crashed or restarted, in the thread that did it and before that call
     *     returns; which of it, it sees there
     */
    public void onStartOrEnd(Consumer<? super NodeId> listener) {
        lives.add(requireNonNull(listener, "listener"));
    }

    void startedOrEnded(NodeId party) {
        lives.forEach(listener -> listener.accept(party));
    }

    /**
     * {@return what has happened until now, for a report: the last 10,000 events, since the start if there are no more}
     * It can be asked for after the cluster is closed, too.
     */
    public ClusterTimeline timeline() {
        return new ClusterTimeline(
                toString(), settings.topology(), sentinels.keySet(), record.events(), scheduler.nanoTime());
    }

    /**
     * Stops everything, in good order. When this returns, the cluster has no thread any more, except the caller's own
     * if a listener calls it. Repeating it changes nothing.
     *
     * @throws RuntimeException whatever a listener or an actor has thrown that the test has not heard of yet
     */
    @Override
    public void close() {
        if (!closed) {
            time.runDue(); // an actor that was only just started has its say
        }
        closed = true;
        OpenCluster registered = open;
        if (registered != null) {
            OpenCluster.remove(registered);
        }
        sentinels.values().forEach(LocalSentinel::crash);
        nodes.values().forEach(LocalNode::crash);
        events.close();
        time.close();
        failures.rethrow();
    }

    /** {@return the numbers of shards, nodes and sentinels, and the seed in virtual time} */
    @Override
    public String toString() {
        return "LocalCluster[" + settings.slots().size() + " shards, " + nodes.size() + " nodes, " + sentinels.size()
                + " sentinels" + (time instanceof VirtualTime ? ", virtual time, seed " + seed : "") + "]";
    }

    // ---- what the nodes and sentinels are wired with

    Random random() {
        return random;
    }

    /** {@return what makes the state of a node, or null if the nodes have a key-value store} */
    @Nullable
    Function<? super ReplicationLog, ? extends ReplicatedState> state() {
        return state;
    }

    /** A sentinel has news for the client. */
    void learn(NodeId sentinel, ClusterTopology news) {
        if (network.isOpen(sentinel, CLIENT)) {
            topology.learn(news);
        }
    }

    Mail mail() {
        return mail;
    }

    void fault(Kind kind, Collection<NodeId> parties, String detail) {
        publish(new ClusterEvent.Fault(scheduler.nanoTime(), kind, List.copyOf(parties), detail));
    }

    void publish(ClusterEvent event) {
        record.add(event);
        events.publish(event);
    }

    private @Nullable ClusterNode reachable(NodeId id) {
        LocalNode node = nodes.get(id);
        return node != null && network.isOpen(CLIENT, id) && network.isOpen(id, CLIENT) ? node.answering() : null;
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
