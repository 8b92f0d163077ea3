package io.kvorum.redis.worlds;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.redis.worlds.Scenario.Place;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class ScenarioTest {
    private static Scenario parse(String... steps) {
        return Scenario.parse(
                "test",
                Stream.concat(Stream.of("# A test", "about: tests"), Stream.of(steps))
                        .toList());
    }

    @Test
    void anOutcomeBehindAnArrowIsThatOfAllWorlds() {
        Scenario.Step step = parse("at A: get key -> one or two").steps().get(0);

        for (Place place : Place.values()) {
            assertTrue(step.accepts(place, "one"));
            assertTrue(step.accepts(place, "two"));
            assertEquals(false, step.accepts(place, "three"));
        }
    }

    @Test
    void aDifferenceWithoutAReasonIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> parse("at A: get key", "  kvorum: one", "  redis: two"));
    }

    @Test
    void aReasonWithoutADifferenceIsRefused() {
        assertThrows(
                IllegalArgumentException.class,
                () -> parse("at A: get key", "  kvorum: one", "  redis: one", "  because: reasons."));
    }

    @Test
    void aWorldWithoutAnOutcomeIsRefused() {
        assertThrows(
                IllegalArgumentException.class, () -> parse("at A: get key", "  kvorum: one", "  because: reasons."));
    }

    @Test
    void anOutcomeThatIsNotListedIsReported() {
        Scenario scenario = parse("at A: role -> slave of nobody", "await all in sync");

        assertEquals(
                List.of("at A: role -> master, not slave of nobody"),
                Player.play(scenario, Place.VIRTUAL, new VirtualWorld(scenario.setup())));
    }

    @Test
    void aListedDifferenceThatDoesNotOccurIsReported() {
        Scenario scenario = parse("at A: role", "  kvorum: slave of B", "  redis: master", "  because: reasons.");

        assertEquals(
                List.of("at A: role -> master, not slave of B"),
                Player.play(scenario, Place.VIRTUAL, new VirtualWorld(scenario.setup())));
    }

    @Test
    void aStepThatThereIsNotIsRefused() {
        Scenario scenario = parse("dance");

        assertThrows(
                IllegalArgumentException.class,
                () -> Player.play(scenario, Place.VIRTUAL, new VirtualWorld(scenario.setup())));
    }
}
