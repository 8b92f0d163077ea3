package io.kvorum.failover;

import static java.util.Objects.requireNonNull;

import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.NodeId;
import java.util.List;

/**
 * An operation that was refused or given up. {@link #reason()} tells what to do about it.
 *
 * <p>No stack trace is recorded: this is an expected answer, and the trace would show only the sentinel's own step. Not
 * meant for Java serialization, which would drop the operation.
 *
 * <p>Safe for use by any number of threads.
 */
public final class OperationFailedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient Operation operation;
    private final transient OperationOutcome.Failed outcome;

    /**
     * Describes the failure.
     *
     * @param operation the operation
     * @param outcome its outcome
     */
    public OperationFailedException(Operation operation, OperationOutcome.Failed outcome) {
        super(
                operation + " failed in epoch " + Epoch.toString(outcome.epoch()) + ": " + outcome.reason()
                        + (outcome.nodes().isEmpty() ? "" : " " + outcome.nodes()),
                null,
                false,
                false);
        this.operation = requireNonNull(operation, "operation");
        this.outcome = outcome;
    }

    /** {@return the operation} */
    public Operation operation() {
        return operation;
    }

    /** {@return the epoch of the attempt; that of the present primary if no epoch was taken} */
    public long epoch() {
        return outcome.epoch();
    }

    /** {@return why it failed} */
    public AbortReason reason() {
        return outcome.reason();
    }

    /** {@return the nodes that are the cause; may be empty} */
    public List<NodeId> nodes() {
        return outcome.nodes();
    }
}
