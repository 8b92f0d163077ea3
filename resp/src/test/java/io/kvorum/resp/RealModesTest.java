package io.kvorum.resp;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a node of a cluster and a sentinel answer beyond {@link RealServerTest} is what real ones do, byte for byte but
 * for ids, ports and positions: the scripts in {@code commands-cluster.txt} and {@code commands-sentinel.txt} are run
 * against both, in both protocols. Needs redis-server 7.0 on the PATH.
 */
final class RealModesTest {
    @TempDir
    private Path directory;

    @Test
    void aNodeOfAClusterAnswersAsTheServer() throws Exception {
        compare(RespMode.CLUSTER, "commands-cluster.txt");
    }

    @Test
    void aSentinelAnswersAsTheServer() throws Exception {
        compare(RespMode.SENTINEL, "commands-sentinel.txt");
    }

    private void compare(RespMode mode, String file) throws Exception {
        try (BothServers servers = new BothServers(directory, mode)) {
            for (List<String> script : Scripts.all(file)) {
                for (int protocol = 2; protocol <= 3; protocol++) {
                    assertEquals(
                            answers(servers.realPort, protocol, script),
                            answers(servers.port, protocol, script),
                            "protocol " + protocol);
                }
            }
        }
    }

    private static String answers(int port, int protocol, List<String> script) throws IOException {
        return String.join("\n", Scripts.run(port, protocol, script))
                .replaceAll("[0-9a-f]{40}", "ID")
                .replaceAll("replication-offset(\\\\r\\\\n):[0-9]+", "replication-offset$1:OFFSET")
                .replaceAll("(?<![0-9])[0-9]{5}(?![0-9])", "PORT");
    }
}
