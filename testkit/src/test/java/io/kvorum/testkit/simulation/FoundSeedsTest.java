package io.kvorum.testkit.simulation;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The seeds that found a fault once, one for each row of {@code simulation/seeds-found.md}: none finds one now. Those
 * that {@link SimulationTest} runs among the seeds of the build are left to it.
 */
@ExtendWith(ProductLog.class)
@Tag("long")
final class FoundSeedsTest {
    private static final String FOUND = "/simulation/seeds-found.md";
    private static final int COLUMNS = 4;

    /**
     * A row of the table.
     *
     * @param profile the profile of the run
     * @param seed its seed
     * @param invariant what it broke
     */
    record Found(Profile profile, long seed, String invariant) {
        static Found parse(List<String> cells) {
            return new Found(Profile.valueOf(cells.get(1)), Long.parseLong(cells.get(2)), cells.get(3));
        }
    }

    static Stream<Found> rows() {
        try (InputStream file = FoundSeedsTest.class.getResourceAsStream(FOUND);
                BufferedReader lines = new BufferedReader(
                        new InputStreamReader(requireNonNull(file, FOUND), StandardCharsets.UTF_8))) {
            return lines
                    .lines()
                    .filter(line -> line.startsWith("| "))
                    .skip(1)
                    .map(line -> Stream.of(line.substring(1).split("\\|"))
                            .map(String::strip)
                            .limit(COLUMNS)
                            .toList())
                    .map(Found::parse)
                    .filter(found -> found.seed() > SimulationTest.SEEDS_OF_THE_BUILD)
                    .toList()
                    .stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @MethodSource("rows")
    void theSeedFindsNothingAnyMore(Found found) {
        Report report = Simulation.run(found.seed(), found.profile(), Mutant.NONE);

        assertNull(report.violation(), () -> Simulation.explain(report, Mutant.NONE));
    }
}
