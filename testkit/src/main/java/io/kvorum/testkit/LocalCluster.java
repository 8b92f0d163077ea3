package io.kvorum.testkit;

import static java.util.Objects.requireNonNull;

import io.kvorum.cluster.ClusterClient;
import io.kvorum.core.KeyValueStore;
import io.kvorum.failover.Operation;
import io.kvorum.failover.OperationFailedException;
import io.kvorum.failover.runtime.SentinelDriver;
import io.kvorum.replication.ReplicatedState;
import io.kvorum.replication.ReplicationLog;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.Scheduler;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.testkit.LocalClusterBuilder.Parts;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A whole cluster in this JVM: shards of nodes, the sentinels that watch them, and a client. Its nodes can be crashed,
 * restarted and cut off, and their messages lost and delayed, to test how an application copes.
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
 * <p><b>Failures.</b> What a condition, a listener, a task, an actor or a rule of the test throws reaches the thread of
 * the test as it is: from the next {@link #advance} or {@link #await}, or else from {@link #close}. So does an actor
 * that goes on for more than a second after the cluster was closed.
 *
 * <p>In real time safe for use by any number of threads; in virtual time for use by one thread at a time, and actors.
 */
public final class LocalCluster implements AutoCloseable {
    /** The party to the links that stands for the client. */
    public static final NodeId CLIENT = new NodeId("client");

    private final Parts parts;
    private final LocalClusterSettings settings;
    private final ClusterTime time;
    private final Random random;
    private final Network network;
    private final Failures failures = new Failures();
    private final Parties parties = new Parties();
    private final ClusterEvents events;
    private final TestWaiting waiting;
    private final LinkFaults links;
    private final Mail mail;
    private final FirstPrimaries firstPrimaries;
    private final ClientSide clientSide;
    private final ClusterClient client;
    private volatile boolean closed;
    private volatile @Nullable OpenCluster open;

    private LocalCluster(Parts parts) {
        this.parts = parts;
        settings = parts.settings();
        time = parts.virtual() ? new VirtualTime(failures) : new RealTime(failures);
        random = new Random(parts.seed());
        Scheduler scheduler = time.scheduler();
        network = new Network(
                scheduler,
                random,
                parts.minLatency().toNanos(),
                parts.maxLatency().toNanos());
        events = new ClusterEvents(scheduler, failures);
        waiting = new TestWaiting(time, failures, time instanceof VirtualTime ? " (seed " + seed() + ")" : "");
        links = new LinkFaults(parties, network, events, failures);
        mail = new Mail(parties, network, settings.encoded() ? Wire.encoding() : Wire.NONE, failures);
        firstPrimaries = new FirstPrimaries(parties, scheduler);
        ClusterTopology initial = settings.topology();
        clientSide = new ClientSide(parties, network, initial);
        parties.add(this, initial, parts.priorities());
        client = clientSide.connect(settings, scheduler, random);
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

    static LocalCluster begin(Parts parts) {
        LocalCluster cluster = new LocalCluster(parts);
        try {
            cluster.parties.nodes().forEach(LocalNode::start);
            cluster.parties.sentinels().forEach(LocalSentinel::start);
        } catch (Throwable e) { // of a state of the test's
            cluster.close();
            throw e;
        }
        cluster.topology().shards().forEach(shard -> cluster.firstPrimaries.begin(shard.id()));
        cluster.open = OpenCluster.add(cluster);
        return cluster;
    }

    /** {@return the settings} */
    public LocalClusterSettings settings() {
        return settings;
    }

    /** {@return the seed of all that is random; the same run again needs virtual time too} */
    public long seed() {
        return parts.seed();
    }

    // ---- time

    /** {@return the time of day of the cluster, for an application under test} */
    public InstantSource clock() {
        return time.clock();
    }

    /** {@return what runs the cluster, for an application under test: its time, and its later tasks} */
    public Scheduler scheduler() {
        return time.scheduler();
    }

    /**
     * Lets time pass. In virtual time all that becomes due has run when this returns.
     *
     * @param duration how long; from 0 to a hundred years
     * @throws IllegalArgumentException if it is out of range
     * @throws RuntimeException whatever a listener or an actor has thrown
     */
    public void advance(Duration duration) {
        waiting.advance(duration);
    }

    /**
     * Starts another thread of the test. In virtual time it runs while no other does: until it waits, for the cluster
     * or by {@link #advance}, which lets an actor sleep. If it waits for something else, such as a lock that another
     * actor holds, the others run on too; but then which of two actors goes first may differ from run to run, and a
     * limit of such a waiting is in real time. An interrupt does not end a wait for the cluster in virtual time.
     * Closing the cluster ends the actor where it waits, by a {@link CancellationException} or an interrupt.
     *
     * @param name the name of the thread
     * @param body what it does
     * @return completes when it has ended. If it throws, the failure reaches the test, whether this is asked or not
     * @throws IllegalStateException if the cluster was closed
     */
    public CompletionStage<@Nullable Void> actor(String name, Body body) {
        requireNonNull(body, "body");
        requireOpen();
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
        waiting.awaitReady(this::missing, limit);
    }

    /** {@return what is missing until the cluster is ready, or null} */
    @Nullable
    String missing() {
        return Readiness.missing(parties, firstPrimaries, topology());
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
        return waiting.await(condition, limit);
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
        waiting.runUntil(condition, limit);
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
        return waiting.awaitEvent(events, wanted, limit);
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
        SentinelDriver sentinel = parties.anySentinel();
        if (sentinel == null) {
            throw new IllegalStateException("a sentinel must be running");
        }
        return node(TestWaiting.outcome(sentinel.perform(operation)).primary());
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
        if (parts.state() != null) {
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
        return clientSide.uncovered();
    }

    /** {@return the topology as the client knows it from the sentinels that it has reached} */
    public ClusterTopology topology() {
        return clientSide.topology();
    }

    /** {@return all nodes, by shard} */
    public List<LocalNode> nodes() {
        return List.copyOf(parties.nodes());
    }

    /**
     * {@return the nodes of a shard}
     *
     * @param shard the shard
     * @throws IllegalArgumentException if there is no such shard
     */
    public List<LocalNode> nodes(ShardId shard) {
        return clientSide.shard(shard).nodes().stream().map(this::node).toList();
    }

    /**
     * {@return a node}
     *
     * @param id its id
     * @throws IllegalArgumentException if there is no such node
     */
    public LocalNode node(NodeId id) {
        return parties.node(id);
    }

    /**
     * {@return the primary of the shard that owns the slot of a key, by {@link #topology()}}
     *
     * @param key the key
     * @throws IllegalArgumentException if no shard owns the slot
     */
    public LocalNode primaryFor(byte[] key) {
        return node(clientSide.primaryOf(HashSlot.of(key)));
    }

    /**
     * {@return the primary of a shard, by {@link #topology()}}
     *
     * @param shard the shard
     * @throws IllegalArgumentException if there is no such shard
     */
    public LocalNode primaryOf(ShardId shard) {
        return node(clientSide.shard(shard).primary());
    }

    /** {@return all sentinels} */
    public List<LocalSentinel> sentinels() {
        return List.copyOf(parties.sentinels());
    }

    /**
     * {@return a sentinel}
     *
     * @param id its id
     * @throws IllegalArgumentException if there is no such sentinel
     */
    public LocalSentinel sentinel(NodeId id) {
        return parties.sentinel(id);
    }

    /**
     * Cuts parties off: nothing reaches them, nor do they reach anything, not even each other.
     *
     * @param cutOff nodes, sentinels or {@link #CLIENT}
     * @throws IllegalArgumentException if one is not of this cluster
     */
    public void isolate(NodeId... cutOff) {
        links.isolate(List.of(cutOff));
    }

    /**
     * Cuts the links between some parties and all others. They still reach each other.
     *
     * @param side nodes, sentinels or {@link #CLIENT}
     * @throws IllegalArgumentException if one is not of this cluster
     */
    public void partition(Collection<NodeId> side) {
        links.partition(side);
    }

    /**
     * Cuts one direction only.
     *
     * @param from whose messages do not arrive
     * @param to where they do not arrive
     * @throws IllegalArgumentException if one is not of this cluster
     */
    public void cut(Collection<NodeId> from, Collection<NodeId> to) {
        links.cut(from, to);
    }

    /**
     * Has what some parties send to others take longer. Of several delays the longest counts.
     *
     * @param from whose messages are late
     * @param to where they are late
     * @param min the shortest time; at least 0
     * @param max the longest time; at most a hundred years
     * @throws IllegalArgumentException if a party is not of this cluster, a time is out of range, or {@code max} is
     *     less than {@code min}
     */
    public void delay(Collection<NodeId> from, Collection<NodeId> to, Duration min, Duration max) {
        links.delay(from, to, min, max);
    }

    /**
     * Loses messages.
     *
     * @param lost which; called for each message of nodes and sentinels, on any thread of the cluster
     */
    public void drop(Predicate<? super LocalMessage> lost) {
        links.drop(lost);
    }

    /**
     * Delivers messages twice.
     *
     * @param share the share of messages, from 0 to 1
     * @throws IllegalArgumentException if it is out of range
     */
    public void duplicate(double share) {
        links.duplicate(share);
    }

    /**
     * Has messages be overtaken by later ones.
     *
     * @param share the share of messages, from 0 to 1
     * @throws IllegalArgumentException if it is out of range
     */
    public void reorder(double share) {
        links.reorder(share);
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
        links.heal();
        clientSide.catchUp();
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
     * @throws IllegalArgumentException if one is not of this cluster
     */
    public boolean isOpen(NodeId from, NodeId to) {
        parties.require(List.of(from, to));
        return network.isOpen(from, to);
    }

    /**
     * Adds a listener for the starts and ends of nodes and sentinels from now on.
     *
     * @param listener takes whoever was started, crashed or restarted, in the thread that did it and before that call
     *     returns; which of it, it sees there
     */
    public void onStartOrEnd(Consumer<? super NodeId> listener) {
        events.addLifeListener(listener);
    }

    /**
     * {@return what has happened until now, for a report: the last 10,000 events, since the start if there are no more}
     * It can be asked for after the cluster is closed, too.
     */
    public ClusterTimeline timeline() {
        return new ClusterTimeline(
                toString(),
                settings.topology(),
                parties.sentinels().stream().map(LocalSentinel::id).toList(),
                events.recorded(),
                scheduler().nanoTime());
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
        events.close(); // what follows is no news
        firstPrimaries.close();
        OpenCluster registered = open;
        if (registered != null) {
            OpenCluster.remove(registered);
        }
        parties.sentinels().forEach(LocalSentinel::crash);
        parties.nodes().forEach(LocalNode::crash);
        time.close();
        failures.rethrow();
    }

    /** {@return the numbers of shards, nodes and sentinels, and the seed in virtual time} */
    @Override
    public String toString() {
        return "LocalCluster[" + settings.slots().size() + " shards, "
                + parties.nodes().size() + " nodes, " + parties.sentinels().size() + " sentinels"
                + (time instanceof VirtualTime ? ", virtual time, seed " + seed() : "") + "]";
    }

    // ---- what the nodes and sentinels are wired with

    boolean isClosed() {
        return closed;
    }

    /** Refuses to start anything once the cluster is closed. */
    void requireOpen() {
        if (closed) {
            throw new ClosedCluster(this);
        }
    }

    Random random() {
        return random;
    }

    /** {@return what makes the state of a node, or null if the nodes have a key-value store} */
    @Nullable
    Function<? super ReplicationLog, ? extends ReplicatedState> state() {
        return parts.state();
    }

    ClientSide clientSide() {
        return clientSide;
    }

    Mail mail() {
        return mail;
    }

    ClusterEvents events() {
        return events;
    }

    LinkFaults links() {
        return links;
    }
}
