/**
 * RESP endpoints in front of an in-JVM cluster, for tests of real Redis clients. {@link io.kvorum.resp.RespCluster}
 * opens a port for each node and sentinel; {@link io.kvorum.resp.RespMode} says what clients take them for.
 *
 * <p>A connection has a thread that reads commands, finds them in the table of its endpoint, routes them by the
 * topology and by the state of the node itself, and carries them out on the node's own store. Each family of commands
 * is a class that adds its commands to the table, with their arity, flags and key positions, so a new type of values is
 * one class more. What is there and what is not, docs/resp.md lists.
 */
package io.kvorum.resp;
