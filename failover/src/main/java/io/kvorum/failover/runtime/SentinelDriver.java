package io.kvorum.failover.runtime;

import io.kvorum.failover.ConfigurationProvider;
import io.kvorum.failover.FailoverFailedException;
import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeGateway;
import io.kvorum.failover.QuorumCheck;
import io.kvorum.failover.Sentinel;
import io.kvorum.failover.Sentinel.AddressedCommand;
import io.kvorum.failover.Sentinel.Envelope;
import io.kvorum.failover.Sentinel.Ready;
import io.kvorum.failover.SentinelEvent;
import io.kvorum.failover.SentinelEvent.AbortReason;
import io.kvorum.failover.SentinelEvent.ConfigurationAdopted;
import io.kvorum.failover.SentinelEvent.EventsLost;
import io.kvorum.failover.SentinelEvent.FailoverAborted;
import io.kvorum.failover.SentinelEvent.FailoverRefused;
import io.kvorum.failover.SentinelEvent.ShardEvent;
import io.kvorum.failover.SentinelEvent.StateNotSaved;
import io.kvorum.failover.SentinelEvent.SubjectivelyDown;
import io.kvorum.failover.SentinelEvent.SubjectivelyUp;
import io.kvorum.failover.SentinelEvent.Switched;
import io.kvorum.failover.SentinelMessage;
import io.kvorum.failover.SentinelState;
import io.kvorum.failover.SentinelStateStore;
import io.kvorum.failover.SentinelTransport;
import io.kvorum.failover.TopologySnapshot;
import io.kvorum.slots.ClusterTopology;
import io.kvorum.slots.NodeId;
import io.kvorum.slots.Shard;
import io.kvorum.slots.ShardId;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs a sentinel: brings it time, messages and answers, saves its state, and then sends and publishes what it wants
 * sent and published. Until a state has been saved nothing that follows from it leaves.
 *
 * <p>{@link #run()} is one step. The owner calls it once per {@code tickPeriod} of the sentinel's settings, usually by
 * a scheduler; and the executor is given it when there is a message in between. It starts no thread.
 *
 * <p>Listeners, subscribers and stages are called on the executor, in order and one at a time each; they never hold up
 * the sentinel, unless the executor has no other thread. Safe for use by any number of threads.
 */
public final class SentinelDriver implements ConfigurationProvider, Runnable, AutoCloseable {
    private static final System.Logger LOGGER = System.getLogger(SentinelDriver.class.getName());
    /** More inputs than this may not wait; those above are lost, which a sentinel must bear anyway. */
    private static final int MAX_INPUTS = 65_536;
    /** More events than this may not wait for a slow listener, or for a state to be saved. */
    private static final int MAX_EVENTS = 4_096;

    private final Sentinel sentinel;
    private final SentinelTransport transport;
    private final NodeGateway gateway;
    private final SentinelStateStore store;
    private final LongSupplier nanoClock;
    private final Executor executor;
    private final EventFeed<SentinelEvent> events;
    private final TopologyFeed topologies;
    private final Map<ShardId, List<NodeId>> down = new ConcurrentHashMap<>();
    private volatile QuorumCheck quorumCheck;

    private final Queue<LongConsumer> inputs = new ConcurrentLinkedQueue<>();
    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicBoolean woken = new AtomicBoolean();
    private final AtomicInteger runs = new AtomicInteger();
    private volatile boolean closed;

    // What follows is confined to the step, of which there is one at a time.
    private final Map<ShardId, CompletableFuture<NodeId>> failovers = new LinkedHashMap<>();
    private final Deque<SentinelEvent> held = new ArrayDeque<>();
    private @Nullable ClusterTopology unpublished;
    private @Nullable SentinelState unsaved;
    private boolean saveFailed;

    /**
     * Makes a driver; nothing happens before its first {@link #run()}.
     *
     * @param sentinel the sentinel, which from now on is this driver's
     * @param transport reaches the other sentinels
     * @param gateway reaches the nodes
     * @param store keeps the sentinel's state; the one that the sentinel was restored from
     * @param nanoClock the clock that the sentinel was started with
     * @param executor runs this driver when there is something to do, and the listeners
     * @param listener takes the events
     */
    public SentinelDriver(
            Sentinel sentinel,
            SentinelTransport transport,
            NodeGateway gateway,
            SentinelStateStore store,
            LongSupplier nanoClock,
            Executor executor,
            Consumer<? super SentinelEvent> listener) {
        this.sentinel = Objects.requireNonNull(sentinel, "sentinel");
        this.transport = Objects.requireNonNull(transport, "transport");
        this.gateway = Objects.requireNonNull(gateway, "gateway");
        this.store = Objects.requireNonNull(store, "store");
        this.nanoClock = Objects.requireNonNull(nanoClock, "nanoClock");
        Objects.requireNonNull(executor, "executor");
        Objects.requireNonNull(listener, "listener");
        this.executor = task -> execute(executor, task);
        events = new EventFeed<>(
                MAX_EVENTS,
                this.executor,
                event -> accept(listener, event),
                count -> new EventsLost(nanoClock.getAsLong(), sentinel.self(), count));
        topologies = new TopologyFeed(new TopologySnapshot(1, sentinel.topology()), this.executor);
        quorumCheck = sentinel.quorumCheck(nanoClock.getAsLong());
    }

    // Inputs.

    /**
     * Takes a message of another sentinel.
     *
     * @param from the sender
     * @param message the message
     */
    public void receive(NodeId from, SentinelMessage message) {
        enqueue(now -> sentinel.receive(from, message, now));
    }

    private void answered(NodeId from, NodeAnswer answer) {
        if (answer.report().node().equals(from)) { // else something stands at another's address
            enqueue(now -> sentinel.answered(answer, now));
        }
    }

    /**
     * Gives a shard another primary: by a switchover, which loses nothing, if the present one is well, and by a
     * failover if it is down.
     *
     * @param shard the shard
     * @return the new primary, once a majority of the sentinels has stored that it is; fails with
     *     {@link FailoverFailedException} if it doesn't come to that, and with {@link CancellationException} if this
     *     driver is closed before
     */
    public CompletionStage<NodeId> failOver(ShardId shard) {
        CompletableFuture<NodeId> result = new CompletableFuture<>();
        boolean accepted = enqueue(now -> {
            CompletableFuture<NodeId> other = failovers.putIfAbsent(shard, result);
            if (other == null) {
                sentinel.failOver(shard, now);
            } else {
                executor.execute(() -> result.completeExceptionally(
                        new FailoverFailedException(shard, 0, AbortReason.FAILOVER_IN_PROGRESS)));
            }
        });
        if (!accepted) {
            result.completeExceptionally(new CancellationException("the sentinel is closed or overloaded"));
        }
        return result.minimalCompletionStage();
    }

    /**
     * Tells the sentinel of a topology that was changed elsewhere; see {@link Sentinel#merge}.
     *
     * @param topology the changed topology
     */
    public void merge(ClusterTopology topology) {
        enqueue(now -> sentinel.merge(topology, now));
    }

    private boolean enqueue(LongConsumer input) {
        if (closed) {
            return false;
        }
        if (waiting.incrementAndGet() > MAX_INPUTS) {
            waiting.decrementAndGet();
            return false;
        }
        inputs.add(input);
        if (woken.compareAndSet(false, true)) {
            executor.execute(this);
        }
        return true;
    }

    // The step.

    /** Takes one step. Called while another is under way it returns at once, and that one is followed by another. */
    @Override
    public void run() {
        if (runs.getAndIncrement() != 0) {
            return;
        }
        int handled = 1;
        do {
            boolean completed = false;
            try {
                step();
                completed = true;
            } finally {
                if (!completed) { // rather stop than go on wrong
                    LOGGER.log(System.Logger.Level.ERROR, () -> "sentinel " + sentinel.self() + " stopped by a fault");
                    closed = true;
                    cleanUp();
                    runs.set(0);
                }
            }
            handled = runs.addAndGet(-handled);
        } while (handled != 0);
    }

    private void step() {
        if (closed) {
            cleanUp();
            return;
        }
        woken.set(false);
        long now = nanoClock.getAsLong();
        LongConsumer input;
        while ((input = inputs.poll()) != null) {
            waiting.decrementAndGet();
            input.accept(now);
        }
        sentinel.tick(now);
        deliver(sentinel.ready(), now);
        quorumCheck = sentinel.quorumCheck(now);
    }

    private void deliver(Ready ready, long now) {
        ready.events().forEach(this::hold);
        if (ready.published() != null) {
            unpublished = ready.published();
        }
        if (ready.toSave() != null) {
            unsaved = ready.toSave();
        }
        if (!save(now)) {
            return; // the messages and commands are lost: the sentinel repeats what matters
        }
        if (unpublished != null) {
            publish(unpublished);
            unpublished = null;
        }
        for (Envelope envelope : ready.messages()) {
            transport.send(envelope.to(), envelope.message());
        }
        for (AddressedCommand command : ready.commands()) {
            gateway.send(command.to(), command.command(), answer -> answered(command.to(), answer));
        }
        SentinelEvent event;
        while ((event = held.pollFirst()) != null) {
            announce(event);
        }
    }

    private boolean save(long now) {
        if (unsaved == null) {
            return true;
        }
        try {
            store.save(unsaved);
        } catch (IOException | RuntimeException e) {
            if (!saveFailed) {
                saveFailed = true;
                LOGGER.log(
                        System.Logger.Level.WARNING,
                        () -> "sentinel " + sentinel.self() + " can't save its state, and so gives no votes",
                        e);
                events.offer(new StateNotSaved(now, sentinel.self(), e.getMessage()));
            }
            return false;
        }
        unsaved = null;
        saveFailed = false;
        return true;
    }

    private void hold(SentinelEvent event) {
        if (held.size() == MAX_EVENTS) {
            held.removeFirst();
        }
        held.addLast(event);
    }

    private void publish(ClusterTopology topology) {
        TopologySnapshot latest = topologies.latest();
        if (!latest.topology().equals(topology)) {
            topologies.publish(new TopologySnapshot(latest.number() + 1, topology));
        }
    }

    private void announce(SentinelEvent event) {
        LOGGER.log(
                event instanceof ConfigurationAdopted ? System.Logger.Level.INFO : System.Logger.Level.DEBUG,
                event::toString);
        if (event instanceof SubjectivelyDown || event instanceof SubjectivelyUp) {
            ShardId shard = ((ShardEvent) event).shard();
            down.put(shard, sentinel.down(shard));
        } else if (event instanceof Switched switched) {
            CompletableFuture<NodeId> result = failovers.remove(switched.shard());
            if (result != null) {
                executor.execute(() -> result.complete(switched.primary()));
            }
        } else if (event instanceof FailoverAborted aborted) {
            fail(aborted, aborted.reason());
        } else if (event instanceof FailoverRefused refused) {
            fail(refused, refused.reason());
        }
        events.offer(event);
    }

    private void fail(ShardEvent event, AbortReason reason) {
        CompletableFuture<NodeId> result = failovers.remove(event.shard());
        if (result != null) {
            executor.execute(() ->
                    result.completeExceptionally(new FailoverFailedException(event.shard(), event.epoch(), reason)));
        }
    }

    // Queries, and the end.

    @Override
    public ClusterTopology topology() {
        return topologies.latest().topology();
    }

    @Override
    public @Nullable NodeId primaryOf(ShardId shard) {
        Shard known = topology().shard(shard);
        return known == null ? null : known.primary();
    }

    @Override
    public Subscription subscribe(Consumer<TopologySnapshot> listener) {
        return topologies.subscribe(Objects.requireNonNull(listener, "listener"));
    }

    /** {@return the primary of each shard, in the order of the shards' ids} */
    public Map<ShardId, NodeId> primaries() {
        Map<ShardId, NodeId> primaries = new LinkedHashMap<>();
        for (Shard shard : topology().shards()) {
            primaries.put(shard.id(), shard.primary());
        }
        return Collections.unmodifiableMap(primaries);
    }

    /**
     * The replicas of a shard by the latest topology.
     *
     * @param shard the shard
     * @return its replicas; none if there is no such shard
     */
    public List<NodeId> replicas(ShardId shard) {
        Shard known = topology().shard(shard);
        return known == null ? List.of() : known.replicas();
    }

    /**
     * The nodes of a shard that this sentinel holds subjectively down.
     *
     * @param shard the shard
     * @return those nodes; none if there is no such shard
     */
    public List<NodeId> down(ShardId shard) {
        return down.getOrDefault(shard, List.of());
    }

    /** {@return all sentinels, this one included} */
    public List<NodeId> sentinels() {
        return sentinel.sentinels();
    }

    /** {@return this sentinel's id} */
    public NodeId self() {
        return sentinel.self();
    }

    /** {@return whether the sentinels could fail a shard over, as of the last step} */
    public QuorumCheck quorumCheck() {
        return quorumCheck;
    }

    /**
     * Ends it: no step that starts after this does anything. The store, the executor and whatever calls {@link #run()}
     * are the owner's to close.
     */
    @Override
    public void close() {
        closed = true;
        topologies.close();
        run();
    }

    private void cleanUp() {
        inputs.clear();
        failovers.values().forEach(result -> result.completeExceptionally(new CancellationException("closed")));
        failovers.clear();
        topologies.close();
    }

    private static void accept(Consumer<? super SentinelEvent> listener, SentinelEvent event) {
        try {
            listener.accept(event);
        } catch (RuntimeException e) {
            LOGGER.log(System.Logger.Level.WARNING, () -> "listener failed on " + event, e);
        }
    }

    /** An executor that has been shut down ends the deliveries, not the steps. */
    private static void execute(Executor executor, Runnable task) {
        try {
            executor.execute(task);
        } catch (RejectedExecutionException e) {
            LOGGER.log(System.Logger.Level.DEBUG, () -> "the executor takes no more tasks", e);
        }
    }
}
