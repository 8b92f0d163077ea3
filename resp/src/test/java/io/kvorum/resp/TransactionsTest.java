package io.kvorum.resp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.replicated.ReadLevel;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.LocalClusterSettings;
import io.kvorum.testkit.LocalNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Transactions at a single server, whose keys may be of any slots. */
final class TransactionsTest {
    private static LocalCluster cluster;
    private static RespCluster resp;
    private static int port;

    @BeforeAll
    static void start() {
        cluster =
                LocalCluster.start(LocalClusterSettings.defaults().withShards(1).withReplicas(0));
        cluster.awaitReady(Duration.ofSeconds(20));
        resp = RespCluster.builder(cluster).mode(RespMode.SINGLE).start();
        port = resp.port(cluster.nodes().get(0).id());
    }

    @AfterAll
    static void stop() {
        resp.close();
        cluster.close();
    }

    @Test
    void aChangeByAnotherConnectionFailsTheTransaction() throws Exception {
        try (TinyClient one = new TinyClient(port);
                TinyClient other = new TinyClient(port)) {
            one.call("SET a 1");
            one.call("WATCH a");
            other.call("SET a 2");
            other.call("SET a 1"); // as before
            one.call("MULTI");
            one.call("SET a 3");
            assertEquals("(nil)", one.call("EXEC"));

            one.call("WATCH absent");
            other.call("SET absent 1");
            other.call("DEL absent");
            one.call("MULTI");
            one.call("PING");
            assertEquals("(nil)", one.call("EXEC"));

            one.call("WATCH a");
            other.call("SET b 2"); // another key
            one.call("MULTI");
            one.call("GET a");
            assertEquals("[1]", one.call("EXEC"));
        }
    }

    @Test
    void aChangeByTheApplicationFailsTheTransaction() throws Exception {
        try (TinyClient client = new TinyClient(port)) {
            client.call("SET app 1");
            client.call("WATCH app");
            cluster.nodes()
                    .get(0)
                    .store()
                    .store(Acknowledgement.LOCAL, ReadLevel.LOCAL, Duration.ofSeconds(5))
                    .increment(Text.bytes("app"));
            client.call("MULTI");
            client.call("GET app");
            assertEquals("(nil)", client.call("EXEC"));
        }
    }

    @Test
    void noIncrementIsLostBetweenWatchAndExec() throws Exception {
        try (TinyClient client = new TinyClient(port)) {
            client.call("SET counter 0");
        }
        Callable<Integer> incrementing = () -> {
            int tries = 0;
            try (TinyClient client = new TinyClient(port)) {
                for (int done = 0; done < 200; tries++) {
                    client.call("WATCH counter");
                    int value = Integer.parseInt(client.call("GET counter"));
                    client.call("MULTI");
                    client.call("SET counter " + (value + 1));
                    done += client.call("EXEC").equals("[OK]") ? 1 : 0;
                }
            }
            return tries;
        };
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<Integer>> runs = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                runs.add(threads.submit(incrementing));
            }
            for (Future<Integer> run : runs) {
                assertTrue(run.get() >= 200);
            }
        } finally {
            threads.shutdown();
        }
        try (TinyClient client = new TinyClient(port)) {
            assertEquals("800", client.call("GET counter"));
        }
    }

    @Test
    void whatConcernsSeveralSlotsRunsAlone() throws Exception {
        try (TinyClient writer = new TinyClient(port);
                TinyClient reader = new TinyClient(port)) {
            writer.call("MSET x 0 y 0");
            for (int i = 1; i <= 300; i++) {
                writer.send("MSET", "x", String.valueOf(i), "y", String.valueOf(i));
                String pair = reader.call("MGET x y");
                String[] values = pair.substring(1, pair.length() - 1).split(", ", -1);
                assertEquals(values[0], values[1]);
                assertEquals("OK", writer.read());
            }
            writer.call("SET x from");
            writer.call("RENAME x y");
            assertEquals("[(nil), from]", reader.call("MGET x y"));
        }
    }

    @Test
    void whatFailsEndsTheTransactionAndAnnouncesNothing() throws Exception {
        String noMemory = "OOM command not allowed when used memory > 'maxmemory'.";
        Runnable full = () -> {
            throw new OutOfMemoryError("planted");
        };
        assertAnswers("(error) EXECABORT Transaction discarded because of: " + noMemory, "1 1 1 RW", full);
        assertAnswers("[(error) " + noMemory + "]", "", full); // what runs alone is not undone
        assertFails("ERR internal error: java.lang.UnsupportedOperationException: planted", () -> {
            throw new UnsupportedOperationException("planted");
        });
    }

    @Test
    void aTransactionOfUnknownOutcomeIsNotSaidToBeDiscarded() throws Exception {
        LogPosition position = new LogPosition(1, 2);
        ShardId shard = new ShardId("shard-1");
        NodeId node = new NodeId("node-1.1");
        OutcomeUnknownException late =
                new OutcomeUnknownException(OutcomeUnknownException.Reason.TIMEOUT, shard, node, position);
        assertFails("ERR " + late.getMessage(), () -> {
            throw late;
        });
        assertFails(
                "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)", () -> {
                    throw new OutcomeUnknownException(OutcomeUnknownException.Reason.DEPOSED, shard, node, position);
                });
    }

    @Test
    void anUnknownWriteIsAnsweredAlikeInATransactionAndAlone() throws Exception {
        try (LocalCluster slow = LocalCluster.start(LocalClusterSettings.defaults()
                        .withShards(1)
                        .withReplicas(2)
                        .withTimeout(Duration.ofMillis(200)));
                RespCluster ports = RespCluster.builder(slow)
                        .acknowledgement(Acknowledgement.MAJORITY)
                        .start()) {
            slow.awaitReady(Duration.ofSeconds(20));
            LocalNode primary = slow.primaryFor(Text.bytes("k"));
            try (TinyClient client = new TinyClient(ports.port(primary.id()))) {
                assertEquals("OK", client.call("SET k v"));
                List<NodeId> replicas = slow.nodes().stream()
                        .map(LocalNode::id)
                        .filter(id -> !id.equals(primary.id()))
                        .toList();
                slow.cut(replicas, List.of(primary.id()));

                String alone = client.call("SET k w");
                client.call("MULTI");
                client.call("SET k x");
                String together = client.call("EXEC");

                assertTrue(alone.startsWith("(error) ERR outcome unknown (TIMEOUT) at " + primary.id()), alone);
                assertTrue(together.startsWith("(error) ERR outcome unknown (TIMEOUT) at " + primary.id()), together);
                assertEquals("x", client.call("GET k")); // here it was carried out
            }
        }
    }

    private static void assertFails(String error, Runnable failure) throws Exception {
        assertAnswers("(error) " + error, "", failure);
        assertAnswers("(error) " + error, "1 1 1 RW", failure);
    }

    /** Runs a transaction of a command, with a key or without, which notes a change and then fails. */
    private static void assertAnswers(String answer, String keys, Runnable failure) throws Exception {
        Command failing = Command.of("fails", -1, "write fast", keys, "Changes a key and fails", "7.0.0", call -> {
            call.changed('$', "set", Text.bytes("a"));
            failure.run();
        });
        try (TinyClient client = new TinyClient(port);
                TinyClient other = new TinyClient(port)) {
            long id = Long.parseLong(client.call("CLIENT ID"));
            other.call("WATCH a");
            client.call("MULTI");
            session(id).enqueue(failing, new byte[][] {Text.bytes("fails"), Text.bytes("a")});

            assertEquals(answer, client.call("EXEC"));
            assertEquals("PONG", client.call("PING"));
            client.call("SET b 1"); // which would announce what is left
            other.call("MULTI");
            other.call("PING");
            assertEquals("[PONG]", other.call("EXEC"));
        }
    }

    private static Session session(long id) {
        return resp.endpoint(cluster.nodes().get(0).id()).connections().stream()
                .filter(connection -> connection.id() == id)
                .findAny()
                .orElseThrow()
                .session();
    }

    @Test
    void aRefusalByTheStoreEndsTheTransaction() throws Exception {
        LocalClusterSettings settings = LocalClusterSettings.defaults();
        try (LocalCluster guarded = LocalCluster.start(settings.withShards(1)
                        .withReplicas(2)
                        .withReplication(settings.replication().withMinReplicas(2)));
                RespCluster ports = RespCluster.builder(guarded)
                        .acknowledgement(Acknowledgement.LOCAL)
                        .start()) {
            guarded.awaitReady(Duration.ofSeconds(20));
            LocalNode primary = guarded.primaryFor(Text.bytes("k"));
            try (TinyClient client = new TinyClient(ports.port(primary.id()));
                    TinyClient other = new TinyClient(ports.port(primary.id()))) {
                client.call("MULTI");
                client.call("SET k v");
                guarded.nodes().stream().filter(node -> node != primary).forEach(LocalNode::crash);
                String answer = other.call("SET k w");
                while (answer.equals("OK")) {
                    answer = other.call("SET k w");
                }

                String noReplicas = "NOREPLICAS Not enough good replicas to write.";
                assertEquals("(error) " + noReplicas, answer);
                assertEquals("(error) EXECABORT Transaction discarded because of: " + noReplicas, client.call("EXEC"));
                assertEquals("PONG", client.call("PING"));
            }
        }
    }
}
