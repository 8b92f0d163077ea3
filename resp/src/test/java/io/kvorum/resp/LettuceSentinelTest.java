package io.kvorum.resp;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kvorum.slots.topology.NodeId;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.ReadFrom;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.masterreplica.MasterReplica;
import io.lettuce.core.masterreplica.StatefulRedisMasterReplicaConnection;
import io.lettuce.core.protocol.ProtocolVersion;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Lettuce follows failovers of a group that sentinels watch, in both protocols. */
@Tag("long")
@Execution(ExecutionMode.CONCURRENT)
final class LettuceSentinelTest {
    @ParameterizedTest
    @EnumSource(names = {"RESP2", "RESP3"})
    void sentinelsAreAsked(ProtocolVersion protocol) throws Exception {
        try (Ports ports = Ports.ofSentinels(LettuceTest::keepingWhatItAcknowledges)) {
            RedisClient client = RedisClient.create();
            client.setOptions(ClientOptions.builder()
                    .protocolVersion(protocol)
                    .socketOptions(LettuceTest.SOCKETS)
                    .build());
            RedisURI uri = RedisURI.create(ports.resp.uri());
            uri.setTimeout(LettuceTest.TIMEOUT);
            try (StatefulRedisMasterReplicaConnection<String, String> connection =
                    MasterReplica.connect(client, StringCodec.UTF8, uri)) {
                connection.setTimeout(Ports.LIMIT); // nothing fails yet
                connection.setReadFrom(ReadFrom.UPSTREAM);
                assertEquals("OK", connection.sync().set("key", "value"));

                connection.setTimeout(LettuceTest.TIMEOUT);
                ports.cluster.primaryOf(Ports.FIRST).crash();
                LettuceTest.eventually(() -> connection.sync().set("key", "after a crash"));
                assertEquals(
                        "after a crash",
                        LettuceTest.eventually(() -> connection.sync().get("key")));

                ports.cluster.node(new NodeId("node-1.1")).restart();
                ports.cluster.awaitReady(Ports.LIMIT);
                ports.failOver();
                LettuceTest.eventually(() -> connection.sync().set("key", "after a switchover"));

                ports.cluster.isolate(ports.cluster.primaryOf(Ports.FIRST).id());
                LettuceTest.eventually(() -> connection.sync().set("key", "after a partition"));
                ports.cluster.heal();
                ports.cluster.awaitReady(Ports.LIMIT);
                assertEquals(
                        "after a partition",
                        LettuceTest.eventually(() -> connection.sync().get("key")));
            } finally {
                client.shutdown(Duration.ZERO, Duration.ofSeconds(2));
            }
        }
    }
}
