package io.kvorum.replication;

/** What gives way when a replica, or a full sync, takes records more slowly than writers write them. */
public enum LagPolicy {
    /**
     * The writers: they wait at admission, within their own time limits, while the log is full of records that a
     * replica which makes progress still needs. A full sync that was begun completes under any write rate.
     */
    SLOW_WRITERS,
    /**
     * The replica: the log drops records that it still needs. It takes a full sync, and after
     * {@link ReplicationSettings#maxSyncTries} of those have failed it is left alone for a while.
     */
    DROP_REPLICA
}
