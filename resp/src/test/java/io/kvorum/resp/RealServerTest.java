package io.kvorum.resp;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.LocalClusterSettings;
import java.io.File;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every answer is that of a real server, byte for byte: the scripts in {@code commands.txt} are run against both, in
 * both protocols. Needs redis-server 7.0 on the PATH.
 */
final class RealServerTest {
    private static Process server;
    private static LocalCluster cluster;
    private static RespCluster resp;
    private static int realPort;

    @TempDir
    static Path directory;

    @BeforeAll
    static void start() throws Exception {
        assumeTrue(
                Stream.of(System.getenv("PATH").split(File.pathSeparator))
                        .anyMatch(path -> Files.isExecutable(Path.of(path, "redis-server"))),
                "redis-server must be on the PATH");
        try (ServerSocket free = new ServerSocket(0)) {
            realPort = free.getLocalPort();
        }
        server = new ProcessBuilder(
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
        String version = new String(
                new ProcessBuilder("redis-server", "--version")
                        .start()
                        .getInputStream()
                        .readAllBytes(),
                UTF_8);
        assumeTrue(version.contains("v=7.0."), "redis-server must be of version 7.0");
        cluster =
                LocalCluster.start(LocalClusterSettings.defaults().withShards(1).withReplicas(0));
        cluster.awaitReady(Duration.ofSeconds(10));
        resp = RespCluster.builder(cluster).mode(RespMode.SINGLE).start();
        cluster.await(RealServerTest::answers, Duration.ofSeconds(10));
    }

    private static boolean answers() {
        try (TinyClient client = new TinyClient(realPort)) {
            return client.call("PING").equals("PONG");
        } catch (IOException e) {
            return false;
        }
    }

    @AfterAll
    static void stop() throws Exception {
        if (resp != null) {
            resp.close();
            cluster.close();
        }
        if (server != null) {
            server.destroy();
            server.waitFor(10, TimeUnit.SECONDS);
        }
    }

    static Stream<List<String>> scripts() throws IOException {
        return Scripts.all().stream();
    }

    @ParameterizedTest
    @MethodSource("scripts")
    void answersAreThoseOfTheServer(List<String> script) throws IOException {
        for (int protocol = 2; protocol <= 3; protocol++) {
            List<String> real = Scripts.run(realPort, protocol, script);
            List<String> ours =
                    Scripts.run(resp.port(resp.cluster().nodes().get(0).id()), protocol, script);

            assertEquals(String.join("\n", real), String.join("\n", ours), "protocol " + protocol);
        }
    }
}
