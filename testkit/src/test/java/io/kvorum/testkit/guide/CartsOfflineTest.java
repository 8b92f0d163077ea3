package io.kvorum.testkit.guide;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.KeyValueStore;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.StopPoint;
import io.kvorum.testkit.junit.KvorumCluster;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@KvorumCluster(shards = 1, timeout = "3s")
final class CartsOfflineTest {
    private final Carts carts;

    CartsOfflineTest(KeyValueStore store) {
        carts = new Carts(store);
    }

    @BeforeEach
    void adaHasTea() {
        carts.add("ada", "tea");
    }

    @Test
    void aCustomerWhoIsCutOffIsToldInTime(LocalCluster cluster, InstantSource clock) {
        cluster.isolate(LocalCluster.CLIENT);
        Instant begin = clock.instant();

        assertThrows(RefusedException.class, () -> carts.add("ada", "milk"));

        assertTrue(Duration.between(begin, clock.instant()).toSeconds() <= 3);
        cluster.heal();
        assertEquals(Set.of("tea"), carts.items("ada"));
    }

    @Test
    void aCartSurvivesANodeThatCrashesAsItIsPromoted(LocalCluster cluster) {
        AtomicBoolean done = new AtomicBoolean();
        cluster.at(StopPoint.AFTER_PROMOTION, hit -> {
            if (done.compareAndSet(false, true)) {
                cluster.node(hit.party()).crash();
                cluster.node(hit.party()).restart(); // without its data: another node must take over
            }
        });

        cluster.nodes().get(0).pause(); // as a long collection of garbage does
        cluster.advance(Duration.ofSeconds(2));
        cluster.nodes().get(0).resume();

        cluster.awaitReady(Duration.ofSeconds(30));
        assertTrue(done.get());
        assertEquals(Set.of("tea"), carts.items("ada"));
    }
}
