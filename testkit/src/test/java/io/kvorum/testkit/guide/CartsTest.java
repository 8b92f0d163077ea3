package io.kvorum.testkit.guide;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kvorum.core.KeyValueStore;
import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.LocalNode;
import io.kvorum.testkit.junit.KvorumCluster;
import java.util.Set;
import org.junit.jupiter.api.Test;

@KvorumCluster(shards = 1)
final class CartsTest {
    @Test
    void aCartSurvivesItsPrimary(LocalCluster cluster, KeyValueStore store) {
        Carts carts = new Carts(store);
        carts.add("ada", "tea");
        LocalNode primary = cluster.primaryFor("ada".getBytes(UTF_8));

        primary.crash();

        assertEquals(Set.of("tea"), carts.items("ada")); // waits for the failover, in virtual time
        carts.add("ada", "milk");
        assertEquals(Set.of("milk", "tea"), carts.items("ada"));
    }
}
