package io.kvorum.resp;

import io.kvorum.failover.SentinelSettings;
import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.LocalClusterSettings;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Runs a cluster with its ports until its standard input or the process that started it ends, for clients in other
 * processes: {@code StandAlone MODE FIRST-PORT PASSWORD}, of which a port 0 leaves the ports to the system and an empty
 * password asks for none. Prints a line for each port, and then {@code ready}.
 */
final class StandAlone {
    private static final Duration START_LIMIT = Duration.ofSeconds(30);

    private StandAlone() {}

    /**
     * Runs it.
     *
     * @param args mode, first port and password
     */
    public static void main(String[] args) {
        RespMode mode = RespMode.valueOf(args[0].toUpperCase(Locale.ROOT));
        int port = args.length > 1 ? Integer.parseInt(args[1]) : 0;
        String password = args.length > 2 ? args[2] : "";
        LocalClusterSettings settings = LocalClusterSettings.defaults()
                .withFailover(SentinelSettings.defaults().withQuorum(2));
        if (mode != RespMode.CLUSTER) {
            settings = settings.withShards(1);
        }
        try (LocalCluster cluster = LocalCluster.start(settings)) {
            cluster.awaitReady(START_LIMIT);
            RespCluster.Builder builder = RespCluster.builder(cluster)
                    .mode(mode)
                    .password(password)
                    .control(true)
                    .groupNames(shard -> mode == RespMode.SENTINEL ? "redis-cluster" : shard.value());
            if (port != 0) {
                builder.firstPort(port);
            }
            try (RespCluster resp = builder.start()) {
                resp.describe().forEach(System.out::println);
                System.out.println("ready");
                awaitEnd();
            }
        }
    }

    /** Maven hands its own input on, which need not end with it. */
    private static void awaitEnd() {
        CompletableFuture<@Nullable Void> end = new CompletableFuture<>();
        Threads.start(() -> readInput(end), "kvorum-resp-input");
        ProcessHandle.current().parent().ifPresent(starter -> {
            var unused = starter.onExit().thenRun(() -> end.complete(null));
        });
        end.join();
    }

    private static void readInput(CompletableFuture<@Nullable Void> end) {
        try {
            System.in.transferTo(OutputStream.nullOutputStream());
            end.complete(null);
        } catch (IOException e) {
            end.completeExceptionally(e);
        }
    }
}
