package io.kvorum.redis;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.TransactionResult;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandKeyword;
import io.lettuce.core.protocol.CommandType;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What a node can have its server do. Every method throws a {@link RuntimeException} if the server does not answer in
 * time, and is safe to repeat. Confined to one thread.
 */
final class ManagedServer implements AutoCloseable {
    /** An address where nobody ever answers: who follows it takes neither writes nor records. */
    private static final String NOWHERE = "127.0.0.1";

    private static final int NOWHERE_PORT = 1;

    /** Longer than any pause: a primary that sends its replicas pings moves its position. */
    private static final String NO_PINGS = "86400";

    private static final byte[] KEY = LeadershipRecord.KEY.getBytes(US_ASCII);

    /** In one step with the promotion, which no command that writes can be: the server is a replica until then. */
    private static final String WRITE = "return redis.call('SET', KEYS[1], ARGV[1])";

    private final RedisClient client;
    private final RedisURI uri;
    private @Nullable StatefulRedisConnection<byte[], byte[]> connection;
    private @Nullable String pingPeriod; // as it was before a pause

    ManagedServer(RedisURI uri, Duration timeout) {
        this.uri = uri;
        client = RedisClient.create();
        client.setOptions(
                Connecting.options(ClientOptions.builder(), timeout, timeout).build());
    }

    private StatefulRedisConnection<byte[], byte[]> connection() {
        StatefulRedisConnection<byte[], byte[]> known = connection;
        if (known == null || !known.isOpen()) {
            known = client.connect(ByteArrayCodec.INSTANCE, uri);
            connection = known;
        }
        return known;
    }

    /** Gives the connection up, with what was begun on it. */
    void disconnect() {
        StatefulRedisConnection<byte[], byte[]> known = connection;
        connection = null;
        if (known != null) {
            var unused = known.closeAsync();
        }
    }

    private RedisCommands<byte[], byte[]> commands() {
        return connection().sync();
    }

    /** Asks for the state, at one moment. */
    ServerState state() {
        RedisAsyncCommands<byte[], byte[]> commands = connection().async();
        var unused = commands.multi();
        CompletionStage<byte @Nullable []> record = commands.get(KEY);
        CompletionStage<String> server = commands.info("server");
        CompletionStage<String> replication = commands.info("replication");
        CompletionStage<String> persistence = commands.info("persistence");
        Waiting.read(commands.exec());
        return ServerState.of(
                ServerInfo.parse(
                        Waiting.read(server) + "\n" + Waiting.read(replication) + "\n" + Waiting.read(persistence)),
                Waiting.<byte @Nullable []>read(record));
    }

    /** Makes the server take neither writes nor records, and keep what it has. */
    void detach() {
        commands().replicaof(NOWHERE, NOWHERE_PORT);
        unpause();
    }

    static boolean isDetached(ServerState state) {
        return !state.primary() && state.masterHost().equals(NOWHERE) && state.masterPort() == NOWHERE_PORT;
    }

    void follow(String host, int port) {
        commands().replicaof(host, port);
        unpause();
    }

    /** Makes the server a primary whose first write is the record. */
    void lead(LeadershipRecord record) {
        unpause(); // which would hold the record back
        RedisAsyncCommands<byte[], byte[]> commands = connection().async();
        var unusedMulti = commands.multi();
        var unusedReplicaof = commands.replicaofNoOne();
        CompletionStage<byte[]> written =
                commands.eval(WRITE, ScriptOutputType.VALUE, new byte[][] {KEY}, record.toBytes());
        TransactionResult result = Waiting.read(commands.exec());
        Waiting.read(written);
        if (result.wasDiscarded()) {
            throw new IllegalStateException("the server did not begin to lead");
        }
    }

    /** Writes the record of a leadership under way once more. */
    void write(LeadershipRecord record) {
        commands().set(KEY, record.toBytes());
    }

    /**
     * Holds writes back for some time. Expiry and eviction stand still as well; the pings to replicas, which would move
     * the position, do not by themselves.
     */
    void pause(Duration limit) {
        if (pingPeriod == null) {
            pingPeriod = commands().configGet("repl-ping-replica-period").get("repl-ping-replica-period");
        }
        commands().configSet("repl-ping-replica-period", NO_PINGS);
        commands()
                .dispatch(
                        CommandType.CLIENT,
                        new StatusOutput<>(ByteArrayCodec.INSTANCE),
                        new CommandArgs<>(ByteArrayCodec.INSTANCE)
                                .add(CommandKeyword.PAUSE)
                                .add(Math.max(1, limit.toMillis()))
                                .add("WRITE"));
    }

    /** Ends a pause, if there is one. */
    void unpause() {
        String period = pingPeriod;
        commands()
                .dispatch(
                        CommandType.CLIENT,
                        new StatusOutput<>(ByteArrayCodec.INSTANCE),
                        new CommandArgs<>(ByteArrayCodec.INSTANCE).add("UNPAUSE"));
        if (period != null) {
            commands().configSet("repl-ping-replica-period", period);
            pingPeriod = null;
        }
    }

    @Override
    public void close() {
        client.shutdownAsync(0, 1, TimeUnit.SECONDS).join();
    }
}
