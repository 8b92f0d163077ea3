package io.kvorum.testkit.readme;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.core.KeyValueStore;
import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.LocalNode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

public final class InVirtualTime {
    public static void main(String[] arguments) throws IOException {
        try (LocalCluster cluster = LocalCluster.builder().virtualTime(42).start()) { // the same run for the same seed
            cluster.awaitReady(Duration.ofSeconds(10));
            KeyValueStore store = cluster.client();
            cluster.actor(
                    "counter",
                    () -> { // a thread that runs only while no other does
                        for (int i = 0; i < 50; i++) {
                            store.increment("counter".getBytes(UTF_8));
                            cluster.advance(Duration.ofMillis(100)); // sleeps a tenth of a virtual second
                        }
                    });
            cluster.advance(Duration.ofSeconds(2));
            LocalNode primary = cluster.primaryFor("counter".getBytes(UTF_8));
            primary.pause(); // its timers and its mail pile up
            cluster.advance(Duration.ofSeconds(3));
            primary.resume();
            cluster.advance(Duration.ofSeconds(3));
            System.out.println(new String(store.get("counter".getBytes(UTF_8)), UTF_8) + " at "
                    + cluster.clock().instant());
            cluster.timeline().write(Path.of(arguments[0]), "counter"); // counter.html and counter.ndjson
        }
    }
}
