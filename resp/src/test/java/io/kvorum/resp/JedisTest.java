package io.kvorum.resp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.topology.NodeId;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.RedisProtocol;
import redis.clients.jedis.RedisSentinelClient;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.args.ClusterFailoverOption;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.params.SetParams;

/** Jedis follows failovers of a cluster and of a group that sentinels watch, in both protocols. */
final class JedisTest {
    private static JedisClientConfig config(RedisProtocol protocol, String password) {
        DefaultJedisClientConfig.Builder builder =
                DefaultJedisClientConfig.builder().protocol(protocol).timeoutMillis(500);
        return (password.isEmpty() ? builder : builder.password(password)).build();
    }

    private static Set<HostAndPort> addresses(List<String> addresses) {
        return addresses.stream().map(HostAndPort::from).collect(Collectors.toSet());
    }

    /** Writes until it is done, as an application would. */
    private static void write(UnifiedJedis client, String key, String value) throws Exception {
        assertEquals("OK", Ports.eventually(JedisException.class, () -> client.set(key, value)));
    }

    private static String read(UnifiedJedis client, String key) throws Exception {
        return Ports.eventually(JedisException.class, () -> client.get(key));
    }

    @ParameterizedTest
    @EnumSource(names = {"RESP2", "RESP3"})
    void aClusterIsFollowed(RedisProtocol protocol) throws Exception {
        try (Ports ports = Ports.ofCluster(builder -> builder.password("secret"));
                RedisClusterClient client = RedisClusterClient.builder()
                        .nodes(addresses(ports.resp.nodes()))
                        .clientConfig(config(protocol, "secret"))
                        .build()) {
            for (int i = 0; i < 50; i++) {
                assertEquals(
                        "OK",
                        client.set(
                                "key-" + i, "value-" + i, SetParams.setParams().ex(100)));
            }
            assertEquals("value-7", client.get("key-7"));
            assertEquals(List.of("1", "2"), client.mget(set(client, "{a}1", "1"), set(client, "{a}2", "2")));
            assertEquals(3.5, client.incrByFloat("{a}f", 3.5));

            NodeId crashed = ports.cluster.primaryFor(Text.bytes("{06S}")).id();
            client.set("{06S}", "before");
            ports.await(() ->
                    ports.cluster.node(crashed).status().replicas().stream().allMatch(replica -> replica.lag() == 0));
            ports.cluster.node(crashed).crash();
            write(client, "{06S}", "after a crash");
            assertEquals("after a crash", read(client, "{06S}"));

            ports.cluster.node(crashed).restart();
            ports.cluster.awaitReady(Ports.LIMIT);
            ports.failOver();
            write(client, "{06S}", "after a switchover");

            NodeId cutOff = ports.cluster.primaryOf(Ports.FIRST).id();
            ports.cluster.isolate(cutOff);
            write(client, "{06S}", "after a partition");
            ports.cluster.heal();
            ports.cluster.awaitReady(Ports.LIMIT);
            assertEquals("after a partition", read(client, "{06S}"));
        }
    }

    /** As with a real cluster it is the node that is asked which leads in the end, and no other one. */
    @ParameterizedTest
    @EnumSource(names = {"RESP2", "RESP3"})
    void theReplicaThatIsAskedToTakesOver(RedisProtocol protocol) throws Exception {
        try (Ports ports = Ports.ofCluster();
                RedisClusterClient client = RedisClusterClient.builder()
                        .nodes(addresses(ports.resp.nodes()))
                        .clientConfig(config(protocol, ""))
                        .build()) {
            client.set("{06S}", "value");
            for (String options : List.of("", "FORCE", "TAKEOVER")) {
                NodeId replica = new NodeId(options.equals("FORCE") ? "node-1.2" : "node-1.3");
                try (Jedis asked = new Jedis("127.0.0.1", ports.resp.port(replica))) {
                    ports.orders.order(
                            () -> {
                                String answer = options.isEmpty()
                                        ? asked.clusterFailover()
                                        : asked.clusterFailover(ClusterFailoverOption.valueOf(options));
                                assertEquals("OK", answer);
                                return answer;
                            },
                            JedisTest::isPassing,
                            () -> ports.cluster.primaryOf(Ports.FIRST).id().equals(replica));
                }
                ports.cluster.awaitReady(Ports.LIMIT);
            }
            assertEquals("value", read(client, "{06S}"));
            write(client, "{06S}", "after the switchovers");

            ports.cluster.primaryOf(Ports.FIRST).crash();
            NodeId replica = new NodeId("node-1.2");
            try (Jedis asked = new Jedis("127.0.0.1", ports.resp.port(replica))) {
                ports.orders.order(
                        () -> {
                            String answer = asked.clusterFailover(ClusterFailoverOption.FORCE);
                            assertEquals("OK", answer);
                            return answer;
                        },
                        JedisTest::isPassing,
                        () -> ports.cluster.primaryOf(Ports.FIRST).id().equals(replica));
            }
            write(client, "{06S}", "after a crash");
        }
    }

    /** A node may lead already before all have heard so, or be taken for down on a busy machine. */
    private static boolean isPassing(Exception e) {
        return e instanceof JedisDataException
                && String.valueOf(e.getMessage())
                        .matches("ERR (You should send CLUSTER FAILOVER to a replica|Master is down or failed, .*)");
    }

    private static String set(UnifiedJedis client, String key, String value) {
        client.set(key, value);
        return key;
    }

    @ParameterizedTest
    @EnumSource(names = {"RESP2", "RESP3"})
    void sentinelsAreAsked(RedisProtocol protocol) throws Exception {
        try (Ports ports = Ports.ofSentinels(builder -> builder.password("secret"));
                RedisSentinelClient client = RedisSentinelClient.builder()
                        .masterName("shard-1")
                        .sentinels(addresses(ports.resp.sentinels()))
                        .clientConfig(config(protocol, "secret"))
                        .sentinelClientConfig(config(protocol, ""))
                        .build()) {
            assertEquals("OK", client.set("key", "value"));
            try (AbstractTransaction transaction = client.multi()) {
                transaction.incr("n");
                transaction.incr("n");
                assertEquals(List.of(1L, 2L), transaction.exec());
            }
            assertEquals(ports.primaryPort(), client.getCurrentMaster().getPort());

            ports.cluster.primaryOf(Ports.FIRST).crash();
            write(client, "key", "after a crash");
            ports.await(() -> client.getCurrentMaster().getPort() == ports.primaryPort());
            assertEquals("after a crash", read(client, "key"));

            ports.cluster.node(new NodeId("node-1.1")).restart();
            ports.cluster.awaitReady(Ports.LIMIT);
            int before = ports.primaryPort();
            ports.failOver();
            ports.await(() -> client.getCurrentMaster().getPort() == ports.primaryPort());
            write(client, "key", "after a switchover");
            assertTrue(client.getCurrentMaster().getPort() != before);

            ports.cluster.isolate(ports.cluster.primaryOf(Ports.FIRST).id());
            ports.await(() -> client.getCurrentMaster().getPort() == ports.primaryPort());
            write(client, "key", "after a partition");
            ports.cluster.heal();
            ports.cluster.awaitReady(Ports.LIMIT);
            assertEquals("after a partition", read(client, "key"));
        }
    }
}
