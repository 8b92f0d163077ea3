package io.kvorum.replication;

import io.netty.buffer.ByteBuf;

/**
 * What a shard replicates: any state that is the fold of its log's records and can be streamed as a snapshot.
 *
 * <p>Records must be effects, not commands: applying a record twice is the same as applying it once, and the result
 * depends on nothing but the records and their order. This is what lets one mechanism serve catch-up and full sync.
 *
 * <p>The node's driver calls every method from one thread at a time. At a primary the state is changed by its own
 * writers, who append to the log before they change the state and hold a lock over both that a snapshot scan takes too;
 * {@link #apply} is called at replicas only.
 */
public interface ReplicatedState {
    /**
     * Applies one record at a replica.
     *
     * @param slot the slot that the record is about
     * @param payload the record's payload, as it was appended at the primary; borrowed, valid only during the call
     */
    void apply(int slot, ByteBuf payload);

    /**
     * Starts a scan of the whole state for a full sync. Writes may go on meanwhile; each entry is as it was at some
     * moment between the start and the end of the call of {@link SnapshotScan#next} that returned it.
     *
     * @return the scan, which the caller closes
     */
    SnapshotScan snapshot();

    /**
     * Starts to build a replacement of this state aside. The state itself stays readable and whole until
     * {@link Restoration#complete()}. At most one restoration is under way at a time.
     *
     * @return the empty replacement
     */
    Restoration restore();
}
