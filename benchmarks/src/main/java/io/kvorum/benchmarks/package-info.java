/**
 * Benchmarks of the hot paths, with the peers measured beside ours in the same run.
 *
 * <p>Single operations of slots, stores, logs and detectors are measured by JMH, or by {@code compare} in batches that
 * take turns; what a figure is worth depends least on the machine where it is a ratio within a round. The replicated
 * path has three programs of its own: {@code replicated} (what a write costs its caller and the primary, and what one
 * costs in all that waits for a majority), {@code failover} (how long a shard is without a primary) and {@code idle}
 * (what a cluster costs that nobody uses). {@code -h} lists all of them.
 */
package io.kvorum.benchmarks;
