package io.kvorum.testkit.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whole clusters under faults, each drawn from a seed of a profile. The build runs the seeds from 1 on of all profiles,
 * and some that are others in each commit: see {@link DrawnSeeds}.
 *
 * <p>{@code -Dkvorum.sim.profile=P} runs one profile only, {@code -Dkvorum.sim.seeds=N} N seeds of each,
 * {@code -Dkvorum.sim.first=S} the ones from S on, {@code -Dkvorum.sim.threads=T} on T threads; with a profile,
 * {@code -Dkvorum.sim.seed=S} replays one seed, prints its timeline and writes a page in {@code target/simulation}.
 */
@ExtendWith(ProductLog.class)
@Tag("long")
final class SimulationTest {
    /** The seeds from 1 on that the build runs of each profile. */
    static final long SEEDS_OF_THE_BUILD = 10;

    private static final long DRAWN_SEEDS_OF_THE_BUILD = 2;
    private static final long FIRST = Long.getLong("kvorum.sim.first", 1);
    private static final long SEEDS = Long.getLong("kvorum.sim.seeds", SEEDS_OF_THE_BUILD);
    private static final @Nullable Long SEED = Long.getLong("kvorum.sim.seed");
    private static final @Nullable String PROFILE = System.getProperty("kvorum.sim.profile");
    private static final int THREADS = Integer.getInteger("kvorum.sim.threads", 1);

    @Test
    void noSeedBreaksAnInvariantAndAllHappensThatMust() throws InterruptedException, IOException {
        List<Profile> profiles = PROFILE == null ? List.of(Profile.values()) : List.of(Profile.valueOf(PROFILE));
        if (SEED != null) {
            replay(profiles.get(0), SEED);
            return;
        }
        Totals totals = new Totals();
        totals.run(profiles, FIRST, SEEDS, THREADS);
        System.out.println(totals);
        failIfAnyFailed(totals);
        if (PROFILE == null && SEEDS >= SEEDS_OF_THE_BUILD) {
            assertEquals(List.of(), totals.missing(), "what never happened");
        }
    }

    @Test
    void noSeedDrawnForThisCommitBreaksAnInvariant() throws Exception {
        assumeTrue(PROFILE == null && SEED == null, "a profile or a seed was asked for");
        long first = DrawnSeeds.first();
        Totals totals = new Totals();
        totals.run(List.of(Profile.values()), first, DRAWN_SEEDS_OF_THE_BUILD, THREADS);
        System.out.println("from seed " + first + " on: " + totals);
        failIfAnyFailed(totals);
    }

    private static void failIfAnyFailed(Totals totals) {
        if (!totals.failures().isEmpty()) {
            Totals.Failure first = totals.failures().get(0);
            Report report = Simulation.run(first.seed(), first.profile(), Mutant.NONE);
            fail(totals.failures().stream().map(Totals.Failure::toString).collect(Collectors.joining("\n"))
                    + "\n"
                    + Simulation.explain(report, Mutant.NONE));
        }
    }

    private static void replay(Profile profile, long seed) throws IOException {
        Report report = Simulation.replayPast(Plan.draw(seed, profile), Mutant.NONE);
        System.out.println(report.plan());
        report.timeline().forEach(System.out::println);
        String name = profile + "-" + seed;
        System.out.println(report.page(name).write(Path.of("target/simulation"), name));
        System.out.printf(Locale.ROOT, "digest %016x%n", report.digest());
        if (report.violation() != null) {
            fail(Simulation.explain(report, Mutant.NONE));
        }
    }

    @Test
    void whatNeverHappensIsNamed() throws InterruptedException {
        Totals totals = new Totals();
        assertEquals(List.of(Sometimes.values()), totals.missing());

        totals.run(List.of(Profile.SLOW_STEPS), 1, 1, 1);

        assertTrue(totals.missing().contains(Sometimes.ALL_LOST), totals::toString);
        assertTrue(!totals.missing().contains(Sometimes.SLOW_STEPS), totals::toString);
    }

    @Test
    void totalsGoOnFromAFile(@TempDir Path directory) throws InterruptedException, IOException {
        Path file = directory.resolve("totals");
        Totals whole = new Totals();
        whole.run(List.of(Profile.SLOW_STEPS), 1, 2, 1);
        Totals half = new Totals();
        half.run(List.of(Profile.SLOW_STEPS), 1, 1, 1);
        half.save(file, List.of("caller"));

        Totals continued = new Totals();
        assertEquals(List.of("caller"), continued.load(file));
        continued.run(List.of(Profile.SLOW_STEPS), 2, 1, 1);

        assertEquals(whole.toMarkdown(), continued.toMarkdown());
    }

    @Test
    void theSameSeedIsTheSameRun() {
        Report first = Simulation.run(FIRST, Profile.SWARM, Mutant.NONE);
        Report second = Simulation.replay(Plan.draw(FIRST, Profile.SWARM), Mutant.NONE);

        assertEquals(first.digest(), second.digest());
        assertEquals(first.events(), second.events());
    }
}
