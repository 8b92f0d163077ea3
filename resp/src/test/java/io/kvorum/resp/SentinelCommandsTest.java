package io.kvorum.resp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
            assertEquals("OK", client.call("SENTINEL set mymaster quorum 2"));
            assertTrue(client.call("SENTINEL set mymaster quorum 3").startsWith("(error) ERR Invalid argument '3'"));
            assertTrue(client.call("SENTINEL set mymaster bogus 3").startsWith("(error) ERR Unknown option"));
            assertTrue(client.call("AUTH x").startsWith("(error) ERR AUTH <password> called without any password"));
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
}
