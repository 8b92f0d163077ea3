package io.kvorum.testkit.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What many runs amount to.
 *
 * <p>Safe for use by any number of threads.
 */
final class Totals {
    private static final double NANOS_PER_HOUR = 3600e9;
    private static final int KEPT_FAILURES = 1_000;

    private final Coverage coverage = new Coverage();
    private final List<Report> failures = new ArrayList<>();
    private long schedules;
    private long violations;
    private double virtualHours;
    private long events;
    private long operations;
    private long digest;

    /** Runs {@code count} seeds of a profile from {@code first} on, each in one of some threads. */
    static Totals run(Profile profile, long first, long count, int threads) throws InterruptedException {
        Totals totals = new Totals();
        AtomicLong next = new AtomicLong(first);
        List<Thread> workers = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            Thread worker = new Thread(
                    () -> {
                        for (long seed = next.getAndIncrement(); seed < first + count; seed = next.getAndIncrement()) {
                            totals.add(Simulation.run(seed, profile, Mutant.NONE));
                        }
                    },
                    "simulation-" + i);
            worker.start();
            workers.add(worker);
        }
        for (Thread worker : workers) {
            worker.join();
        }
        return totals;
    }

    synchronized void add(Report report) {
        schedules++;
        virtualHours += report.virtualTime() / NANOS_PER_HOUR;
        events += report.events();
        operations += report.operations();
        coverage.add(report.coverage());
        digest ^= Randomness.mix(report.digest() + report.plan().seed());
        if (report.violation() != null) {
            violations++;
            if (failures.size() < KEPT_FAILURES) {
                failures.add(report.withoutTrace());
            }
        }
    }

    synchronized Coverage coverage() {
        return coverage;
    }

    /** {@return the first runs that broke an invariant} */
    synchronized List<Report> failures() {
        return List.copyOf(failures);
    }

    @Override
    public synchronized String toString() {
        return String.format(
                Locale.ROOT,
                "%,d schedules, %.1f virtual hours, %,d events, %,d operations checked, %,d elections, %,d failovers, "
                        + "%,d switchovers, %,d partial syncs, %,d full syncs, %,d violations, digest %016x",
                schedules,
                virtualHours,
                events,
                operations,
                coverage.of(Sometimes.ELECTION),
                coverage.of(Sometimes.FAILOVER),
                coverage.of(Sometimes.SWITCHOVER),
                coverage.of(Sometimes.PARTIAL_SYNC),
                coverage.of(Sometimes.FULL_SYNC_COMPLETED),
                violations,
                digest);
    }
}
