package io.kvorum.resp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

final class ClusterCommandsTest {
    private static Ports ports;

    @BeforeAll
    static void start() {
        ports = Ports.ofCluster();
    }

    @AfterAll
    static void stop() {
        ports.close();
    }

    @Test
    void keysOfOthersAreSentThere() throws Exception {
        try (TinyClient client = ports.client("node-1.1")) {
            String moved = "(error) MOVED 12182 127.0.0.1:" + ports.port("node-3.1");
            assertEquals(moved, client.call("GET foo"));
            assertEquals(moved, client.call("SET foo bar"));
            assertEquals("(error) CROSSSLOT Keys in request don't hash to the same slot", client.call("MGET foo bar"));
            assertEquals("(error) CROSSSLOT Keys in request don't hash to the same slot", client.call("DEL {06S} Qi"));
            assertEquals("OK", client.call("MSET {06S}a 1 {06S}b 2"));
            assertEquals("[1, 2, (nil)]", client.call("MGET {06S}a {06S}b {06S}c"));
        }
    }

    @Test
    void replicasServeReadsIfAskedTo() throws Exception {
        try (TinyClient primary = ports.client("node-1.1");
                TinyClient replica = ports.client("node-1.2")) {
            String moved = "(error) MOVED 0 127.0.0.1:" + ports.port("node-1.1");
            primary.call("SET {06S}r value");
            assertEquals("2", primary.call("WAIT 2 10000"));
            assertEquals(moved, replica.call("GET {06S}r"));
            assertEquals("OK", replica.call("READONLY"));
            assertEquals("value", replica.call("GET {06S}r"));
            assertEquals(moved, replica.call("SET {06S}r other"));
            assertEquals("OK", replica.call("READWRITE"));
            assertEquals(moved, replica.call("GET {06S}r"));
            assertTrue(replica.call("FLUSHALL").startsWith("(error) READONLY"));
            assertTrue(replica.call("WAIT 0 0").startsWith("(error) ERR WAIT cannot be used with replica"));
        }
    }

    @Test
    void transactionsAreCheckedAsASetOfKeys() throws Exception {
        try (TinyClient client = ports.client("node-1.1")) {
            assertEquals("OK", client.call("MULTI"));
            assertEquals("QUEUED", client.call("SET {06S}t 1"));
            assertEquals("QUEUED", client.call("INCR {06S}t"));
            assertEquals("[OK, 2]", client.call("EXEC"));
            client.call("MULTI");
            assertTrue(client.call("SET foo 1").startsWith("(error) MOVED"));
            assertTrue(client.call("EXEC").startsWith("(error) EXECABORT"));
            client.call("MULTI");
            client.call("SET {06S}t 1");
            client.call("SET Qi 1");
            assertEquals("(error) CROSSSLOT Keys in request don't hash to the same slot", client.call("EXEC"));
            assertEquals("(error) ERR EXEC without MULTI", client.call("EXEC"));
        }
    }

    @Test
    void noSlotIsMoved() throws Exception {
        try (TinyClient client = ports.client("node-1.1")) {
            String own = client.call("CLUSTER MYID");
            String other = Text.idOf("node-2.1");
            assertEquals("OK", client.call("CLUSTER SETSLOT 1 STABLE"));
            assertEquals("OK", client.call("CLUSTER SETSLOT 1 NODE " + own));
            assertEquals("(error) ERR Unknown node x", client.call("CLUSTER SETSLOT 1 NODE x"));
            assertEquals("(error) ERR I don't know about node x", client.call("CLUSTER SETSLOT 1 MIGRATING x"));
            assertEquals(
                    "(error) ERR I'm already the owner of hash slot 1",
                    client.call("CLUSTER SETSLOT 1 IMPORTING " + other));
            assertEquals(
                    "(error) ERR I'm not the owner of hash slot 16383",
                    client.call("CLUSTER SETSLOT 16383 MIGRATING " + other));
            assertEquals(
                    "(error) ERR Target node is not a master",
                    client.call("CLUSTER SETSLOT 1 NODE " + Text.idOf("node-2.2")));
            for (String move : List.of("1 MIGRATING ", "1 NODE ", "16383 IMPORTING ")) {
                assertEquals(
                        "(error) ERR no slot can be moved by SETSLOT here",
                        client.call("CLUSTER SETSLOT " + move + other));
            }
        }
    }

    @Test
    void theClusterDescribesItself() throws Exception {
        try (TinyClient client = ports.client("node-2.1")) {
            String id = client.call("CLUSTER MYID");
            assertEquals(40, id.length());
            String slots = client.call("CLUSTER SLOTS");
            assertTrue(slots.startsWith("[[0, 5460, [127.0.0.1, " + ports.port("node-1.1")), slots);
            client.call("HELLO 3");
            client.call("CLUSTER SLOTS");
            assertTrue(client.raw().startsWith("*3\r\n*5\r\n:0\r\n:5460\r\n*4\r\n$9\r\n127.0.0.1\r\n:"), client.raw());
            assertTrue(client.raw().endsWith("\r\n%0\r\n"), client.raw());
            client.call("COMMAND LIST");
            assertTrue(client.raw().startsWith("*"), client.raw());
            client.call("HELLO 2");
            String nodes = client.call("CLUSTER NODES");
            assertTrue(nodes.contains(id + " 127.0.0.1:" + ports.port("node-2.1") + "@"), nodes);
            assertTrue(nodes.contains(" myself,master - 0 0 "), nodes);
            assertEquals(9, nodes.lines().count());
            String shards = client.call("CLUSTER SHARDS");
            assertTrue(shards.contains("slots, [5461, 10922], nodes, [[id, " + id), shards);
            String info = client.call("CLUSTER INFO");
            assertTrue(info.startsWith("cluster_state:ok\r\ncluster_slots_assigned:16384\r\n"), info);
            assertTrue(client.call("CLUSTER REPLICAS " + id).contains(" slave " + id));
            assertEquals("(error) ERR Unknown node x", client.call("CLUSTER REPLICAS x"));
            assertTrue(client.call("CLUSTER LINKS").contains("direction, to, node, "));
            assertEquals("12182", client.call("CLUSTER KEYSLOT foo"));
            assertEquals("(error) ERR Invalid slot", client.call("CLUSTER COUNTKEYSINSLOT 16384"));
            assertEquals("(error) " + CommandException.NOT_INTEGER, client.call("CLUSTER COUNTKEYSINSLOT x"));
            assertEquals("(error) ERR Invalid slot or number of keys", client.call("CLUSTER GETKEYSINSLOT 0 -1"));
            assertEquals(
                    "(error) ERR unknown subcommand or wrong number of arguments for 'FAILOVER'. Try CLUSTER HELP.",
                    client.call("CLUSTER FAILOVER FORCE x"));
            assertEquals("(error) ERR You should send CLUSTER FAILOVER to a replica", client.call("CLUSTER FAILOVER"));
            assertTrue(client.call("SELECT 1").startsWith("(error) ERR SELECT is not allowed in cluster mode"));
            assertTrue(
                    client.call("REPLICAOF NO ONE").startsWith("(error) ERR REPLICAOF not allowed in cluster mode."));
        }
    }

    @Test
    void keysOfASlotAreListed() throws Exception {
        try (TinyClient client = ports.client("node-1.1")) {
            client.call("SET {Qi}a 1");
            client.call("SET {Qi}b 1");
            assertEquals("2", client.call("CLUSTER COUNTKEYSINSLOT 1"));
            assertEquals(2, client.call("CLUSTER GETKEYSINSLOT 1 10").split(",").length);
            assertEquals("[]", client.call("CLUSTER GETKEYSINSLOT 1 0"));
            assertEquals("0", client.call("CLUSTER COUNTKEYSINSLOT 16000"));
        }
    }

    @Test
    void aScanFindsEveryKeyOfTheNode() throws Exception {
        try (TinyClient client = ports.client("node-1.1")) {
            for (int i = 0; i < 500; i++) {
                client.call("SET {06S}scan" + i + " v");
            }
            java.util.Set<String> found = new java.util.HashSet<>();
            String cursor = "0";
            do {
                String page = client.call("SCAN " + cursor + " MATCH {06S}scan* COUNT 20");
                cursor = page.substring(1, page.indexOf(','));
                String keys = page.substring(page.indexOf('[', 1) + 1, page.length() - 2);
                found.addAll(keys.isEmpty() ? java.util.List.of() : java.util.List.of(keys.split(", ")));
            } while (!cursor.equals("0"));

            assertEquals(500, found.size());
        }
    }
}
