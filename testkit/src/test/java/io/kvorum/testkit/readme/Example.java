package io.kvorum.testkit.readme;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.core.KeyValueStore;
import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.LocalClusterSettings;
import java.time.Duration;

public final class Example {
    public static void main(String[] arguments) {
        byte[] key = "user:{42}".getBytes(UTF_8);
        try (LocalCluster cluster = LocalCluster.start(LocalClusterSettings.defaults())) {
            cluster.awaitReady(Duration.ofSeconds(10));
            KeyValueStore store = cluster.client();
            store.set(key, "Ada".getBytes(UTF_8)); // returns once a majority of the shard's nodes has it

            cluster.primaryFor(key).crash();
            String name = new String(store.get(key), UTF_8); // waits until the sentinels have promoted another node
            System.out.println(name + ", from " + cluster.primaryFor(key));
        }
    }
}
