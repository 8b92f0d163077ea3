/** What runs a sentinel: its driver, the stores of its state, its meters. Threads, clocks and files are here. */
package io.kvorum.failover.runtime;
