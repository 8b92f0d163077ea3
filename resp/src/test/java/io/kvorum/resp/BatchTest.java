package io.kvorum.resp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.KeyValueStore;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.ReplicationSettings;
import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.LocalClusterSettings;
import io.kvorum.testkit.LocalNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Commands that arrive together end with the connection, and stop with the node, in the middle too. */
final class BatchTest {
    private static LocalCluster cluster;
    private static RespCluster resp;
    private static LocalNode node;
    private static int port;

    @BeforeAll
    static void start() {
        cluster =
                LocalCluster.start(LocalClusterSettings.defaults().withShards(1).withReplicas(0));
        cluster.awaitReady(Duration.ofSeconds(20));
        resp = RespCluster.builder(cluster)
                .mode(RespMode.SINGLE)
                .acknowledgement(Acknowledgement.LOCAL)
                .start();
        node = cluster.nodes().get(0);
        port = resp.port(node.id());
    }

    @AfterAll
    static void stop() {
        resp.close();
        cluster.close();
    }

    @Test
    void nothingIsCarriedOutOnceTheConnectionIsClosed() throws Exception {
        try (TinyClient client = new TinyClient(port);
                TinyClient other = new TinyClient(port)) {
            String id = client.call("CLIENT ID");
            client.write("CLIENT SETNAME victim\r\nWAIT 9 1500\r\nSET after-kill 1\r\n");
            await(() -> clients(other).matches("(?s).*name=victim [^\n]* cmd=wait .*"));
            assertEquals("1", other.call("CLIENT KILL ID " + id));
            await(() -> !clients(other).contains("name=victim"));

            assertEquals("0", other.call("EXISTS after-kill"));
        }
    }

    @Test
    void whatIsRefusedHalfwayIsNotSaidToBeRefused() throws Exception {
        try (LocalCluster small = LocalCluster.start(LocalClusterSettings.defaults()
                        .withShards(1)
                        .withReplicas(0)
                        .withLogCapacity(1 << 16));
                RespCluster ports =
                        RespCluster.builder(small).mode(RespMode.SINGLE).start()) {
            small.awaitReady(Duration.ofSeconds(20));
            String tooLong = "2".repeat(100_000);
            try (TinyClient client =
                    new TinyClient(ports.port(small.nodes().get(0).id()))) {
                client.send("MSET", "a", "1", "b", tooLong);
                String answer = client.read();
                assertTrue(answer.contains("ERR a part of the command may be done"), answer);
                assertEquals("1", client.call("GET a"));

                client.send("MSET", "c", tooLong, "d", "1");
                assertEquals("(error) " + NodeEndpoint.TOO_LONG, client.read());
                assertEquals("0", client.call("EXISTS c d"));

                client.send("MSET", "{a}1", "1", "{a}2", tooLong); // of one slot
                assertTrue(client.read().contains(NodeEndpoint.TOO_LONG));
                assertEquals("0", client.call("EXISTS {a}1"));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"LOCAL", "MAJORITY"})
    void writesWaitForRoomInTheLog(String level) throws Exception {
        List<TinyClient> clients = new ArrayList<>();
        Acknowledgement acknowledgement = level.equals("LOCAL") ? Acknowledgement.LOCAL : Acknowledgement.MAJORITY;
        try (LocalCluster small = start(smallLog());
                RespCluster ports = RespCluster.builder(small)
                        .acknowledgement(acknowledgement)
                        .start()) {
            LocalNode primary = small.primaryFor(Text.bytes("k"));
            LocalNode replica = replicaOf(small, primary);
            replica.pause();
            for (int i = 0; i < 6; i++) {
                TinyClient client = new TinyClient(ports.port(primary.id()));
                clients.add(client);
                client.send("SET", "k", "v".repeat(15_000));
            }
            TinyClient last = clients.get(5);
            small.await(() -> isAnswered(last), Duration.ofMillis(100));
            replica.resume();

            for (TinyClient client : clients) {
                assertEquals("OK", client.read());
            }
        } finally {
            for (TinyClient client : clients) {
                client.close();
            }
        }
    }

    /** However long the call of a store may wait. */
    @Test
    void othersDoNotWaitForATransactionThatWaitsForRoomInTheLog() throws Exception {
        LocalClusterSettings settings = smallLog().withTimeout(Duration.ofMinutes(1));
        ReplicationSettings patient = settings.replication().withReplicaTimeout(Duration.ofSeconds(30));
        try (LocalCluster small = start(settings.withReplication(patient));
                RespCluster ports = RespCluster.builder(small)
                        .acknowledgement(Acknowledgement.LOCAL)
                        .start()) {
            LocalNode primary = small.primaryFor(Text.bytes("k"));
            replicaOf(small, primary).pause();
            int at = ports.port(primary.id());
            try (TinyClient writer = new TinyClient(at);
                    TinyClient reader = new TinyClient(at);
                    TinyClient other = new TinyClient(at)) {
                for (int i = 0; i < 4; i++) { // which fill the log
                    assertEquals("OK", writer.callWords("SET", "k", "v".repeat(13_000)));
                }
                String id = writer.call("CLIENT ID");
                writer.write("MULTI\r\nSET k 1\r\nEXEC\r\n");
                await(() -> clients(other).matches("(?s).*id=" + id + " [^\n]* cmd=exec .*"));

                assertEquals("1", reader.call("EXISTS k"));
                assertEquals("1", other.call("CLIENT KILL ID " + id));
                await(() -> !clients(other).matches("(?s).*id=" + id + " .*"));
            }
        }
    }

    /** Of a primary and a replica. */
    private static LocalClusterSettings smallLog() {
        return LocalClusterSettings.defaults().withShards(1).withReplicas(1).withLogCapacity(1 << 16);
    }

    private static LocalCluster start(LocalClusterSettings settings) {
        LocalCluster started = LocalCluster.start(settings);
        started.awaitReady(Duration.ofSeconds(20));
        return started;
    }

    private static LocalNode replicaOf(LocalCluster of, LocalNode primary) {
        return of.nodes().get(primary == of.nodes().get(0) ? 1 : 0);
    }

    @Test
    void onlyTheCommandThatIsUnderWayGoesOnAtAPausedNode() throws Exception {
        NodeEndpoint endpoint = (NodeEndpoint) resp.endpoint(node.id());
        KeyValueStore store = endpoint.localStore();
        try (TinyClient client = new TinyClient(port);
                TinyClient other = new TinyClient(port)) {
            String id = client.call("CLIENT ID");
            other.call("CLIENT PAUSE 20000");
            client.write("SET x 1\r\nSET y 1\r\nSET z 1\r\n");
            await(() -> clients(other).matches("(?s).*id=" + id + " [^\n]* cmd=set .*"));
            node.pause();
            endpoint.releaseCommands();
            await(() -> store.exists(Text.bytes("x")));

            BooleanSupplier goneOn = () -> store.exists(Text.bytes("y")) || store.exists(Text.bytes("z"));
            assertFalse(cluster.await(goneOn, Duration.ofMillis(200)));

            node.resume();
            for (int i = 0; i < 3; i++) {
                assertEquals("OK", client.read());
            }
        } finally {
            node.resume();
        }
    }

    @Test
    void aWriteThatIsHeldBackGoesWithItsConnection() throws Exception {
        TinyClient gone = new TinyClient(port);
        try (TinyClient killed = new TinyClient(port);
                TinyClient other = new TinyClient(port)) {
            String killedId = killed.call("CLIENT ID");
            String goneId = gone.call("CLIENT ID");
            other.call("CLIENT PAUSE 20000 WRITE");
            killed.write("SET of-killed 1\r\n");
            gone.write("ECHO before\r\nSET of-gone 1\r\n");
            await(() -> clients(other).matches("(?s).*id=" + killedId + " [^\n]* cmd=set .*"));
            await(() -> clients(other).matches("(?s).*id=" + goneId + " [^\n]* cmd=set .*"));
            assertEquals("before", gone.read()); // which no later command holds back

            assertEquals("1", other.call("CLIENT KILL ID " + killedId));
            gone.close();
            await(() -> !clients(other).matches("(?s).*id=(" + killedId + "|" + goneId + ") .*"));
            other.call("CLIENT UNPAUSE");

            assertEquals("0", other.call("EXISTS of-killed of-gone"));
        } finally {
            ((NodeEndpoint) resp.endpoint(node.id())).releaseCommands();
        }
    }

    @Test
    void aHeldWriteIsCarriedOutOnceAndThenTheCommandsThatCameMeanwhile() throws Exception {
        try (TinyClient client = new TinyClient(port);
                TinyClient other = new TinyClient(port)) {
            other.call("CLIENT PAUSE 20000 WRITE");
            client.write("INCR held\r\n");
            await(() -> clients(other).matches("(?s).* cmd=incr .*"));
            client.write("INCR held\r\nECHO " + "x".repeat(100_000) + "\r\nINCR held\r\n");
            other.call("CLIENT UNPAUSE");

            assertEquals("1", client.read());
            assertEquals("2", client.read());
            assertEquals("x".repeat(100_000), client.read());
            assertEquals("3", client.read());
        } finally {
            ((NodeEndpoint) resp.endpoint(node.id())).releaseCommands();
        }
    }

    @Test
    void anotherConnectionEndsAWait() throws Exception {
        try (TinyClient client = new TinyClient(port);
                TinyClient other = new TinyClient(port)) {
            String id = client.call("CLIENT ID");
            assertEquals("0", other.call("CLIENT UNBLOCK " + id));
            client.send("WAIT", "9", "0");
            await(() -> clients(other).matches("(?s).*id=" + id + " [^\n]* flags=b .*"));
            assertEquals("1", other.call("CLIENT UNBLOCK " + id));
            assertEquals("0", client.read());

            client.send("WAIT", "9", "0");
            await(() -> clients(other).matches("(?s).*id=" + id + " [^\n]* flags=b .*"));
            assertEquals("1", other.call("CLIENT UNBLOCK " + id + " ERROR"));
            assertEquals("(error) UNBLOCKED client unblocked via CLIENT UNBLOCK", client.read());

            client.send("WAIT", "9", "0");
            await(() -> clients(other).matches("(?s).*id=" + id + " [^\n]* flags=b .*"));
            assertEquals("1", other.call("CLIENT KILL ID " + id));
            await(() -> !clients(other).matches("(?s).*id=" + id + " .*"));
        }
    }

    @Test
    void aWaitThatAnotherConnectionEndsTakesNoPlaceOfAWrite() throws Exception {
        LocalClusterSettings settings =
                LocalClusterSettings.defaults().withShards(1).withReplicas(2);
        try (LocalCluster small = LocalCluster.start(
                        settings.withReplication(settings.replication().withMaxWaiting(3)));
                RespCluster ports = RespCluster.builder(small)
                        .acknowledgement(Acknowledgement.MAJORITY)
                        .start()) {
            small.awaitReady(Duration.ofSeconds(20));
            int at = ports.port(small.primaryFor(Text.bytes("k")).id());
            try (TinyClient client = new TinyClient(at);
                    TinyClient other = new TinyClient(at)) {
                String id = client.call("CLIENT ID");
                for (int i = 0; i < 3; i++) {
                    client.send("WAIT", "9", "0");
                    await(() -> clients(other).matches("(?s).*id=" + id + " [^\n]* flags=b .*"));
                    assertEquals("1", other.call("CLIENT UNBLOCK " + id));
                    assertEquals("2", client.read());
                }

                for (int i = 0; i < 50; i++) { // some of which have to wait
                    assertEquals("OK", client.call("SET k " + i));
                }
            }
        }
    }

    @Test
    void aPauseNeitherShortensNorWeakensAnother() throws Exception {
        NodeEndpoint endpoint = (NodeEndpoint) resp.endpoint(node.id());
        try (TinyClient client = new TinyClient(port);
                TinyClient other = new TinyClient(port)) {
            assertEquals("OK", other.call("CLIENT PAUSE " + Long.MAX_VALUE));
            assertEquals("OK", other.call("CLIENT PAUSE 0 WRITE"));
            client.send("GET", "any");
            await(() -> clients(other).matches("(?s).* cmd=get .*"));
            assertFalse(cluster.await(() -> isAnswered(client), Duration.ofMillis(50)));
            other.call("CLIENT UNPAUSE");

            assertEquals("(nil)", client.read());
        } finally {
            endpoint.releaseCommands();
        }
    }

    /** As the server, whose replicas would carry messages out too. */
    @Test
    void whereWritesAreHeldBackSoAreMessagesButNotTransactionsThatOnlyRead() throws Exception {
        NodeEndpoint endpoint = (NodeEndpoint) resp.endpoint(node.id());
        try (TinyClient client = new TinyClient(port);
                TinyClient publisher = new TinyClient(port);
                TinyClient other = new TinyClient(port)) {
            other.call("CLIENT PAUSE 20000 WRITE");
            client.call("MULTI");
            client.call("GET absent");
            assertEquals("[(nil)]", client.call("EXEC"));

            publisher.send("PUBLISH", "channel", "message");
            await(() -> clients(other).matches("(?s).* cmd=publish .*"));
            assertFalse(cluster.await(() -> isAnswered(publisher), Duration.ofMillis(50)));
            other.call("CLIENT UNPAUSE");
            assertEquals("0", publisher.read());
        } finally {
            endpoint.releaseCommands();
        }
    }

    @Test
    void connectionsAreListedInTheOrderThatWasAskedFor() throws Exception {
        try (TinyClient client = new TinyClient(port);
                TinyClient other = new TinyClient(port)) {
            String first = client.call("CLIENT ID");
            String second = other.call("CLIENT ID");

            String list = client.call("CLIENT LIST ID " + second + " 999999 " + first);
            assertTrue(list.matches("(?s)id=" + second + " [^\n]*\nid=" + first + " [^\n]*\n"), list);
        }
    }

    private static boolean isAnswered(TinyClient client) {
        try {
            return client.isAnswered();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void await(BooleanSupplier condition) {
        assertTrue(cluster.await(condition, Duration.ofSeconds(20)));
    }

    private static String clients(TinyClient client) {
        try {
            return client.call("CLIENT LIST");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
