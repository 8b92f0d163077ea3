package io.kvorum.resp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

final class PubSubTest {
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
    void messagesReachTheSubscribersAtEveryNode() throws Exception {
        try (TinyClient one = ports.client("node-1.1");
                TinyClient other = ports.client("node-2.2");
                TinyClient publisher = ports.client("node-3.1")) {
            assertEquals("[subscribe, news, 1]", one.call("SUBSCRIBE news"));
            other.call("HELLO 3");
            assertEquals("[psubscribe, n*, 1]", other.call("PSUBSCRIBE n*"));
            assertEquals("0", publisher.call("PUBLISH news hello")); // at this node, as the server counts
            assertEquals("[message, news, hello]", one.read());
            assertEquals("[pmessage, n*, news, hello]", other.read());
            assertTrue(other.raw().startsWith(">4\r\n"));
            assertEquals("PONG", other.call("PING")); // which the newer protocol allows
            assertTrue(one.call("GET {06S}").startsWith("(error) ERR Can't execute 'get'"));
            assertTrue(one.call("GET k").startsWith("(error) MOVED "));
            assertEquals("[unsubscribe, news, 0]", one.call("UNSUBSCRIBE"));
            assertEquals("PONG", one.call("PING"));
        }
    }

    @Test
    void answersAreNotOvertakenByMessages() throws Exception {
        try (TinyClient client = ports.client("node-1.1")) {
            client.call("HELLO 3");
            assertEquals("[subscribe, own, 1]", client.call("SUBSCRIBE own"));

            client.write("ECHO before\r\nPUBLISH own hello\r\n");

            assertEquals("before", client.read());
            assertEquals("[message, own, hello]", client.read());
            assertEquals("1", client.read());
        }
    }

    @Test
    void aClientThatSaysNothingMoreStillGetsItsAnswers() throws Exception {
        for (int i = 0; i < 50; i++) {
            try (TinyClient client = ports.client("node-1.1")) {
                client.write("SUBSCRIBE a b\r\n");
                client.endWriting();

                assertEquals("[subscribe, a, 1]", client.read());
                assertEquals("[subscribe, b, 2]", client.read());
            }
        }
    }

    @Test
    void messagesOfAShardStayInIt() throws Exception {
        try (TinyClient replica = ports.client("node-1.2");
                TinyClient primary = ports.client("node-1.1");
                TinyClient other = ports.client("node-2.1")) {
            assertEquals("[ssubscribe, {06S}, 1]", replica.call("SSUBSCRIBE {06S}"));
            assertEquals("0", primary.call("SPUBLISH {06S} hello"));
            assertEquals("[smessage, {06S}, hello]", replica.read());
            assertTrue(other.call("SPUBLISH {06S} hello").startsWith("(error) MOVED 0 "));
        }
    }

    @Test
    void changesOfKeysAreTold() throws Exception {
        try (TinyClient listener = ports.client("node-1.1");
                TinyClient writer = ports.client("node-1.1")) {
            writer.call("CONFIG SET notify-keyspace-events KEA");
            listener.call("PSUBSCRIBE __key*__:*");
            writer.call("SET {06S}k v EX 100");
            writer.call("MULTI");
            writer.call("DEL {06S}k");
            writer.call("EXEC");
            assertEquals("[pmessage, __key*__:*, __keyspace@0__:{06S}k, set]", listener.read());
            assertEquals("[pmessage, __key*__:*, __keyevent@0__:set, {06S}k]", listener.read());
            assertEquals("[pmessage, __key*__:*, __keyspace@0__:{06S}k, expire]", listener.read());
            assertEquals("[pmessage, __key*__:*, __keyevent@0__:expire, {06S}k]", listener.read());
            assertEquals("[pmessage, __key*__:*, __keyspace@0__:{06S}k, del]", listener.read());
            assertEquals("[pmessage, __key*__:*, __keyevent@0__:del, {06S}k]", listener.read());
        }
    }

    @Test
    void aKeyThatATransactionMakesAgainIsToldAsNewAgain() throws Exception {
        try (TinyClient listener = ports.client("node-1.1");
                TinyClient writer = ports.client("node-1.1")) {
            writer.call("SET {06S}again 1");
            writer.call("CONFIG SET notify-keyspace-events KAn");
            listener.call("SUBSCRIBE __keyspace@0__:{06S}again");
            writer.write(
                    "MULTI\r\nDEL {06S}again\r\nSET {06S}again 2\r\nDEL {06S}again\r\nSET {06S}again 3\r\nEXEC\r\n");

            for (String event : List.of("del", "new", "set", "del", "new", "set")) {
                assertEquals("[message, __keyspace@0__:{06S}again, " + event + "]", listener.read());
            }
        }
    }

    @Test
    void whatExpiresIsTold() throws Exception {
        try (TinyClient listener = ports.client("node-1.1");
                TinyClient writer = ports.client("node-1.1")) {
            writer.call("CONFIG SET notify-keyspace-events Ex");
            listener.call("SUBSCRIBE __keyevent@0__:expired");
            writer.call("SET {06S}short v PX 5");

            assertEquals("[message, __keyevent@0__:expired, {06S}short]", listener.read());
        }
    }

    /** They are told to delete the key, and to set the sum. */
    @Test
    void whatExpiresIsDeletedAtReplicas() throws Exception {
        try (TinyClient listener = ports.client("node-1.2");
                TinyClient writer = ports.client("node-1.1")) {
            listener.call("CONFIG SET notify-keyspace-events EA");
            listener.call("PSUBSCRIBE __keyevent@0__:*");
            writer.call("INCRBYFLOAT {06S}short 0.5");
            writer.call("PEXPIRE {06S}short 100");

            for (String event : List.of("set", "expire", "del")) {
                assertEquals("[pmessage, __keyevent@0__:*, __keyevent@0__:" + event + ", {06S}short]", listener.read());
            }
        }
    }

    @Test
    void whatWasSentByASubscriptionIsNotSentAgain() throws Exception {
        try (TinyClient client = ports.client("node-1.1")) {
            client.write("PING\r\nCLIENT REPLY SKIP\r\nSUBSCRIBE a\r\nPING x\r\n");

            assertEquals("PONG", client.read());
            assertEquals("[subscribe, a, 1]", client.read());
            assertEquals("[pong, x]", client.read());
        }
    }
}
