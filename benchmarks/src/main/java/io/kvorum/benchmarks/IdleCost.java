package io.kvorum.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import com.sun.management.ThreadMXBean;
import io.kvorum.testkit.LocalCluster;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;

/**
 * What a cluster costs that nobody uses: the CPU time and the garbage of shards of three nodes with three sentinels.
 */
final class IdleCost {
    private static final int MANY = Integer.getInteger("shards", 1_000);
    private static final Duration READY = Duration.ofMinutes(2);
    private static final Duration WARM_UP = Duration.ofSeconds(Integer.getInteger("warm.up", 15));
    private static final Duration ROUND = Duration.ofSeconds(5);
    private static final int ROUNDS = 3;

    private static final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final OperatingSystemMXBean process =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private IdleCost() {}

    static String table() {
        return """
                | shards of 3, 3 sentinels | process CPU, % of a core | all threads of Java, % of a core | MB/s |
                |---|---|---|---|
                """ + row(3) + row(MANY);
    }

    private static String row(int shards) {
        try (LocalCluster cluster = LocalCluster.builder().shards(shards).start()) {
            cluster.awaitReady(READY);
            cluster.advance(WARM_UP);
            Samples ofProcess = new Samples();
            Samples ofThreads = new Samples();
            Samples bytes = new Samples();
            for (int i = 0; i < ROUNDS; i++) {
                long start = System.nanoTime();
                long processBefore = process.getProcessCpuTime();
                long[] before = ofThreads();
                cluster.advance(ROUND);
                long[] after = ofThreads();
                double nanos = System.nanoTime() - start;
                ofProcess.add(Math.round(1e6 * (process.getProcessCpuTime() - processBefore) / nanos));
                ofThreads.add(Math.round(1e6 * (after[0] - before[0]) / nanos));
                bytes.add(Math.round(1e9 * (after[1] - before[1]) / nanos));
            }
            return String.format(
                    Locale.ROOT,
                    "| %d | %.2f | %.2f | %.2f |%n",
                    shards,
                    ofProcess.median() / 1e4,
                    ofThreads.median() / 1e4,
                    bytes.median() / 1e6);
        }
    }

    /** Returns the CPU time and the bytes allocated of all threads that run Java, the compiler's not among them. */
    private static long[] ofThreads() {
        long[] ids = threads.getAllThreadIds();
        return new long[] {
            Arrays.stream(threads.getThreadCpuTime(ids)).sum(),
            Arrays.stream(threads.getThreadAllocatedBytes(ids)).sum()
        };
    }
}
