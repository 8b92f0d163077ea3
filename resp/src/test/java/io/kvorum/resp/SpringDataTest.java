package io.kvorum.resp;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.kvorum.slots.topology.NodeId;
import io.kvorum.testkit.LocalCluster;
import io.kvorum.testkit.LocalNode;
import io.kvorum.testkit.junit.KvorumCluster;
import io.kvorum.testkit.junit.KvorumCluster.Resp;
import io.kvorum.testkit.junit.KvorumCluster.Scope;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
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

/** A Spring application finds a cluster of its test by properties, and goes through failovers with it. */
@Tag("long")
final class SpringDataTest {
    /** What Spring Boot makes of these properties. */
    @Configuration
    static class Application {
        @Bean
        RedisConnectionFactory connections(Environment properties) {
            return new LettuceConnectionFactory(
                    server(properties),
                    LettuceClientConfiguration.builder()
                            .commandTimeout(Duration.ofMillis(500))
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

    @Nested
    @KvorumCluster(resp = Resp.CLUSTER, scope = Scope.PER_CLASS)
    @SpringJUnitConfig(Application.class)
    @DirtiesContext // which must not outlive the ports
    final class OnACluster {
        @DynamicPropertySource
        static void redis(DynamicPropertyRegistry registry) {
            RespOfTest.get().springProperties().forEach((name, value) -> registry.add(name, () -> value));
        }

        @Autowired
        private StringRedisTemplate redis;

        @Test
        void aCrashIsSurvived(LocalCluster cluster, RespCluster ports) throws Exception {
            redis.opsForValue().set("{cart}:1", "three apples", Duration.ofMinutes(5));
            redis.opsForValue().increment("{cart}:count");
            LocalNode primary = cluster.primaryFor("{cart}:1".getBytes(US_ASCII));

            primary.crash();

            assertEquals(
                    2L,
                    Ports.<Long>eventually(
                            DataAccessException.class, () -> redis.opsForValue().increment("{cart}:count")));
            assertEquals(
                    List.of("three apples", "2"), redis.opsForValue().multiGet(List.of("{cart}:1", "{cart}:count")));
            primary.restart();
            assertEquals(ports.nodes().size(), cluster.nodes().size());
        }
    }

    @Nested
    @KvorumCluster(shards = 1, resp = Resp.SENTINEL, scope = Scope.PER_CLASS)
    @SpringJUnitConfig(Application.class)
    @DirtiesContext // which must not outlive the ports
    final class OnAGroupWithSentinels {
        @DynamicPropertySource
        static void redis(DynamicPropertyRegistry registry) {
            RespOfTest.get().springProperties().forEach((name, value) -> registry.add(name, () -> value));
        }

        @Autowired
        private StringRedisTemplate redis;

        @Test
        void aSwitchoverIsFollowed(LocalCluster cluster) throws Exception {
            redis.opsForValue().set("key", "before");
            NodeId before = cluster.topology().shards().get(0).primary();

            cluster.failOver(cluster.topology().shards().get(0).id());

            Ports.eventually(DataAccessException.class, () -> {
                redis.opsForValue().set("key", "after");
                return "written";
            });
            assertEquals("after", redis.opsForValue().get("key"));
            assertNotEquals(before, cluster.topology().shards().get(0).primary());
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
        void keysAreSetAndRead() {
            redis.opsForValue().set("key", "value");

            assertEquals("value", redis.opsForValue().get("key"));
        }
    }

    @Test
    void whatNoTestHasOpenedIsMissed() {
        assertThrows(IllegalStateException.class, RespOfTest::get);
    }
}
