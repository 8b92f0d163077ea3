package io.kvorum.resp;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.kvorum.failover.SentinelSettings;
import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.LocalClusterSettings;
import java.io.File;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A real server and ours, to be compared. Needs redis-server 7.0 on the PATH. */
final class BothServers implements AutoCloseable {
    private static final int MAX_PORT = 65_535 - 10_000; // beyond which the bus of a cluster has no port

    final int realPort;
    final int port;
    private final LocalCluster cluster;
    private final Deque<Runnable> ends = new ArrayDeque<>(); // of what was started, the last first

    /** Starts a server that is no cluster, and ours, or has the test skipped where there is no real one. */
    BothServers(Path directory) throws Exception {
        this(directory, RespMode.SINGLE);
    }

    /** Starts a server, a cluster of one with all slots, or a sentinel that watches a server. */
    BothServers(Path directory, RespMode mode) throws Exception {
        assumeTrue(
                Stream.of(System.getenv("PATH").split(File.pathSeparator))
                        .anyMatch(path -> Files.isExecutable(Path.of(path, "redis-server"))),
                "redis-server must be on the PATH");
        String version = new String(
                new ProcessBuilder("redis-server", "--version")
                        .start()
                        .getInputStream()
                        .readAllBytes(),
                UTF_8);
        assumeTrue(version.contains("v=7.0."), "redis-server must be of version 7.0");
        try {
            cluster = LocalCluster.start(LocalClusterSettings.defaults()
                    .withShards(1)
                    .withReplicas(0)
                    .withFailover(SentinelSettings.defaults().withQuorum(1))
                    .withSentinels(1));
            ends.push(cluster::close);
            cluster.awaitReady(Duration.ofSeconds(10));
            port = startOurs(mode);
            realPort = startReal(directory, mode);
        } catch (Throwable e) {
            close();
            throw e;
        }
    }

    private int startOurs(RespMode mode) {
        RespCluster resp = RespCluster.builder(cluster)
                .mode(mode)
                .groupNames(shard -> "mymaster")
                .start();
        ends.push(resp::close);
        return resp.port(
                mode == RespMode.SENTINEL
                        ? cluster.sentinels().get(0).id()
                        : cluster.nodes().get(0).id());
    }

    private int startReal(Path directory, RespMode mode) throws IOException {
        int server = freePort();
        List<String> options = new ArrayList<>(List.of("--save", "", "--dir", directory.toString()));
        options.addAll(
                mode == RespMode.CLUSTER
                        ? List.of("--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1")
                        : List.of("--databases", "1"));
        start(directory, server, options);
        await(server, "PING", "PONG");
        if (mode == RespMode.CLUSTER) {
            await(server, "CLUSTER ADDSLOTSRANGE 0 16383", "OK");
            await(server, "CLUSTER INFO", "cluster_state:ok\r\n");
        } else if (mode == RespMode.SENTINEL) {
            int sentinel = freePort();
            Path settings = directory.resolve("sentinel.conf");
            Files.writeString(settings, "sentinel monitor mymaster 127.0.0.1 " + server + " 1\n");
            start(directory, sentinel, List.of(settings.toString(), "--sentinel"));
            await(sentinel, "SENTINEL ckquorum mymaster", "OK 1 usable");
            return sentinel;
        }
        return server;
    }

    private static int freePort() throws IOException {
        while (true) {
            try (ServerSocket free = new ServerSocket(0)) {
                if (free.getLocalPort() <= MAX_PORT) {
                    return free.getLocalPort();
                }
            }
        }
    }

    private void start(Path directory, int at, List<String> options) throws IOException {
        List<String> command = new ArrayList<>(List.of("redis-server"));
        command.addAll(options);
        command.addAll(List.of("--port", String.valueOf(at), "--bind", "127.0.0.1"));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log-" + at).toFile())
                .start();
        ends.push(() -> {
            process.destroy();
            process.onExit().orTimeout(10, TimeUnit.SECONDS).join();
        });
    }

    /** Waits until the real one gives an answer that begins like this. */
    private void await(int at, String command, String answer) {
        boolean given = cluster.await(
                () -> {
                    try (TinyClient client = new TinyClient(at)) {
                        return client.call(command).startsWith(answer);
                    } catch (IOException e) {
                        return false;
                    }
                },
                Duration.ofSeconds(10));
        assertTrue(given, () -> command + " must be answered with " + answer);
    }

    @Override
    public void close() {
        ends.forEach(Runnable::run);
    }
}
