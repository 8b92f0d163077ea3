package io.kvorum.replication.runtime;

import static java.util.Objects.requireNonNull;

import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.ControlAnswer;
import io.kvorum.replication.NodeStatus;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.replication.PromiseStore;
import io.kvorum.replication.Ready;
import io.kvorum.replication.ReplicationEvent;
import io.kvorum.replication.ReplicationLog;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.replication.ShardNode;
import io.kvorum.replication.Transport;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs a {@link ShardNode}: hands it what comes in, one input after the other, saves its promise, and sends, completes
 * and publishes what it answers.
 *
 * <p>It owns no thread. {@link #run()} takes one step; the executor is given this object whenever something came in,
 * and the owner has it run besides at least once in each heartbeat interval. Steps never overlap: a call during a step
 * makes that step's thread take one more. Futures are completed and the listener is called by the thread that takes the
 * step.
 *
 * <p>Safe for use by any number of threads.
 */
public final class NodeDriver implements Runnable, AutoCloseable {
    /** How many messages may wait for a step; what comes beyond is lost, as on any transport. */
    public static final int MAX_INBOX = 1 << 12;

    /** How many requests and commands may wait for a step; what comes beyond is answered as overloaded. */
    public static final int MAX_REQUESTS = 1 << 16;

    private static final Duration CENTURY = Duration.ofDays(36_525);

    private static final System.Logger logger = System.getLogger(NodeDriver.class.getName());

    /** What waits for a step. */
    private sealed interface Input {
        record Message(NodeId from, ReplicationMessage message) implements Input {}

        record Control(Function<ShardNode, ControlAnswer> command, CompletableFuture<ControlAnswer> answer)
                implements Input {}

        record Await(LogPosition position, Acknowledgement level, long deadline, CompletableFuture<LogPosition> outcome)
                implements Input {}

        record Confirm(long deadline, CompletableFuture<LogPosition> outcome) implements Input {}
    }

    private record Answered(CompletableFuture<ControlAnswer> future, ControlAnswer answer) {}

    private final ShardNode node;
    private final ReplicationLog log;
    private final Transport transport;
    private final PromiseStore promises;
    private final LongSupplier nanoClock;
    private final Executor executor;
    private final Consumer<? super ReplicationEvent> listener;

    private final Queue<Input> inbox = new ConcurrentLinkedQueue<>();
    private final AtomicInteger waitingMessages = new AtomicInteger();
    private final AtomicInteger waitingRequests = new AtomicInteger();
    private final AtomicBoolean woken = new AtomicBoolean();
    private final AtomicInteger runs = new AtomicInteger();
    private final CountDownLatch over = new CountDownLatch(1);
    private volatile boolean closing;
    private volatile @Nullable Thread stepping;
    private volatile NodeStatus status;

    // The rest belongs to the step under way.
    private final Map<Long, CompletableFuture<LogPosition>> outcomes = new HashMap<>();
    private final List<Answered> answers = new ArrayList<>();
    private long lastRequest;
    private long unsavedPromise = SAVED;
    private boolean closed;

    private static final long SAVED = -1;

    /**
     * Makes a driver. It takes no step before it is run.
     *
     * @param node the machine; from now on only this driver uses it
     * @param log the node's log; each append wakes the driver
     * @param transport sends to the other nodes
     * @param promises keeps the node's promise
     * @param nanoClock tells the elapsed time, as {@link System#nanoTime}
     * @param executor is given this driver to run, soon, whenever something came in; it must not run it in the call
     * @param listener hears the node's events, in order, and must return at once, since the node waits for it; what it
     *     throws is logged
     */
    public NodeDriver(
            ShardNode node,
            ReplicationLog log,
            Transport transport,
            PromiseStore promises,
            LongSupplier nanoClock,
            Executor executor,
            Consumer<? super ReplicationEvent> listener) {
        this.node = requireNonNull(node, "node");
        this.log = requireNonNull(log, "log");
        this.transport = requireNonNull(transport, "transport");
        this.promises = requireNonNull(promises, "promises");
        this.nanoClock = requireNonNull(nanoClock, "nanoClock");
        this.executor = requireNonNull(executor, "executor");
        this.listener = requireNonNull(listener, "listener");
        this.status = node.status();
        log.onAppend(this::wake);
    }

    /** Takes a step, or has the step under way be followed by one more. */
    @Override
    public void run() {
        if (runs.getAndIncrement() != 0) {
            return;
        }
        int taken = 1;
        Throwable fault = null;
        do {
            stepping = Thread.currentThread();
            try {
                step();
            } catch (RuntimeException | Error e) { // a defect: better no node than a wrong one
                logger.log(Level.ERROR, () -> status.node() + " failed and is closed", e);
                fault = e;
                closing = true;
                shutDown();
            } finally {
                stepping = null;
            }
            taken = runs.addAndGet(-taken);
        } while (taken != 0);
        if (fault instanceof Error error) {
            throw error;
        } else if (fault instanceof RuntimeException exception) {
            throw exception;
        }
    }

    /**
     * Takes a message that the transport delivers.
     *
     * @param from who sent it
     * @param message the message; this driver takes over its buffers
     */
    public void receive(NodeId from, ReplicationMessage message) {
        if (waitingMessages.incrementAndGet() > MAX_INBOX) {
            waitingMessages.decrementAndGet();
            message.release();
            return;
        }
        put(new Input.Message(from, message));
    }

    /**
     * Fences the node.
     *
     * @param epoch the epoch
     * @return the answer, once the promise is saved
     * @see ShardNode#fence
     */
    public CompletionStage<ControlAnswer> fence(long epoch) {
        return control(machine -> machine.fence(epoch));
    }

    /**
     * Promotes the node.
     *
     * @param epoch the epoch
     * @param expected the position that the fence answered
     * @param nodes all nodes of the shard
     * @return the answer
     * @see ShardNode#promote
     */
    public CompletionStage<ControlAnswer> promote(long epoch, LogPosition expected, List<NodeId> nodes) {
        List<NodeId> all = List.copyOf(nodes);
        return control(machine -> machine.promote(epoch, expected, all));
    }

    /**
     * Tells the node whom to follow.
     *
     * @param epoch the epoch of the primary
     * @param primary the primary
     * @return the answer, once the promise is saved
     * @see ShardNode#follow
     */
    public CompletionStage<ControlAnswer> follow(long epoch, NodeId primary) {
        return control(machine -> machine.follow(epoch, primary));
    }

    /**
     * Holds writes back at the primary.
     *
     * @param epoch the epoch of the primary
     * @param limit for how long at the most
     * @return the answer
     * @see ShardNode#pause
     */
    public CompletionStage<ControlAnswer> pause(long epoch, Duration limit) {
        return control(machine -> machine.pause(epoch, deadline(limit)));
    }

    /**
     * Takes writes again.
     *
     * @param epoch the epoch of the primary
     * @return the answer
     * @see ShardNode#resume
     */
    public CompletionStage<ControlAnswer> resume(long epoch) {
        return control(machine -> machine.resume(epoch, nanoClock.getAsLong()));
    }

    /**
     * Waits until enough nodes have what was written up to a position.
     *
     * @param position a position that {@link ReplicationLog#end} has returned after the write
     * @param level how many nodes must have it
     * @param timeout for how long to wait
     * @return the position; or, exceptionally, {@link OutcomeUnknownException}
     */
    public CompletionStage<LogPosition> acknowledged(LogPosition position, Acknowledgement level, Duration timeout) {
        if (level.equals(Acknowledgement.LOCAL)) {
            return CompletableFuture.completedFuture(position);
        }
        CompletableFuture<LogPosition> outcome = new CompletableFuture<>();
        request(new Input.Await(position, level, deadline(timeout), outcome));
        return outcome;
    }

    /**
     * Waits until a majority has confirmed, after this call, that the node is the primary, and has everything that is
     * in its log now. What was read at the node before this call is then linearizable.
     *
     * @param timeout for how long to wait
     * @return the position that is confirmed; or, exceptionally, {@link OutcomeUnknownException}
     */
    public CompletionStage<LogPosition> confirm(Duration timeout) {
        CompletableFuture<LogPosition> outcome = new CompletableFuture<>();
        request(new Input.Confirm(deadline(timeout), outcome));
        return outcome;
    }

    /** {@return where the node stood after its last step} */
    public NodeStatus status() {
        return status;
    }

    /**
     * Ends the node's part in the shard: it takes no more writes, sends nothing, and gives up what waits. The log and
     * the state stay open. Idempotent.
     *
     * <p>It waits for the step under way, unless that is the caller: afterwards nothing of this life of the node
     * happens any more, and another may begin. An interrupt does not end the waiting, and stays set.
     */
    @Override
    public void close() {
        closing = true;
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

    /** The end of a span of time; one that is longer than a century ends after a century. */
    private long deadline(Duration span) {
        return nanoClock.getAsLong() + (span.compareTo(CENTURY) < 0 ? span.toNanos() : CENTURY.toNanos());
    }

    private CompletionStage<ControlAnswer> control(Function<ShardNode, ControlAnswer> command) {
        CompletableFuture<ControlAnswer> answer = new CompletableFuture<>();
        request(new Input.Control(command, answer));
        return answer;
    }

    private void request(Input input) {
        if (waitingRequests.incrementAndGet() > MAX_REQUESTS) {
            waitingRequests.decrementAndGet();
            refuse(input, ControlAnswer.Outcome.OVERLOADED, OutcomeUnknownException.Reason.OVERLOADED);
        } else {
            put(input);
        }
    }

    private void put(Input input) {
        inbox.add(input);
        if (closing) {
            run(); // nobody else may ever come
        } else {
            wake();
        }
    }

    private void wake() {
        if (!woken.get() && woken.compareAndSet(false, true)) {
            try {
                executor.execute(this);
            } catch (RejectedExecutionException e) { // the executor was shut down: only ticks are left, if any
                woken.set(false);
            } catch (RuntimeException | Error e) { // the caller may be a writer, whose record is in the log already
                woken.set(false);
                logger.log(Level.ERROR, () -> "executor failed to run " + status.node(), e);
            }
        }
    }

    private void step() {
        woken.set(false);
        if (closing) {
            shutDown();
            return;
        }
        if (unsavedPromise != SAVED && !savePromise()) {
            refuseInbox(ControlAnswer.Outcome.NOT_SAVED, OutcomeUnknownException.Reason.DEPOSED);
            return;
        }
        takeInbox();
        node.tick(nanoClock.getAsLong());
        deliver(node.ready());
        assert node.checkInvariants();
    }

    private void takeInbox() {
        @Nullable Input input;
        for (int i = 0; i < MAX_INBOX && (input = poll()) != null; i++) {
            if (input instanceof Input.Message message) {
                receiveNow(message);
            } else if (input instanceof Input.Control control) {
                try {
                    answers.add(new Answered(control.answer, control.command.apply(node)));
                } catch (IllegalArgumentException e) {
                    control.answer.completeExceptionally(e);
                }
                if (node.hasNewPromise()) { // the next command may build on it, so it must be saved first
                    break;
                }
            } else if (input instanceof Input.Await await) {
                node.await(register(await.outcome), await.position, await.level, await.deadline);
            } else if (input instanceof Input.Confirm confirm) {
                node.confirm(register(confirm.outcome), confirm.deadline);
            } else {
                throw new AssertionError(input);
            }
        }
        if (!inbox.isEmpty()) {
            wake();
        }
    }

    private void receiveNow(Input.Message input) {
        try {
            node.receive(input.from, input.message, nanoClock.getAsLong());
        } catch (IllegalArgumentException e) {
            logger.log(Level.WARNING, () -> "message of " + input.from + " refused: " + e.getMessage());
        }
    }

    private long register(CompletableFuture<LogPosition> outcome) {
        outcomes.put(++lastRequest, outcome);
        return lastRequest;
    }

    private void deliver(Ready ready) {
        if (ready.promise() >= 0) {
            unsavedPromise = ready.promise();
        }
        boolean saved = unsavedPromise == SAVED || savePromise();
        status = node.status();
        for (Ready.Envelope envelope : ready.messages()) {
            if (saved) {
                transport.send(envelope.to(), envelope.message());
            } else {
                envelope.message().release();
            }
        }
        for (Answered answered : answers) {
            answered.future.complete(
                    saved
                            ? answered.answer
                            : new ControlAnswer(ControlAnswer.Outcome.NOT_SAVED, answered.answer.status()));
        }
        answers.clear();
        ready.completions().forEach(this::complete);
        ready.events().forEach(this::publish);
    }

    private boolean savePromise() {
        try {
            promises.save(unsavedPromise);
            unsavedPromise = SAVED;
            return true;
        } catch (IOException | RuntimeException e) {
            logger.log(Level.WARNING, () -> "promise of epoch " + unsavedPromise + " not saved", e);
            publish(new ReplicationEvent.PromiseNotSaved(
                    status.node(), unsavedPromise, String.valueOf(e.getMessage())));
            return false;
        }
    }

    private void complete(Ready.Completion completion) {
        CompletableFuture<LogPosition> outcome = outcomes.remove(completion.request());
        if (outcome == null) {
            throw new AssertionError(completion);
        }
        if (completion.reason() == null) {
            outcome.complete(completion.position());
        } else {
            outcome.completeExceptionally(unknown(completion.reason(), completion.position()));
        }
    }

    private OutcomeUnknownException unknown(OutcomeUnknownException.Reason reason, LogPosition position) {
        return new OutcomeUnknownException(reason, status.shard(), status.node(), position);
    }

    private void publish(ReplicationEvent event) {
        try {
            listener.accept(event);
        } catch (RuntimeException e) { // an executor would end the steps, without a word
            logger.log(Level.WARNING, () -> "listener failed on " + event, e);
        }
    }

    private void shutDown() {
        if (!closed) {
            closed = true;
            try {
                letGo();
            } finally { // whoever waits for the end must not wait for ever
                over.countDown();
            }
        }
        refuseInbox(ControlAnswer.Outcome.CLOSED, OutcomeUnknownException.Reason.CLOSED);
    }

    private void letGo() {
        log.onAppend(() -> {});
        node.close();
        Ready last = node.ready();
        last.messages().forEach(envelope -> envelope.message().release());
        status = node.status();
        last.completions().forEach(this::complete);
        outcomes.values()
                .forEach(outcome -> outcome.completeExceptionally(
                        unknown(OutcomeUnknownException.Reason.CLOSED, status.position())));
        outcomes.clear();
        answers.forEach(answered ->
                answered.future.complete(new ControlAnswer(ControlAnswer.Outcome.CLOSED, answered.answer.status())));
        answers.clear();
    }

    private void refuseInbox(ControlAnswer.Outcome outcome, OutcomeUnknownException.Reason reason) {
        @Nullable Input input;
        while ((input = poll()) != null) {
            refuse(input, outcome, reason);
        }
    }

    private @Nullable Input poll() {
        Input input = inbox.poll();
        if (input instanceof Input.Message) {
            waitingMessages.decrementAndGet();
        } else if (input != null) {
            waitingRequests.decrementAndGet();
        }
        return input;
    }

    private void refuse(Input input, ControlAnswer.Outcome outcome, OutcomeUnknownException.Reason reason) {
        if (input instanceof Input.Message message) {
            message.message.release();
        } else if (input instanceof Input.Control control) {
            control.answer.complete(new ControlAnswer(outcome, status));
        } else if (input instanceof Input.Await await) {
            await.outcome.completeExceptionally(unknown(reason, await.position));
        } else if (input instanceof Input.Confirm confirm) {
            confirm.outcome.completeExceptionally(unknown(reason, status.position()));
        } else {
            throw new AssertionError(input);
        }
    }
}
