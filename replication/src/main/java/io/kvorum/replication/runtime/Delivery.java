package io.kvorum.replication.runtime;

import static java.util.Objects.requireNonNull;

import io.kvorum.replication.Ready;
import io.kvorum.replication.ReplicationEvent;
import io.kvorum.replication.Transport;
import io.kvorum.slots.Scheduler;
import io.kvorum.slots.runtime.EventFeed;
import io.kvorum.slots.runtime.Faults;
import io.kvorum.slots.runtime.OperatorLog;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The way out of a node's driver: sends messages, tells outcomes and publishes events. All that is called here is the
 * application's, so it is called under no lock, and whatever it throws is noted and ends nothing.
 *
 * <p>{@link #deliver} is called by one thread at a time, everything else by any.
 */
final class Delivery {
    /**
     * What a step wants done.
     *
     * @param messages to send, in order
     * @param outcomes tell who waits how it ended
     * @param events to publish
     */
    record Output(List<Ready.Envelope> messages, List<Runnable> outcomes, List<ReplicationEvent> events) {}

    private final NodeId node;
    private final String name;
    private final OperatorLog logger;
    private final Transport transport;
    private final BooleanSupplier closed;
    private final EventFeed<ReplicationEvent> events;
    private final Faults faults;
    private final NodeLog nodeLog;

    /**
     * Creates a delivery.
     *
     * @param closed says whether nothing is to be sent or told any more
     */
    Delivery(
            NodeId node,
            ShardId shard,
            String name,
            Transport transport,
            Scheduler scheduler,
            OperatorLog logger,
            BooleanSupplier closed) {
        this.node = node;
        this.name = name;
        this.logger = logger;
        this.transport = requireNonNull(transport, "transport");
        this.closed = closed;
        faults = new Faults(logger, name, scheduler::nanoTime, this::failed);
        events = new EventFeed<>(
                scheduler,
                NodeDriver.MAX_EVENTS,
                (count, last) -> new ReplicationEvent.EventsLost(last.node(), count),
                e -> faults.note("listener", e));
        nodeLog = new NodeLog(logger, shard);
    }

    void addListener(Consumer<? super ReplicationEvent> listener) {
        events.add(listener);
    }

    void removeListener(Consumer<? super ReplicationEvent> listener) {
        events.remove(listener);
    }

    void deliver(Output output) {
        for (int i = 0; i < output.messages.size(); i++) { // by index: most of these lists are empty
            send(output.messages.get(i));
        }
        for (int i = 0; i < output.outcomes.size(); i++) {
            complete(output.outcomes.get(i));
        }
        for (int i = 0; i < output.events.size(); i++) {
            if (!closed.getAsBoolean()) {
                nodeLog.tell(output.events.get(i));
                events.publish(output.events.get(i));
            }
        }
    }

    private void send(Ready.Envelope envelope) {
        if (closed.getAsBoolean()) {
            envelope.message().release();
            return;
        }
        try {
            transport.send(envelope.to(), envelope.message());
        } catch (Throwable e) { // whether it has released the buffers nobody can tell, so they are left alone
            faults.note("transport", e);
        }
    }

    /** Lets whoever asked know of an outcome. */
    void complete(Runnable outcome) {
        try {
            outcome.run();
        } catch (Throwable e) { // of who asked for a description; a stage keeps for itself what its dependents throw
            faults.note("answer", e);
        }
    }

    /** Tells of the defect that has ended the driver: its last event. */
    void tellDefect(Throwable defect) {
        logger.log(Level.ERROR, () -> name + " stopped after a defect of its own", defect);
        events.publish(new ReplicationEvent.DriverFailed(node, String.valueOf(Faults.message(defect))));
    }

    /** Takes note of a failure of the scheduler, if there was one. */
    void noteScheduler(@Nullable Throwable failure) {
        if (failure != null) {
            faults.note("scheduler", failure);
        }
    }

    /** Takes note of a message that contradicts itself: it is not of a node of this version. */
    void noteMessage(Throwable failure) {
        faults.note("message", failure);
    }

    private void failed(String call, Throwable cause) {
        ReplicationEvent event = new ReplicationEvent.UserCodeFailed(node, call, String.valueOf(Faults.message(cause)));
        if (call.equals("listener")) {
            events.publishFailure(event);
        } else {
            events.publish(event);
        }
    }

    long failedCalls() {
        return faults.count();
    }

    /** No event is delivered any more. */
    void close() {
        events.close();
    }
}
