package io.kvorum.testkit.simulation;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.params.provider.EnumSource.Mode.EXCLUDE;

import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Whole clusters under faults, each drawn from a seed.
 *
 * <p>{@code -Dkvorum.sim.seeds=N} runs N seeds, {@code -Dkvorum.sim.first=S} the ones from S on, on
 * {@code -Dkvorum.sim.threads=T} threads; {@code -Dkvorum.sim.seed=S} replays one and prints its timeline.
 */
@ExtendWith(ProductLog.class)
final class SimulationTest {
    private static final long SEEDS_OF_THE_BUILD = 300;
    private static final long SEEDS_FOR_A_MUTANT = 300;
    private static final long FIRST = Long.getLong("kvorum.sim.first", 1);
    private static final long SEEDS = Long.getLong("kvorum.sim.seeds", SEEDS_OF_THE_BUILD);
    private static final @Nullable Long SEED = Long.getLong("kvorum.sim.seed");
    private static final Profile PROFILE = Profile.valueOf(System.getProperty("kvorum.sim.profile", "CLASSIC"));
    private static final int THREADS = Integer.getInteger("kvorum.sim.threads", 2);

    @Test
    void noSeedBreaksAnInvariant() throws InterruptedException {
        if (SEED != null) {
            replay(SEED);
            return;
        }
        Totals totals = Totals.run(PROFILE, FIRST, SEEDS, THREADS);
        System.out.println(totals);
        System.out.println(totals.coverage());
        if (!totals.failures().isEmpty()) {
            String all = totals.failures().stream()
                    .map(failed -> failed.plan().seed() + ": "
                            + requireNonNull(failed.violation()).getMessage())
                    .collect(Collectors.joining("\n"));
            fail(all + "\n" + Simulation.explain(totals.failures().get(0), Mutant.NONE));
        }
        for (Sometimes what : Sometimes.values()) {
            assertTrue(SEEDS < SEEDS_OF_THE_BUILD || totals.coverage().of(what) > 0, () -> what + " never happened");
        }
    }

    private static void replay(long seed) {
        Report report = Simulation.replay(Plan.draw(seed, PROFILE), Mutant.NONE);
        System.out.println(report.plan());
        report.timeline().forEach(System.out::println);
        System.out.printf(Locale.ROOT, "digest %016x%n", report.digest());
        if (report.violation() != null) {
            fail(Simulation.explain(report, Mutant.NONE));
        }
    }

    @Test
    void theSameSeedIsTheSameRun() {
        Report first = Simulation.run(FIRST, Mutant.NONE);
        Report second = Simulation.replay(Plan.draw(FIRST), Mutant.NONE);

        assertEquals(first.digest(), second.digest());
        assertEquals(first.events(), second.events());
    }

    @ParameterizedTest
    @EnumSource(mode = EXCLUDE, names = "NONE")
    void aGuardThatIsSwitchedOffIsNoticed(Mutant mutant) {
        for (long seed = 1; seed <= SEEDS_FOR_A_MUTANT; seed++) {
            Report report = new Cluster(Plan.draw(seed, mutant.faults()), mutant, false).run();
            if (report.violation() != null) {
                System.out.println(
                        mutant + ": seed " + seed + ", " + report.violation().getMessage());
                return;
            }
        }
        fail(mutant + " was not noticed in " + SEEDS_FOR_A_MUTANT + " seeds");
    }
}
