package io.kvorum.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.kvorum.core.Entry;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.replication.OutcomeUnknownException.Reason;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.slots.topology.RefusedException.Kind;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultClientResources;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What a store makes of the answers and the silence of real servers. */
@Tag("long")
final class RedisStoreFailuresTest {
    private static final byte[] KEY = "key".getBytes(UTF_8);
    private static final byte[] VALUE = "value".getBytes(UTF_8);
    private static final Duration LIMIT = Duration.ofSeconds(20);

    private final List<AutoCloseable> opened = new ArrayList<>();

    @BeforeEach
    void requireServer() {
        assumeFalse(RealServer.executables().isEmpty(), "no server to test with");
    }

    @AfterEach
    void close() throws Exception {
        for (int i = opened.size() - 1; i >= 0; i--) {
            opened.get(i).close();
        }
    }

    private RealServer server(String... options) {
        RealServer server = RealServer.start(RealServer.newest(), options);
        opened.add(server);
        return server;
    }

    private RedisStore store(RedisStore.Builder builder) {
        RedisStore store = builder.connect();
        opened.add(store);
        return store;
    }

    private RedisStore store(RealServer server) {
        return store(patient(server.uri()));
    }

    /** With more time than a busy machine needs. */
    private static RedisStore.Builder patient(RedisURI... uris) {
        return RedisStore.builder().uris(uris).timeout(LIMIT).connectTimeout(LIMIT);
    }

    private static void assertRefused(Kind kind, Executable operation) {
        RefusedException refusal = assertThrows(RefusedException.class, operation);
        assertEquals(kind, refusal.kind(), refusal::getMessage);
    }

    private static OutcomeUnknownException assertUnknown(Reason reason, Executable operation) {
        OutcomeUnknownException unknown = assertThrows(OutcomeUnknownException.class, operation);
        assertEquals(reason, unknown.reason());
        return unknown;
    }

    @Test
    void whoCannotConnectIsRefused() {
        RealServer server = server();
        server.kill();

        assertRefused(Kind.CLUSTER_DOWN, () -> RedisStore.connect(server.uri()));
    }

    @Test
    void aServerThatIsGoneRefusesUntilItIsBack() {
        RealServer server = server();
        RedisStore store = store(server);
        store.set(KEY, VALUE);
        server.kill();
        RealServers.await("the connection is lost", () -> refuses(store));

        assertRefused(Kind.CLUSTER_DOWN, () -> store.set(KEY, VALUE));
        assertRefused(Kind.CLUSTER_DOWN, () -> store.get(KEY));
        assertRefused(Kind.CLUSTER_DOWN, () -> store.compute(KEY, value -> VALUE));
        server.restart();
        store.set(KEY, VALUE);
        assertArrayEquals(VALUE, store.get(KEY));
    }

    private static boolean refuses(RedisStore store) {
        try {
            store.get(KEY);
            return false;
        } catch (RefusedException e) {
            return true;
        }
    }

    @Test
    void aChangeWithoutAnAnswerIsUnknownAndARead() {
        RealServer server = server();
        RedisStore store = store(RedisStore.builder().uris(server.uri()).timeout(Duration.ofSeconds(1)));
        store.set(KEY, VALUE);
        server.signal("STOP");

        assertUnknown(Reason.TIMEOUT, () -> store.append(KEY, VALUE));
        assertRefused(Kind.CLUSTER_DOWN, () -> store.get(KEY));
        server.signal("CONT");
        RealServers.await("it answers", () -> !refuses(store));
        assertEquals(10, store.length(KEY), "what was sent is carried out, as the server lives");
    }

    @Test
    void aChangeWhoseConnectionIsLostIsUnknownAndNotSentAgain() {
        RealServer server = server();
        RedisStore store = store(RedisStore.builder().uris(server.uri()).timeout(Duration.ofSeconds(20)));
        store.set(KEY, VALUE);
        server.signal("STOP");
        CompletableFuture<Integer> sent =
                store.async(Runnable::run).append(KEY, VALUE).toCompletableFuture();
        server.kill();

        CompletionException failure = assertThrows(CompletionException.class, sent::join);
        OutcomeUnknownException unknown = assertInstanceOf(OutcomeUnknownException.class, failure.getCause());
        assertEquals(Reason.CLOSED, unknown.reason());
        server.restart();
        assertFalse(store.exists(KEY), "the server came back empty, and nobody sent the change again");
    }

    @Test
    void aReplicaIsReadButRefusesChanges() {
        RealServer primary = server();
        RealServer replica = server("--replicaof", "127.0.0.1", "" + primary.port());
        store(primary).set(KEY, VALUE);
        RedisStore store = store(replica);
        RealServers.await("the replica has it", () -> store.exists(KEY));

        assertArrayEquals(VALUE, store.get(KEY));
        assertRefused(Kind.READ_ONLY, () -> store.set(KEY, VALUE));
        assertRefused(Kind.READ_ONLY, () -> store.compute(KEY, value -> new byte[1]));
        assertArrayEquals(VALUE, store.read(HashSlot.of(KEY), keys -> keys.get(KEY)));
    }

    @Test
    void whatTheServerRefusesHasItsKind() {
        RealServer server = server();
        RedisStore store = store(server);
        server.ask("CONFIG SET min-replicas-to-write 1");
        assertRefused(Kind.TOO_FEW_REPLICAS, () -> store.set(KEY, VALUE));
        assertRefused(Kind.TOO_FEW_REPLICAS, () -> store.compute(KEY, value -> VALUE));
        server.ask("CONFIG SET min-replicas-to-write 0");
        server.ask("CONFIG SET maxmemory 1");
        assertRefused(Kind.OUT_OF_MEMORY, () -> store.set(KEY, VALUE));
        assertRefused(Kind.OUT_OF_MEMORY, () -> store.compute(KEY, value -> VALUE));
        server.ask("CONFIG SET maxmemory 0");
        server.ask("RPUSH key element");

        assertThrows(IllegalStateException.class, () -> store.get(KEY));
        assertThrows(IllegalStateException.class, () -> store.append(KEY, VALUE));
        assertThrows(IllegalStateException.class, () -> store.compute(KEY, value -> VALUE));
        store.forEachInSlot(HashSlot.of(KEY), entry -> {
            throw new AssertionError("a list is no entry");
        });
        assertEquals("list", server.ask("TYPE key"));
    }

    @Test
    void aChangeIsDoneWhenEnoughReplicasHaveIt() {
        RealServer primary = server();
        RealServer replica = server("--replicaof", "127.0.0.1", "" + primary.port());
        RealServers.await(
                "the replica is connected",
                () -> primary.ask("INFO replication").contains("state=online"));
        RedisStore.Builder builder = RedisStore.builder().uris(primary.uri());
        RedisStore one = store(builder.majorityOf(3).timeout(Duration.ofSeconds(20)));
        RedisStore two = store(builder.replicas(2).timeout(Duration.ofSeconds(1)));
        one.set(KEY, VALUE);
        assertTrue(replica.ask("GET key").contains("value"));
        one.compute(KEY, value -> "other".getBytes(UTF_8));
        assertTrue(replica.ask("GET key").contains("other"));

        assertEquals(1, assertUnknown(Reason.TIMEOUT, () -> two.set(KEY, VALUE)).acknowledged());
        assertEquals(
                1,
                assertUnknown(Reason.TIMEOUT, () -> two.compute(KEY, value -> new byte[1]))
                        .acknowledged());
        assertEquals(1, two.length(KEY), "what too few have confirmed may have been done, and reads wait for nobody");
    }

    @Test
    void aTransactionThatIsAlwaysDisturbedIsRefused() {
        RealServer server = server();
        RedisStore store = store(RedisStore.builder().uris(server.uri()).tries(3));
        store.set(KEY, VALUE);
        List<String> runs = new ArrayList<>();

        assertRefused(
                Kind.OVERLOADED,
                () -> store.compute(KEY, value -> {
                    runs.add("run");
                    server.ask("APPEND key x");
                    return new byte[0];
                }));
        assertEquals(3, runs.size());
        assertEquals(8, store.length(KEY));
    }

    @Test
    void aReadSeesOneMoment() {
        RealServer server = server();
        RedisStore store = store(server);
        List<String> runs = new ArrayList<>();
        byte[] other = "{key}2".getBytes(UTF_8);

        boolean both = store.read(HashSlot.of(KEY), keys -> {
            boolean first = keys.exists(KEY);
            if (runs.isEmpty()) {
                server.ask("MSET key 1 {key}2 1");
            }
            runs.add("run");
            return first == keys.exists(other);
        });
        assertTrue(both);
        assertEquals(2, runs.size());
    }

    @Test
    void aSlotIsFollowedToTheServerThatHasIt() {
        RealServers cluster = RealServers.cluster(RealServer.newest());
        opened.add(cluster);
        RedisStore store = store(RedisStore.builder().uris(cluster.uris()));
        int slot = HashSlot.of(KEY);
        int from = slot * 3 / HashSlot.COUNT;
        RealServer target = cluster.get((from + 1) % 3);
        String id = target.ask("CLUSTER MYID");
        assertEquals(0, store.countInSlot(slot));
        for (int i = 0; i < 3; i++) {
            assertEquals("OK", cluster.get((from + 1 + i) % 3).ask("CLUSTER SETSLOT " + slot + " NODE " + id));
        }
        store.set(KEY, VALUE);

        assertEquals("1", target.ask("CLUSTER COUNTKEYSINSLOT " + slot));
        assertEquals(1, store.countInSlot(slot));
        store.compute(KEY, value -> new byte[2]);
        assertEquals(2, store.length(KEY));
    }

    @Test
    void theReplicaThatTakesOverInAClusterIsFound() {
        RealServers cluster = RealServers.cluster(RealServer.newest());
        opened.add(cluster);
        RealServer primary = cluster.get(HashSlot.of(KEY) * 3 / HashSlot.COUNT);
        RealServer replica = cluster.addReplica(RealServer.newest(), primary);
        RedisStore store = store(patient(cluster.uris()));
        store.set(KEY, VALUE);
        RealServers.await("the replica has it", () -> replica.ask("DBSIZE").equals("1"));
        primary.kill();
        assertEquals("OK", replica.ask("CLUSTER FAILOVER TAKEOVER"));

        RealServers.await("the replica is found", () -> {
            try {
                store.set(KEY, new byte[1]);
                return true;
            } catch (RefusedException | OutcomeUnknownException e) {
                return false;
            }
        });
        assertEquals(1, store.length(KEY));
        assertEquals("1", replica.ask("STRLEN key"));
    }

    @Test
    void keysOfASlotOnItsWayAreFoundWhereTheyAre() {
        RealServers cluster = RealServers.cluster(RealServer.newest());
        opened.add(cluster);
        RedisStore store = store(RedisStore.builder().uris(cluster.uris()));
        int slot = HashSlot.of(KEY);
        int at = slot * 3 / HashSlot.COUNT;
        RealServer source = cluster.get(at);
        RealServer target = cluster.get((at + 1) % 3);
        byte[] moved = "{key}moved".getBytes(UTF_8);
        byte[] fresh = "{key}new".getBytes(UTF_8);
        store.set(KEY, VALUE);
        store.set(moved, VALUE);
        target.ask("CLUSTER SETSLOT " + slot + " IMPORTING " + source.ask("CLUSTER MYID"));
        source.ask("CLUSTER SETSLOT " + slot + " MIGRATING " + target.ask("CLUSTER MYID"));
        assertEquals("OK", source.ask("MIGRATE 127.0.0.1 " + target.port() + " {key}moved 0 5000"));

        assertEquals(6, store.append(KEY, new byte[1]));
        assertEquals(6, store.append(moved, new byte[1]));
        store.set(fresh, VALUE);
        assertEquals(
                3,
                store.getEach(List.of(KEY, moved, fresh)).stream()
                        .filter(Objects::nonNull)
                        .count());
        assertEquals(7, store.compute(moved, value -> new byte[7]).length);
        assertEquals(
                List.of(12, 5), store.transact(slot, keys -> List.of(keys.append(moved, VALUE), keys.length(fresh))));
        assertEquals(1, store.compute(KEY, value -> new byte[1]).length);
        assertEquals("2", target.ask("CLUSTER COUNTKEYSINSLOT " + slot));
        assertRefused(Kind.MOVING, () -> store.getAll(List.of(KEY, moved)));
        assertRefused(Kind.MOVING, () -> store.read(slot, keys -> keys.getAll(List.of(KEY, moved))));
        assertRefused(Kind.MOVING, () -> store.read(slot, keys -> keys.getAll(List.of(moved, KEY))));
        assertRefused(Kind.MOVING, () -> store.countInSlot(slot));
        assertRefused(Kind.MOVING, () -> store.transact(slot, keys -> keys.rename(fresh, "{key}2".getBytes(UTF_8))));

        source.ask("MIGRATE 127.0.0.1 " + target.port() + " key 0 5000");
        for (RealServer server : List.of(target, source)) {
            assertEquals("OK", server.ask("CLUSTER SETSLOT " + slot + " NODE " + target.ask("CLUSTER MYID")));
        }
        assertEquals(List.of(1, 12), store.read(slot, keys -> List.of(keys.length(KEY), keys.length(moved))));
        assertTrue(store.stats().retries().get(Kind.MOVED) > 0);
    }

    @Test
    void whoIsRefusedByAReplicaWaitsForTheNextPrimary() throws Exception {
        RealServer old = server();
        RealServer next = server();
        AtomicReference<RealServer> primary = new AtomicReference<>(old);
        RedisStore store = store(RedisStore.builder()
                .uris(old.uri())
                .timeout(Duration.ofSeconds(20))
                .primary(() -> primary.get().uri()));
        store.set(KEY, VALUE);
        old.ask("REPLICAOF 127.0.0.1 1");
        CompletableFuture<Integer> command =
                store.async(Runnable::run).append(KEY, VALUE).toCompletableFuture();
        CompletableFuture<byte[]> transaction =
                CompletableFuture.supplyAsync(() -> store.compute("other".getBytes(UTF_8), value -> VALUE));
        RealServers.await("both have tried again", () -> store.stats().retries().get(Kind.READ_ONLY) >= 4);
        primary.set(next);

        assertEquals(5, command.get());
        assertArrayEquals(VALUE, transaction.get());
        assertEquals("2", next.ask("DBSIZE"));
        assertEquals(0, store.waiting());
        assertEquals(3, store.stats().succeeded());

        primary.set(old);
        command = store.async(Runnable::run).append(KEY, VALUE).toCompletableFuture();
        RealServers.await("it waits", () -> store.waiting() > 0);
        store.close();
        assertInstanceOf(
                IllegalStateException.class,
                assertThrows(CompletionException.class, command::join).getCause());
    }

    /** Reads are on another connection, on which a replica would go on answering. */
    @Test
    void whoIsRefusedByAReplicaTurnsAwayFromItWithEverything() {
        RealServer server = server();
        RedisStore store =
                store(RedisStore.builder().uris(server.uri()).replicas(1).timeout(Duration.ofMillis(300)));
        store.get(KEY);
        store.read(HashSlot.of(KEY), keys -> keys.get(KEY));
        assertTrue(server.ask("INFO clients").contains("connected_clients:3"));
        server.ask("REPLICAOF 127.0.0.1 1");
        assertRefused(Kind.READ_ONLY, () -> store.set(KEY, VALUE));

        RealServers.await("nobody is left", () -> server.ask("INFO clients").contains("connected_clients:1\r"));
    }

    @Test
    void theServerThatSentinelsPromoteIsFound() {
        RealServers group = RealServers.sentinels(RealServer.newest());
        opened.add(group);
        RedisStore store = store(RedisStore.builder().uris(group.uris()).replicas(1));
        store.set(KEY, VALUE);
        RedisStore reader = store(RedisStore.builder().uris(group.uris()).timeout(Duration.ofMillis(300)));
        reader.set("written".getBytes(UTF_8), VALUE);
        group.get(0).signal("STOP"); // which leaves the connection as it is

        RealServers.await("the replica is promoted", () -> {
            try {
                reader.set("written".getBytes(UTF_8), VALUE);
                return true;
            } catch (RefusedException | OutcomeUnknownException e) {
                return false;
            }
        });
        assertArrayEquals(VALUE, reader.get(KEY));
    }

    @Test
    void aChangeIsNotRefusedAfterItWasSent() {
        RealServer server = server();
        AtomicInteger known = new AtomicInteger();
        RedisStore store = store(RedisStore.builder()
                .uris(server.uri())
                .primary(() -> known.getAndDecrement() > 0 ? server.uri() : null));
        for (int questions = 0; questions < 4; questions++) {
            known.set(questions); // and then there is no primary
            String expected = "1";
            try {
                store.set(KEY, VALUE);
            } catch (RefusedException e) {
                expected = "0";
            }
            assertEquals(expected, server.ask("DEL key"), questions + " questions");
        }
    }

    @Test
    void aTransactionThatWasMadeIsUnknownWhenThePrimaryIsReplacedBeforeItIsConfirmed() {
        RealServer server = server();
        RedisStore store = store(RedisStore.builder()
                .uris(server.uri())
                .timeout(Duration.ofSeconds(20))
                .replicas(1));
        CompletableFuture<byte[]> changed = CompletableFuture.supplyAsync(() -> store.compute(KEY, value -> VALUE));
        RealServers.await(
                "it waits for a replica", () -> server.ask("INFO clients").contains("blocked_clients:1"));
        server.ask("REPLICAOF 127.0.0.1 1");

        CompletionException failure = assertThrows(CompletionException.class, changed::join);
        assertInstanceOf(OutcomeUnknownException.class, failure.getCause());
        assertEquals("value", server.ask("GET key"));
    }

    private static RedisClient client(ClientResources resources, Duration timeout) {
        RedisClient client = RedisClient.create(resources);
        client.setOptions(
                Connecting.options(ClientOptions.builder(), timeout, timeout).build());
        return client;
    }

    @Test
    void aTransactionWhoseConnectionIsLostBeforeItWritesIsRefused() {
        RealServer server = server();
        Duration timeout = Duration.ofSeconds(1);
        ClientResources resources = DefaultClientResources.create();
        RedisClient client = client(resources, timeout);
        try (Connections connections =
                new Connections(resources, true, client, new SingleServer(server.uri(), null), timeout, 0)) {
            Session session = connections.take(HashSlot.of(KEY));
            SlotTry attempt = new SlotTry(session, HashSlot.of(KEY), false, connections);
            List<Entry> sets = new ArrayList<>();
            attempt.run(keys -> keys.append(KEY, VALUE), sets, new ArrayList<>());
            server.kill();
            RealServers.await(
                    "the connection is lost", () -> !session.connection().isOpen());

            assertRefused(Kind.CLUSTER_DOWN, () -> attempt.commit(sets, List.of()));
            connections.give(session);
        }
    }

    /** One connection is not there yet when the server is left, the other one is in use. */
    @Test
    void noConnectionToAServerThatWasLeftIsUsedAgain() {
        RealServer server = server();
        Duration timeout = Duration.ofSeconds(20);
        ClientResources resources = DefaultClientResources.create();
        RedisClient client = client(resources, timeout);
        try (Wire wire = new Wire(server.port());
                Connections connections =
                        new Connections(resources, true, client, new SingleServer(server.uri(), null), timeout, 0)) {
            wire.cut();
            Link link = new Link(client, Place.of(RedisURI.create("127.0.0.1", wire.port())));
            CompletableFuture<?> connecting = link.connection();
            link.leave();
            wire.heal();
            connecting.join();
            Session session = connections.take(HashSlot.of(KEY));
            connections.leave(session.place());
            connections.give(session);

            RealServers.await("nobody is left", () -> server.ask("INFO clients").contains("connected_clients:1\r"));
        }
    }

    /** As when the store is closed between the change and the question how many replicas have it. */
    @Test
    void aChangeIsUnknownWhenItsConfirmationCannotBeAskedFor() {
        RealServer server = server();
        ClientResources resources = DefaultClientResources.create();
        RedisClient client = client(resources, LIMIT);
        try (Connections connections =
                new Connections(resources, true, client, new SingleServer(server.uri(), null), LIMIT, 1)) {
            CompletableFuture<String> sent = connections.send(HashSlot.of(KEY), true, commands -> {
                var set = commands.set(KEY, VALUE);
                resources.timer().stop(); // without which nothing is sent
                return set;
            });

            CompletionException failure = assertThrows(CompletionException.class, sent::join);
            assertInstanceOf(OutcomeUnknownException.class, failure.getCause());
            assertEquals("value", server.ask("GET key"));
        }
    }

    @Test
    void aTransactionThatTheServerAbortsIsRefusedForTheSameReason() {
        Place place = Place.of(RedisURI.create("redis://127.0.0.1"));
        Throwable answer = new RedisCommandExecutionException(
                "EXECABORT Transaction discarded because of: READONLY You can't write against a replica.");
        Throwable outcome = Failures.ofCommand(answer, true, HashSlot.of(KEY), place);

        assertTrue(Failures.isReadOnly(answer), "so that it is tried at the next primary");

        assertEquals(
                Kind.READ_ONLY,
                assertInstanceOf(RefusedException.class, outcome).kind());
    }

    /** As when the user loses a right between the queueing of a command and its turn. */
    @Test
    void aCommandThatFailsWithinATransactionIsNoSuccess() {
        RealServer server = server();
        ClientResources resources = DefaultClientResources.create();
        RedisClient client = client(resources, LIMIT);
        try (Connections connections =
                new Connections(resources, true, client, new SingleServer(server.uri(), null), LIMIT, 0)) {
            Session session = connections.take(HashSlot.of(KEY));
            RedisAsyncCommands<byte[], byte[]> commands = session.commands();
            session.changed(commands.set(KEY, VALUE));

            List<CompletionStage<?>> alone = List.of(commands.multi(), commands.incr(KEY));
            assertThrows(NumberFormatException.class, () -> session.exec(commands.exec(), alone, true));

            List<CompletionStage<?>> some =
                    List.of(commands.multi(), commands.del(KEY), commands.lpush(KEY, VALUE), commands.incr(KEY));
            IllegalStateException partly =
                    assertThrows(IllegalStateException.class, () -> session.exec(commands.exec(), some, true));
            assertTrue(
                    partly.getMessage().startsWith("the server carried out only a part of a transaction: WRONGTYPE"));
            assertFalse(session.isWhole());
            connections.give(session);
        }
    }

    @Test
    void aServerThatStandsStillIsNotConnectedTo() {
        RealServer server = server();
        server.signal("STOP");

        assertTimeoutPreemptively(
                Duration.ofSeconds(20), // far below the minute that the client waits by itself
                () -> assertRefused(
                        Kind.CLUSTER_DOWN,
                        () -> RedisStore.builder()
                                .uris(server.uri())
                                .connectTimeout(Duration.ofMillis(300))
                                .connect()));
    }

    @Test
    void whoIsInterruptedBeforeATransactionHasChangedNothing() {
        RedisStore store = store(server());
        Thread.currentThread().interrupt();
        try {
            assertThrows(CancellationException.class, () -> store.compute(KEY, value -> VALUE));
        } finally {
            assertTrue(Thread.interrupted());
        }
        assertFalse(store.exists(KEY));
    }
}
