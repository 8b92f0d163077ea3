package io.kvorum.failover;

import static java.util.Objects.requireNonNull;

/**
 * The answer of a node to a command.
 *
 * <p>Immutable.
 *
 * @param command the command that is answered
 * @param outcome the outcome of the command
 * @param report the state of the node after the command
 */
public record NodeAnswer(NodeCommand command, Outcome outcome, NodeReport report) {
    /** The outcome of a command. Only {@link #DONE} changed anything, and perhaps {@link #NOT_SAVED}. */
    public enum Outcome {
        /** The command was carried out, now or when it was first received. */
        DONE,
        /** The node has promised a later epoch, or this one to its primary. */
        STALE_EPOCH,
        /** The node has promised this very epoch to another attempt: two sentinels use one number, or one forgot. */
        OTHER_HOLDER,
        /** The node has not promised this epoch. */
        NOT_FENCED,
        /** The data of the node is not complete. */
        NOT_COMPLETE,
        /** The node has lost its promise since, and is another member now. */
        OTHER_INCARNATION,
        /** The log of the node does not end at the expected position. */
        WRONG_POSITION,
        /** The node follows another primary in this epoch. */
        OTHER_PRIMARY,
        /** The node is not the primary of this epoch. */
        NOT_PRIMARY,
        /** The node has been part of the shard's history before. */
        ALREADY_BEGUN,
        /** A node that the command is about is not in the member list, or may not be changed in it. */
        NOT_MEMBER,
        /** Another change of the member list is under way; a repetition may succeed. */
        CHANGE_UNDER_WAY,
        /** The node belongs to another shard. */
        WRONG_SHARD,
        /**
         * The node could not save its promise, and may have forgotten it after a crash; a repetition may succeed. What
         * it reports of its role does not hold before.
         */
        NOT_SAVED,
        /** The node has too many commands waiting; a repetition may succeed. No sign of life: no step has answered. */
        OVERLOADED,
        /** The node is closed. No sign of life. */
        CLOSED
    }

    /** Checks the parts. */
    public NodeAnswer {
        requireNonNull(command, "command");
        requireNonNull(outcome, "outcome");
        requireNonNull(report, "report");
    }

    /** {@return whether the command was carried out} */
    public boolean done() {
        return outcome == Outcome.DONE;
    }

    /** {@return whether the node leads its epoch; one that could not save its promise may come back without it} */
    boolean isOfPrimary() {
        return report.primary() && outcome != Outcome.NOT_SAVED;
    }

    /** {@return whether the node took a step for it: otherwise it says no more than silence does} */
    boolean isOfAStep() {
        return outcome != Outcome.OVERLOADED && outcome != Outcome.CLOSED;
    }

    /** {@return whether a repetition of the same command may succeed although this one did not} */
    boolean isTransient() {
        return outcome == Outcome.NOT_SAVED;
    }
}
