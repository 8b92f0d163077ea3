/**
 * The key-value store on real Redis and Valkey servers, and nodes that let sentinels fail such servers over.
 *
 * <p>{@link io.kvorum.redis.RedisStore} is a {@link io.kvorum.core.KeyValueStore} on one server, on the server that
 * sentinels name, or on a cluster; which of them, it finds out from the URIs that it is given:
 *
 * <pre>{@code
 * RedisStore.connect(RedisURI.create("redis://10.0.0.1"));
 * RedisStore.connect(RedisURI.create("redis-sentinel://10.0.0.1,10.0.0.2,10.0.0.3#orders"));
 * RedisStore.connect(RedisURI.create("redis://10.0.0.1"), RedisURI.create("redis://10.0.0.2")); // of a cluster
 * }</pre>
 *
 * <p>Time-outs, acknowledgement by replicas and the number of tries are set by its
 * {@linkplain io.kvorum.redis.RedisStore#builder() builder}.
 *
 * <p>{@link io.kvorum.redis.RedisNode} stands beside a server, so that the sentinels of {@code io.kvorum.cluster} can
 * watch it and fail it over.
 */
package io.kvorum.redis;
