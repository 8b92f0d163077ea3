/**
 * A model of the protocols' safety rules, run under random schedules.
 *
 * <p>It holds what safety rests on and nothing else: epochs, promises, member lists, lives, how a shard begins,
 * failover, switchover and changes of members. There are no timers, no votes and no payloads. A log is one pointer, and
 * a message may be late, lost, repeated or overtaken.
 *
 * <p>Start at {@link io.kvorum.testkit.model.Rule}, the list of the rules. {@code ModelNode} and {@code ModelCandidate}
 * follow them, {@code Auditor} sees everything at once and checks the invariants, {@code Shape} says what a schedule is
 * made of. Change a rule here before it is changed in the product.
 */
package io.kvorum.testkit.model;
