/**
 * Clusters for JUnit Jupiter tests, of JUnit 5.12 or later and of JUnit 6.
 *
 * <p>{@link io.kvorum.testkit.junit.KvorumCluster} gives each test a cluster in virtual time, ready when the test
 * begins and closed for sure when it ends:
 *
 * <pre>{@code
 * @KvorumCluster(shards = 1)
 * final class CartsTest {
 *     @Test
 *     void aCartSurvivesItsPrimary(LocalCluster cluster, KeyValueStore store) {
 *         store.set(KEY, CART);
 *         cluster.primaryFor(KEY).crash();
 *         assertArrayEquals(CART, store.get(KEY)); // waits for the failover, in virtual time
 *     }
 * }
 * }</pre>
 *
 * <p>{@link io.kvorum.testkit.junit.SimulationTest} runs a test once for each of many seeds, under faults that are
 * drawn from the seed:
 *
 * <pre>{@code
 * @SimulationTest(seeds = 100, virtual = "2m")
 * void noItemIsLost(LocalCluster cluster, KeyValueStore store, FaultSchedule faults) {
 *     Set<String> confirmed = addItemsUntil(faults::isOver, store);
 *     faults.finish(Duration.ofMinutes(1)); // the cluster must become whole again
 *     assertTrue(items(store).containsAll(confirmed));
 * }
 * }</pre>
 *
 * <p>Configuration parameters, which system properties are too:
 *
 * <ul>
 *   <li>{@code kvorum.seed}: the seed of each cluster, and the only seed of a simulation: it replays a failure
 *   <li>{@code kvorum.seeds}: how many seeds a simulation runs
 *   <li>{@code kvorum.reports}: the directory for the events of failed tests; {@code target/kvorum} by default
 * </ul>
 *
 * <p>This package needs {@code junit-jupiter-api}, which the testkit does not bring.
 */
package io.kvorum.testkit.junit;
