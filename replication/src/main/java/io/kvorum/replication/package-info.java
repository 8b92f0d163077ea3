/**
 * Replication of a shard: the log of records, the protocol of a node as primary and replica, acknowledgement levels,
 * full and partial sync, and fencing by epoch. It replicates any {@link io.kvorum.replication.ReplicatedState}.
 *
 * <p>All is pure here, except for {@link io.kvorum.replication.ReplicationLog}, which writing threads share with the
 * machine. Begin with {@link io.kvorum.replication.ShardNode}; {@code io.kvorum.replication.runtime} runs it.
 */
package io.kvorum.replication;
