/**
 * What runs a sentinel: its thread, its time, its cache on disk, and its messages, commands and orders.
 *
 * <p>Start with {@link io.kvorum.failover.runtime.SentinelDriver}. The owner of a sentinel
 *
 * <ol>
 *   <li>loads the state from a {@link io.kvorum.failover.runtime.FileSentinelStateStore}; a sentinel without one, or
 *       with an old one, is as safe and only learns for a moment;
 *   <li>makes a {@link io.kvorum.failover.Sentinel} with the same list of sentinels as everywhere;
 *   <li>makes the driver, adds listeners, hands it what the transport receives, and starts it;
 *   <li>closes the driver first, and then what it made for it.
 * </ol>
 *
 * <pre>{@code
 * SentinelStateStore store = new FileSentinelStateStore(directory.resolve("sentinel"));
 * Scheduler scheduler = Scheduler.of(executor);
 * Sentinel sentinel = new Sentinel(
 *         settings, self, sentinels, topology, store.load(), new SplittableRandom(), scheduler.nanoTime());
 * SentinelDriver driver = new SentinelDriver(sentinel, transport, gateway, store, scheduler);
 * driver.addListener(event -> ...);
 * driver.start();
 * driver.bootstrap(shard).whenComplete((primary, failure) -> ...); // once in the life of a shard, at one sentinel
 * }</pre>
 *
 * <p><em>Threads.</em> Everything may be called by any thread. The driver has no thread of its own: it takes steps on
 * the scheduler, one after the other, when something came in and when the sentinel asked for one. Transport, gateway,
 * listeners, subscribers, store and stages are called outside of steps, under no lock, so they may close this sentinel
 * or any other; what they throw is logged, counted and told as an event. No ping waits for a store, a listener, a
 * subscriber or a stage.
 *
 * <p><em>Orders.</em> {@code failOver}, {@code bootstrap}, {@code beginAnew} and {@code replace} end within the time
 * that the settings state, well or with an {@link io.kvorum.failover.OperationFailedException} that says why.
 *
 * <p><em>The log.</em> A line at INFO for each change of a role or of availability, a WARNING for a shard without a
 * primary, for lost data and for code of the application that threw, an ERROR for a defect; all other events at DEBUG.
 *
 * <p>Types by role: {@link io.kvorum.failover.runtime.SentinelDriver} runs a sentinel and provides the topology;
 * {@link io.kvorum.failover.runtime.FileSentinelStateStore} keeps its cache in a file.
 */
package io.kvorum.failover.runtime;
