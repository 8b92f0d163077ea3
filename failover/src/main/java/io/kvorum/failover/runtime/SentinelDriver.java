package io.kvorum.failover.runtime;

import static java.util.Objects.requireNonNull;

import io.kvorum.failover.AbortReason;
import io.kvorum.failover.ConfigurationProvider;
import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeGateway;
import io.kvorum.failover.Operation;
import io.kvorum.failover.OperationFailedException;
import io.kvorum.failover.QuorumCheck;
import io.kvorum.failover.Sentinel;
import io.kvorum.failover.Sentinel.AddressedCommand;
import io.kvorum.failover.Sentinel.Envelope;
import io.kvorum.failover.Sentinel.Ready;
import io.kvorum.failover.SentinelEvent;
import io.kvorum.failover.SentinelFact;
import io.kvorum.failover.SentinelFact.SubjectivelyDown;
import io.kvorum.failover.SentinelFact.SubjectivelyUp;
import io.kvorum.failover.SentinelMessage;
import io.kvorum.failover.SentinelStateStore;
import io.kvorum.failover.SentinelTransport;
import io.kvorum.failover.ShardPrimary;
import io.kvorum.failover.TopologySnapshot;
import io.kvorum.slots.Scheduler;
import io.kvorum.slots.runtime.EventFeed;
import io.kvorum.slots.runtime.Faults;
import io.kvorum.slots.runtime.Inbox;
import io.kvorum.slots.runtime.OperatorLog;
import io.kvorum.slots.runtime.StepRunner;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.Shard;
import io.kvorum.slots.topology.ShardId;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Runs a sentinel: brings it time, messages, answers and orders, sends and publishes what it wants sent and published,
 * and saves its state.
 *
 * <p>It has no thread of its own. The scheduler takes a step when something came in and when the sentinel asked for
 * one; no step begins before {@link #start} or the first input. Inputs are taken by any thread and return at once.
 *
 * <p>The transport, the gateway, the listeners, the subscribers, the store and what depends on the returned stages are
 * called on the scheduler, under no lock. They may do anything, close this driver included, and fail in any way: a
 * failure is logged, counted in {@link #failedCalls} and told as {@link SentinelFact.CallFailed}, and what should have
 * been carried counts as lost. No ping waits for the store, a listener, a subscriber or a stage.
 *
 * <p>Only a defect of the sentinel itself ends the driver: it is logged and told as {@link SentinelFact.DriverFailed},
 * and {@link #failure} returns it. Orders are refused from then on, as by a driver that was closed.
 *
 * <p>Safe for use by any number of threads.
 */
public final class SentinelDriver implements ConfigurationProvider, AutoCloseable {
    /** How many messages and answers may wait for a step; those beyond are lost. */
    public static final int MAX_MESSAGES = 65_536;

    /** How many orders and topologies may wait for a step; those beyond are refused. */
    public static final int MAX_REQUESTS = 1_024;

    /** How many events may wait for a slow listener; the oldest beyond are lost. */
    public static final int MAX_EVENTS = 4_096;

    /** How many messages a step takes. */
    private static final int MAX_BATCH = 4_096;

    private static final int MAX_NOTES = 256;
    private static final OperatorLog logger = OperatorLog.of(SentinelDriver.class);

    /** A fact of this driver that is yet to be told. */
    private record Note(SentinelFact fact, boolean ofListener) {}

    /**
     * What a step wants done.
     *
     * @param ready the output of the sentinel
     * @param snapshot the topology to publish, or null
     * @param failures events of failures of listeners
     */
    private record Output(Ready ready, @Nullable TopologySnapshot snapshot, List<SentinelEvent> failures) {}

    private final class Steps implements StepRunner.Steps<Output> {
        @Override
        public Output step(long now) {
            return takeStep(now);
        }

        @Override
        public void deliver(Output output) {
            SentinelDriver.this.deliver(output);
        }

        @Override
        public void end(@Nullable Throwable defect) {
            if (defect != null) {
                lastEvent = sentinel.event(
                        new SentinelFact.DriverFailed(String.valueOf(Faults.message(defect))), scheduler.nanoTime());
            }
        }

        @Override
        public void ended() {
            tellEnd();
        }

        @Override
        public String toString() {
            return name;
        }
    }

    private final Sentinel sentinel;
    private final String name;
    private final SentinelTransport transport;
    private final NodeGateway gateway;
    private final Scheduler scheduler;
    private final StepRunner<Output> runner;
    private final StateSaver saver;
    private final EventFeed<SentinelEvent> events;
    private final TopologyFeed topologies;
    private final Faults faults;
    private final SentinelLog log = new SentinelLog(logger);

    private final Inbox<LongConsumer> messages = new Inbox<>(MAX_MESSAGES);
    private final Inbox<LongConsumer> requests = new Inbox<>(MAX_REQUESTS);
    private final Inbox<Note> notes = new Inbox<>(MAX_NOTES);
    private final PendingOperations operations = new PendingOperations(this::topology);
    private final Map<ShardId, List<NodeId>> down = new ConcurrentHashMap<>();
    private volatile QuorumCheck quorumCheck;
    private volatile @Nullable SentinelEvent lastEvent;

    /**
     * Creates a driver.
     *
     * @param sentinel the sentinel, which from now on is this driver's
     * @param transport reaches the other sentinels
     * @param gateway reaches the nodes
     * @param store keeps the state of the sentinel
     * @param scheduler has the threads, and the time that the sentinel was started with
     */
    public SentinelDriver(
            Sentinel sentinel,
            SentinelTransport transport,
            NodeGateway gateway,
            SentinelStateStore store,
            Scheduler scheduler) {
        this.sentinel = requireNonNull(sentinel, "sentinel");
        this.transport = requireNonNull(transport, "transport");
        this.gateway = requireNonNull(gateway, "gateway");
        this.scheduler = requireNonNull(scheduler, "scheduler");
        requireNonNull(store, "store");
        name = "sentinel " + sentinel.self();
        runner = new StepRunner<>(new Steps(), scheduler);
        faults = new Faults(logger, name, scheduler::nanoTime, this::noteFailedCall);
        saver = new StateSaver(store, scheduler, this::noteUnsavedState, e -> faults.note("scheduler", e));
        events = new EventFeed<>(
                scheduler,
                MAX_EVENTS,
                (count, last) -> new SentinelEvent(
                        last.number(), last.at(), last.sentinel(), new SentinelFact.EventsLost(count)),
                e -> faults.note("listener", e));
        topologies = new TopologyFeed(
                new TopologySnapshot(1, sentinel.topology()), scheduler, e -> faults.note("subscriber", e));
        quorumCheck = sentinel.quorumCheck(scheduler.nanoTime());
    }

    /** Begins. Repeating it changes nothing. */
    public void start() {
        runner.wake();
    }

    /**
     * Adds a listener. It hears the events from now on, in order and one at a time; a slow one loses the oldest and
     * hears of that by {@link SentinelFact.EventsLost}, whose number is that of the last event lost.
     *
     * @param listener the listener
     */
    public void addListener(Consumer<? super SentinelEvent> listener) {
        events.add(listener);
    }

    /**
     * Removes a listener.
     *
     * @param listener the listener
     */
    public void removeListener(Consumer<? super SentinelEvent> listener) {
        events.remove(listener);
    }

    // Inputs.

    /**
     * Takes a message of another sentinel.
     *
     * @param from the sender
     * @param message the message
     */
    public void receive(NodeId from, SentinelMessage message) {
        requireNonNull(from, "from");
        requireNonNull(message, "message");
        take(now -> sentinel.receive(from, message, now));
    }

    private void take(LongConsumer input) {
        if (!runner.isClosed() && messages.offer(input)) {
            runner.wake();
        }
    }

    private void answered(NodeId from, NodeAnswer answer) {
        if (answer.report().node().equals(from)) { // else something stands at another's address
            take(now -> sentinel.answered(answer, now));
        }
    }

    /**
     * Carries an operation out.
     *
     * @param operation the operation
     * @return the primary of the shard once the operation was carried out; fails with {@link OperationFailedException}
     *     itself, without a wrapper, if it was refused or given up, which happens within the time that the settings
     *     state
     */
    public CompletionStage<ShardPrimary> perform(Operation operation) {
        requireNonNull(operation, "operation");
        if (operation instanceof Operation.BeginAnew anew) {
            log.beginAnewAsked(anew.shard());
        }
        CompletableFuture<ShardPrimary> stage = scheduler.newFuture();
        long request = operations.add(operation, stage);
        boolean taken = !runner.isClosed() && requests.offer(now -> sentinel.start(request, operation, now));
        if (taken) {
            runner.wake();
        } else if (!runner.isClosed()) {
            operations.refuse(request, AbortReason.OVERLOADED);
        }
        if (runner.isClosed()) { // perhaps unseen by the end
            refuseOperations();
        }
        return stage;
    }

    /**
     * Gives a shard another primary.
     *
     * @param shard the shard
     * @return as {@link #perform}
     * @see Operation.FailOver
     */
    public CompletionStage<ShardPrimary> failOver(ShardId shard) {
        return perform(new Operation.FailOver(shard));
    }

    /**
     * Begins a new shard, once in its life.
     *
     * @param shard the shard
     * @return as {@link #perform}
     * @see Operation.Bootstrap
     */
    public CompletionStage<ShardPrimary> bootstrap(ShardId shard) {
        return perform(new Operation.Bootstrap(shard));
    }

    /**
     * Begins a shard anew whose data is lost. Writes are lost by it.
     *
     * @param shard the shard
     * @return as {@link #perform}
     * @see Operation.BeginAnew
     */
    public CompletionStage<ShardPrimary> beginAnew(ShardId shard) {
        return perform(new Operation.BeginAnew(shard));
    }

    /**
     * Replaces a member of a shard by another node.
     *
     * @param shard the shard
     * @param outgoing the member to remove
     * @param incoming the node to take in
     * @return as {@link #perform}
     * @throws IllegalArgumentException if both nodes are the same
     * @see Operation.Replace
     */
    public CompletionStage<ShardPrimary> replace(ShardId shard, NodeId outgoing, NodeId incoming) {
        return perform(new Operation.Replace(shard, outgoing, incoming));
    }

    /**
     * Tells the sentinel of a topology that was changed elsewhere.
     *
     * @param topology the changed topology
     * @return whether the sentinel will be told; false if this driver is closed, or has too many requests waiting:
     *     unless it is closed it is then to be told again
     * @see Sentinel#merge
     */
    public boolean merge(ClusterTopology topology) {
        requireNonNull(topology, "topology");
        boolean taken = !runner.isClosed() && requests.offer(now -> sentinel.merge(topology, now));
        if (taken) {
            runner.wake();
        }
        return taken;
    }

    // The step.

    private Output takeStep(long now) {
        drain(requests, now);
        drain(messages, now);
        sentinel.tick(now);
        List<SentinelEvent> failures = takeNotes(now);
        Ready ready = sentinel.ready();
        quorumCheck = sentinel.quorumCheck(now);
        for (SentinelEvent event : ready.events()) {
            if (event.fact() instanceof SubjectivelyDown || event.fact() instanceof SubjectivelyUp) {
                noteDown(((SentinelFact.ShardFact) event.fact()).shard());
            }
        }
        runner.wakeAt(ready.wakeAt());
        assert sentinel.checkInvariants();
        return new Output(ready, snapshot(ready.published()), failures);
    }

    private void noteDown(ShardId shard) {
        List<NodeId> nodes = sentinel.down(shard);
        if (nodes.isEmpty()) {
            down.remove(shard);
        } else {
            down.put(shard, nodes);
        }
    }

    private void drain(Inbox<LongConsumer> inbox, long now) {
        for (int i = 0; i < MAX_BATCH; i++) {
            LongConsumer input = inbox.poll();
            if (input == null) {
                return;
            }
            input.accept(now);
        }
        runner.wake();
    }

    private List<SentinelEvent> takeNotes(long now) {
        Note note = notes.poll();
        if (note == null) {
            return List.of();
        }
        List<SentinelEvent> failures = new ArrayList<>();
        for (; note != null; note = notes.poll()) {
            failures.add(sentinel.event(note.fact, now));
        }
        return failures;
    }

    private @Nullable TopologySnapshot snapshot(@Nullable ClusterTopology published) {
        TopologySnapshot latest = topologies.latest();
        if (published == null || published.equals(latest.topology())) {
            return null;
        }
        List.copyOf(down.keySet()).forEach(this::noteDown); // a node that is no longer watched is not held down
        return new TopologySnapshot(latest.number() + 1, published);
    }

    private void deliver(Output output) {
        Ready ready = output.ready;
        Throwable refusal = runner.takeRefusal();
        if (refusal != null) {
            faults.note("scheduler", refusal);
        }
        if (output.snapshot != null && !runner.isClosed()) {
            topologies.publish(output.snapshot);
        }
        for (int i = 0; i < ready.messages().size(); i++) { // by index: most of these lists are empty
            send(ready.messages().get(i));
        }
        for (int i = 0; i < ready.commands().size(); i++) {
            send(ready.commands().get(i));
        }
        ready.completions().forEach(completion -> operations.complete(completion, this::callBack));
        for (SentinelEvent event : ready.events()) {
            if (!runner.isClosed()) {
                log.tell(event, topology());
                events.publish(event);
            }
        }
        output.failures.forEach(events::publishFailure);
        if (ready.toSave() != null) {
            saver.save(ready.toSave());
        }
    }

    private void send(Envelope envelope) {
        if (!runner.isClosed()) {
            try {
                transport.send(envelope.to(), envelope.message());
            } catch (Throwable e) {
                faults.note("transport", e);
            }
        }
    }

    private void send(AddressedCommand command) {
        if (!runner.isClosed()) {
            try {
                gateway.send(command.to(), command.command(), answer -> answered(command.to(), answer));
            } catch (Throwable e) {
                faults.note("gateway", e);
            }
        }
    }

    /**
     * Completes a stage where what depends on it holds nobody up; but a scheduler that fails must not leave it open.
     */
    private void callBack(Runnable completion) {
        try {
            scheduler.execute(completion);
        } catch (Throwable e) {
            faults.note("scheduler", e);
            completion.run();
        }
    }

    // Failures, and the end.

    private void noteFailedCall(String call, Throwable cause) {
        note(new SentinelFact.CallFailed(call, Faults.message(cause)), call.equals("listener"));
    }

    private void noteUnsavedState(Throwable cause) {
        logger.log(Level.WARNING, () -> name + ": its state could not be saved; it goes on, and tries again", cause);
        note(new SentinelFact.StateNotSaved(Faults.message(cause)), false);
    }

    private void note(SentinelFact fact, boolean ofListener) {
        if (notes.offer(new Note(fact, ofListener))) {
            runner.wake();
        }
    }

    private void tellEnd() {
        Throwable defect = runner.defect();
        if (defect != null) {
            logger.log(Level.ERROR, () -> name + " stopped after a defect of its own", defect);
            SentinelEvent event = lastEvent;
            if (event != null) {
                events.publish(event);
            }
        }
        topologies.close();
        refuseOperations();
        while (requests.poll() != null || messages.poll() != null || notes.poll() != null) {
            // nobody will take it
        }
    }

    private void refuseOperations() {
        operations.refuseAll(runner.defect() == null ? AbortReason.CLOSED : AbortReason.SENTINEL_FAILED);
    }

    /**
     * Ends it. Orders that wait are refused with {@link AbortReason#CLOSED}. The store and the scheduler stay open.
     * Idempotent.
     *
     * <p>It waits for the step and the save under way, but not for other code of the application; so it may be called
     * from anywhere. Afterwards nothing of this life of the sentinel is saved, sent or told any more, and another may
     * begin. An interrupt does not end the waiting, and stays set.
     */
    @Override
    public void close() {
        runner.close();
        topologies.close();
        events.close();
        saver.close();
    }

    // Queries.

    /** {@return whether the sentinel works: neither closed nor failed} */
    public boolean isRunning() {
        return !runner.isClosed();
    }

    /** {@return the defect that ended this driver, or null} */
    public @Nullable Throwable failure() {
        return runner.defect();
    }

    /** {@return how many calls of the transport, the gateway, listeners, subscribers and the scheduler have failed} */
    public long failedCalls() {
        return faults.count();
    }

    /** {@return how many messages and answers were lost because too many were waiting} */
    public long lostMessages() {
        return messages.refused();
    }

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
     * Returns the replicas of a shard by the latest topology.
     *
     * @param shard the shard
     * @return its replicas; none if there is no such shard
     */
    public List<NodeId> replicas(ShardId shard) {
        Shard known = topology().shard(shard);
        return known == null ? List.of() : known.replicas();
    }

    /**
     * Returns the nodes of a shard that this sentinel holds subjectively down.
     *
     * @param shard the shard
     * @return those nodes; none if there is no such shard
     */
    public List<NodeId> down(ShardId shard) {
        return down.getOrDefault(shard, List.of());
    }

    /** {@return all sentinels, this one included} */
    public List<NodeId> sentinels() {
        return sentinel.sentinels().ids();
    }

    /** {@return the id of this sentinel} */
    public NodeId self() {
        return sentinel.self();
    }

    /** {@return whether the sentinels could fail a shard over, as of the last step} */
    public QuorumCheck quorumCheck() {
        return quorumCheck;
    }
}
