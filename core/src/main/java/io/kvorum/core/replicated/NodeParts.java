package io.kvorum.core.replicated;

import io.kvorum.core.LocalStore;
import io.kvorum.replication.ReplicationLog;
import io.kvorum.slots.topology.ClusterTopology;
import java.util.function.Supplier;

/**
 * What each access to a node's store needs: one object for all of them, so that an access is a small one.
 *
 * @param store the store
 * @param log where its changes go first
 * @param topology the topology as the node knows it
 */
record NodeParts(LocalStore store, ReplicationLog log, Supplier<ClusterTopology> topology) {}
