package io.kvorum.resp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.topology.NodeId;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What happens to a node, its clients feel. */
final class FaultsTest {
    private static final NodeId NODE = new NodeId("node-1.1");

    @Test
    void aCrashRefusesConnectionsAndARestartTakesThemAtTheSamePort() throws Exception {
        try (Ports ports = Ports.ofCluster()) {
            int port = ports.port("node-1.1");
            TinyClient client = ports.client("node-1.1");
            assertEquals("PONG", client.call("PING"));

            ports.cluster.node(NODE).crash();
            assertThrows(IOException.class, () -> client.call("PING"));
            assertThrows(ConnectException.class, () -> new TinyClient(port));

            for (int i = 0; i < 20; i++) {
                ports.cluster.node(NODE).restart();
                try (TinyClient again = new TinyClient(port)) {
                    assertTrue(again.call("PING").matches("PONG|.*LOADING.*"));
                }
                ports.cluster.node(NODE).crash();
                assertThrows(ConnectException.class, () -> new TinyClient(port));
            }
        }
    }

    @Test
    void aRestartWaitsForItsPort() throws Exception {
        try (Ports ports = Ports.ofCluster()) {
            int port = ports.port("node-1.1");
            ports.cluster.node(NODE).crash();
            CompletableFuture<Void> restarted;
            try (ServerSocket other = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                restarted = CompletableFuture.runAsync(
                        () -> ports.cluster.node(NODE).restart());
                ports.await(() -> ports.cluster.node(NODE).isRunning());
                assertEquals(port, other.getLocalPort());
                assertFalse(restarted.isDone());
            }

            restarted.get(10, TimeUnit.SECONDS);
            try (TinyClient client = new TinyClient(port)) {
                assertTrue(client.call("PING").matches("PONG|.*LOADING.*"));
            }
        }
    }

    @Test
    void shutdownCrashesTheNode() throws Exception {
        try (Ports ports = Ports.ofCluster();
                TinyClient client = ports.client("node-1.1")) {
            client.send("SHUTDOWN");

            assertThrows(EOFException.class, client::read);
            ports.await(() -> !ports.cluster.node(NODE).isRunning());
            ports.await(() -> ports.primaryPort() != ports.port("node-1.1"));
        }
    }

    @Test
    void anIsolatedNodeHangsUntilTheLinksAreOpen() throws Exception {
        try (Ports ports = Ports.ofCluster();
                TinyClient client = ports.client("node-1.1")) {
            assertEquals("PONG", client.call("PING"));
            ports.cluster.isolate(NODE);
            client.timeOutAfter(100);
            assertThrows(SocketTimeoutException.class, () -> client.call("PING"));

            ports.cluster.heal();
            client.timeOutAfter(10_000);
            assertEquals("PONG", client.read());
        }
    }

    @Test
    void aPausedNodeHangsAndIsFailedOver() throws Exception {
        try (Ports ports = Ports.ofCluster();
                TinyClient client = ports.client("node-1.1")) {
            ports.resp.pause(NODE);
            client.timeOutAfter(100);
            assertThrows(SocketTimeoutException.class, () -> client.call("PING"));
            ports.await(() -> ports.primaryPort() != ports.port("node-1.1"));

            ports.resp.resume(NODE);
            client.timeOutAfter(10_000);
            assertEquals("PONG", client.read());
            assertEquals("(error) MOVED 0 127.0.0.1:" + ports.primaryPort(), client.call("GET {06S}"));
        }
    }

    @Test
    void clientsMayCauseFaultsOnlyWhereThatWasAskedFor() throws Exception {
        try (Ports ports = Ports.ofCluster();
                TinyClient client = ports.client("node-1.1")) {
            assertTrue(client.call("KVORUM STATUS").startsWith("(error) ERR unknown command 'KVORUM'"));
        }
        try (Ports ports = Ports.ofCluster(builder -> builder.control(true));
                TinyClient client = ports.client("node-1.1");
                TinyClient other = ports.client("node-2.1")) {
            assertTrue(client.call("KVORUM STATUS").contains("node node-2.2 replica of shard-2 127.0.0.1:"));
            assertEquals("OK", client.call("KVORUM CRASH node-3.2"));
            assertTrue(client.call("KVORUM STATUS")
                    .contains("node-3.2 replica of shard-3 127.0.0.1:" + ports.port("node-3.2") + " crashed"));
            assertEquals("OK", client.call("KVORUM RESTART node-3.2"));
            assertEquals("OK", client.call("KVORUM ISOLATE node-2.1"));
            other.timeOutAfter(100);
            assertThrows(SocketTimeoutException.class, () -> other.call("PING"));
            assertEquals("OK", client.call("KVORUM HEAL"));
            other.timeOutAfter(10_000);
            assertEquals("PONG", other.read());
            ports.cluster.awaitReady(Ports.LIMIT);
            NodeId before = ports.cluster.primaryOf(Ports.FIRST).id();
            ports.orders.order(
                    () -> {
                        String answer = client.call("KVORUM FAILOVER shard-1");
                        assertEquals("OK", answer);
                        return answer;
                    },
                    e -> false,
                    () -> !ports.cluster.primaryOf(Ports.FIRST).id().equals(before));
            assertTrue(client.call("KVORUM CRASH nobody").startsWith("(error) ERR no node"));
        }
    }

    @Test
    void writesWaitOutASwitchoverAndThenGoWhereTheyBelong() throws Exception {
        try (Ports ports = Ports.ofCluster();
                TinyClient client = ports.client("node-1.1")) {
            assertEquals("OK", client.call("SET {06S} 0"));
            CompletableFuture<Void> failedOver = CompletableFuture.runAsync(ports::failOver);
            String answer = client.call("INCR {06S}");
            while (answer.matches("\\d+") && !failedOver.isCompletedExceptionally()) {
                answer = client.call("INCR {06S}");
            }

            failedOver.join();
            assertEquals("(error) MOVED 0 127.0.0.1:" + ports.primaryPort(), answer);
        }
    }

    @Test
    void infoCountsTheSyncsOfReplicas() throws Exception {
        try (Ports ports = Ports.ofCluster()) {
            ports.cluster.node(new NodeId("node-1.2")).crash();
            ports.cluster.node(new NodeId("node-1.2")).restart();
            ports.await(() -> stats(ports, NODE).matches("(?s).*\r\nsync_full:[1-9].*"));

            ports.failOver();
            NodeId next = ports.cluster.primaryOf(Ports.FIRST).id();
            ports.await(() -> stats(ports, next).matches("(?s).*\r\nsync_partial_ok:[1-9].*"));

            try (TinyClient client = ports.client(next.value())) {
                client.send("CONFIG", "RESETSTAT");
                client.send("INFO", "stats");
                assertEquals("OK", client.read());
                assertTrue(client.read().contains("\r\nsync_full:0\r\nsync_partial_ok:0\r\nsync_partial_err:0\r\n"));
            }
        }
    }

    private static String stats(Ports ports, NodeId node) {
        try (TinyClient client = ports.client(node.value())) {
            return client.call("INFO stats");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
