package io.kvorum.failover.runtime;

import static java.util.Objects.requireNonNull;

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
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.Shard;
import io.kvorum.slots.topology.ShardId;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
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
 * <p>Listeners and subscribers are called on the executor, in order and one at a time each; they never hold up the
 * sentinel, unless the executor has no other thread. Stages complete on the executor, too, except where the answer does
 * not wait for the sentinel: a request that is refused at once returns a completed stage, and those that wait when this
 * driver is closed, or when the executor takes no more tasks, are completed by the thread that finds it so.
 *
 * <p>Safe for use by any number of threads.
 */
public final class SentinelDriver implements ConfigurationProvider, Runnable, AutoCloseable {
    /** How many inputs may wait for a step; messages and answers beyond are lost, requests beyond are refused. */
    public static final int MAX_INPUTS = 65_536;

    /** How many events may wait for a slow listener, or for a state to be saved; the oldest beyond are lost. */
    public static final int MAX_EVENTS = 4_096;

    private static final System.Logger logger = System.getLogger(SentinelDriver.class.getName());

    /** A manual failover that was asked for. */
    private static final class Request {
        private final CompletableFuture<NodeId> stage = new CompletableFuture<>();
        /** Whether the sentinel has been told; until then what happens to the shard is not about this. */
        private boolean begun;
        /** How it ended; null while it has not, or if it ended well. Told once that is saved. */
        private @Nullable FailoverFailedException failure;
        /** The new primary; null while it is not known. */
        private @Nullable NodeId primary;

        private boolean isOver() {
            return failure != null || primary != null;
        }
    }

    private final Sentinel sentinel;
    private final SentinelTransport transport;
    private final NodeGateway gateway;
    private final SentinelStateStore store;
    private final LongSupplier nanoClock;
    private final Executor executor;
    /** Runs what must be run, if need be here. */
    private final Executor completer;

    private final EventFeed<SentinelEvent> events;
    private final TopologyFeed topologies;
    private final Map<ShardId, List<NodeId>> down = new ConcurrentHashMap<>();
    private volatile QuorumCheck quorumCheck;

    private final Queue<LongConsumer> inputs = new ConcurrentLinkedQueue<>();
    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicBoolean woken = new AtomicBoolean();
    private final AtomicInteger runs = new AtomicInteger();
    /** At most one for each shard; what is in a request is confined to the step. */
    private final Map<ShardId, Request> requests = new ConcurrentHashMap<>();

    private final CountDownLatch over = new CountDownLatch(1);
    private volatile boolean closed;
    private volatile @Nullable Thread stepping;

    // What follows is confined to the step, of which there is one at a time.
    private final Deque<SentinelEvent> held = new ArrayDeque<>();
    private long lost;
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
        this.sentinel = requireNonNull(sentinel, "sentinel");
        this.transport = requireNonNull(transport, "transport");
        this.gateway = requireNonNull(gateway, "gateway");
        this.store = requireNonNull(store, "store");
        this.nanoClock = requireNonNull(nanoClock, "nanoClock");
        requireNonNull(executor, "executor");
        requireNonNull(listener, "listener");
        this.executor = task -> offer(executor, task);
        this.completer = task -> {
            if (!offer(executor, task)) {
                task.run();
            }
        };
        events = new EventFeed<>(
                MAX_EVENTS,
                executor,
                event -> accept(listener, event),
                count -> new EventsLost(nanoClock.getAsLong(), sentinel.self(), count));
        topologies = new TopologyFeed(new TopologySnapshot(1, sentinel.topology()), executor);
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
     *     {@link FailoverFailedException} if it does not come to that, and with {@link CancellationException} if this
     *     driver is closed before, or has too many inputs waiting
     */
    public CompletionStage<NodeId> failOver(ShardId shard) {
        requireNonNull(shard, "shard");
        Request request = new Request();
        if (requests.putIfAbsent(shard, request) != null) {
            Shard known = topology().shard(shard);
            request.stage.completeExceptionally(new FailoverFailedException(
                    shard, known == null ? 0 : known.epoch(), AbortReason.FAILOVER_IN_PROGRESS));
        } else if (!enqueue(now -> begin(shard, request, now))
                || closed) { // closed meanwhile, perhaps unseen by close()
            requests.remove(shard, request);
            request.stage.completeExceptionally(new CancellationException("the sentinel is closed or overloaded"));
        }
        return request.stage.minimalCompletionStage();
    }

    private void begin(ShardId shard, Request request, long now) {
        deliver(sentinel.ready(), now); // what happened before is not about this request
        request.begun = true;
        sentinel.failOver(shard, now);
    }

    /**
     * Tells the sentinel of a topology that was changed elsewhere; see {@link Sentinel#merge}. One that changes the
     * nodes of a shard is refused, of which {@link SentinelEvent.MergeRefused} tells.
     *
     * @param topology the changed topology
     * @return whether the sentinel will be told; false if this driver is closed, or has too many inputs waiting: unless
     *     it is closed it is then to be told again
     */
    public boolean merge(ClusterTopology topology) {
        return enqueue(now -> sentinel.merge(topology, now));
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
        Throwable fault = null;
        do {
            stepping = Thread.currentThread();
            try {
                step();
            } catch (RuntimeException | Error e) { // rather stop than go on wrong
                logger.log(Level.ERROR, () -> "sentinel " + sentinel.self() + " failed and is closed", e);
                fault = e;
                closed = true;
                cleanUp();
            } finally {
                stepping = null;
            }
            handled = runs.addAndGet(-handled);
        } while (handled != 0);
        if (fault instanceof Error error) {
            throw error;
        } else if (fault instanceof RuntimeException exception) {
            throw exception;
        }
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
        events.retry();
        topologies.retry();
        deliver(sentinel.ready(), now);
        quorumCheck = sentinel.quorumCheck(now);
        assert sentinel.checkInvariants();
    }

    private void deliver(Ready ready, long now) {
        for (SentinelEvent event : ready.events()) {
            conclude(event);
            hold(event);
        }
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
        requests.forEach(this::completeIfOver);
        if (lost > 0) {
            events.lost(lost);
            lost = 0;
            sentinel.topology().shards().forEach(shard -> down.put(shard.id(), sentinel.down(shard.id())));
        }
        SentinelEvent event;
        while ((event = held.pollFirst()) != null) {
            announce(event);
        }
    }

    /** Notes how a manual failover ended; events may get lost on their way to the listener, this must not. */
    private void conclude(SentinelEvent event) {
        if (!(event instanceof ShardEvent about)) {
            return;
        }
        Request request = requests.get(about.shard());
        if (request == null || !request.begun || request.isOver()) {
            return;
        }
        if (event instanceof Switched switched) {
            request.primary = switched.primary();
        } else if (event instanceof FailoverAborted aborted) {
            request.failure = new FailoverFailedException(aborted.shard(), aborted.epoch(), aborted.reason());
        } else if (event instanceof FailoverRefused refused) {
            request.failure = new FailoverFailedException(refused.shard(), refused.epoch(), refused.reason());
        }
    }

    private void completeIfOver(ShardId shard, Request request) {
        NodeId primary = request.primary;
        FailoverFailedException failure = request.failure;
        if (primary != null) {
            requests.remove(shard);
            completer.execute(() -> request.stage.complete(primary));
        } else if (failure != null) {
            requests.remove(shard);
            completer.execute(() -> request.stage.completeExceptionally(failure));
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
                logger.log(
                        Level.WARNING,
                        () -> "sentinel " + sentinel.self() + " cannot save its state, and so gives no votes",
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
            lost++;
        }
        held.addLast(event);
    }

    private void publish(ClusterTopology topology) {
        TopologySnapshot latest = topologies.latest();
        if (!latest.topology().equals(topology)) {
            topologies.publish(new TopologySnapshot(latest.number() + 1, topology));
            down.keySet().removeIf(shard -> topology.shard(shard) == null);
        }
    }

    private void announce(SentinelEvent event) {
        logger.log(event instanceof ConfigurationAdopted ? Level.INFO : Level.DEBUG, event::toString);
        if (event instanceof SubjectivelyDown || event instanceof SubjectivelyUp) {
            ShardId shard = ((ShardEvent) event).shard();
            down.put(shard, sentinel.down(shard));
        }
        events.offer(event);
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
        return topologies.subscribe(requireNonNull(listener, "listener"));
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
     * Ends it: no step that starts after this does anything, and every stage that still waits is cancelled. The store,
     * the executor and whatever calls {@link #run()} are the owner's to close. Idempotent.
     *
     * <p>It waits for the step under way, unless that is the caller: afterwards nothing of this life of the sentinel is
     * saved or sent any more, and another may begin. An interrupt does not end the waiting, and stays set.
     */
    @Override
    public void close() {
        closed = true;
        topologies.close();
        run();
        if (stepping != Thread.currentThread()) {
            awaitEnd();
        }
    }

    private void awaitEnd() {
        boolean interrupted = false;
        while (over.getCount() > 0) {
            try {
                over.await();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void cleanUp() {
        inputs.clear();
        requests.forEach((shard, request) -> {
            requests.remove(shard, request);
            request.stage.completeExceptionally(new CancellationException("the sentinel is closed"));
        });
        topologies.close();
        over.countDown();
    }

    private static void accept(Consumer<? super SentinelEvent> listener, SentinelEvent event) {
        try {
            listener.accept(event);
        } catch (RuntimeException e) {
            logger.log(Level.WARNING, () -> "listener failed on " + event, e);
        }
    }

    /** An executor that has been shut down ends the deliveries, not the steps. */
    private static boolean offer(Executor executor, Runnable task) {
        try {
            executor.execute(task);
            return true;
        } catch (RejectedExecutionException e) {
            logger.log(Level.DEBUG, () -> "the executor takes no more tasks", e);
            return false;
        }
    }
}
