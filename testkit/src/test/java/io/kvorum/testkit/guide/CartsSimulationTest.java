package io.kvorum.testkit.guide;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.KeyValueStore;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.testkit.FaultSchedule;
import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.junit.SimulationTest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletionStage;

final class CartsSimulationTest {
    @SimulationTest(seeds = 5, virtual = "1m")
    void noItemIsLost(LocalCluster cluster, KeyValueStore store, FaultSchedule faults) {
        Carts carts = new Carts(store);
        List<CompletionStage<?>> customers = new ArrayList<>();
        Map<String, Set<String>> confirmed = new TreeMap<>();
        for (String customer : List.of("ada", "bob", "cyd")) {
            Set<String> items = confirmed.computeIfAbsent(customer, name -> new TreeSet<>());
            customers.add(cluster.actor(customer, () -> {
                for (int i = 0; !faults.isOver(); i++) {
                    try {
                        carts.add(customer, "item-" + i);
                        items.add("item-" + i);
                    } catch (RefusedException | OutcomeUnknownException e) {
                        cluster.advance(Duration.ofSeconds(1)); // the shop asks the customer to try again later
                    }
                    cluster.advance(Duration.ofMillis(500));
                }
            }));
        }

        customers.forEach(customer -> customer.toCompletableFuture().join()); // lets time pass until each has ended
        faults.finish(Duration.ofMinutes(1));

        confirmed.forEach((customer, items) ->
                assertTrue(carts.items(customer).containsAll(items), () -> customer + " must have " + items));
    }
}
