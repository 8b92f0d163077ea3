package io.kvorum.failover;

import java.util.Objects;

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
        /** The node's data is not complete, so it can't be promoted. */
        NOT_SYNCED,
        /** The node's log doesn't end where it was expected to. */
        WRONG_POSITION,
        /** The node isn't the primary of the command's epoch. */
        NOT_PRIMARY,
        /** The node belongs to another shard. */
        WRONG_SHARD,
        /** The node couldn't save its promise; a repetition may succeed. */
        NOT_SAVED
    }

    /** Checks the parts. */
    public NodeAnswer {
        Objects.requireNonNull(command, "command");
        Objects.requireNonNull(outcome, "outcome");
        Objects.requireNonNull(report, "report");
    }

    /** {@return whether the command has been carried out} */
    public boolean done() {
        return outcome == Outcome.DONE;
    }
}
