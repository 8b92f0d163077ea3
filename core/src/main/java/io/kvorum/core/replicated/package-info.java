/** A store joined with a replication log and a role: one node of a shard. */
package io.kvorum.core.replicated;
