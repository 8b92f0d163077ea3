package io.kvorum.testkit.simulation;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * What many runs amount to, profile by profile. It can be saved between two runs, and gone on with.
 *
 * <p>Safe for use by any number of threads.
 */
final class Totals {
    private static final double NANOS_PER_HOUR = 3600e9;
    private static final int KEPT_FAILURES = 1_000;
    /** The invariants that a lost write breaks. */
    private static final Set<String> LOSING = Set.of("acknowledged writes survive", "linearizability");

    private static final String SEPARATOR = "\t";
    private static final String SCHEDULES = "schedules";
    private static final String HAPPENED = "happened";
    private static final String DIGEST = "digest";
    private static final String FAILURE = "failure";
    private static final String FAULT = "fault";
    private static final String FAILOVER = "failover";
    private static final String WRITES = "writes";
    private static final long FAILOVER_STEP = 50 * Plan.MILLISECOND; // times are counted by

    private final Map<Profile, Sum> sums = new EnumMap<>(Profile.class);
    private final Map<Sometimes, Happened> happened = new EnumMap<>(Sometimes.class);
    private final List<Failure> failures = new ArrayList<>();
    private final Map<Fault.Kind, Long> faults = new EnumMap<>(Fault.Kind.class);
    private final Map<Outages.Cause, SortedMap<Long, Long>> failovers = new EnumMap<>(Outages.Cause.class);
    private long majorityWrites;
    private long localWrites;
    private long localLost;
    private long digest;

    /** What the runs of a profile amount to. */
    private static final class Sum {
        long schedules;
        long virtualTime;
        long events;
        long operations;
        long violations;
    }

    /**
     * How often something happened.
     *
     * @param times how often
     * @param runs in how many runs
     */
    record Happened(long times, long runs) {
        static final Happened NEVER = new Happened(0, 0);

        private Happened and(long more, long moreRuns) {
            return new Happened(times + more, runs + moreRuns);
        }
    }

    /**
     * A run that broke an invariant.
     *
     * @param profile the profile of the run
     * @param seed its seed
     * @param invariant what it broke
     * @param message how
     */
    record Failure(Profile profile, long seed, String invariant, String message) {
        @Override
        public String toString() {
            return profile + " " + seed + ": " + message + "\n    " + Simulation.replayLine(profile, seed);
        }
    }

    /**
     * Runs the seeds from {@code first} on of each of some profiles, {@code count} of each, and adds them.
     *
     * @param threads how many run at the same time
     */
    void run(List<Profile> profiles, long first, long count, int threads) throws InterruptedException {
        AtomicLong next = new AtomicLong();
        AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        List<Thread> workers = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            Thread worker = new Thread(
                    () -> {
                        long n = next.getAndIncrement();
                        for (; n < count * profiles.size(); n = next.getAndIncrement()) {
                            Profile profile = profiles.get((int) (n % profiles.size()));
                            add(Simulation.run(first + n / profiles.size(), profile, Mutant.NONE));
                        }
                    },
                    "simulation-" + i);
            worker.setUncaughtExceptionHandler((thread, thrown) -> failure.compareAndSet(null, thrown));
            worker.start();
            workers.add(worker);
        }
        for (Thread worker : workers) {
            worker.join();
        }
        Throwable thrown = failure.get();
        if (thrown != null) {
            throw new IllegalStateException("a run could not be made", thrown);
        }
    }

    synchronized void add(Report report) {
        Profile profile = report.plan().profile();
        Sum sum = sums.computeIfAbsent(profile, any -> new Sum());
        sum.schedules++;
        sum.virtualTime += report.virtualTime();
        sum.events += report.events();
        sum.operations += report.operations();
        for (Sometimes what : Sometimes.values()) {
            long times = report.coverage().of(what);
            if (times > 0) {
                happened.put(what, of(what).and(times, 1));
            }
        }
        for (Fault fault : report.plan().faults()) {
            if (fault.at() < report.virtualTime()) {
                faults.merge(fault.kind(), 1L, Long::sum);
            }
        }
        for (Outages.Outage outage : report.measured().failovers()) {
            failovers
                    .computeIfAbsent(outage.cause(), any -> new TreeMap<>())
                    .merge(outage.nanos() / FAILOVER_STEP, 1L, Long::sum);
        }
        majorityWrites += report.measured().majorityWrites();
        localWrites += report.measured().localWrites();
        localLost += report.measured().localLost();
        digest ^= Randomness.mix(report.digest() + report.plan().seed());
        Violation violation = report.violation();
        if (violation != null) {
            sum.violations++;
            if (failures.size() < KEPT_FAILURES) {
                String message = String.valueOf(violation.getMessage())
                        .lines()
                        .findFirst()
                        .orElse("");
                failures.add(new Failure(profile, report.plan().seed(), violation.invariant(), message));
            }
        }
    }

    /** {@return how often something happened} */
    synchronized Happened of(Sometimes what) {
        return happened.getOrDefault(what, Happened.NEVER);
    }

    /** {@return what has happened in no run, although it must in some} */
    List<Sometimes> missing() {
        return List.of(Sometimes.values()).stream()
                .filter(what -> of(what).times() == 0)
                .toList();
    }

    /** {@return the first runs that broke an invariant, by profile and seed} */
    synchronized List<Failure> failures() {
        return failures.stream()
                .sorted(Comparator.comparing(Failure::profile).thenComparing(Failure::seed))
                .toList();
    }

    /** {@return the virtual time of all runs, in hours} */
    synchronized double virtualHours() {
        return sums.values().stream().mapToLong(sum -> sum.virtualTime).sum() / NANOS_PER_HOUR;
    }

    /** {@return how many operations of clients were judged} */
    synchronized long operations() {
        return sums.values().stream().mapToLong(sum -> sum.operations).sum();
    }

    /** {@return how many runs broke an invariant} */
    synchronized long violations() {
        return sums.values().stream().mapToLong(sum -> sum.violations).sum();
    }

    /** {@return how many runs failed since a history could not be judged} */
    synchronized long unjudged() {
        return failures.stream()
                .filter(each -> each.invariant.equals("linearizability unknown"))
                .count();
    }

    synchronized long schedules() {
        return sums.values().stream().mapToLong(sum -> sum.schedules).sum();
    }

    /** Saves all of this, and what the caller needs to go on. */
    synchronized void save(Path file, List<String> callers) throws IOException {
        List<String> lines = new ArrayList<>();
        callers.forEach(line -> lines.add("#" + line));
        lines.add(line(DIGEST, Long.toHexString(digest)));
        sums.forEach((profile, sum) -> lines.add(
                line(SCHEDULES, profile, sum.schedules, sum.virtualTime, sum.events, sum.operations, sum.violations)));
        happened.forEach((what, count) -> lines.add(line(HAPPENED, what, count.times, count.runs)));
        faults.forEach((kind, times) -> lines.add(line(FAULT, kind, times)));
        failovers.forEach(
                (cause, times) -> times.forEach((steps, count) -> lines.add(line(FAILOVER, cause, steps, count))));
        lines.add(line(WRITES, majorityWrites, localWrites, localLost));
        failures.forEach(each -> lines.add(line(FAILURE, each.profile, each.seed, each.invariant, each.message)));
        Path aside = file.resolveSibling(file.getFileName() + ".new");
        Files.write(aside, lines, StandardCharsets.UTF_8);
        Files.move(aside, file, StandardCopyOption.ATOMIC_MOVE);
    }

    private static String line(Object... cells) {
        return String.join(
                SEPARATOR, List.of(cells).stream().map(Object::toString).toList());
    }

    /**
     * Adds what was saved to this.
     *
     * @return what the caller saved
     */
    synchronized List<String> load(Path file) throws IOException {
        List<String> callers = new ArrayList<>();
        for (String line : Files.readAllLines(file, StandardCharsets.UTF_8)) {
            String[] cells = line.split(SEPARATOR, -1);
            switch (cells[0]) {
                case DIGEST -> digest ^= Long.parseUnsignedLong(cells[1], 16);
                case SCHEDULES -> {
                    Sum sum = sums.computeIfAbsent(Profile.valueOf(cells[1]), any -> new Sum());
                    sum.schedules += Long.parseLong(cells[2]);
                    sum.virtualTime += Long.parseLong(cells[3]);
                    sum.events += Long.parseLong(cells[4]);
                    sum.operations += Long.parseLong(cells[5]);
                    sum.violations += Long.parseLong(cells[6]);
                }
                case HAPPENED -> {
                    Sometimes what = Sometimes.valueOf(cells[1]);
                    happened.put(what, of(what).and(Long.parseLong(cells[2]), Long.parseLong(cells[3])));
                }
                case FAULT -> faults.merge(Fault.Kind.valueOf(cells[1]), Long.parseLong(cells[2]), Long::sum);
                case FAILOVER ->
                    failovers
                            .computeIfAbsent(Outages.Cause.valueOf(cells[1]), any -> new TreeMap<>())
                            .merge(Long.parseLong(cells[2]), Long.parseLong(cells[3]), Long::sum);
                case WRITES -> {
                    majorityWrites += Long.parseLong(cells[1]);
                    localWrites += Long.parseLong(cells[2]);
                    localLost += Long.parseLong(cells[3]);
                }
                case FAILURE ->
                    failures.add(new Failure(Profile.valueOf(cells[1]), Long.parseLong(cells[2]), cells[3], cells[4]));
                default -> callers.add(line.substring(1));
            }
        }
        return callers;
    }

    /** {@return all of this as tables of Markdown} */
    synchronized String toMarkdown() {
        StringBuilder text = new StringBuilder(runsTable());
        text.append('\n').append(happenedTable());
        text.append(String.format(Locale.ROOT, "%nDigest of all schedules: `%016x`.%n", digest));
        if (!failures.isEmpty()) {
            text.append("\n").append(failuresTable());
        }
        return text.toString();
    }

    /** {@return the faults by their kinds} */
    synchronized String faultsTable() {
        StringBuilder text = new StringBuilder("| fault | times |\n|---|---:|\n");
        faults.forEach((kind, times) -> text.append(String.format(Locale.ROOT, "| %s | %,d |%n", kind, times)));
        return text.toString();
    }

    /** {@return how long failovers took, by what the primary was lost by} */
    synchronized String failoversTable() {
        StringBuilder text = new StringBuilder("| primary lost by | failovers | median | 90 % | 99 % | longest |\n");
        text.append("|---|---:|---:|---:|---:|---:|\n");
        failovers.forEach((cause, times) -> {
            long count = times.values().stream().mapToLong(Long::longValue).sum();
            text.append(String.format(
                    Locale.ROOT,
                    "| %s | %,d | %s | %s | %s | %s |%n",
                    cause,
                    count,
                    quantile(times, count / 2),
                    quantile(times, count * 9 / 10),
                    quantile(times, count * 99 / 100),
                    quantile(times, count - 1)));
        });
        return text.toString();
    }

    /** {@return within what time so many failovers had ended} */
    private static String quantile(SortedMap<Long, Long> times, long rank) {
        long left = rank;
        for (Map.Entry<Long, Long> entry : times.entrySet()) {
            left -= entry.getValue();
            if (left < 0) {
                return String.format(Locale.ROOT, "%.2f s", (entry.getKey() + 1) * FAILOVER_STEP / 1e9);
            }
        }
        throw new AssertionError(rank + " of " + times);
    }

    /** {@return how many acknowledged writes are lost, by level} */
    synchronized String lossesTable() {
        long lost = failures.stream()
                .filter(each -> LOSING.contains(each.invariant))
                .count();
        return "| acknowledged at | writes | lost | of those to come, with 95 % confidence |\n|---|---:|---:|---:|\n"
                + String.format(
                        Locale.ROOT,
                        "| `MAJORITY` | %,d | %s | %s |%n",
                        majorityWrites,
                        lost == 0 ? "0" : "some, in " + lost + " schedules",
                        lost == 0 ? String.format(Locale.ROOT, "fewer than one in %,d", majorityWrites / 3) : "")
                + String.format(
                        Locale.ROOT,
                        "| `LOCAL` | %,d | %,d | %s |%n",
                        localWrites,
                        localLost,
                        localLost == 0 ? "" : String.format(Locale.ROOT, "about one in %,d", localWrites / localLost));
    }

    /** {@return what happened how often} */
    synchronized String happenedTable() {
        StringBuilder text = new StringBuilder("| what happened | times | in schedules |\n|---|---:|---:|\n");
        for (Sometimes what : Sometimes.values()) {
            text.append(String.format(Locale.ROOT, "| %s | %,d | %,d |%n", what, of(what).times, of(what).runs));
        }
        return text.toString();
    }

    /** {@return the runs that broke an invariant} */
    synchronized String failuresTable() {
        StringBuilder text = new StringBuilder("| profile | seed | violation |\n|---|---:|---|\n");
        failures()
                .forEach(each -> text.append(
                        String.format(Locale.ROOT, "| %s | %d | %s |%n", each.profile, each.seed, each.message)));
        return text.toString();
    }

    /** {@return the runs, profile by profile} */
    synchronized String runsTable() {
        StringBuilder text = new StringBuilder();
        text.append("| profile | schedules | virtual hours | events | operations checked | violations |\n");
        text.append("|---|---:|---:|---:|---:|---:|\n");
        Sum all = new Sum();
        sums.forEach((profile, sum) -> {
            append(text, profile.toString(), sum);
            all.schedules += sum.schedules;
            all.virtualTime += sum.virtualTime;
            all.events += sum.events;
            all.operations += sum.operations;
            all.violations += sum.violations;
        });
        append(text, "all", all);
        return text.toString();
    }

    private static void append(StringBuilder text, String name, Sum sum) {
        text.append(String.format(
                Locale.ROOT,
                "| %s | %,d | %,.1f | %,d | %,d | %,d |%n",
                name,
                sum.schedules,
                sum.virtualTime / NANOS_PER_HOUR,
                sum.events,
                sum.operations,
                sum.violations));
    }

    @Override
    public synchronized String toString() {
        return String.format(
                Locale.ROOT,
                "%,d schedules of %d profiles, %.1f virtual hours, %,d events, %,d operations checked, %,d elections, "
                        + "%,d failovers, %,d switchovers, %,d partial syncs, %,d full syncs, %,d violations, "
                        + "digest %016x",
                schedules(),
                sums.size(),
                virtualHours(),
                sums.values().stream().mapToLong(sum -> sum.events).sum(),
                operations(),
                of(Sometimes.ELECTION).times,
                of(Sometimes.FAILOVER).times,
                of(Sometimes.SWITCHOVER).times,
                of(Sometimes.PARTIAL_SYNC).times,
                of(Sometimes.FULL_SYNC_COMPLETED).times,
                violations(),
                digest);
    }
}
