package io.kvorum.resp;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.LocalNode;
import io.kvorum.testkit.junit.KvorumCluster;
import io.kvorum.testkit.junit.KvorumCluster.Resp;
import io.kvorum.testkit.junit.KvorumCluster.Scope;
import io.lettuce.core.ReadFrom;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.cluster.ClusterClientOptions;
import io.lettuce.core.cluster.ClusterTopologyRefreshOptions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;
import org.springframework.dao.DataAccessException;
import org.springframework.data.redis.connection.RedisClusterConfiguration;
import org.springframework.data.redis.connection.RedisConfiguration;
import org.springframework.data.redis.connection.RedisConnectionFactory;
import org.springframework.data.redis.connection.RedisSentinelConfiguration;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceClientConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;
import org.springframework.data.redis.core.StringRedisTemplate;
import org.springframework.test.annotation.DirtiesContext;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.test.context.junit.jupiter.SpringJUnitConfig;

/**
 * A Spring application finds a cluster of its test by properties, and goes with it through a crash, a return, a
 * switchover and a partition.
 *
 * <p>A node that is cut off answers nothing, and as its connections stay open nothing tells Lettuce to look elsewhere.
 * In a cluster the periodic refresh of the topology does, once the new connections that it tries have timed out: which
 * by default takes 10 s for each refresh, so that the application sets the time-out of connecting too. With sentinels
 * only a connection with a {@link ReadFrom} listens to them, and Lettuce looks anew 5 s after the first event that it
 * hears of; without one Lettuce asks the sentinels when its connection is lost, and therefore waits until the end of
 * the partition.
 */
@Tag("long")
final class SpringDataTest {
    /** What Spring Boot makes of these properties, and what an application adds that is to survive partitions. */
    @Configuration
    static class Application {
        private static final Duration TIMEOUT = Duration.ofSeconds(1);

        @Bean
        RedisConnectionFactory connections(Environment properties) {
            return new LettuceConnectionFactory(
                    server(properties),
                    LettuceClientConfiguration.builder()
                            .commandTimeout(TIMEOUT)
                            .readFrom(ReadFrom.UPSTREAM)
                            .clientOptions(ClusterClientOptions.builder()
                                    .socketOptions(SocketOptions.builder()
                                            .connectTimeout(TIMEOUT)
                                            .build())
                                    .topologyRefreshOptions(ClusterTopologyRefreshOptions.builder()
                                            .enablePeriodicRefresh(Duration.ofMillis(200))
                                            .build())
                                    .build())
                            .build());
        }

        private static RedisConfiguration server(Environment properties) {
            String cluster = properties.getProperty("spring.data.redis.cluster.nodes");
            String sentinels = properties.getProperty("spring.data.redis.sentinel.nodes");
            if (cluster != null) {
                return new RedisClusterConfiguration(List.of(cluster.split(",", -1)));
            } else if (sentinels != null) {
                RedisSentinelConfiguration configuration =
                        new RedisSentinelConfiguration().master(property(properties, "sentinel.master"));
                for (String sentinel : sentinels.split(",", -1)) {
                    String[] address = sentinel.split(":", -1);
                    configuration.sentinel(address[0], Integer.parseInt(address[1]));
                }
                return configuration;
            }
            return new RedisStandaloneConfiguration(
                    property(properties, "host"), Integer.parseInt(property(properties, "port")));
        }

        private static String property(Environment properties, String name) {
            return properties.getRequiredProperty("spring.data.redis." + name);
        }

        @Bean
        StringRedisTemplate redis(RedisConnectionFactory connections) {
            return new StringRedisTemplate(connections);
        }
    }

    /** Tries again until it is answered, as an application does that meets failovers. */
    private static <T> T eventually(Callable<T> action) throws Exception {
        return Ports.eventually(DataAccessException.class, action);
    }

    /** Counts by a key. */
    private static final class Counter {
        private final StringRedisTemplate redis;
        private final String key;
        private long acknowledged;
        private long failed;

        Counter(StringRedisTemplate redis, String key) {
            this.redis = redis;
            this.key = key;
        }

        /** Counts again until it is answered, once or more: what has failed may have been done. */
        void count() throws Exception {
            eventually(() -> {
                try {
                    return redis.opsForValue().increment(key);
                } catch (DataAccessException e) {
                    failed++;
                    throw e;
                }
            });
            acknowledged++;
        }

        /** Nothing that was acknowledged is lost, and nothing was done that was not asked for. */
        void check() throws Exception {
            long value = Long.parseLong(Ports.eventually(
                    DataAccessException.class, () -> redis.opsForValue().get(key)));
            assertTrue(
                    value >= acknowledged && value <= acknowledged + failed,
                    () -> value + " of " + acknowledged + " acknowledged and " + failed + " failed");
        }
    }

    private static void goThroughFaults(LocalCluster cluster, StringRedisTemplate redis) throws Exception {
        String key = "{cart}:count";
        byte[] bytes = key.getBytes(US_ASCII);
        Counter counter = new Counter(redis, key);
        eventually(() -> redis.opsForValue().setIfAbsent("{cart}:1", "three apples", Duration.ofMinutes(5)));
        counter.count();

        LocalNode crashed = cluster.primaryFor(bytes);
        crashed.crash();
        counter.count();
        counter.check();
        crashed.restart();
        cluster.awaitReady(Ports.LIMIT);
        counter.count();

        new Orders(cluster).failOver(crashed.shard());
        counter.count();

        cluster.isolate(cluster.primaryFor(bytes).id());
        counter.count();
        counter.check();
        cluster.heal();
        cluster.awaitReady(Ports.LIMIT);
        counter.count();
        counter.check();
        assertEquals("three apples", eventually(() -> redis.opsForValue().get("{cart}:1")));
    }

    @Nested
    @KvorumCluster(resp = Resp.CLUSTER, scope = Scope.PER_CLASS, detection = "250ms")
    @SpringJUnitConfig(Application.class)
    @DirtiesContext // which must not outlive the ports
    @Execution(ExecutionMode.CONCURRENT)
    final class OnACluster {
        @DynamicPropertySource
        static void redis(DynamicPropertyRegistry registry) {
            RespOfTest.get().springProperties().forEach((name, value) -> registry.add(name, () -> value));
        }

        @Test
        @Execution(ExecutionMode.SAME_THREAD) // which has the ports
        void faultsAreSurvived(LocalCluster cluster, @Autowired StringRedisTemplate redis) throws Exception {
            goThroughFaults(cluster, redis);
        }
    }

    @Nested
    @KvorumCluster(shards = 1, resp = Resp.SENTINEL, scope = Scope.PER_CLASS, detection = "250ms")
    @SpringJUnitConfig(Application.class)
    @DirtiesContext // which must not outlive the ports
    @Execution(ExecutionMode.CONCURRENT)
    final class OnAGroupWithSentinels {
        @DynamicPropertySource
        static void redis(DynamicPropertyRegistry registry) {
            RespOfTest.get().springProperties().forEach((name, value) -> registry.add(name, () -> value));
        }

        @Test
        @Execution(ExecutionMode.SAME_THREAD) // which has the ports
        void faultsAreSurvived(LocalCluster cluster, @Autowired StringRedisTemplate redis) throws Exception {
            goThroughFaults(cluster, redis);
        }
    }

    @Nested
    @KvorumCluster(shards = 1, replicas = 0, sentinels = 1, resp = Resp.SINGLE, scope = Scope.PER_CLASS)
    @SpringJUnitConfig(Application.class)
    @DirtiesContext // which must not outlive the ports
    final class OnASingleServer {
        @DynamicPropertySource
        static void redis(DynamicPropertyRegistry registry) {
            RespOfTest.get().springProperties().forEach((name, value) -> registry.add(name, () -> value));
        }

        @Autowired
        private StringRedisTemplate redis;

        @Test
        void keysAreSetAndRead() throws Exception {
            eventually(() -> redis.opsForValue().setIfAbsent("key", "value"));

            assertEquals("value", eventually(() -> redis.opsForValue().get("key")));
        }
    }

    @Test
    void whatNoTestHasOpenedIsMissed() {
        assertThrows(IllegalStateException.class, RespOfTest::get);
    }
}
