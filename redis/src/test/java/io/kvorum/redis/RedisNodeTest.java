package io.kvorum.redis;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeAnswer.Outcome;
import io.kvorum.failover.NodeCommand;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.lettuce.core.RedisURI;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a node makes of its server alone. */
final class RedisNodeTest {
    private static final NodeId NODE = new NodeId("a");
    private static final ShardId SHARD = new ShardId("orders");
    private static final NodeId HOLDER = new NodeId("sentinel-1:1");
    private static final long EPOCH = Epoch.of(7, 1);

    @TempDir
    Path directory = Path.of("");

    private @Nullable RealServer server;
    private @Nullable RedisNode node;

    @BeforeEach
    void requireServer() {
        assumeFalse(RealServer.executables().isEmpty(), "no server to test with");
    }

    @AfterEach
    void end() {
        if (node != null) {
            node.close();
        }
        if (server != null) {
            server.close();
        }
    }

    private RealServer start(String... options) throws IOException {
        RealServer started = RealServer.start(RealServer.newest(), options);
        server = started;
        startNode(started);
        return started;
    }

    private void startNode(RealServer beside) throws IOException {
        node = RedisNode.start(NODE, SHARD, Map.of(NODE, beside.uri()), directory);
    }

    private RedisNode node() {
        if (node == null) {
            throw new IllegalStateException("not started");
        }
        return node;
    }

    private NodeAnswer ask(NodeCommand command) {
        AtomicReference<@Nullable NodeAnswer> answer = new AtomicReference<>();
        node().execute(command, answer::set);
        RealServers.await("an answer to " + command, () -> answer.get() != null);
        NodeAnswer given = answer.get();
        if (given == null) {
            throw new AssertionError("no answer");
        }
        return given;
    }

    private NodeCommand.Begin fenced() {
        NodeAnswer fenced = ask(new NodeCommand.Fence(SHARD, EPOCH, HOLDER));
        assertEquals(Outcome.DONE, fenced.outcome());
        MemberList members =
                new MemberList(List.of(new Member(NODE, fenced.report().incarnation())));
        return new NodeCommand.Begin(SHARD, EPOCH, HOLDER, members, List.of(), false);
    }

    @Test
    void itLeadsWithoutReplicasAndWithFullMemory() throws IOException {
        RealServer started = start("--min-replicas-to-write", "1", "--maxmemory", "1");
        NodeAnswer begun = ask(fenced());

        assertEquals(Outcome.DONE, begun.outcome());
        assertTrue(begun.report().primary());
        assertTrue(started.ask("SET key value").startsWith("OOM"), "the limit is as it was");
        assertEquals("OK", started.ask("CONFIG SET maxmemory 0"));
        assertEquals("OK", started.ask("SET key value"));
    }

    @Test
    void aReplicaThatHasBeenSynchronisedIsNoticedByItselfAndAPrimaryNeedsItFromThenOn() throws IOException {
        NodeId other = new NodeId("b");
        Path run = Files.createDirectory(directory.resolve("b")).resolve(RedisNode.RUN_FILE);
        try (RealServer replica =
                RealServer.start(RealServer.newest(), "--replicaof", "127.0.0.1", "1", "--key-load-delay", "5000")) {
            RealServer primary = RealServer.start(RealServer.newest(), "--rdbcompression", "no");
            server = primary;
            Map<NodeId, RedisURI> both = Map.of(NODE, primary.uri(), other, replica.uri());
            node = RedisNode.start(NODE, SHARD, both, directory);
            MemberList members =
                    new MemberList(List.of(fenced().members().members().get(0), new Member(other, 7)));
            ask(new NodeCommand.Begin(SHARD, EPOCH, HOLDER, members, List.of(), false));
            assertEquals("OK", primary.ask("SET key value"), "before there was a replica");
            fill(primary);
            try (RedisNode beside = RedisNode.start(other, SHARD, both, run.getParent())) {
                beside.execute(new NodeCommand.Follow(SHARD, EPOCH, NODE), answer -> {});
                RealServers.await("the node has seen that it is complete", () -> Files.exists(run) && !isEmpty(run));
            }
            RealServers.await("the replica is needed", () -> {
                ask(new NodeCommand.Describe(SHARD, 0));
                return primary.ask("CONFIG GET min-replicas-to-write").endsWith(" 1");
            });
            assertEquals("OK", primary.ask("SET key value"));
            replica.signal("STOP"); // as if the primary was cut off, with its node
            RealServers.await(
                    "it refuses writes", () -> primary.ask("SET key other").startsWith("NOREPLICAS"));

            ask(new NodeCommand.Fence(SHARD, EPOCH + 1, HOLDER));
            assertEquals("min-replicas-to-write 0", primary.ask("CONFIG GET min-replicas-to-write"));
        }
    }

    @Test
    void aServerThatCannotBeGivenTheRecordTakesNoWrites() throws IOException {
        RealServer started = start("--rename-command", "SET", "");
        node().execute(fenced(), answer -> {});
        RealServers.await("it tried", () -> started.ask("INFO commandstats").contains("cmdstat_eval:"));
        node().close(); // after the command

        assertTrue(started.ask("APPEND key value").startsWith("READONLY"));
    }

    @Test
    void aPauseEndsThoughNobodyEndsIt() throws IOException {
        RealServer started = start("--repl-ping-replica-period", "7");
        ask(fenced());
        NodeCommand.Describe describe = new NodeCommand.Describe(SHARD, 0);
        assertEquals(
                Outcome.DONE,
                ask(new NodeCommand.Pause(SHARD, EPOCH, Duration.ofMillis(1))).outcome());
        ask(describe); // later than that
        assertEquals("repl-ping-replica-period 7", started.ask("CONFIG GET repl-ping-replica-period"));

        ask(new NodeCommand.Pause(SHARD, EPOCH, Duration.ofMinutes(1)));
        assertEquals("repl-ping-replica-period 86400", started.ask("CONFIG GET repl-ping-replica-period"));
        node().close();
        startNode(started);
        ask(describe);
        assertEquals("repl-ping-replica-period 10", started.ask("CONFIG GET repl-ping-replica-period"));
        assertEquals("OK", started.ask("SET key value"));
    }

    @Test
    void whatIsBeingLoadedIsNotComplete() throws IOException {
        RealServer started = start("--key-load-delay", "5000"); // microseconds
        ask(fenced());
        Path run = directory.resolve(RedisNode.RUN_FILE);
        assertFalse(Files.readString(run, US_ASCII).isEmpty());
        try (RealServer other = RealServer.start(RealServer.newest(), "--rdbcompression", "no")) {
            fill(other);
            assertEquals("OK", started.ask("REPLICAOF 127.0.0.1 " + other.port()));
            RealServers.await("it loads", () -> started.ask("INFO persistence").contains("\nloading:1"));
            node().execute(new NodeCommand.Describe(SHARD, 0), answer -> {});

            RealServers.await("it is forgotten that the data was complete", () -> isEmpty(run));
        }
    }

    /** Gives a server so much that a slow one takes a second to load it, in which it answers now and then. */
    private static void fill(RealServer server) {
        server.ask("EVAL \"for i=1,200 do redis.call('SET',i,string.rep('x',100000)) end\" 0");
    }

    private static boolean isEmpty(Path file) {
        try {
            return Files.size(file) == 0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
