/**
 * Judges recorded histories: could the operations, in some order that respects real time, have happened one at a time?
 *
 * <p>Two checkers with one answer. {@link io.kvorum.testkit.linearizability.RegisterZones} is fast and wants every
 * written value to be unique; {@link io.kvorum.testkit.linearizability.ExhaustiveSearch} takes any sequential model and
 * may give up. A history of many keys is checked key by key: linearizability is a local property.
 */
package io.kvorum.testkit.linearizability;
