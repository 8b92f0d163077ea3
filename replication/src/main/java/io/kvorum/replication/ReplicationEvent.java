package io.kvorum.replication;

import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.NodeId;
import java.time.Duration;

/** Something that happened at a node and that an operator may want to know. */
public sealed interface ReplicationEvent {
    /** {@return the node at which it happened} */
    NodeId node();

    /**
     * The node began the shard, or began it anew, and is its primary.
     *
     * @param node the node
     * @param epoch the epoch of its leadership
     * @param members the first members
     * @param dataLost whether the shard was begun anew on the node's own data, because that of the others was lost
     */
    record ShardBegun(NodeId node, long epoch, MemberList members, boolean dataLost) implements ReplicationEvent {}

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
     * Two parties asked for the node's promise of one epoch: two sentinels have the same number. The second was
     * refused.
     *
     * @param node the node
     * @param epoch the epoch
     * @param holder who has the promise
     * @param other who was refused
     */
    record OtherHolder(NodeId node, long epoch, NodeId holder, NodeId other) implements ReplicationEvent {}

    /**
     * The primary appended a new member list. It counts from now on, beside the one before until it is committed.
     *
     * @param node the primary
     * @param members the new list
     * @param position the position after its record
     */
    record MembersChanging(NodeId node, MemberList members, LogPosition position) implements ReplicationEvent {}

    /**
     * The newest member list is committed. It counts alone from now on.
     *
     * @param node the primary
     * @param members the list
     */
    record MembersChanged(NodeId node, MemberList members) implements ReplicationEvent {}

    /**
     * The primary gave up a replacement of a member: the newcomer was not complete in time. The members stay as they
     * are.
     *
     * @param node the primary
     * @param outgoing the member that was to be replaced
     * @param incoming the node that was to take its place
     * @param state how far the newcomer had come, as in {@link ReplicaStatus#state}
     */
    record ReplacementGivenUp(NodeId node, NodeId outgoing, NodeId incoming, String state)
            implements ReplicationEvent {}

    /**
     * The primary lets a replica continue from its own position.
     *
     * @param node the primary
     * @param replica the replica
     * @param from the position of the replica
     */
    record PartialSync(NodeId node, NodeId replica, LogPosition from) implements ReplicationEvent {}

    /** Why a replica needs a full sync, or could not be fed. */
    enum Reason {
        /** It has no complete data. */
        NOT_COMPLETE,
        /** It has records that the primary never had. */
        DIVERGED,
        /** The records that it lacks are no longer retained. */
        TOO_FAR_BEHIND,
        /** Its state could not apply a record or load a part. */
        NOT_APPLIED,
        /** It does not know the kind or the version of a record. */
        UNKNOWN_KIND,
        /** It answers, but takes nothing of what it is sent. */
        NO_PROGRESS,
        /** The primary's own state could not be scanned. */
        SCAN_FAILED
    }

    /**
     * The primary began a full sync of a replica.
     *
     * @param node the primary
     * @param replica the replica
     * @param reason why it cannot continue from its own position
     */
    record FullSyncStarted(NodeId node, NodeId replica, Reason reason) implements ReplicationEvent {}

    /**
     * The primary leaves a replica alone for a while, because it could not be fed.
     *
     * @param node the primary
     * @param replica the replica
     * @param reason what went wrong last
     * @param tries how many tries in a row have failed
     * @param pause how long it is left alone
     */
    record ReplicaSuspended(NodeId node, NodeId replica, Reason reason, int tries, Duration pause)
            implements ReplicationEvent {}

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
     * The replica could not apply what its primary sent. It needs a full sync.
     *
     * @param node the replica
     * @param position where it was
     * @param reason what went wrong
     */
    record RecordNotApplied(NodeId node, LogPosition position, String reason) implements ReplicationEvent {}

    /**
     * The replica was sent a record of a kind or version that it does not know: the primary runs a newer release.
     *
     * @param node the replica
     * @param position where it was; nothing was taken
     * @param kind the kind of the record
     * @param version the version of the kind
     */
    record UnknownRecord(NodeId node, LogPosition position, int kind, int version) implements ReplicationEvent {}

    /**
     * The node could not save its promise, and says nothing until it can.
     *
     * @param node the node
     * @param epoch the promised epoch
     * @param reason what went wrong
     */
    record PromiseNotSaved(NodeId node, long epoch, String reason) implements ReplicationEvent {}

    /**
     * A part of the application, such as a listener, a transport or a store, threw. The node goes on.
     *
     * @param node the node
     * @param what which part
     * @param reason what it threw
     */
    record UserCodeFailed(NodeId node, String what, String reason) implements ReplicationEvent {}

    /**
     * The node's driver failed by a defect of its own and stopped. The node takes no part any more until it is
     * restarted.
     *
     * @param node the node
     * @param reason what went wrong
     */
    record DriverFailed(NodeId node, String reason) implements ReplicationEvent {}

    /**
     * Events were dropped because a listener was too slow.
     *
     * @param node the node
     * @param count how many
     */
    record EventsLost(NodeId node, long count) implements ReplicationEvent {}
}
