package io.kvorum.resp;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.junit.KvorumCluster;
import io.kvorum.testkit.junit.KvorumCluster.Resp;
import java.io.File;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The load generator of the server, where one is on the path, runs through against one node and against a cluster. It
 * goes through no fault: it ends when a connection is lost, and when slots have a primary that was a replica before.
 */
final class BenchmarkToolTest {
    private static final String TOOL = "redis-benchmark";

    private static String run(int port, String... options) throws Exception {
        assumeTrue(isOnPath(), TOOL + " is not on the path");
        List<String> command = new ArrayList<>(
                List.of(TOOL, "-h", "127.0.0.1", "-p", String.valueOf(port), "-q", "-n", "5000", "-c", "10"));
        command.addAll(List.of(options));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try {
            String output = new String(process.getInputStream().readAllBytes(), UTF_8);
            assertTrue(process.waitFor(60, TimeUnit.SECONDS), output);
            assertEquals(0, process.exitValue(), output);
            return output;
        } finally {
            process.destroyForcibly();
        }
    }

    private static boolean isOnPath() {
        return Stream.of(System.getenv("PATH").split(File.pathSeparator, -1))
                .anyMatch(directory -> new File(directory, TOOL).canExecute());
    }

    @Test
    @KvorumCluster(shards = 1, resp = Resp.SINGLE, acknowledgement = "LOCAL")
    void aNodeServesIt(LocalCluster cluster, RespCluster ports) throws Exception {
        String output =
                run(ports.port(cluster.nodes().get(0).id()), "-P", "16", "-r", "1000", "-t", "ping,set,get,incr,mset");

        for (String command : List.of("PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "MSET (10 keys)")) {
            assertTrue(output.contains(command + ": "), output);
        }
        assertTrue(!output.contains("Error"), output);
    }

    @Test
    @KvorumCluster(resp = Resp.CLUSTER, acknowledgement = "LOCAL")
    void aClusterServesIt(LocalCluster cluster, RespCluster ports) throws Exception {
        String output =
                run(ports.port(cluster.nodes().get(0).id()), "--cluster", "-P", "16", "-r", "1000", "-t", "set,get");

        assertTrue(output.contains("SET: ") && output.contains("GET: "), output);
        assertTrue(!output.contains("Error"), output);
    }
}
