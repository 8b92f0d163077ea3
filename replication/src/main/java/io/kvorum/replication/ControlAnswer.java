package io.kvorum.replication;

/**
 * How a node answered a command about its role.
 *
 * <p>Immutable.
 *
 * @param outcome whether the command was carried out, or why not
 * @param status where the node stands after it
 */
public record ControlAnswer(Outcome outcome, NodeStatus status) {
    /** What became of a command. Only {@link #DONE} changed anything, and perhaps {@link #NOT_SAVED}. */
    public enum Outcome {
        /** It was carried out, now or before. */
        DONE,
        /** The node has promised a later epoch. */
        STALE_EPOCH,
        /** The node promised this epoch to somebody else: two parties act under one number. */
        OTHER_HOLDER,
        /** The node was not fenced at the epoch of the command. */
        NOT_FENCED,
        /** The node's data is not complete. */
        NOT_COMPLETE,
        /** The command is meant for another incarnation of the node. */
        OTHER_INCARNATION,
        /** The node's log does not end where the command expects. */
        WRONG_POSITION,
        /** The node follows another primary of the same epoch. */
        OTHER_PRIMARY,
        /** The node is not the primary of the epoch. */
        NOT_PRIMARY,
        /** The shard has begun already, as far as this node knows. */
        ALREADY_BEGUN,
        /** Another change of the member list is under way. */
        CHANGE_UNDER_WAY,
        /** The node is of another shard. */
        WRONG_SHARD,
        /**
         * The node's promise could not be saved. The node tries on, and says nothing else before it is; what it has
         * promised it may have forgotten after a crash.
         */
        NOT_SAVED,
        /** The node has as many requests waiting as it can hold. */
        OVERLOADED,
        /** The node was closed. */
        CLOSED,
        /** A node that the command is about is not in the member list, or may not be changed in it. */
        NOT_MEMBER
    }
}
