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

    private static final String PINGS = "repl-ping-replica-period";
    private static final String DEFAULT_PINGS = "10";
    private static final String MIN_REPLICAS = "min-replicas-to-write";
    private static final String MAX_LAG = "min-replicas-max-lag";

    /** In seconds. Replicas confirm each second what they have. */
    private static final String LAG = "3";

    private static final String MAX_MEMORY = "maxmemory";

    private static final byte[] KEY = LeadershipRecord.KEY.getBytes(US_ASCII);

    /** In one step with the promotion, which no command that writes can be: the server is a replica until then. */
    private static final String WRITE = "return redis.call('SET', KEYS[1], ARGV[1])";

    private final RedisClient client;
    private final RedisURI uri;
    private @Nullable StatefulRedisConnection<byte[], byte[]> connection;
    private String guarded = ""; // the run in which writes need replicas, if there is one
    private @Nullable String pingPeriod; // as it was before a pause
    private long pauseEnds; // by the clock of System.nanoTime, if there is a pause
    private boolean pingsChecked; // a node that ended in a pause has left the server without pings

    ManagedServer(RedisURI uri, Duration timeout) {
        this.uri = uri;
        client = RedisClient.create();
        client.setOptions(
                Connecting.options(ClientOptions.builder(), timeout, timeout).build());
    }

    private void connect() {
        StatefulRedisConnection<byte[], byte[]> known = connection;
        if (known == null || !known.isOpen()) {
            connection = Waiting.read(Connecting.open(client, uri));
        }
    }

    private StatefulRedisConnection<byte[], byte[]> connection() {
        StatefulRedisConnection<byte[], byte[]> known = connection;
        if (known == null) {
            throw new IllegalStateException("not connected");
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

    private String setting(String name) {
        return commands().configGet(name).getOrDefault(name, "");
    }

    /**
     * Asks for the state, at one moment. Connects if need be, which nothing else does: so whatever follows meets the
     * run of the server that the state is of.
     *
     * @throws io.lettuce.core.RedisLoadingException if the server is loading data
     */
    ServerState state() {
        connect();
        endPause();
        while (true) {
            RedisAsyncCommands<byte[], byte[]> commands = connection().async();
            var unusedWatch = commands.watch(KEY);
            CompletionStage<byte @Nullable []> record = commands.get(KEY);
            CompletionStage<String> info = commands.info();
            var unusedMulti = commands.multi(); // of nothing: with INFO in it, a server without memory would refuse it
            CompletionStage<TransactionResult> unchanged = commands.exec();
            ServerState state =
                    ServerState.of(ServerInfo.parse(Waiting.read(info)), Waiting.<byte @Nullable []>read(record));
            if (!Waiting.read(unchanged).wasDiscarded()) {
                return state;
            }
        }
    }

    /** Makes the server take neither writes nor records, and keep what it has. */
    void detach() {
        commands().replicaof(NOWHERE, NOWHERE_PORT);
        unguard();
        unpause();
    }

    static boolean isDetached(ServerState state) {
        return !state.primary() && state.masterHost().equals(NOWHERE) && state.masterPort() == NOWHERE_PORT;
    }

    void follow(String host, int port) {
        commands().replicaof(host, port);
        unguard();
        unpause();
    }

    /**
     * Has a primary refuse writes, by itself, once it has heard nothing of some replicas for some seconds: if it is cut
     * off together with its node, nobody else could.
     */
    void guard(ServerState state, int replicas) {
        if (!guarded.equals(state.runId())) {
            commands().configSet(MAX_LAG, LAG);
            commands().configSet(MIN_REPLICAS, String.valueOf(replicas));
            guarded = state.runId();
        }
    }

    private void unguard() {
        commands().configSet(MIN_REPLICAS, "0");
        guarded = "";
    }

    /**
     * Makes the server a primary whose first write is the record. The limit that would refuse the record, as memory is
     * full, is lifted for the moment; that of replicas, of which none is connected yet, until it is {@linkplain #guard
     * guarded} again.
     */
    void lead(LeadershipRecord record) {
        unpause(); // which would hold the record back
        unguard();
        String memory = setting(MAX_MEMORY);
        RedisAsyncCommands<byte[], byte[]> commands = connection().async();
        var unusedMulti = commands.multi();
        var unusedMemory = commands.configSet(MAX_MEMORY, "0");
        var unusedReplicaof = commands.replicaofNoOne();
        CompletionStage<byte[]> written =
                commands.eval(WRITE, ScriptOutputType.VALUE, new byte[][] {KEY}, record.toBytes());
        var unusedMemoryAgain = commands.configSet(MAX_MEMORY, memory);
        TransactionResult result = Waiting.read(commands.exec());
        Waiting.read(written);
        if (result.wasDiscarded()) {
            throw new IllegalStateException("the server did not begin to lead");
        }
    }

    /**
     * Holds writes back for some time. Expiry and eviction stand still as well; the pings to replicas, which would move
     * the position, do not by themselves.
     */
    void pause(Duration limit) {
        if (pingPeriod == null) {
            pingPeriod = setting(PINGS);
        }
        pauseEnds = System.nanoTime() + limit.toNanos(); // should the rest fail
        commands().configSet(PINGS, NO_PINGS);
        commands()
                .dispatch(
                        CommandType.CLIENT,
                        new StatusOutput<>(ByteArrayCodec.INSTANCE),
                        new CommandArgs<>(ByteArrayCodec.INSTANCE)
                                .add(CommandKeyword.PAUSE)
                                .add(Math.max(1, limit.toMillis()))
                                .add("WRITE"));
        pauseEnds = System.nanoTime() + limit.toNanos();
    }

    /** Ends a pause whose time is up, and one that this node knows nothing of, with which it would have no end. */
    private void endPause() {
        if (!pingsChecked) {
            if (setting(PINGS).equals(NO_PINGS)) {
                pingPeriod = DEFAULT_PINGS;
                unpause();
            }
            pingsChecked = true;
        } else if (pingPeriod != null && System.nanoTime() - pauseEnds >= 0) {
            unpause();
        }
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
            commands().configSet(PINGS, period);
            pingPeriod = null;
        }
    }

    @Override
    public void close() {
        client.shutdownAsync(0, 1, TimeUnit.SECONDS).join();
    }
}
