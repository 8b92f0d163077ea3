package io.kvorum.replication;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;

/** Something that happened at a node and that an operator may want to know. */
public sealed interface ReplicationEvent {
    /** {@return the node at which it happened} */
    NodeId node();

    /**
     * The node became the primary.
     *
     * @param node the node
     * @param epoch the epoch of its leadership
     */
    record Promoted(NodeId node, long epoch) implements ReplicationEvent {}

    /**
     * The node was the primary and is so no more.
     *
     * @param node the node
     * @param epoch the epoch of the leadership that ended
     * @param promised the later epoch that ended it
     * @param end the position after its last record
     */
    record Deposed(NodeId node, long epoch, long promised, LogPosition end) implements ReplicationEvent {}

    /**
     * The node began to follow a primary.
     *
     * @param node the node
     * @param primary the primary
     * @param epoch the primary's epoch
     */
    record Following(NodeId node, NodeId primary, long epoch) implements ReplicationEvent {}

    /**
     * The primary lets a replica continue from its own position.
     *
     * @param node the primary
     * @param replica the replica
     * @param from the position of the replica
     */
    record PartialSync(NodeId node, NodeId replica, LogPosition from) implements ReplicationEvent {}

    /**
     * The primary began a full sync of a replica.
     *
     * @param node the primary
     * @param replica the replica
     * @param reason why it cannot continue from its own position
     */
    record FullSyncStarted(NodeId node, NodeId replica, Reason reason) implements ReplicationEvent {
        /** Why a replica needs a full sync. */
        public enum Reason {
            /** It has no complete data. */
            NOT_SYNCED,
            /** It has records that the primary never had. */
            DIVERGED,
            /** The records that it lacks are no longer retained. */
            TOO_FAR_BEHIND
        }
    }

    /**
     * The replica finished a full sync: its old data was replaced.
     *
     * @param node the replica
     * @param position where it is now
     */
    record FullSyncCompleted(NodeId node, LogPosition position) implements ReplicationEvent {}

    /**
     * A full sync replaced records that the primary never had: writes that were not acknowledged by a majority.
     *
     * @param node the replica
     * @param after the last position that both had, as far as it can be told
     * @param end the position after the last discarded record
     * @param records how many records were discarded
     * @param exact whether all of them were still retained and so are counted
     */
    record RecordsDiscarded(NodeId node, long after, LogPosition end, long records, boolean exact)
            implements ReplicationEvent {}

    /**
     * The replica could not apply what its primary sent. It takes a full sync.
     *
     * @param node the replica
     * @param position where it was
     * @param reason what went wrong
     */
    record RecordNotApplied(NodeId node, LogPosition position, String reason) implements ReplicationEvent {}

    /**
     * The node could not save its promise, and says nothing until it can.
     *
     * @param node the node
     * @param epoch the promised epoch
     * @param reason what went wrong
     */
    record PromiseNotSaved(NodeId node, long epoch, String reason) implements ReplicationEvent {}
}
