package io.kvorum.failover;

import static java.util.Objects.requireNonNull;

/**
 * What a node answers to a command.
 *
 * <p>Immutable.
 *
 * @param command the command that is answered
 * @param outcome what became of it
 * @param report the node after the command
 */
public record NodeAnswer(NodeCommand command, Outcome outcome, NodeReport report) {
    /** What became of a command. Everything but {@link #DONE} changed nothing. */
    public enum Outcome {
        /** It has been carried out, now or when it was first received. */
        DONE,
        /** The node has promised a later epoch. */
        STALE_EPOCH,
        /** The node's data is not complete, so it cannot be promoted. */
        NOT_SYNCED,
        /** The node's log does not end where it was expected to. */
        WRONG_POSITION,
        /** The node is not the primary of the command's epoch. */
        NOT_PRIMARY,
        /** The node belongs to another shard. */
        WRONG_SHARD,
        /** The node could not save its promise; a repetition may succeed. */
        NOT_SAVED
    }

    /** Checks the parts. */
    public NodeAnswer {
        requireNonNull(command, "command");
        requireNonNull(outcome, "outcome");
        requireNonNull(report, "report");
    }

    /** {@return whether the command has been carried out} */
    public boolean done() {
        return outcome == Outcome.DONE;
    }
}
