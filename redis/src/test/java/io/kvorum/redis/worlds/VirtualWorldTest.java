package io.kvorum.redis.worlds;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.kvorum.redis.worlds.Scenario.Place;
import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/** The scenarios on Kvorum in virtual time. */
@Tag("long")
final class VirtualWorldTest {
    @TestFactory
    Stream<DynamicTest> scenarios() throws IOException {
        return Scenario.chosen().stream()
                .map(scenario -> dynamicTest(
                        scenario.name(),
                        () -> assertEquals(
                                List.of(), Player.play(scenario, Place.VIRTUAL, new VirtualWorld(scenario.setup())))));
    }
}
