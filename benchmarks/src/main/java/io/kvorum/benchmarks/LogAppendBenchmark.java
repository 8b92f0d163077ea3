package io.kvorum.benchmarks;

import io.kvorum.benchmarks.LogPeers.Peer;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The cost of a record of 116 bytes in the replication log: appended by a writer, and copied out in a batch for a
 * replica, beside queues that other programs use for that. One thread; {@link LogComparisons} has those with more.
 *
 * <p>Run: {@code java -jar benchmarks/target/benchmarks.jar LogAppendBenchmark -prof gc}. A result worth quoting
 * allocates nothing ({@code gc.alloc.rate.norm} is 0).
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 2, jvmArgsAppend = "--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED") // for Agrona
public class LogAppendBenchmark {
    private static final int RECORDS = 256;

    private final Peer kvorum = LogPeers.kvorum();
    private final Peer agrona = LogPeers.agrona();
    private final Peer jctools = LogPeers.jctools();
    private final Peer lockedQueue = LogPeers.lockedQueue();

    @Benchmark
    @OperationsPerInvocation(RECORDS)
    public int kvorum() {
        return appendAndDrain(kvorum);
    }

    @Benchmark
    @OperationsPerInvocation(RECORDS)
    public int agrona() {
        return appendAndDrain(agrona);
    }

    @Benchmark
    @OperationsPerInvocation(RECORDS)
    public int jctools() {
        return appendAndDrain(jctools);
    }

    @Benchmark
    @OperationsPerInvocation(RECORDS)
    public int lockedQueue() {
        return appendAndDrain(lockedQueue);
    }

    private static int appendAndDrain(Peer log) {
        for (int i = 0; i < RECORDS; i++) {
            log.append();
        }
        return log.drain();
    }
}
