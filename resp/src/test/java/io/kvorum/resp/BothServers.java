package io.kvorum.resp;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.LocalClusterSettings;
import java.io.File;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A real server and ours, to be compared. Needs redis-server 7.0 on the PATH. */
final class BothServers implements AutoCloseable {
    final int realPort;
    final int port;
    private final Process real;
    private final LocalCluster cluster;
    private final RespCluster resp;

    /** Starts both, or has the test skipped where there is no real one. */
    BothServers(Path directory) throws Exception {
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
        try (ServerSocket free = new ServerSocket(0)) {
            realPort = free.getLocalPort();
        }
        real = new ProcessBuilder(
                        "redis-server",
                        "--port",
                        String.valueOf(realPort),
                        "--bind",
                        "127.0.0.1",
                        "--save",
                        "",
                        "--databases",
                        "1",
                        "--dir",
                        directory.toString())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile())
                .start();
        cluster =
                LocalCluster.start(LocalClusterSettings.defaults().withShards(1).withReplicas(0));
        cluster.awaitReady(Duration.ofSeconds(10));
        resp = RespCluster.builder(cluster).mode(RespMode.SINGLE).start();
        port = resp.port(cluster.nodes().get(0).id());
        cluster.await(this::answers, Duration.ofSeconds(10));
    }

    private boolean answers() {
        try (TinyClient client = new TinyClient(realPort)) {
            return client.call("PING").equals("PONG");
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public void close() {
        resp.close();
        cluster.close();
        real.destroy();
        real.onExit().orTimeout(10, TimeUnit.SECONDS).join();
    }
}
