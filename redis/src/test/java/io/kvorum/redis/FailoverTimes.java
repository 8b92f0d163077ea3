package io.kvorum.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.kvorum.failover.SentinelSettings;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * How long it takes from the kill of a real primary until another one is announced and takes a write, with three
 * servers, three sentinels and a detection of one second.
 *
 * <p>Run as a main class, with the number of failovers (20 by default).
 */
final class FailoverTimes {
    private FailoverTimes() {}

    public static void main(String[] arguments) throws Exception {
        int runs = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 20;
        List<Double> announced = new ArrayList<>();
        List<Double> written = new ArrayList<>();
        Path directory = Files.createTempDirectory("kvorum-failovers");
        try (RedisShard shard = new RedisShard(directory, SentinelSettings.defaults())) {
            shard.begin();
            try (RedisStore store = shard.store(Duration.ofSeconds(1))) {
                for (int i = 0; i < runs; i++) {
                    shard.awaitReplicas(2);
                    NodeId before = shard.primary();
                    RealServers.await("writes are taken", () -> writes(store));
                    LockSupport.parkNanos(
                            TimeUnit.MILLISECONDS.toNanos(500 + 37 * i)); // at no certain moment of a period
                    long begin = System.nanoTime();
                    shard.server(before).kill();
                    RealServers.await(
                            "another one is announced", () -> !shard.primary().equals(before));
                    announced.add((System.nanoTime() - begin) / 1e9);
                    RealServers.await("it takes a write", () -> writes(store));
                    written.add((System.nanoTime() - begin) / 1e9);
                    shard.server(before).restart();
                }
            }
        }
        print("announced", announced);
        print("first write", written);
    }

    private static boolean writes(RedisStore store) {
        try {
            store.set("key".getBytes(UTF_8), "value".getBytes(UTF_8));
            return true;
        } catch (RefusedException | OutcomeUnknownException e) {
            return false;
        }
    }

    private static void print(String what, List<Double> seconds) {
        double[] sorted = seconds.stream().mapToDouble(each -> each).sorted().toArray();
        System.out.println(String.format(
                Locale.ROOT,
                "%-12s n=%d min %.3f median %.3f max %.3f s  %s",
                what,
                sorted.length,
                sorted[0],
                (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2,
                sorted[sorted.length - 1],
                Arrays.toString(sorted)));
    }
}
