/**
 * What runs the state machines of nodes and sentinels. Used by the modules of this project only.
 *
 * <p>A machine is a value of its inputs: it has no thread, no clock and calls nobody. A driver gives it a thread, a
 * clock, an inbox and a store, and sends what it wants sent. All that is alike in the drivers is here:
 *
 * <ul>
 *   <li>{@link io.kvorum.slots.runtime.StepRunner} takes the steps of a machine and delivers what they return: one
 *       after the other, when asked to, until it is closed.
 *   <li>{@link io.kvorum.slots.runtime.Inbox} holds what comes in between two steps, up to a bound.
 *   <li>{@link io.kvorum.slots.runtime.EventFeed} tells listeners of events, each at its own pace.
 *   <li>{@link io.kvorum.slots.runtime.SerialTask}, on which the others stand, is a task that is woken.
 * </ul>
 *
 * <p>A driver is made of them so:
 *
 * <pre>{@code
 * void receive(NodeId from, Message message) { // any thread
 *     if (inbox.offer(new Input(from, message))) {
 *         runner.wake();
 *     }
 *     if (runner.isClosed()) {
 *         refuseInbox(); // nobody else may ever come
 *     }
 * }
 *
 * Output step(long now) { // under the runner's lock
 *     takeInbox(now);
 *     machine.tick(now);
 *     Ready ready = machine.ready();
 *     save(ready);
 *     runner.wakeAt(ready.wakeAt());
 *     return new Output(ready);
 * }
 *
 * void deliver(Output output) { // under no lock
 *     for (Envelope envelope : output.messages()) {
 *         if (!runner.isClosed()) {
 *             send(envelope); // catches what the transport throws
 *         }
 *     }
 * }
 * }</pre>
 *
 * <p>Three rules make it safe for user code to do anything, and to fail in any way:
 *
 * <ol>
 *   <li>Transports, gateways, stages and listeners are called in deliveries or by feeds, under no lock. Only a store is
 *       called within a step. A scheduler is called where a wake-up happens, so it must return at once.
 *   <li>Whatever user code throws, any {@code Throwable}, is caught where it is called: logged, counted and told as an
 *       event. Only what the machine itself throws ends a driver.
 *   <li>{@code close} waits for the step under way, which ends by itself, and for nothing else; so nodes and sentinels
 *       can close each other from their listeners in any order.
 * </ol>
 */
package io.kvorum.slots.runtime;
