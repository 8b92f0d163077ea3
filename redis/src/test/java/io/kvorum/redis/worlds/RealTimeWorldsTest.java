package io.kvorum.redis.worlds;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.kvorum.redis.RealServer;
import io.kvorum.redis.worlds.Scenario.Place;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/** The same scenarios on Kvorum behind ports, and on Redis. Several are played at once, as they mostly wait. */
@Tag("long")
final class RealTimeWorldsTest {
    private static final int AT_ONCE = 10;

    private static final List<Path> SERVERS = RealServer.executables();
    private static final boolean ADDRESSES = RedisWorld.hasAddresses();
    private static final Map<String, Future<List<String>>> ON_REDIS = new LinkedHashMap<>();
    private static final Map<String, Future<List<String>>> OVER_PORTS = new LinkedHashMap<>();
    private static final ExecutorService POOL = Executors.newFixedThreadPool(AT_ONCE, task -> {
        Thread thread = new Thread(task, "scenario");
        thread.setDaemon(true);
        return thread;
    });

    @BeforeAll
    static void begin() throws IOException {
        for (Scenario scenario : Scenario.chosen()) {
            if (ADDRESSES && !SERVERS.isEmpty()) {
                Path newest = SERVERS.get(SERVERS.size() - 1);
                begin(ON_REDIS, scenario, Place.REDIS, setup -> new RedisWorld(setup, newest));
            }
            begin(OVER_PORTS, scenario, Place.RESP, RespWorld::start);
        }
    }

    private static void begin(
            Map<String, Future<List<String>>> outcomes,
            Scenario scenario,
            Place place,
            Function<Setup, ? extends World> world) {
        outcomes.put(scenario.name(), POOL.submit(() -> Player.play(scenario, place, world.apply(scenario.setup()))));
    }

    @AfterAll
    static void end() throws InterruptedException {
        POOL.shutdownNow(); // ends what no test has asked for
        assertTrue(POOL.awaitTermination(1, TimeUnit.MINUTES), "each world must end, with its processes");
    }

    @TestFactory
    Stream<DynamicTest> overPorts() {
        return tests(OVER_PORTS);
    }

    @TestFactory
    Stream<DynamicTest> onRedis() {
        assumeTrue(!SERVERS.isEmpty(), "a redis-server must be on the PATH, or the bundled one must run here");
        assumeTrue(ADDRESSES, "loopback must have more addresses than 127.0.0.1");
        return tests(ON_REDIS);
    }

    private static Stream<DynamicTest> tests(Map<String, Future<List<String>>> outcomes) {
        List<DynamicTest> tests = new ArrayList<>();
        outcomes.forEach((name, outcome) -> tests.add(dynamicTest(name, () -> assertEquals(List.of(), outcome.get()))));
        return tests.stream();
    }
}
