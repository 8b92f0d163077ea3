package io.kvorum.resp;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
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
    private static BothServers servers;

    @TempDir
    static Path directory;

    @BeforeAll
    static void start() throws Exception {
        servers = new BothServers(directory);
    }

    @AfterAll
    static void stop() throws Exception {
        if (servers != null) {
            servers.close();
        }
    }

    static Stream<List<String>> scripts() throws IOException {
        return Scripts.all().stream();
    }

    @ParameterizedTest
    @MethodSource("scripts")
    void answersAreThoseOfTheServer(List<String> script) throws IOException {
        for (int protocol = 2; protocol <= 3; protocol++) {
            List<String> real = Scripts.run(servers.realPort, protocol, script);
            List<String> ours = Scripts.run(servers.port, protocol, script);

            assertEquals(String.join("\n", real), String.join("\n", ours), "protocol " + protocol);
        }
    }
}
