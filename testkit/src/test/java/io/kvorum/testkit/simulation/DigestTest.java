package io.kvorum.testkit.simulation;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A seed is the same run to the last event in each JVM and on each JDK: the digests of some runs, kept in a file. */
@ExtendWith(ProductLog.class)
final class DigestTest {
    private static final String DIGESTS = "digests.txt";
    private static final long SEED = 1;
    private static final List<Profile> PROFILES = List.of(
            Profile.CLASSIC,
            Profile.LOAD,
            Profile.SHARDS_REMOVED,
            Profile.OLD_LIVES,
            Profile.OPERATIONS,
            Profile.SWARM);

    @Test
    void theSameSeedIsTheSameRunOnEachPlatform() throws IOException {
        String digests = PROFILES.stream()
                .map(profile -> String.format(
                        Locale.ROOT,
                        "%s %016x%n",
                        profile,
                        Simulation.run(SEED, profile, Mutant.NONE).digest()))
                .collect(Collectors.joining());
        if (Boolean.getBoolean("traces.rewrite")) {
            Path target = Path.of("src/test/resources/io/kvorum/testkit/simulation", DIGESTS);
            Files.createDirectories(requireNonNull(target.getParent()));
            Files.writeString(target, digests);
            return;
        }
        try (InputStream golden = SimulationTest.class.getResourceAsStream(DIGESTS)) {
            String expected = new String(requireNonNull(golden, DIGESTS).readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(
                    expected, digests, "if the protocol was changed on purpose, rewrite with -Dtraces.rewrite=true");
        }
    }
}
