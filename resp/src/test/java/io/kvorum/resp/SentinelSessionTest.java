package io.kvorum.resp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.kvorum.slots.topology.NodeId;
import java.io.EOFException;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The session by which one convinces oneself that a group of a master and two slaves with three sentinels is highly
 * available: write at the master, be refused at a slave, read everywhere, order a failover, shut the master down, see a
 * slave promoted, the old master come back as a slave, and the next one cut off.
 */
final class SentinelSessionTest {
    private static final String GROUP = "redis-cluster";

    /** Runs a command at a port and returns the answer as redis-cli shows it. */
    @FunctionalInterface
    private interface Shell {
        String run(String party, String command) throws IOException;
    }

    private static Ports start() {
        return Ports.ofSentinels(builder -> builder.password("SECRET").groupNames(shard -> GROUP));
    }

    @Test
    void withAClientOfOurOwn() throws Exception {
        try (Ports ports = start()) {
            play(ports, (party, command) -> {
                try {
                    return call(ports, party, command);
                } catch (EOFException e) {
                    if (command.equals("SHUTDOWN") && ends(ports, party)) {
                        return "";
                    }
                    return call(ports, party, command); // a node that changes its role throws its clients off
                }
            });
        }
    }

    private static boolean ends(Ports ports, String node) {
        return ports.cluster.await(() -> !ports.cluster.node(new NodeId(node)).isRunning(), Duration.ofSeconds(2));
    }

    private static String call(Ports ports, String party, String command) throws IOException {
        try (TinyClient client = ports.client(party)) {
            if (party.startsWith("node")) {
                assertEquals("(error) NOAUTH Authentication required.", client.call(command));
                assertEquals("OK", client.call("AUTH SECRET"));
            }
            return client.call(command).replace("[", "").replace("]", "").replace(", ", "\n");
        }
    }

    @Test
    void withRedisCli() throws Exception {
        assumeTrue(
                Stream.of(System.getenv("PATH").split(File.pathSeparator))
                        .anyMatch(path -> Files.isExecutable(Path.of(path, "redis-cli"))),
                "redis-cli must be on the PATH");
        try (Ports ports = start()) {
            play(ports, (party, command) -> {
                List<String> words = new ArrayList<>(List.of("redis-cli", "-p", String.valueOf(ports.port(party))));
                if (party.startsWith("node")) {
                    words.addAll(List.of("--no-auth-warning", "-a", "SECRET"));
                }
                words.addAll(List.of(command.split(" ")));
                Process process =
                        new ProcessBuilder(words).redirectErrorStream(true).start();
                process.getOutputStream().close();
                String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).trim();
                return answer.startsWith("READONLY") ? "(error) " + answer : answer;
            });
        }
    }

    private static void play(Ports ports, Shell shell) throws Exception {
        // Who is who.
        assertTrue(shell.run("node-1.1", "INFO replication").contains("role:master\r\n"));
        assertTrue(shell.run("node-1.1", "INFO replication").contains("connected_slaves:2\r\n"));
        for (String slave : List.of("node-1.2", "node-1.3")) {
            String info = shell.run(slave, "INFO replication");
            assertTrue(info.contains("role:slave\r\n"), info);
            assertTrue(info.contains("master_port:" + ports.port("node-1.1") + "\r\n"), info);
            assertTrue(info.contains("master_link_status:up\r\n"), info);
        }
        for (int i = 1; i <= 3; i++) {
            assertEquals(addressOf(ports, "node-1.1"), masterBy(shell, "sentinel-" + i));
        }
        String masters = shell.run("sentinel-1", "SENTINEL masters");
        assertTrue(masters.contains("name\n" + GROUP + "\n"), masters);
        assertTrue(masters.contains("flags\nmaster\n"), masters);
        assertTrue(masters.contains("num-slaves\n2\nnum-other-sentinels\n2\nquorum\n2\n"), masters);
        assertEquals(2, count(shell.run("sentinel-2", "SENTINEL slaves " + GROUP), "flags\nslave\n"));
        assertEquals(2, count(shell.run("sentinel-2", "SENTINEL sentinels " + GROUP), "flags\nsentinel\n"));
        assertEquals(
                "OK 3 usable Sentinels. Quorum and failover authorization can be reached",
                shell.run("sentinel-3", "SENTINEL ckquorum " + GROUP));
        assertTrue(shell.run("sentinel-1", "INFO sentinel")
                .contains("master0:name=" + GROUP + ",status=ok,address=127.0.0.1:" + ports.port("node-1.1")
                        + ",slaves=2,sentinels=3"));

        // Writes go to the master, reads anywhere.
        assertEquals("OK", shell.run("node-1.1", "SET key-01 value-01"));
        assertEquals("2", shell.run("node-1.1", "WAIT 2 10000"));
        for (String node : List.of("node-1.1", "node-1.2", "node-1.3")) {
            assertEquals("value-01", shell.run(node, "GET key-01"));
        }
        assertEquals(
                "(error) READONLY You can't write against a read only replica.",
                shell.run("node-1.2", "SET key-01 value-02"));

        // An ordered failover.
        assertEquals("OK", shell.run("sentinel-1", "SENTINEL failover " + GROUP));
        String second = another(ports, "node-1.1");
        ports.cluster.awaitReady(Ports.LIMIT);
        for (int i = 1; i <= 3; i++) {
            assertEquals(addressOf(ports, second), masterBy(shell, "sentinel-" + i));
        }
        assertTrue(shell.run(second, "ROLE").startsWith("master"));
        assertTrue(shell.run("node-1.1", "ROLE").startsWith("slave"));
        assertEquals("OK", shell.run(second, "SET key-01 value-03"));
        assertEquals("2", shell.run(second, "WAIT 2 10000"));

        // The master is shut down, and a slave takes over.
        shell.run(second, "SHUTDOWN");
        String third = another(ports, second);
        ports.cluster.awaitReady(Ports.LIMIT);
        assertThrows(IOException.class, () -> new TinyClient(ports.port(second)));
        assertEquals(addressOf(ports, third), masterBy(shell, "sentinel-2"));
        assertEquals("value-03", shell.run(third, "GET key-01"));
        assertEquals("OK", shell.run(third, "SET key-01 value-04"));
        ports.await(() -> ports.cluster
                .sentinel(new NodeId("sentinel-2"))
                .driver()
                .down(Ports.FIRST)
                .contains(new NodeId(second)));
        String slaves = shell.run("sentinel-2", "SENTINEL slaves " + GROUP);
        assertTrue(slaves.contains("flags\ns_down,slave,disconnected\n"), slaves);

        // The old master comes back as a slave.
        ports.cluster.node(new NodeId(second)).restart();
        ports.cluster.awaitReady(Ports.LIMIT);
        String info = shell.run(second, "INFO replication");
        assertTrue(info.contains("role:slave\r\nmaster_host:127.0.0.1\r\nmaster_port:" + ports.port(third)), info);
        assertEquals("value-04", shell.run(second, "GET key-01"));

        // The master is cut off, and follows another one once it is not any more.
        ports.cluster.isolate(new NodeId(third));
        String fourth = another(ports, third);
        assertEquals(addressOf(ports, fourth), masterBy(shell, "sentinel-3"));
        assertEquals("OK", shell.run(fourth, "SET key-01 value-05"));
        assertEquals("1", shell.run(fourth, "WAIT 1 10000"));
        ports.cluster.heal();
        ports.cluster.awaitReady(Ports.LIMIT);
        assertTrue(shell.run(third, "ROLE").startsWith("slave"));
        assertEquals("value-05", shell.run(third, "GET key-01"));
    }

    /** Waits for another master, which all sentinels know. */
    private static String another(Ports ports, String before) {
        ports.await(() -> ports.primaryPort() != ports.port(before));
        NodeId now = ports.cluster.primaryOf(Ports.FIRST).id();
        ports.await(() -> ports.cluster.sentinels().stream()
                .allMatch(sentinel -> now.equals(sentinel.driver().primaryOf(Ports.FIRST))));
        return now.value();
    }

    private static String addressOf(Ports ports, String node) {
        return "127.0.0.1\n" + ports.port(node);
    }

    private static String masterBy(Shell shell, String sentinel) throws IOException {
        return shell.run(sentinel, "SENTINEL get-master-addr-by-name " + GROUP);
    }

    private static int count(String text, String part) {
        return text.split(part, -1).length - 1;
    }
}
