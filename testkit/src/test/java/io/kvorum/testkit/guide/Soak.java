package io.kvorum.testkit.guide;

import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.testkit.FaultKind;
import io.kvorum.testkit.FaultSchedule;
import io.kvorum.testkit.LocalCluster;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;

public final class Soak {
    public static void main(String[] arguments) {
        for (long seed = Long.parseLong(arguments[0]); seed <= Long.parseLong(arguments[1]); seed++) {
            try (LocalCluster cluster =
                    LocalCluster.builder().shards(1).virtualTime(seed).start()) {
                cluster.awaitReady(Duration.ofSeconds(10));
                FaultSchedule faults = FaultSchedule.begin(
                        cluster, seed, Duration.ofSeconds(30), FaultKind.CRASH, FaultKind.PARTITION, FaultKind.PAUSE);
                Set<String> confirmed = fill(new Carts(cluster.client()), cluster, faults);
                faults.finish(Duration.ofMinutes(1));
                if (!new Carts(cluster.client()).items("ada").containsAll(confirmed)) {
                    throw new AssertionError("lost items, seed " + seed + ", after " + faults.faults());
                }
            }
        }
    }

    private static Set<String> fill(Carts carts, LocalCluster cluster, FaultSchedule faults) {
        Set<String> confirmed = new TreeSet<>();
        for (int i = 0; !faults.isOver(); i++) {
            try {
                carts.add("ada", "item-" + i);
                confirmed.add("item-" + i);
            } catch (RefusedException | OutcomeUnknownException e) {
                cluster.advance(Duration.ofSeconds(1));
            }
            cluster.advance(Duration.ofMillis(100));
        }
        return confirmed;
    }
}
