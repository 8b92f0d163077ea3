/**
 * Whole clusters inside one JVM, for tests: {@link io.kvorum.testkit.LocalCluster}.
 *
 * <p>A cluster is started with {@link io.kvorum.testkit.LocalCluster#builder}, in real time or in virtual time. Its
 * nodes and sentinels are the ones that an application embeds. They can be crashed, paused and restarted, with what
 * they had saved, without it, or with an old copy; their messages can be lost, delayed, repeated and mixed up; and a
 * test can do something at a {@linkplain io.kvorum.testkit.StopPoint moment inside a protocol}.
 *
 * <pre>{@code
 * try (LocalCluster cluster = LocalCluster.builder().shards(1).virtualTime(42).start()) {
 *     cluster.awaitReady(Duration.ofSeconds(10));
 *     cluster.at(StopPoint.AFTER_FENCE, hit -> cluster.sentinel(hit.party()).crash());
 *     cluster.primaryFor(key).crash();
 *     cluster.client().set(key, value); // done by the next sentinel
 * }
 * }</pre>
 *
 * <p>In virtual time a test of a failover takes milliseconds, and a seed is a run: what fails once fails again. What
 * has happened is a {@linkplain io.kvorum.testkit.ClusterTimeline timeline}: lines, JSON, or a page to look at.
 *
 * <p>A {@link io.kvorum.testkit.Simulation} runs an application for many seeds, each under the faults of a
 * {@link io.kvorum.testkit.FaultSchedule}, and shrinks what fails.
 */
package io.kvorum.testkit;
