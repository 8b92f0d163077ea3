/**
 * Histories of what clients did to a store and saw of it, and the checkers that judge them.
 *
 * <p>{@link io.kvorum.testkit.history.History} records: each client of a test uses the store through a
 * {@link io.kvorum.testkit.history.RecordedClient}. In the end the history is asked:
 *
 * <pre>{@code
 * History history = new History(cluster.scheduler()::nanoTime);
 * RecordedClient ada = history.client("ada", cluster.client());
 * // ... ada.set(key, value), ada.get(key), under faults ...
 * assertEquals(List.of(), history.linearizabilityViolations());
 * assertEquals(0, history.losses(cluster.client()::get).lost());
 * }</pre>
 *
 * <ul>
 *   <li><b>Linearizability</b>, key by key, since it is a local property: could the operations have happened one at a
 *       time, in some order that respects real time? What is written at {@code MAJORITY} and read confirmed must pass.
 *       Two checkers with one answer: {@link io.kvorum.testkit.history.RegisterZones} takes O(n log n) and wants every
 *       written value to be unique; {@link io.kvorum.testkit.history.ExhaustiveSearch} takes any
 *       {@link io.kvorum.testkit.history.SequentialModel}, a counter or a queue, and may give up.
 *       {@link io.kvorum.testkit.history.RegisterHistories} takes whichever can.
 *   <li><b>Session guarantees</b>: no client misses its own earlier writes, or goes back behind what it has read. A
 *       weaker demand, for reads that may be old.
 *   <li><b>Loss accounting</b>: which acknowledged writes are gone in the end. At {@code LOCAL} some may be.
 * </ul>
 *
 * <p>A write of unknown outcome may have taken effect at any time since, or never; every checker bears that in mind. A
 * refused one never happened and is not in the history.
 */
package io.kvorum.testkit.history;
