package io.kvorum.replication;

import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Safety under random schedules, and equality once all is well again; see {@link RandomSchedule}. */
final class RandomScheduleTest {
    private static final int SEEDS = Integer.getInteger("schedules.seeds", 200);
    private static final int SEEDS_PER_TEST = 25;

    static LongStream firstSeeds() {
        return LongStream.range(0, SEEDS / SEEDS_PER_TEST).map(i -> 1 + i * SEEDS_PER_TEST);
    }

    @ParameterizedTest
    @MethodSource("firstSeeds")
    void nothingThatAMajorityHasIsLost(long first) {
        for (long seed = first; seed < first + SEEDS_PER_TEST; seed++) {
            try {
                new RandomSchedule(seed).play();
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError("seed=" + seed + ": " + e.getMessage(), e);
            }
        }
    }
}
