package io.kvorum.resp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.topology.NodeId;
import io.kvorum.testkit.LocalNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

final class SentinelCommandsTest {
    private static Ports ports;

    @BeforeAll
    static void start() {
        ports = Ports.ofSentinels(builder -> builder.groupNames(shard -> "mymaster"));
    }

    @AfterAll
    static void stop() {
        ports.close();
    }

    @Test
    void unknownNamesAreAnsweredAsTheServerDoes() throws Exception {
        try (TinyClient client = ports.client("sentinel-1")) {
            for (String command : List.of("master", "slaves", "replicas", "sentinels", "ckquorum", "failover")) {
                assertEquals("(error) ERR No such master with that name", client.call("SENTINEL " + command + " no"));
            }
            assertEquals("(nil)", client.call("SENTINEL get-master-addr-by-name no"));
            assertEquals("0", client.call("SENTINEL reset no"));
            assertEquals("1", client.call("SENTINEL reset my*"));
            assertEquals("OK", client.call("SENTINEL flushconfig"));
            assertEquals("[]", client.call("SENTINEL pending-scripts"));
            assertTrue(client.call("SENTINEL bogus").startsWith("(error) ERR unknown subcommand 'bogus'"));
            assertTrue(client.call("GET k").startsWith("(error) ERR unknown command 'GET'"));
            assertEquals("[sentinel, [mymaster]]", client.call("ROLE"));
            assertEquals(40, client.call("SENTINEL myid").length());
            assertTrue(client.call("SENTINEL info-cache mymaster").contains("role:master"));
            assertEquals(
                    "[0, *, 0]",
                    client.call("SENTINEL is-master-down-by-addr 127.0.0.1 " + ports.primaryPort() + " 0 *"));
            for (String sections : List.of("", " default", " everything", " server sentinel")) {
                String info = client.call("INFO" + sections);
                assertTrue(info.startsWith("# Server\r\n") && info.contains("\r\n\r\n# Sentinel\r\n"), info);
            }
            client.call("HELLO 3");
            client.call("INFO sentinel"); // which a node answers in another form of string
            assertTrue(client.raw().startsWith("$"), client.raw());
            client.call("COMMAND INFO sentinel");
            assertTrue(client.raw().matches("(?s).*~0\r\n~0\r\n\\*[0-9]+\r\n\\*10\r\n.*"), client.raw()); // an array
            client.call("HELLO 2");
            assertTrue(client.call("AUTH x").startsWith("(error) ERR AUTH <password> called without any password"));
        }
    }

    @Test
    void settingsChangeAtTheSentinelThatIsTold() throws Exception {
        try (TinyClient client = ports.client("sentinel-3");
                TinyClient listener = ports.client("sentinel-3")) {
            listener.call("PSUBSCRIBE +set");
            assertEquals(
                    "OK", client.call("SENTINEL set mymaster down-after-milliseconds 60000 quorum 3 parallel-syncs 2"));
            assertEquals(
                    "[pmessage, +set, +set, master mymaster 127.0.0.1 " + ports.primaryPort()
                            + " down-after-milliseconds 60000]",
                    listener.read());
            String told = client.call("SENTINEL master mymaster");
            assertTrue(told.contains("down-after-milliseconds, 60000"), told);
            assertTrue(told.contains("quorum, 3") && told.contains("parallel-syncs, 2"), told);
            ports.await(() -> ports.cluster
                    .sentinel(new NodeId("sentinel-3"))
                    .driver()
                    .quorumCheck()
                    .quorumReachable());
            assertTrue(client.call("SENTINEL ckquorum mymaster").startsWith("OK 3 usable Sentinels."));
            try (TinyClient other = ports.client("sentinel-1")) {
                assertTrue(other.call("SENTINEL master mymaster").contains("quorum, 2"));
            }
            ports.cluster.sentinel(new NodeId("sentinel-3")).crash();
            ports.cluster.sentinel(new NodeId("sentinel-3")).restart();
        }
        try (TinyClient client = ports.client("sentinel-3")) {
            assertTrue(client.call("SENTINEL master mymaster").contains("quorum, 3"));
            for (String bad : List.of("quorum 0", "quorum x", "quorum 4", "parallel-syncs 0", "failover-timeout 1")) {
                String[] words = bad.split(" ", -1);
                assertEquals(
                        "(error) ERR Invalid argument '" + words[1] + "' for SENTINEL SET '" + words[0] + "'",
                        client.call("SENTINEL set mymaster " + bad));
            }
            assertEquals(
                    "(error) ERR Unknown option or number of arguments for SENTINEL SET 'bogus'",
                    client.call("SENTINEL set mymaster quorum 2 bogus 1"));
            assertTrue(client.call("SENTINEL master mymaster").contains("quorum, 2"), "what came before is changed");
            assertEquals(
                    "(error) ERR Unknown option or number of arguments for SENTINEL SET 'quorum'",
                    client.call("SENTINEL set mymaster parallel-syncs 1 quorum"));
            assertTrue(client.call("SENTINEL set mymaster notification-script /x")
                    .startsWith("(error) ERR Reconfiguration of scripts path is denied for security reasons."));
            assertEquals("(error) ERR No such master with that name", client.call("SENTINEL set no quorum 1"));
        }
    }

    @Test
    void ofTwoClientsEachChangesWhatItSets() throws Exception {
        try (TinyClient one = ports.client("sentinel-3");
                TinyClient other = ports.client("sentinel-3")) {
            for (int i = 1; i <= 20; i++) {
                one.send("SENTINEL", "set", "mymaster", "parallel-syncs", String.valueOf(i));
                other.send("SENTINEL", "set", "mymaster", "failover-timeout", String.valueOf(60_000 + i));
                assertEquals("OK", one.read());
                assertEquals("OK", other.read());

                String told = one.call("SENTINEL master mymaster");
                assertTrue(told.contains("failover-timeout, " + (60_000 + i)), told);
                assertTrue(told.contains("parallel-syncs, " + i), told);
            }
        }
    }

    @Test
    void configurationIsReadAndNotChanged() throws Exception {
        try (TinyClient client = ports.client("sentinel-1")) {
            assertEquals(
                    "[announce-hostnames, no, announce-ip, , announce-port, 0]",
                    client.call("SENTINEL config get announce-*"));
            assertEquals("[]", client.call("SENTINEL config get bogus"));
            assertEquals("OK", client.call("SENTINEL config set resolve-hostnames no"));
            assertEquals(
                    "(error) ERR Invalid value '7' to SENTINEL CONFIG SET 'announce-port'",
                    client.call("SENTINEL config set announce-port 7"));
            assertEquals(
                    "(error) ERR Invalid argument 'bogus' to SENTINEL CONFIG SET",
                    client.call("SENTINEL config set bogus 1"));
            assertEquals(
                    "(error) ERR Only SENTINEL CONFIG GET <option> / SET <option> <value> are supported.",
                    client.call("SENTINEL config get"));
        }
    }

    @Test
    void eventsOfAFailoverComeInTheOrderOfTheServer() throws Exception {
        int before = ports.primaryPort();
        try (TinyClient listener = ports.client("sentinel-2");
                TinyClient client = ports.client("sentinel-2")) {
            listener.call("PSUBSCRIBE *");
            assertEquals("OK", client.call("SENTINEL failover mymaster"));
            List<String> channels = new ArrayList<>();
            String switched = "";
            while (!channels.contains("+slave-reconf-done")) {
                String[] message = listener.read().split(", ", -1);
                channels.add(message[2]);
                switched = message[2].equals("+switch-master") ? message[3] : switched;
            }

            assertEquals(
                    List.of(
                            "+new-epoch",
                            "+try-failover",
                            "+vote-for-leader",
                            "+elected-leader",
                            "+failover-state-select-slave",
                            "+selected-slave",
                            "+failover-state-send-slaveof-noone",
                            "+failover-state-wait-promotion",
                            "+promoted-slave",
                            "+failover-state-reconf-slaves",
                            "+failover-end",
                            "+switch-master",
                            "+slave",
                            "+slave",
                            "+slave-reconf-sent"),
                    channels.subList(0, 15));
            assertEquals("mymaster 127.0.0.1 " + before + " 127.0.0.1 " + ports.primaryPort() + "]", switched);
        }
        ports.cluster.awaitReady(Ports.LIMIT);
    }

    @Test
    void theFormerMasterIsADownSlaveUntilItReturns() throws Exception {
        int before = ports.primaryPort();
        LocalNode former = ports.cluster.primaryOf(Ports.FIRST);
        try (TinyClient listener = ports.client("sentinel-2")) {
            listener.call("SUBSCRIBE +sdown -sdown +switch-master");
            listener.read();
            listener.read();
            former.crash();
            assertEquals("[message, +sdown, master mymaster 127.0.0.1 " + before + "]", nextAbout(before, listener));
            assertTrue(
                    nextAbout(before, listener).startsWith("[message, +switch-master, mymaster 127.0.0.1 " + before));
            String slave = "slave 127.0.0.1:" + before + " 127.0.0.1 " + before + " @ mymaster 127.0.0.1 "
                    + ports.primaryPort() + "]";
            assertEquals("[message, +sdown, " + slave, nextAbout(before, listener));

            former.restart();
            assertEquals("[message, -sdown, " + slave, nextAbout(before, listener));
        }
        ports.cluster.awaitReady(Ports.LIMIT);
    }

    /** Reads on until a node is told of: others may seem to be down for a moment on a busy machine. */
    private static String nextAbout(int port, TinyClient listener) throws IOException {
        String told = listener.read();
        while (!told.matches(".*, (master mymaster|mymaster|slave) 127\\.0\\.0\\.1[: ]" + port + "\\b.*")) {
            told = listener.read();
        }
        return told;
    }

    @Test
    void aResetIsTold() throws Exception {
        try (TinyClient listener = ports.client("sentinel-1");
                TinyClient client = ports.client("sentinel-1")) {
            listener.call("SUBSCRIBE +reset-master");
            assertEquals("1", client.call("SENTINEL reset my*"));
            assertEquals(
                    "[message, +reset-master, master mymaster 127.0.0.1 " + ports.primaryPort() + "]", listener.read());
        }
    }
}
