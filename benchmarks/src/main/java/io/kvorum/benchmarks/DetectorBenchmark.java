package io.kvorum.benchmarks;

import io.kvorum.failover.DeadlineDetector;
import io.kvorum.failover.FailureDetector;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The cost of one look at 1,000 watched nodes: which of them have been silent for too long?
 *
 * <p>Beside it the floor: the same comparison on a plain array of times, without the seam that lets a user bring
 * another detector.
 *
 * <p>Run: {@code java -jar benchmarks/target/benchmarks.jar DetectorBenchmark -prof gc}. A result worth quoting
 * allocates nothing ({@code gc.alloc.rate.norm} is 0).
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class DetectorBenchmark {
    private static final int NODES = 1_000;
    private static final Duration DOWN_AFTER = Duration.ofSeconds(1);

    private final FailureDetector[] detectors = new FailureDetector[NODES];
    private final long[] heardAt = new long[NODES];
    private long now;

    @Setup
    public void hear() {
        SplittableRandom random = new SplittableRandom(1);
        now = DOWN_AFTER.toNanos();
        for (int i = 0; i < NODES; i++) {
            heardAt[i] = random.nextLong(now);
            detectors[i] = new DeadlineDetector(DOWN_AFTER, 0);
            detectors[i].heard(heardAt[i]);
        }
    }

    @Benchmark
    public int check() {
        int down = 0;
        for (FailureDetector detector : detectors) {
            if (detector.isDown(now)) {
                down++;
            }
        }
        return down;
    }

    @Benchmark
    public int checkArray() {
        int down = 0;
        for (long heard : heardAt) {
            if (now - heard >= DOWN_AFTER.toNanos()) {
                down++;
            }
        }
        return down;
    }

    @Benchmark
    public void heartbeats() {
        for (FailureDetector detector : detectors) {
            detector.heard(now);
        }
    }
}
