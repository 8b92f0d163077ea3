package io.kvorum.replication.runtime;

import static java.util.Objects.requireNonNull;

import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.ControlAnswer;
import io.kvorum.replication.NodeStatus;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.replication.Ready;
import io.kvorum.replication.ShardNode;
import io.kvorum.replication.WriteLostException;
import io.kvorum.slots.topology.LogPosition;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The commands and questions that a node was given, until they are answered. Each is answered once, whatever happens to
 * the node; how is decided in a step, and done after it by the {@link #takeOutcomes outcomes}.
 *
 * <p>Confined to the steps of the driver, but for {@link #refusal}.
 */
final class PendingRequests {
    /** A command to the machine. */
    @FunctionalInterface
    interface Command {
        ControlAnswer carryOut(ShardNode node, long now);
    }

    /** What a node is asked for. */
    sealed interface Request {
        record Control(Command command, CompletableFuture<ControlAnswer> answer) implements Request {}

        record Describe(Consumer<? super ControlAnswer> answer) implements Request {}

        record Await(
                LogPosition position, Acknowledgement level, long deadline, CompletableFuture<@Nullable Void> outcome)
                implements Request {
            public Await {
                requireNonNull(position, "position");
            }
        }

        record Confirm(long deadline, CompletableFuture<LogPosition> outcome) implements Request {}
    }

    /** What takes the answer to a command that was carried out. */
    private record Answered(Consumer<? super ControlAnswer> to, ControlAnswer answer) {}

    private static final Duration CENTURY = Duration.ofDays(36_525);

    private final ShardNode node;
    private final Supplier<NodeStatus> status;
    private final Map<Long, Request> waiting = new HashMap<>();
    private final List<Answered> answered = new ArrayList<>();
    private List<Ready.Completion> unsaid = new ArrayList<>();
    private final List<Runnable> outcomes = new ArrayList<>();
    private long lastRequest;
    private @Nullable Request underWay;

    /**
     * Creates it.
     *
     * @param node the machine
     * @param status where the node stands, for refusals
     */
    PendingRequests(ShardNode node, Supplier<NodeStatus> status) {
        this.node = node;
        this.status = status;
    }

    /** A span of time in nanoseconds; one that is longer than a century is a century, and a negative one is none. */
    static long nanos(Duration span) {
        if (span.isNegative()) {
            return 0;
        }
        return span.compareTo(CENTURY) < 0 ? span.toNanos() : CENTURY.toNanos();
    }

    /** Gives a request to the machine. One that the machine does not understand fails alone. */
    void take(Request request, long now) {
        underWay = request; // should the machine fail on it, its stage is still to be completed
        if (request instanceof Request.Control control) {
            try {
                answered.add(new Answered(control.answer::complete, control.command.carryOut(node, now)));
            } catch (IllegalArgumentException e) {
                outcomes.add(() -> control.answer.completeExceptionally(e));
            }
        } else if (request instanceof Request.Describe describe) {
            answered.add(new Answered(describe.answer, new ControlAnswer(ControlAnswer.Outcome.DONE, node.status())));
        } else if (request instanceof Request.Await await) {
            try {
                node.await(register(await), await.position, await.level, await.deadline);
            } catch (IllegalArgumentException e) {
                waiting.remove(lastRequest);
                outcomes.add(() -> await.outcome.completeExceptionally(e));
            }
        } else if (request instanceof Request.Confirm confirm) {
            node.confirm(register(confirm), confirm.deadline);
        } else {
            throw new AssertionError(request);
        }
        underWay = null;
    }

    /** Answers a question without the machine. */
    void answer(Request.Describe request, ControlAnswer answer) {
        outcomes.add(() -> request.answer.accept(answer));
    }

    private long register(Request request) {
        waiting.put(++lastRequest, request);
        return lastRequest;
    }

    /** Refuses a request instead of giving it to the machine. */
    void refuse(Request request, Ready.Outcome outcome, ControlAnswer.Outcome answer) {
        outcomes.add(refusal(request, outcome, answer));
    }

    /**
     * Concludes what the machine has answered.
     *
     * @param completions the machine's completions
     * @param mayLeave whether everything that the node has promised is saved. While it is not, commands are answered as
     *     not saved, and outcomes that say that something is so are kept back until it is
     */
    void conclude(List<Ready.Completion> completions, boolean mayLeave) {
        if (!unsaid.isEmpty()) {
            List<Ready.Completion> before = unsaid;
            unsaid = new ArrayList<>();
            before.forEach(completion -> conclude(completion, mayLeave));
        }
        for (Ready.Completion completion : completions) {
            conclude(completion, mayLeave);
        }
        for (Answered each : answered) {
            ControlAnswer answer =
                    mayLeave ? each.answer : new ControlAnswer(ControlAnswer.Outcome.NOT_SAVED, each.answer.status());
            outcomes.add(() -> each.to.accept(answer));
        }
        answered.clear();
    }

    private void conclude(Ready.Completion completion, boolean mayLeave) {
        if (!mayLeave && completion.outcome().unknown() == null) {
            unsaid.add(completion);
            return;
        }
        Request request = waiting.remove(completion.request());
        if (request == null) {
            throw new AssertionError("no such request: " + completion);
        }
        outcomes.add(outcome(request, completion));
    }

    /** {@return what completes the stages that are decided} */
    List<Runnable> takeOutcomes() {
        if (outcomes.isEmpty()) {
            return List.of();
        }
        List<Runnable> taken = List.copyOf(outcomes);
        outcomes.clear();
        return taken;
    }

    /** {@return what completes all the other stages, now that the node takes no more steps} */
    List<Runnable> abandon() {
        ControlAnswer closed = new ControlAnswer(ControlAnswer.Outcome.CLOSED, status.get());
        answered.forEach(each -> outcomes.add(() -> each.to.accept(closed)));
        answered.clear();
        waiting.values().forEach(request -> refuse(request, Ready.Outcome.CLOSED, ControlAnswer.Outcome.CLOSED));
        waiting.clear();
        if (underWay != null) { // perhaps refused already, and then this changes nothing
            refuse(underWay, Ready.Outcome.CLOSED, ControlAnswer.Outcome.CLOSED);
        }
        return takeOutcomes();
    }

    /** {@return what completes the stage of a request that is refused; may be called by any thread} */
    Runnable refusal(Request request, Ready.Outcome outcome, ControlAnswer.Outcome answer) {
        if (request instanceof Request.Control control) {
            ControlAnswer given = new ControlAnswer(answer, status.get());
            return () -> control.answer.complete(given);
        }
        if (request instanceof Request.Describe describe) {
            ControlAnswer given = new ControlAnswer(answer, status.get());
            return () -> describe.answer.accept(given);
        }
        LogPosition position = request instanceof Request.Await await
                ? await.position
                : status.get().position();
        return outcome(request, new Ready.Completion(0, position, outcome, 0));
    }

    private Runnable outcome(Request request, Ready.Completion completion) {
        boolean acknowledged = completion.outcome() == Ready.Outcome.ACKNOWLEDGED;
        if (request instanceof Request.Await await) {
            return acknowledged ? () -> await.outcome.complete(null) : failure(await.outcome, completion);
        } else if (request instanceof Request.Confirm confirm) {
            return acknowledged
                    ? () -> confirm.outcome.complete(completion.position())
                    : failure(confirm.outcome, completion);
        } else {
            throw new AssertionError(request);
        }
    }

    private Runnable failure(CompletableFuture<?> stage, Ready.Completion completion) {
        NodeStatus now = status.get();
        OutcomeUnknownException.Reason unknown = completion.outcome().unknown();
        RuntimeException failure = unknown == null
                ? new WriteLostException(now.shard(), now.node(), completion.position())
                : new OutcomeUnknownException(
                        unknown, now.shard(), now.node(), completion.position(), completion.acknowledged());
        return () -> stage.completeExceptionally(failure);
    }
}
