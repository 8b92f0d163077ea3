package io.kvorum.resp;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kvorum.replication.Acknowledgement;
import io.kvorum.slots.topology.NodeId;
import io.lettuce.core.KeyValue;
import io.lettuce.core.ReadFrom;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SetArgs;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.cluster.ClusterClientOptions;
import io.lettuce.core.cluster.ClusterTopologyRefreshOptions;
import io.lettuce.core.cluster.RedisClusterClient;
import io.lettuce.core.cluster.api.StatefulRedisClusterConnection;
import io.lettuce.core.cluster.api.sync.RedisAdvancedClusterCommands;
import io.lettuce.core.protocol.ProtocolVersion;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Lettuce follows failovers of a cluster, in both protocols. */
@Tag("long")
@Execution(ExecutionMode.CONCURRENT)
final class LettuceTest {
    static final Duration TIMEOUT = Duration.ofSeconds(1);
    static final SocketOptions SOCKETS =
            SocketOptions.builder().connectTimeout(TIMEOUT).build();

    /** At level LOCAL a failover may lose the write that a test reads next. */
    static RespCluster.Builder keepingWhatItAcknowledges(RespCluster.Builder builder) {
        return builder.password("secret").acknowledgement(Acknowledgement.MAJORITY);
    }

    /** A command that waits while the client changes its connections is cancelled, which is no RedisException. */
    static <T> T eventually(Callable<T> action) throws Exception {
        return Ports.eventually(RuntimeException.class, action);
    }

    @ParameterizedTest
    @EnumSource(names = {"RESP2", "RESP3"})
    void aClusterIsFollowed(ProtocolVersion protocol) throws Exception {
        try (Ports ports = Ports.ofCluster(LettuceTest::keepingWhatItAcknowledges)) {
            RedisURI uri = RedisURI.create(ports.resp.uri());
            uri.setTimeout(TIMEOUT);
            RedisClusterClient client = RedisClusterClient.create(uri);
            client.setOptions(ClusterClientOptions.builder()
                    .protocolVersion(protocol)
                    .socketOptions(SOCKETS)
                    .topologyRefreshOptions(ClusterTopologyRefreshOptions.builder()
                            .enablePeriodicRefresh(Duration.ofMillis(200))
                            .adaptiveRefreshTriggersTimeout(Duration.ofMillis(100))
                            .build())
                    .build());
            try (StatefulRedisClusterConnection<String, String> connection = client.connect()) {
                connection.setTimeout(Ports.LIMIT); // nothing fails yet
                RedisAdvancedClusterCommands<String, String> commands = connection.sync();
                for (int i = 0; i < 50; i++) {
                    assertEquals("OK", commands.set("key-" + i, "value-" + i, SetArgs.Builder.ex(100)));
                }
                assertEquals("value-7", commands.get("key-7"));
                assertEquals(3, commands.del("key-1", "key-2", "key-3"));
                assertEquals(
                        List.of(KeyValue.just("key-4", "value-4"), KeyValue.just("key-5", "value-5")),
                        commands.mget("key-4", "key-5"));
                assertEquals(47, commands.dbsize());
                assertEquals(9, client.getPartitions().size());
                commands.set("{06S}", "before");
                ports.await(() -> ports.cluster.nodes(Ports.FIRST).stream()
                        .allMatch(node -> node.digest()
                                == ports.cluster.primaryOf(Ports.FIRST).digest()));
                assertEquals("before", read(connection, "{06S}"));

                NodeId crashed = ports.cluster.primaryOf(Ports.FIRST).id();
                connection.setTimeout(TIMEOUT);
                ports.cluster.node(crashed).crash();
                eventually(() -> commands.set("{06S}", "after a crash"));
                assertEquals("after a crash", eventually(() -> commands.get("{06S}")));

                ports.cluster.node(crashed).restart();
                ports.cluster.awaitReady(Ports.LIMIT);
                ports.failOver();
                eventually(() -> commands.set("{06S}", "after a switchover"));

                ports.cluster.isolate(ports.cluster.primaryOf(Ports.FIRST).id());
                eventually(() -> commands.set("{06S}", "after a partition"));
                ports.cluster.heal();
                ports.cluster.awaitReady(Ports.LIMIT);
                assertEquals("after a partition", eventually(() -> commands.get("{06S}")));
            } finally {
                client.shutdown(Duration.ZERO, Duration.ofSeconds(2));
            }
        }
    }

    /** Reads at a replica. */
    private static String read(StatefulRedisClusterConnection<String, String> connection, String key) {
        connection.setReadFrom(ReadFrom.ANY_REPLICA);
        Function<String, String> get = connection.sync()::get;
        String value = get.apply(key);
        connection.setReadFrom(ReadFrom.UPSTREAM);
        return String.valueOf(value);
    }
}
