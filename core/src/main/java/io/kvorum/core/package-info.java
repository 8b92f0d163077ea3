/**
 * In-process sharded key-value store, and the store joined with a replication log and a role.
 *
 * <p>{@link io.kvorum.core.KeyValueStore} is what every store offers; {@link io.kvorum.core.AsyncKeyValueStore} is the
 * same for callers who do not wait, and {@link io.kvorum.core.typed.TypedStore} adds types. A
 * {@link io.kvorum.core.LocalStore} holds entries in the heap, a {@link io.kvorum.core.replicated.ReplicatedStore} is
 * one node of a shard, and a {@link io.kvorum.core.ShardedStore} makes one store of many.
 */
package io.kvorum.core;
