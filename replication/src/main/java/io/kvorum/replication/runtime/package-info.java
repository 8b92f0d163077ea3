/**
 * What runs a node of a shard: its thread, its time, its promise on disk, and its messages in and out.
 *
 * <p>Start with {@link io.kvorum.replication.runtime.NodeDriver}. The owner of a node
 *
 * <ol>
 *   <li>loads the promise from the node's {@link io.kvorum.replication.runtime.FilePromiseStore}, and draws a first one
 *       only if the store says that there never was one;
 *   <li>makes a log, a state and a {@link io.kvorum.replication.ShardNode} with the next life of the promise;
 *   <li>makes the driver, adds listeners, hands it what the transport receives, and starts it;
 *   <li>closes the driver first, and then what it made for it.
 * </ol>
 *
 * <pre>{@code
 * PromiseStore promises = new FilePromiseStore(directory.resolve("promise"));
 * Promise before = promises.load();
 * Promise promise = before == null ? Promise.first(new SplittableRandom()) : before.nextLife();
 * Scheduler scheduler = Scheduler.of(executor);
 * ReplicationLog log = ReplicationLog.inMemory(1 << 26);
 * ShardNode node = new ShardNode(settings, identity, log, state, allocator, promise, false, scheduler.nanoTime());
 * NodeDriver driver = new NodeDriver(settings, node, log, transport, promises, scheduler);
 * driver.addListener(event -> ...);
 * driver.start();
 * }</pre>
 *
 * <p><em>Threads.</em> Everything may be called by any thread. The driver has no thread of its own: it takes steps on
 * the scheduler, one after the other, when something came in and when the node asked for one; an idle node costs a step
 * for each heartbeat. The transport, the listeners, what depends on stages and what takes answers are called between
 * steps, under no lock, so they may close this node or any other; what they throw is logged, counted and told as an
 * event.
 *
 * <p><em>What is lost and what is refused.</em> Messages beyond {@code MAX_MESSAGES} are lost, as on any transport.
 * Commands and questions beyond {@code MAX_REQUESTS} are refused as overloaded. While a promise cannot be saved nothing
 * leaves the node, and commands are answered as not saved. After a defect of the node itself, and after {@code close},
 * everything is refused as closed.
 *
 * <p>Types by role: {@link io.kvorum.replication.runtime.NodeDriver} runs a node;
 * {@link io.kvorum.replication.runtime.FilePromiseStore} keeps its promise in a file.
 */
package io.kvorum.replication.runtime;
