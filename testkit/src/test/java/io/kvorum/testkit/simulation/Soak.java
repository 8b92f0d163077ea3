package io.kvorum.testkit.simulation;

import java.util.Objects;

/**
 * Runs many seeds and prints what they amount to: {@code Soak FIRST COUNT [THREADS]}. Ends with status 1 if one of them
 * broke an invariant, and explains the first that did.
 */
public final class Soak {
    private Soak() {}

    /**
     * Runs.
     *
     * @param args the first seed, the number of seeds and, optionally, the number of threads
     * @throws Exception if the log can't be turned off, or the thread is interrupted
     */
    public static void main(String[] args) throws Exception {
        ProductLog log = new ProductLog();
        log.off();
        long first = Long.parseLong(args[0]);
        long count = Long.parseLong(args[1]);
        int threads = args.length > 2 ? Integer.parseInt(args[2]) : 2;
        long began = System.nanoTime();
        Totals totals = Totals.run(first, count, threads);
        System.out.println(totals);
        System.out.println(totals.coverage());
        System.out.printf("%.1f s%n", (System.nanoTime() - began) / 1e9);
        for (Report failed : totals.failures()) {
            String message = Objects.requireNonNull(failed.violation()).getMessage();
            System.out.println("seed " + failed.plan().seed() + ": " + message);
        }
        if (!totals.failures().isEmpty()) {
            System.out.println(Simulation.explain(totals.failures().get(0), Mutant.NONE));
            System.exit(1);
        }
    }
}
