package io.kvorum.testkit.simulation;

import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.params.provider.EnumSource.Mode.EXCLUDE;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Each guard of the protocol is switched off in turn, and the first seeds of one profile notice.
 *
 * <p>{@code -Dkvorum.sim.mutant.seeds=N} tries N seeds.
 */
@ExtendWith(ProductLog.class)
@Tag("long")
final class MutantTest {
    private static final long SEEDS = Long.getLong("kvorum.sim.mutant.seeds", 12);

    @ParameterizedTest
    @EnumSource(mode = EXCLUDE, names = "NONE")
    void aGuardThatIsSwitchedOffIsNoticed(Mutant mutant) {
        for (long seed = mutant.firstSeed(); seed < mutant.firstSeed() + SEEDS; seed++) {
            Violation violation = Simulation.run(seed, mutant.profile(), mutant).violation();
            if (violation != null) {
                System.out.println(mutant + ": " + mutant.profile() + " " + seed + ", " + violation.getMessage());
                return;
            }
        }
        fail(mutant + " was not noticed in " + SEEDS + " seeds of " + mutant.profile());
    }
}
