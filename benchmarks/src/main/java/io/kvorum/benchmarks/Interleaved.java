package io.kvorum.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import io.kvorum.benchmarks.Comparison.Contender;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.function.LongSupplier;

/**
 * Measures close contenders in one JVM, in short batches whose order is drawn anew in each round. Whatever disturbs the
 * machine then disturbs all of them alike, and the ratio within a round is steadier than any figure for one contender.
 *
 * <p>A batch is timed by the thread's CPU clock. The result is the distribution of the ratios of all rounds. Where
 * other threads bear a part of the cost, the whole process is measured beside it, in longer batches: then the ratio is
 * that of the sums, and has no quartiles.
 */
final class Interleaved {
    private static final int WARM_UP_NANOS_EACH = 300_000_000;
    private static final long SEED = 20_261_122;

    /** The length of a batch by which the CPU time of the process is measured: long enough to leave much garbage. */
    private static final long PROCESS_BATCH_NANOS = 100_000_000;

    private static final int PROCESS_ROUNDS = 100;
    private static final int MIN_OPERATIONS = 20;
    private static final int MAX_OPERATIONS = 10_000_000;

    private final OperatingSystemMXBean process = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private final ThreadMXBean clock = ManagementFactory.getThreadMXBean();
    private final Random order = new Random(SEED);
    private final Comparison comparison;
    private final int rounds;

    /** Takes the results, so that the compiler can't drop the work. */
    @SuppressWarnings("UnusedVariable")
    private volatile long sink;

    Interleaved(Comparison comparison, int rounds) {
        this.comparison = comparison;
        this.rounds = rounds;
    }

    /**
     * How a contender did against ours.
     *
     * @param nanos the median CPU time of an operation, in nanoseconds
     * @param lower a quarter of the ratios are below it
     * @param median half of the ratios are below it; above 1 ours was faster
     * @param upper three quarters of the ratios are below it
     */
    record Outcome(String comparison, String contender, double nanos, double lower, double median, double upper) {
        /** Reads what {@link #line()} wrote. */
        static Outcome parse(String line) {
            String[] parts = line.split("\t", -1);
            return new Outcome(
                    parts[0],
                    parts[1],
                    Double.parseDouble(parts[2]),
                    Double.parseDouble(parts[3]),
                    Double.parseDouble(parts[4]),
                    Double.parseDouble(parts[5]));
        }

        String line() {
            return comparison + "\t" + contender + "\t" + nanos + "\t" + lower + "\t" + median + "\t" + upper;
        }

        String json() {
            return String.format(
                    Locale.ROOT,
                    "{\"comparison\": \"%s\", \"contender\": \"%s\", \"nanos\": %.3f, "
                            + "\"lower\": %.4f, \"median\": %.4f, \"upper\": %.4f}",
                    comparison,
                    contender,
                    nanos,
                    lower,
                    median,
                    upper);
        }
    }

    List<Outcome> run() {
        List<Contender> contenders = comparison.contenders();
        int count = contenders.size();
        long batchNanos = comparison.batchMillis() * 1_000_000L;
        int[] operations = new int[count];
        double[] least = new double[count];
        Arrays.fill(operations, MIN_OPERATIONS);
        Arrays.fill(least, Double.MAX_VALUE);
        System.gc(); // what is stored is old by the time it is used
        for (int round = 0; round < Math.max(30, WARM_UP_NANOS_EACH / batchNanos); round++) {
            double[] measured = round(operations, System::nanoTime);
            for (int i = 0; i < count; i++) {
                least[i] = Math.min(least[i], measured[i]); // whatever else the machine did was not the contender's
            }
            operations = filling(batchNanos, least);
        }
        double[][] nanos = new double[count][rounds];
        double[][] ratios = new double[count][rounds];
        for (int round = 0; round < rounds; round++) {
            double[] measured = round(operations, clock::getCurrentThreadCpuTime);
            for (int i = 0; i < count; i++) {
                nanos[i][round] = measured[i];
                ratios[i][round] = measured[i] / measured[0];
            }
        }
        List<Outcome> outcomes = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Arrays.sort(nanos[i]);
            Arrays.sort(ratios[i]);
            outcomes.add(new Outcome(
                    comparison.name(),
                    contenders.get(i).name(),
                    nanos[i][rounds / 2],
                    ratios[i][rounds / 4],
                    ratios[i][rounds / 2],
                    ratios[i][rounds * 3 / 4]));
        }
        if (comparison.wholeProcess()) {
            outcomes.addAll(ofTheProcess(filling(PROCESS_BATCH_NANOS, least)));
        }
        return outcomes;
    }

    /** Collections are few and far between, so only the sum over all rounds says what they cost. */
    private List<Outcome> ofTheProcess(int[] operations) {
        int count = comparison.contenders().size();
        double[] sums = new double[count];
        for (int round = 0; round < PROCESS_ROUNDS; round++) {
            double[] measured = round(operations, process::getProcessCpuTime);
            for (int i = 0; i < count; i++) {
                sums[i] += measured[i] / PROCESS_ROUNDS;
            }
        }
        List<Outcome> outcomes = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            double ratio = sums[i] / sums[0];
            String name = comparison.name() + " (process)";
            outcomes.add(new Outcome(name, comparison.contenders().get(i).name(), sums[i], ratio, ratio, ratio));
        }
        return outcomes;
    }

    /** Returns how many operations of each contender take a time, if one takes as long as was measured. */
    private static int[] filling(long batchNanos, double[] nanos) {
        return Arrays.stream(nanos)
                .mapToInt(each -> (int) Math.max(MIN_OPERATIONS, Math.min(MAX_OPERATIONS, batchNanos / each)))
                .toArray();
    }

    /** Runs every contender once, in a new order; returns the time of one operation of each, by the given clock. */
    private double[] round(int[] operations, LongSupplier time) {
        double[] nanos = new double[comparison.contenders().size()];
        List<Integer> turns = new ArrayList<>();
        for (int i = 0; i < nanos.length; i++) {
            turns.add(i);
        }
        Collections.shuffle(turns, order);
        for (int turn : turns) {
            long start = time.getAsLong();
            sink = comparison.contenders().get(turn).batch().run(operations[turn]);
            nanos[turn] = (double) (time.getAsLong() - start) / operations[turn];
        }
        return nanos;
    }
}
