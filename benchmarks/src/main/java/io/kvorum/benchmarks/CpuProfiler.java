package io.kvorum.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.Collection;
import java.util.List;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.results.AggregationPolicy;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.ScalarResult;

/**
 * Reports what an operation costs in CPU time of the benchmark's own threads, so that a busy machine does not spoil the
 * figure: time in which a thread waits for a core is not counted. Whatever a neighbour does to the caches still is.
 *
 * <p>The results are {@value #TIME} (nanoseconds of CPU time per operation), {@value #ALLOCATION} (bytes allocated per
 * operation by the benchmark's threads) and {@value #PROCESS} (cores that the whole process kept busy: more than the
 * benchmark's threads where the collector or the compiler works beside them).
 */
public final class CpuProfiler implements InternalProfiler {
    static final String TIME = "cpu.time.norm";
    static final String ALLOCATION = "cpu.alloc.norm";
    static final String PROCESS = "cpu.process";

    private static final String WORKER = "-jmh-worker-";

    private final com.sun.management.ThreadMXBean threads =
            (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private Totals before = new Totals(0, 0, 0, 0);

    private record Totals(long workerNanos, long workerBytes, long processNanos, long wallNanos) {}

    @Override
    public String getDescription() {
        return "CPU time and allocation per operation, by the CPU clocks of the worker threads";
    }

    @Override
    public void beforeIteration(BenchmarkParams benchmark, IterationParams iteration) {
        before = totals();
    }

    @Override
    public Collection<? extends Result<?>> afterIteration(
            BenchmarkParams benchmark, IterationParams iteration, IterationResult result) {
        Totals after = totals();
        double operations = result.getMetadata().getAllOps();
        double wall = after.wallNanos - before.wallNanos;
        return List.of(
                average(TIME, (after.workerNanos - before.workerNanos) / operations, "ns/op"),
                average(ALLOCATION, (after.workerBytes - before.workerBytes) / operations, "B/op"),
                average(PROCESS, (after.processNanos - before.processNanos) / wall, "cores"));
    }

    private static ScalarResult average(String label, double value, String unit) {
        return new ScalarResult(label, value, unit, AggregationPolicy.AVG);
    }

    private Totals totals() {
        long nanos = 0;
        long bytes = 0;
        long[] ids = threads.getAllThreadIds();
        var infos = threads.getThreadInfo(ids);
        for (int i = 0; i < ids.length; i++) {
            if (infos[i] != null && infos[i].getThreadName().contains(WORKER)) {
                nanos += Math.max(threads.getThreadCpuTime(ids[i]), 0);
                bytes += Math.max(threads.getThreadAllocatedBytes(ids[i]), 0);
            }
        }
        return new Totals(nanos, bytes, system.getProcessCpuTime(), System.nanoTime());
    }
}
