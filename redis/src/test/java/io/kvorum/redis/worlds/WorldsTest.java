package io.kvorum.redis.worlds;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.kvorum.redis.RealServer;
import io.kvorum.redis.worlds.Scenario.Place;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/** The same scenarios on Kvorum in virtual time, on Kvorum behind ports, and on Redis. */
final class WorldsTest {
    /** So many scenarios are played at once on servers; they wait most of the time. */
    private static final int AT_ONCE = 8;

    private static final ExecutorService POOL = Executors.newFixedThreadPool(AT_ONCE, task -> {
        Thread thread = new Thread(task, "scenario");
        thread.setDaemon(true);
        return thread;
    });

    @AfterAll
    static void end() {
        POOL.shutdownNow();
    }

    @TestFactory
    Stream<DynamicTest> inVirtualTime() throws IOException {
        return scenarios().stream()
                .map(scenario -> dynamicTest(
                        scenario.name(), () -> check(play(scenario, Place.VIRTUAL, new VirtualWorld(scenario.setup())))));
    }

    @TestFactory
    @Tag("long")
    Stream<DynamicTest> overPorts() throws IOException {
        return atOnce(scenarios(), scenario -> play(scenario, Place.RESP, new RespWorld(scenario.setup())));
    }

    @TestFactory
    @Tag("long")
    Stream<DynamicTest> onRedis() throws IOException {
        List<Path> servers = RealServer.executables();
        assumeTrue(!servers.isEmpty(), "a redis-server must be on the PATH, or the bundled one must run here");
        Path server = servers.get(servers.size() - 1);
        return atOnce(scenarios(), scenario -> play(scenario, Place.REDIS, new RedisWorld(scenario.setup(), server)));
    }

    private static List<Scenario> scenarios() throws IOException {
        String only = System.getProperty("worlds.only", "");
        return Scenario.all().stream()
                .filter(scenario -> scenario.name().contains(only))
                .toList();
    }

    /** Plays a scenario somewhere. */
    @FunctionalInterface
    private interface Play {
        List<String> of(Scenario scenario);
    }

    private static Stream<DynamicTest> atOnce(List<Scenario> scenarios, Play play) {
        List<DynamicTest> tests = new ArrayList<>();
        for (Scenario scenario : scenarios) {
            Future<List<String>> outcome = POOL.submit(() -> play.of(scenario));
            tests.add(dynamicTest(scenario.name(), () -> check(outcome.get())));
        }
        return tests.stream();
    }

    private static List<String> play(Scenario scenario, Place place, World world) {
        try (world) {
            return new Player(scenario, place, world).play();
        }
    }

    private static void check(List<String> wrong) {
        assertEquals("", String.join("\n", wrong), "outcomes that differ from the expected ones");
    }
}
