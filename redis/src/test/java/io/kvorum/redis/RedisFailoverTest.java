package io.kvorum.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.kvorum.failover.SentinelSettings;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kvorum's sentinels fail real servers over. */
@Tag("long")
final class RedisFailoverTest {
    /** So that a busy machine is no dead server, and no failed attempt. */
    private static final SentinelSettings PATIENT = SentinelSettings.defaults()
            .withDownAfter(Duration.ofSeconds(3))
            .withAttemptTimeout(Duration.ofSeconds(10))
            .withPauseLimit(Duration.ofSeconds(5))
            .withOperationTimeout(Duration.ofSeconds(30));

    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final byte[] KEY = "key".getBytes(UTF_8);

    @TempDir
    @Nullable
    Path directory;

    private @Nullable RedisShard shard;

    @BeforeEach
    void requireServer() {
        assumeFalse(RealServer.executables().isEmpty(), "no server to test with");
    }

    @AfterEach
    void close() {
        if (shard != null) {
            shard.close();
        }
    }

    private RedisShard shard() {
        if (directory == null) {
            throw new IllegalStateException("no directory");
        }
        RedisShard started = new RedisShard(directory, PATIENT);
        shard = started;
        started.begin();
        started.awaitReplicas(2);
        return started;
    }

    private static boolean writes(RedisStore store, String value) {
        try {
            store.set(KEY, value.getBytes(UTF_8));
            return true;
        } catch (RefusedException | OutcomeUnknownException e) {
            return false;
        }
    }

    @Test
    void aReplicaIsPromotedWhenThePrimaryIsKilledAndTheOldOneComesBackAsItsReplica() {
        RedisShard shard = shard();
        NodeId before = shard.primary();
        try (RedisStore store = shard.store(LIMIT)) {
            store.set(KEY, "before".getBytes(UTF_8));
            for (NodeId replica : shard.replicas()) {
                RealServers.await(
                        "the replica has it",
                        () -> shard.server(replica).ask("GET key").contains("before"));
            }
            shard.server(before).kill();
            RealServers.await("another one is announced", () -> !shard.primary().equals(before));
            assertArrayEquals("before".getBytes(UTF_8), store.get(KEY));
            RealServers.await("writes go on", () -> writes(store, "after"));

            shard.server(before).restart();
            assertTrue(shard.server(before).ask("SET key from-nobody").startsWith("READONLY"));
            shard.awaitReplicas(2);
            RealServers.await(
                    "it has the data of the others",
                    () -> shard.server(before).ask("GET key").contains("after"));
            assertNotEquals(before, shard.primary());
        }
    }

    @Test
    void aPrimaryThatRestartsEmptyFeedsNobodyAndDoesNotLead() {
        RedisShard shard = shard();
        NodeId before = shard.primary();
        try (RedisStore store = shard.store(LIMIT)) {
            store.set(KEY, "kept".getBytes(UTF_8));
            for (NodeId replica : shard.replicas()) {
                RealServers.await(
                        "the replica has it",
                        () -> shard.server(replica).ask("GET key").contains("kept"));
            }
            shard.server(before).kill();
            shard.server(before).restart(); // before anybody has noticed

            RealServers.await("another one is announced", () -> !shard.primary().equals(before));
            RealServers.await("the data is there", () -> {
                byte[] value = store.get(KEY);
                return value != null && new String(value, UTF_8).equals("kept");
            });
            shard.awaitReplicas(2);
            RealServers.await(
                    "the empty one has the data again",
                    () -> shard.server(before).ask("GET key").contains("kept"));
        }
    }

    @Test
    void aPrimaryThatStandsStillIsReplacedAndTakesNoWritesOnceItGoesOn() {
        RedisShard shard = shard();
        NodeId before = shard.primary();
        shard.server(before).signal("STOP");
        RealServers.await("another one is announced", () -> !shard.primary().equals(before));
        shard.server(before).signal("CONT");

        RealServers.await(
                "the old one is a replica",
                () -> shard.server(before).ask("SET key x").startsWith("READONLY"));
        shard.awaitReplicas(2);
        assertFalse(shard.server(before).ask("ROLE").contains("master"));
    }

    @Test
    void aSwitchoverLosesNothing() {
        RedisShard shard = shard();
        NodeId before = shard.primary();
        try (RedisStore store = shard.store(LIMIT)) {
            for (int i = 0; i < 200; i++) {
                store.increment(KEY);
            }
            for (NodeId replica : shard.replicas()) { // else the former primary may be the only one that has everything
                RealServers.await(
                        "the replica has it",
                        () -> shard.server(replica).ask("GET key").equals("200"));
            }
            shard.anySentinel().failOver(RedisShard.SHARD).toCompletableFuture().join();

            assertNotEquals(
                    before,
                    shard.primary(),
                    () -> shard.events + "\n"
                            + shard.servers.values().stream()
                                    .map(RealServer::log)
                                    .toList());
            RealServers.await("writes go on", () -> {
                try {
                    store.increment("other".getBytes(UTF_8));
                    return true;
                } catch (RefusedException | OutcomeUnknownException e) {
                    return false;
                }
            });
            assertEquals(200, store.increment(KEY, 0));
            shard.awaitReplicas(2);
            NodeId now = shard.primary();
            assertEquals("1", shard.server(now).ask("EXISTS kvorum:leadership"));
        }
    }

    @Test
    void deletingEverythingEndsNoLeadership() {
        RedisShard shard = shard();
        RealServer primary = shard.server(shard.primary());
        try (RedisStore store = shard.store(LIMIT)) {
            store.set(KEY, "value".getBytes(UTF_8));
            assertEquals(1, store.size());
            assertEquals("key", new String(store.randomKey(), UTF_8));
            assertEquals(1, store.clear());
            assertEquals(0, store.size());
            assertNull(store.randomKey());
            assertEquals("1", primary.ask("EXISTS kvorum:leadership"), "the key is none of the store's");
            NodeId before = shard.primary();
            assertEquals("OK", primary.ask("FLUSHALL"));

            RealServers.await(
                    "the record is written again",
                    () -> primary.ask("EXISTS kvorum:leadership").equals("1"));
            store.set(KEY, "after".getBytes(UTF_8));
            assertEquals(before, shard.primary());
        }
    }

    @Test
    void anExistingServerKeepsItsData() throws Exception {
        if (directory == null) {
            throw new IllegalStateException("no directory");
        }
        RedisShard started = new RedisShard(directory, PATIENT);
        shard = started;
        RealServer first = started.server(RedisShard.NODES.get(0));
        assertEquals("OK", first.ask("REPLICAOF NO ONE"));
        assertEquals("OK", first.ask("SET old data"));
        started.begin();
        started.awaitReplicas(2);

        assertEquals("data", first.ask("GET old"));
        for (NodeId replica : started.replicas()) {
            RealServers.await(
                    "the replica has it",
                    () -> started.server(replica).ask("GET old").equals("data"));
        }
    }

    @Test
    void nodesThatAreStartedAgainKnowWhatTheyPromised() throws Exception {
        RedisShard shard = shard();
        NodeId before = shard.primary();
        for (NodeId node : RedisShard.NODES) {
            RedisNode old = shard.nodes.remove(node);
            if (old != null) {
                old.close();
            }
            shard.startNode(node);
        }
        assertEquals("OK", shard.server(before).ask("SET key value"));
        shard.server(before).kill();

        RealServers.await("another one is announced", () -> !shard.primary().equals(before));
    }
}
