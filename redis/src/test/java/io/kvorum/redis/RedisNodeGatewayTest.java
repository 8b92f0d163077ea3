package io.kvorum.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeCommand;
import io.kvorum.failover.NodeGateway;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.testkit.contract.NodeGatewayContract;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What every gateway does, done by nodes beside real servers. */
final class RedisNodeGatewayTest extends NodeGatewayContract {
    private static final NodeId NODE = new NodeId("a");
    private static final ShardId SHARD = new ShardId("orders");

    @TempDir
    @Nullable
    Path directory;

    private @Nullable RealServer server;
    private @Nullable RedisNode node;

    @BeforeEach
    void start() throws IOException {
        assumeFalse(RealServer.executables().isEmpty(), "no server to test with");
        RealServer started = RealServer.start(RealServer.newest());
        server = started;
        if (directory == null) {
            throw new IllegalStateException("no directory");
        }
        node = RedisNode.start(NODE, SHARD, Map.of(NODE, started.uri()), directory);
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

    /** A promise that could not be saved is not given, and the server stays as it is. */
    @Test
    void aPromiseThatCannotBeSavedIsNotGiven() throws Exception {
        if (directory == null) {
            throw new IllegalStateException("no directory");
        }
        Files.createDirectories(
                directory.resolve(RedisNode.PROMISE_FILE + ".next").resolve("in the way"));
        CompletableFuture<NodeAnswer> answer = new CompletableFuture<>();
        gateway()
                .send(NODE, new NodeCommand.Fence(SHARD, Epoch.of(7, 1), new NodeId("sentinel-1:1")), answer::complete);

        assertEquals(
                NodeAnswer.Outcome.NOT_SAVED, answer.get(30, TimeUnit.SECONDS).outcome());
        assertEquals(0, answer.get().report().epoch());
    }

    @Override
    protected NodeGateway gateway() {
        return node == null ? (to, command, answer) -> {} : RedisNode.gateway(Map.of(NODE, node));
    }

    @Override
    protected NodeId node() {
        return NODE;
    }

    @Override
    protected ShardId shard() {
        return SHARD;
    }

    @Override
    protected NodeId unreachable() {
        return new NodeId("nowhere");
    }
}
