/**
 * Failure detectors, and sentinels that agree by quorum that a primary is down and give its shard another one.
 *
 * <p>Start with {@link io.kvorum.failover.Sentinel}: one voter, a pure state machine. Run an odd number of them, at
 * least three, each where it fails independently of the others. {@code io.kvorum.failover.runtime} has the driver that
 * gives a sentinel threads, a clock and a disk.
 *
 * <h2>What a sentinel needs</h2>
 *
 * <ol>
 *   <li>A {@link io.kvorum.failover.SentinelList} of all sentinels and their numbers, the same for each. A number goes
 *       into every epoch that its sentinel takes; never give it to another sentinel.
 *   <li>A {@link io.kvorum.failover.NodeGateway} that carries {@link io.kvorum.failover.NodeCommand}s to the nodes and
 *       brings {@link io.kvorum.failover.NodeAnswer}s back. The nodes may be those of this library or anything else
 *       that can keep the promises that the commands ask for.
 *   <li>A {@link io.kvorum.failover.SentinelTransport} for {@link io.kvorum.failover.SentinelMessage}s.
 *   <li>{@link io.kvorum.failover.SentinelSettings}, the same for each sentinel.
 *   <li>A {@link io.kvorum.failover.SentinelStateStore}. It is a cache; a sentinel may lose it.
 * </ol>
 *
 * <h2>The life of a shard</h2>
 *
 * <p>A new shard is begun once, by {@link io.kvorum.failover.Operation.Bootstrap}. From then on its members, with their
 * incarnations, stand in its replication log. A sentinel fails the shard over by itself when a quorum holds its primary
 * down and a majority of complete members answers; if they do not, it says what is missing
 * ({@link io.kvorum.failover.SentinelFact.NoFailoverPossible}) and deposes nobody. An operator can hand the shard over
 * ({@link io.kvorum.failover.Operation.FailOver}), replace a member ({@link io.kvorum.failover.Operation.Replace}) and,
 * as a last resort, begin a shard anew whose data is lost ({@link io.kvorum.failover.Operation.BeginAnew}).
 *
 * <h2>What it guarantees</h2>
 *
 * <p>A shard never has two primaries in one epoch, and never a primary that lacks a write that a majority acknowledged,
 * however messages are lost, repeated or late, whatever the sentinels forget, and whatever the settings are, except for
 * {@link io.kvorum.failover.SentinelSettings#allowLossyFailover()}. This rests on the promises of a majority of
 * members. Detectors, votes and times only decide when something is tried.
 *
 * <h2>Driving a sentinel by hand</h2>
 *
 * <pre>{@code
 * Sentinel sentinel = new Sentinel(
 *         SentinelSettings.defaults(), self, SentinelList.of(s1, s2, s3), topology, store.load(), random, clock.nanoTime());
 * sentinel.answered(answer, clock.nanoTime()); // or receive, start, merge, tick
 * Sentinel.Ready ready = sentinel.ready();
 * ready.messages().forEach(envelope -> transport.send(envelope.to(), envelope.message()));
 * ready.commands().forEach(command -> gateway.send(command.to(), command.command(), answers::add));
 * // call tick again at ready.wakeAt() at the latest
 * }</pre>
 *
 * <h2>Types by role</h2>
 *
 * <ul>
 *   <li>Machine: {@code Sentinel}, {@code SentinelSettings}, {@code SentinelList}, {@code SentinelState}.
 *   <li>Nodes: {@code NodeGateway}, {@code NodeCommand}, {@code NodeAnswer}, {@code NodeReport}.
 *   <li>Sentinels: {@code SentinelTransport}, {@code SentinelMessage}.
 *   <li>Operators: {@code Operation}, {@code OperationOutcome}, {@code OperationFailedException}, {@code QuorumCheck}.
 *   <li>Observers: {@code SentinelEvent}, {@code SentinelFact}, {@code ConfigurationProvider},
 *       {@code TopologySnapshot}.
 *   <li>Plugs: {@code FailureDetector}, {@code DeadlineDetector}, {@code SentinelStateStore}.
 * </ul>
 */
package io.kvorum.failover;
