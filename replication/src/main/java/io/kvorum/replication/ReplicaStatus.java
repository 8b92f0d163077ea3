package io.kvorum.replication;

import io.kvorum.slots.topology.NodeId;

/**
 * What a primary knows of one node that it feeds.
 *
 * <p>Immutable.
 *
 * @param node the node
 * @param state how it is fed: {@code PROBING}, {@code STREAMING}, {@code WAITING} for a full sync, {@code SYNCING} or
 *     {@code SUSPENDED}
 * @param acknowledged the offset up to which it is known to have the primary's records; -1 if none is known
 * @param lag how many bytes it is behind the primary, as far as is known
 * @param complete whether its data was complete when it was last heard
 * @param connected whether it was heard within {@link ReplicationSettings#replicaTimeout}
 */
public record ReplicaStatus(
        NodeId node, String state, long acknowledged, long lag, boolean complete, boolean connected) {}
