package io.kvorum.replication;

import io.kvorum.slots.topology.NodeId;
import org.jspecify.annotations.Nullable;

/** What a primary knows of one replica, and how it feeds it. */
final class ReplicaProgress {
    enum Phase {
        /** The primary waits to hear where the replica is, or for its turn of a full sync. */
        PROBING,
        /** The replica continues from its own position. */
        STREAMING,
        /** The replica takes a full sync. */
        SYNCING
    }

    final NodeId node;
    Phase phase = Phase.PROBING;

    /** The number of the newest message that it answered. Older answers were overtaken and say nothing new. */
    long heardSequence = -1;

    /** The number of the life in which it gave that answer. */
    long life;

    long heardAt;
    boolean heard;

    /** Whether its data was complete at that answer. */
    boolean synced;

    /** The greatest offset at which it was known to have the same log as the primary; -1 at first. */
    long acknowledged = -1;

    /** While streaming: the offset of the next record to send. */
    long next;

    /** The newest message to it that carried data. */
    long lastDataSequence;

    /** Answers up to this message do not ask again for what was sent again after it. */
    long resentAfter;

    /** While probing: why it needs a full sync, if it does. */
    ReplicationEvent.FullSyncStarted.@Nullable Reason needs;

    /** While syncing. */
    @Nullable
    FullSync sync;

    /** Before this time no further full sync is begun, if {@link #syncDelayed}. */
    long syncNotBefore;

    boolean syncDelayed;

    ReplicaProgress(NodeId node) {
        this.node = node;
    }

    void stream(long from) {
        endSync();
        phase = Phase.STREAMING;
        next = from;
        needs = null;
    }

    void probe(ReplicationEvent.FullSyncStarted.@Nullable Reason reason) {
        endSync();
        phase = Phase.PROBING;
        needs = reason;
    }

    void endSync() {
        if (sync != null) {
            sync.close();
            sync = null;
        }
    }

    boolean isConnected(long now, long timeout) {
        return heard && synced && now - heardAt < timeout;
    }
}
