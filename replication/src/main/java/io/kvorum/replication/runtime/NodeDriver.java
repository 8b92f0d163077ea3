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
import io.kvorum.replication.ReplicationSettings;
import io.kvorum.replication.ShardNode;
import io.kvorum.replication.Transport;
import io.kvorum.replication.WriteLostException;
import io.kvorum.replication.runtime.PendingRequests.Request;
import io.kvorum.slots.Scheduler;
import io.kvorum.slots.runtime.Inbox;
import io.kvorum.slots.runtime.OperatorLog;
import io.kvorum.slots.runtime.StepRunner;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.NodeId;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Runs a {@link ShardNode}: brings it time, messages, commands and questions, saves its promise, and sends, completes
 * and publishes what it answers.
 *
 * <p>It has no thread of its own. The scheduler takes a step when something came in and when the node asked for one; no
 * step begins before {@link #start} or the first input. Inputs are taken by any thread and return at once. A command, a
 * question and a message are taken up at once; a write that nobody waits for is sent within the
 * {@linkplain ReplicationSettings#linger linger}, together with those that follow it, and leads to no step at all in a
 * shard without replicas.
 *
 * <p>What a step promises is saved before anything of it leaves. While a promise cannot be saved, messages are lost,
 * commands are answered with {@link ControlAnswer.Outcome#NOT_SAVED}, and saving is tried again.
 *
 * <p>The transport, the listeners and what depends on the returned stages are called on the scheduler, under no lock.
 * They may do anything, close this driver included, and fail in any way: a failure is logged, counted in
 * {@link #failedCalls} and told as {@link ReplicationEvent.UserCodeFailed}, and a message that could not be sent counts
 * as lost. Stages are completed by the thread that takes the node's steps, so what depends on them must be quick.
 *
 * <p>Only a defect of the node itself ends the driver: it is logged and told as {@link ReplicationEvent.DriverFailed},
 * and {@link #failure} returns it. Everything is refused from then on, as by a driver that was closed; the refusal of a
 * write names the defect as its reason.
 *
 * <p>Safe for use by any number of threads.
 */
public final class NodeDriver implements AutoCloseable {
    /** How many messages may wait for a step; those beyond are lost, as on any transport. */
    public static final int MAX_MESSAGES = 1 << 12;

    /** How many requests and commands may wait for a step; those beyond are refused as overloaded. */
    public static final int MAX_REQUESTS = 1 << 16;

    /** How many events may wait for a slow listener; the oldest beyond are lost. */
    public static final int MAX_EVENTS = 1 << 12;

    private static final CompletionStage<@Nullable Void> ACKNOWLEDGED =
            CompletableFuture.<@Nullable Void>completedFuture(null).minimalCompletionStage();
    private static final OperatorLog logger = OperatorLog.of(NodeDriver.class);

    /**
     * A node that has nothing to do.
     *
     * @param until when time alone gives it something to do
     * @param taken the end of the log that it has taken up
     */
    private record Rest(long until, long taken) {}

    private record Received(NodeId from, ReplicationMessage message) {}

    private final class Steps implements StepRunner.Steps<Delivery.Output> {
        @Override
        public Delivery.Output step(long now) {
            return takeStep(now);
        }

        @Override
        public void deliver(Delivery.Output output) {
            NodeDriver.this.deliver(output);
        }

        @Override
        public void end(@Nullable Throwable defect) {
            letGo(defect != null);
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

    private final ShardNode node;
    private final ReplicationLog log;
    private final Scheduler scheduler;
    private final String name;
    private final StepRunner<Delivery.Output> runner;
    private final WriteWakeup writes;
    private final PromiseKeeper keeper;
    private final PendingRequests pending;
    private final Delivery delivery;
    private final AcknowledgementCounts counts = new AcknowledgementCounts();

    private final Inbox<Received> messages = new Inbox<>(MAX_MESSAGES);
    private final Inbox<Request> requests = new Inbox<>(MAX_REQUESTS);
    private volatile NodeStatus status;

    /** What the last step left it with; null before the first, and while anything is unsaved. */
    private @Nullable Rest rest;

    /** What the step under way has to send. */
    private List<Ready.Envelope> unsent = List.of();

    /** The outcomes that the last step leaves behind. */
    private volatile List<Runnable> orphans = List.of();

    /**
     * Creates a driver.
     *
     * @param settings the settings of the node
     * @param node the machine; from now on only this driver uses it
     * @param log the node's log
     * @param transport sends to the other nodes
     * @param promises keeps the node's promise
     * @param scheduler has the threads, and the time that the node was started with
     */
    public NodeDriver(
            ReplicationSettings settings,
            ShardNode node,
            ReplicationLog log,
            Transport transport,
            PromiseStore promises,
            Scheduler scheduler) {
        this.node = requireNonNull(node, "node");
        this.log = requireNonNull(log, "log");
        this.scheduler = requireNonNull(scheduler, "scheduler");
        this.status = node.status();
        name = "node " + status.node() + " of " + status.shard();
        runner = new StepRunner<>(new Steps(), scheduler);
        writes = new WriteWakeup(node, runner, scheduler, requireNonNull(settings, "settings"));
        keeper = new PromiseKeeper(requireNonNull(promises, "promises"), status.node());
        pending = new PendingRequests(node, this::status);
        delivery = new Delivery(status.node(), status.shard(), name, transport, scheduler, logger, runner::isClosed);
    }

    /** {@return the scheduler that runs the node} */
    public Scheduler scheduler() {
        return scheduler;
    }

    /** Begins. Repeating it changes nothing. */
    public void start() {
        runner.wake();
    }

    /**
     * Adds a listener. It hears the events from now on, in order and one at a time; a slow one loses the oldest and
     * hears of that by {@link ReplicationEvent.EventsLost}.
     *
     * @param listener the listener
     */
    public void addListener(Consumer<? super ReplicationEvent> listener) {
        delivery.addListener(listener);
    }

    /**
     * Removes a listener.
     *
     * @param listener the listener
     */
    public void removeListener(Consumer<? super ReplicationEvent> listener) {
        delivery.removeListener(listener);
    }

    // Inputs.

    /**
     * Takes a message that the transport delivers.
     *
     * @param from the sender
     * @param message the message; this driver takes over its buffers
     */
    public void receive(NodeId from, ReplicationMessage message) {
        requireNonNull(from, "from");
        requireNonNull(message, "message");
        if (runner.isClosed() || !messages.offer(new Received(from, message))) {
            message.release();
            return;
        }
        runner.wake();
        if (runner.isClosed()) { // perhaps unseen by the end
            releaseMessages();
        }
    }

    /**
     * Asks where the node stands, as a command does: the answer says that the node works. What it says of the replicas
     * may be as old as the last step.
     *
     * @return the answer
     */
    public CompletionStage<ControlAnswer> describe() {
        CompletableFuture<ControlAnswer> answer = scheduler.newFuture();
        describe(answer::complete);
        return answer;
    }

    /**
     * As {@link #describe()}.
     *
     * @param answer takes the answer, on the scheduler; or, if the driver is closed or overloaded, in this call or by
     *     the thread that closes the driver. What it throws counts among the {@link #failedCalls}
     */
    public void describe(Consumer<? super ControlAnswer> answer) {
        request(new Request.Describe(requireNonNull(answer, "answer")));
    }

    /**
     * Fences the node.
     *
     * @param epoch the epoch
     * @param holder the party that obtains the promise
     * @return the answer, once the promise is saved
     * @see ShardNode#fence
     */
    public CompletionStage<ControlAnswer> fence(long epoch, NodeId holder) {
        requireNonNull(holder, "holder");
        return control((machine, now) -> machine.fence(epoch, holder));
    }

    /**
     * Promotes the node.
     *
     * @param epoch the epoch
     * @param holder the party that the node was fenced by
     * @param incarnation the incarnation that gave the promise
     * @param expected the position that the fence answered
     * @param committed the offset up to which the log is known to be committed; -1 if that is unknown
     * @return the answer
     * @see ShardNode#promote
     */
    public CompletionStage<ControlAnswer> promote(
            long epoch, NodeId holder, long incarnation, LogPosition expected, long committed) {
        requireNonNull(holder, "holder");
        requireNonNull(expected, "expected");
        return control((machine, now) -> machine.promote(epoch, holder, incarnation, expected, committed, now));
    }

    /**
     * Begins the shard with this node as its primary.
     *
     * @param epoch the epoch
     * @param holder the party that the node was fenced by
     * @param members the first members
     * @param joining nodes that are taken in as members once they are complete
     * @param dataLost whether the shard had a history, which ends here
     * @return the answer, once the promise is saved
     * @see ShardNode#begin
     */
    public CompletionStage<ControlAnswer> begin(
            long epoch, NodeId holder, MemberList members, List<NodeId> joining, boolean dataLost) {
        requireNonNull(holder, "holder");
        requireNonNull(members, "members");
        List<NodeId> toJoin = List.copyOf(joining);
        return control((machine, now) -> machine.begin(epoch, holder, members, toJoin, dataLost, now));
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
        requireNonNull(primary, "primary");
        return control((machine, now) -> machine.follow(epoch, primary, now));
    }

    /**
     * Holds writes back at the primary.
     *
     * @param epoch the epoch of the primary
     * @param limit the longest pause
     * @return the answer
     * @see ShardNode#pause
     */
    public CompletionStage<ControlAnswer> pause(long epoch, Duration limit) {
        long nanos = PendingRequests.nanos(limit);
        return control((machine, now) -> machine.pause(epoch, now + nanos));
    }

    /**
     * Takes writes again.
     *
     * @param epoch the epoch of the primary
     * @return the answer
     * @see ShardNode#resume
     */
    public CompletionStage<ControlAnswer> resume(long epoch) {
        return control((machine, now) -> machine.resume(epoch, now));
    }

    /**
     * Replaces a member of the shard by another node.
     *
     * @param epoch the epoch of the primary
     * @param outgoing the member to remove
     * @param incoming the node to take in
     * @return the answer
     * @see ShardNode#replace
     */
    public CompletionStage<ControlAnswer> replace(long epoch, NodeId outgoing, NodeId incoming) {
        requireNonNull(outgoing, "outgoing");
        requireNonNull(incoming, "incoming");
        return control((machine, now) -> machine.replace(epoch, outgoing, incoming));
    }

    /**
     * Waits until enough nodes have what was written up to a position. At {@link Acknowledgement#LOCAL} it returns a
     * completed stage, always the same one, and allocates nothing.
     *
     * @param position a position that {@link ReplicationLog#end} has returned after the write
     * @param level how many nodes must have it
     * @param timeout the longest wait
     * @return completes when they have it; fails with {@link OutcomeUnknownException} if that cannot be told, and with
     *     {@link WriteLostException} if it is certain that the write is not part of the shard's history
     */
    public CompletionStage<@Nullable Void> acknowledged(LogPosition position, Acknowledgement level, Duration timeout) {
        if (level.equals(Acknowledgement.LOCAL)) {
            return ACKNOWLEDGED;
        }
        CompletableFuture<@Nullable Void> outcome = scheduler.newFuture();
        long deadline = scheduler.nanoTime() + PendingRequests.nanos(timeout);
        Request.Await await = new Request.Await(position, level, deadline, outcome);
        counts.await(outcome, scheduler);
        request(await);
        return outcome;
    }

    /**
     * Waits until a majority has confirmed, after this call, that the node is the primary, and has everything that is
     * in its log now. What was read at the node before this call is then linearizable.
     *
     * @param timeout the longest wait
     * @return the position that is confirmed; fails with {@link OutcomeUnknownException}
     */
    public CompletionStage<LogPosition> confirm(Duration timeout) {
        CompletableFuture<LogPosition> outcome = scheduler.newFuture();
        request(new Request.Confirm(scheduler.nanoTime() + PendingRequests.nanos(timeout), outcome));
        return outcome;
    }

    private CompletionStage<ControlAnswer> control(PendingRequests.Command command) {
        CompletableFuture<ControlAnswer> answer = scheduler.newFuture();
        request(new Request.Control(command, answer));
        return answer;
    }

    private void request(Request request) {
        if (runner.isClosed()) {
            delivery.complete(pending.refusal(request, Ready.Outcome.CLOSED, ControlAnswer.Outcome.CLOSED));
        } else if (!requests.offer(request)) {
            delivery.complete(pending.refusal(request, Ready.Outcome.OVERLOADED, ControlAnswer.Outcome.OVERLOADED));
        } else {
            runner.wake();
            if (runner.isClosed()) { // perhaps unseen by the end
                refuseRequests();
            }
        }
    }

    // The step.

    private Delivery.Output takeStep(long now) {
        Rest present = rest;
        if (present != null && rests(present, now) && answerPings(now)) {
            runner.wakeAt(present.until);
            return new Delivery.Output(List.of(), pending.takeOutcomes(), List.of());
        }
        List<ReplicationEvent> told = new ArrayList<>();
        keeper.retry(now, told);
        if (keeper.isSaved()) {
            takeRequests(now);
            takeMessages(now);
        } else {
            refuseInputs();
        }
        long taken = log.end().offset(); // what is written from here on may not be in the output
        node.tick(now);
        Ready ready = node.ready();
        unsent = ready.messages();
        keeper.save(ready.toSave(), now, told);
        if (keeper.isSaved()) {
            node.promiseSaved();
        }
        boolean mayLeave = keeper.isSaved() && ready.durableOffset() <= log.durableOffset();
        pending.conclude(ready.completions(), mayLeave);
        status = node.status();
        rest = mayLeave ? new Rest(ready.wakeAt(), taken) : null;
        writes.await(status, taken);
        runner.wakeAt(ready.wakeAt());
        runner.wakeAt(keeper.retryAt());
        assert node.checkInvariants();
        told.addAll(ready.events());
        unsent = List.of();
        return new Delivery.Output(mayLeave ? ready.messages() : lost(ready.messages()), pending.takeOutcomes(), told);
    }

    /** Whether the node stands where the last step has left it, as nearly every ping finds it. */
    private boolean rests(Rest present, long now) {
        return now - present.until < 0 && messages.size() == 0 && log.end().offset() == present.taken;
    }

    /**
     * Answers pings up to the first other request, which goes to the machine.
     *
     * @return whether there was none
     */
    private boolean answerPings(long now) {
        ControlAnswer answer = new ControlAnswer(ControlAnswer.Outcome.DONE, status);
        for (int i = 0; i < MAX_REQUESTS; i++) {
            Request request = requests.poll(); // not peeked at: whoever sees the end meanwhile polls too
            if (request == null) {
                return true;
            }
            if (!(request instanceof Request.Describe describe)) {
                pending.take(request, now);
                return false;
            }
            pending.answer(describe, answer);
        }
        return false;
    }

    private void takeRequests(long now) {
        Request request;
        for (int i = 0; i < MAX_REQUESTS; i++) {
            if (node.hasNewPromise()) { // the next command may build on it, so it must be saved first
                runner.wake();
                return;
            }
            if ((request = requests.poll()) == null) {
                return;
            }
            pending.take(request, now);
        }
        runner.wake();
    }

    private void takeMessages(long now) {
        Received received;
        for (int i = 0; i < MAX_MESSAGES && (received = messages.poll()) != null; i++) {
            try {
                node.receive(received.from, received.message, now);
            } catch (IllegalArgumentException e) { // it contradicts itself: not of a node of this version
                delivery.noteMessage(e);
            }
        }
        if (messages.size() > 0) {
            runner.wake();
        }
    }

    /** Nothing is taken in that might lead to a further promise. */
    private void refuseInputs() {
        releaseMessages();
        Request request;
        while ((request = requests.poll()) != null) {
            pending.refuse(request, Ready.Outcome.DEPOSED, ControlAnswer.Outcome.NOT_SAVED);
        }
    }

    private static List<Ready.Envelope> lost(List<Ready.Envelope> messages) {
        messages.forEach(envelope -> envelope.message().release());
        return List.of();
    }

    private void deliver(Delivery.Output output) {
        delivery.noteScheduler(runner.takeRefusal());
        delivery.noteScheduler(writes.takeFailure());
        delivery.deliver(output);
        Throwable unsaved = keeper.takeFailure();
        if (unsaved != null) {
            logger.log(
                    Level.WARNING,
                    () -> name + ": its promise could not be saved; it says nothing until it is, and tries again",
                    unsaved);
        }
    }

    // The end.

    private void letGo(boolean failed) {
        try {
            if (failed) {
                node.fail();
            } else {
                node.close();
            }
            lost(unsent); // of a step that a defect has ended
            lost(node.ready().messages());
            status = node.status();
            writes.end();
        } finally { // whoever waits must not wait for ever
            orphans = pending.abandon();
        }
    }

    private void tellEnd() {
        Throwable defect = runner.defect();
        if (defect != null) {
            delivery.tellDefect(defect);
        }
        orphans.forEach(delivery::complete);
        releaseMessages();
        refuseRequests();
    }

    private void releaseMessages() {
        Received received;
        while ((received = messages.poll()) != null) {
            received.message.release();
        }
    }

    private void refuseRequests() {
        Request request;
        while ((request = requests.poll()) != null) {
            delivery.complete(pending.refusal(request, Ready.Outcome.CLOSED, ControlAnswer.Outcome.CLOSED));
        }
    }

    /**
     * Ends the node's part in the shard: it takes no more writes, sends nothing, and gives up what waits. The log and
     * the state stay open. Idempotent.
     *
     * <p>It waits for the step under way, but not for code of the application that a step has called; so it may be
     * called from anywhere. Afterwards nothing of this life of the node is saved, sent or told any more, and another
     * may begin. An interrupt does not end the waiting, and stays set.
     */
    @Override
    public void close() {
        runner.close();
        delivery.close();
    }

    // Queries.

    /** {@return where the node stood after its last step; costs one volatile read} */
    public NodeStatus status() {
        return status;
    }

    /** {@return whether the node works: neither closed nor failed} */
    public boolean isRunning() {
        return !runner.isClosed();
    }

    /** {@return the defect that ended this driver, or null} */
    public @Nullable Throwable failure() {
        return runner.defect();
    }

    /**
     * {@return how many calls of the transport, listeners, takers of answers and the scheduler have failed, and how
     * many messages contradicted themselves}
     */
    public long failedCalls() {
        return delivery.failedCalls();
    }

    /** {@return how the waiting for acknowledgements went so far; counted since the start} */
    public AcknowledgementStats acknowledgements() {
        return counts.stats();
    }

    /** {@return how many messages were lost because too many were waiting} */
    public long lostMessages() {
        return messages.refused();
    }
}
