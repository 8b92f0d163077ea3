package io.kvorum.replication;

/** What a node is in its shard. */
public enum NodeRole {
    /** Takes the writes and ships them to the replicas. */
    PRIMARY,
    /** Follows a primary, or waits for one. */
    REPLICA
}
