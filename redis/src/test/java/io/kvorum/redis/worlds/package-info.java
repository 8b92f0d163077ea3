/**
 * The same scenarios in three worlds: on Kvorum in virtual time, on Kvorum behind the ports of {@code kvorum-resp}, and
 * on Redis, with Redis Sentinel or as a Redis Cluster. {@code docs/same-as-redis.md} is written from them.
 *
 * <p>They are here, and not in {@code kvorum-resp}, because this module has the real servers: those that the build
 * brings, and those on the PATH.
 *
 * <p>A {@link io.kvorum.redis.worlds.Scenario} is a script, one in a file of {@code src/test/resources}. A
 * {@link io.kvorum.redis.worlds.Player} plays it in a {@link io.kvorum.redis.worlds.World} and compares each outcome
 * with the one that the script lists for that world. {@code -Dworlds.trace} prints each step when it is done,
 * {@code -Dworlds.only} plays only the scenarios with that in their names.
 */
@NullMarked
package io.kvorum.redis.worlds;

import org.jspecify.annotations.NullMarked;
