package io.kvorum.testkit.guide;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.testkit.SimulatedRun;
import io.kvorum.testkit.Simulation;
import io.kvorum.testkit.SimulationBuilder;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

final class CartsInvariantsTest {
    /** The application, and what its customers know: the items confirmed to them, and since when they have waited. */
    private record Shop(Carts carts, Map<String, Set<String>> confirmed, Map<String, Instant> waiting) {}

    @Test
    void customersGetWhatTheyWereTold() {
        SimulationBuilder<Shop> simulation = Simulation.of(
                        cluster -> new Shop(new Carts(cluster.client()), new TreeMap<>(), new TreeMap<>()))
                .cluster((cluster, random) ->
                        cluster.shards(1 + random.nextInt(2)).timeout(Duration.ofSeconds(2)))
                .length(Duration.ofSeconds(20))
                .invariant(
                        "nobody waits for long",
                        run -> run.application().waiting().values().stream()
                                .allMatch(since -> Duration.between(
                                                        since,
                                                        run.cluster().clock().instant())
                                                .toSeconds()
                                        < 5))
                .check(
                        "no item is lost",
                        run -> run.application()
                                .confirmed()
                                .forEach((customer, items) -> assertTrue(
                                        run.application()
                                                .carts()
                                                .items(customer)
                                                .containsAll(items),
                                        customer)));
        for (String customer : List.of("ada", "bob", "cyd")) {
            simulation.workload(customer, run -> shop(run, customer));
        }

        simulation.build().run(1, 5).orThrow();
    }

    private static void shop(SimulatedRun<Shop> run, String customer) {
        Shop shop = run.application();
        Set<String> items = shop.confirmed().computeIfAbsent(customer, name -> new TreeSet<>());
        for (int i = 0; !run.isOver(); i++) {
            shop.waiting().put(customer, run.cluster().clock().instant());
            try {
                shop.carts().add(customer, "item-" + i);
                items.add("item-" + i);
            } catch (RefusedException | OutcomeUnknownException e) {
                run.sleep(Duration.ofMillis(500)); // the shop asks the customer to try again later
            }
            shop.waiting().remove(customer);
            run.sleep(Duration.ofMillis(300));
        }
    }
}
