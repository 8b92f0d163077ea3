/**
 * Whole clusters in one thread and in virtual time. The classes of the product run unchanged; clocks, executors,
 * chance, the network and the state stores are replaced, and everything that goes wrong is drawn from one seed, so that
 * a run can be repeated from its seed to the last event.
 */
package io.kvorum.testkit.simulation;
