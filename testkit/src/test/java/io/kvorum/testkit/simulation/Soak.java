package io.kvorum.testkit.simulation;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Runs many seeds and writes down what they amount to: {@code Soak FILE FIRST LAST [PROFILES]}, where {@code PROFILES}
 * are names with commas between, or {@code ALL}. {@code -Dkvorum.sim.threads=T} has it use T threads,
 * {@code -Dkvorum.sim.seconds=S} has it stop after about S seconds; started again with the same file it goes on where
 * it was. {@code -Dkvorum.sim.commit=C} names what is run: a file of one commit is not continued by another.
 *
 * <p>The tables are beside the file, with {@code .md} after its name. Ends with status 1 if a seed broke an invariant.
 */
public final class Soak {
    private static final double NANOS_PER_MINUTE = 60e9;
    private static final int SEEDS_BETWEEN_SAVES = 5; // of each profile

    private final String what;
    private final Totals totals = new Totals();
    private long next;
    private long cpuBefore;

    private Soak(String what, long first) {
        this.what = what;
        this.next = first;
        this.cpuBefore = -cpu();
    }

    /**
     * Runs.
     *
     * @param args the file, the first seed, the last one and, optionally, the profiles
     * @throws Exception if the log can't be turned off, the file can't be read or written, or the thread is interrupted
     */
    public static void main(String[] args) throws Exception {
        ProductLog log = new ProductLog();
        log.off();
        String names = args.length > 3 ? args[3] : "ALL";
        List<Profile> profiles = names.equals("ALL")
                ? List.of(Profile.values())
                : Stream.of(names.split(",")).map(Profile::valueOf).toList();
        String commit = System.getProperty("kvorum.sim.commit", "unknown");
        Soak soak = run(Path.of(args[0]), commit, Long.parseLong(args[1]), Long.parseLong(args[2]), profiles);
        Totals totals = soak.totals();
        System.out.println(totals);
        System.out.println(soak);
        System.out.println("never happened: " + totals.missing());
        totals.failures().forEach(System.out::println);
        if (!totals.failures().isEmpty()) {
            System.exit(1);
        }
    }

    /** Runs seeds of some profiles, and goes on with what is in the file. */
    static Soak run(Path file, String commit, long first, long last, List<Profile> profiles)
            throws IOException, InterruptedException {
        String names = profiles.size() == Profile.values().length ? "ALL" : profiles.toString();
        Soak soak = new Soak("commit " + commit + ", seeds from " + first + ", profiles " + names, first);
        if (Files.exists(file)) {
            soak.load(file);
        }
        long end = System.nanoTime()
                + Duration.ofSeconds(Long.getLong("kvorum.sim.seconds", Integer.MAX_VALUE))
                        .toNanos();
        while (soak.next <= last && System.nanoTime() < end) {
            long count = Math.min(SEEDS_BETWEEN_SAVES, last - soak.next + 1);
            soak.totals.run(profiles, soak.next, count, Integer.getInteger("kvorum.sim.threads", 1));
            soak.next += count;
            soak.save(file);
        }
        return soak;
    }

    private void load(Path file) throws IOException {
        List<String> saved = totals.load(file);
        if (!saved.get(0).equals(what)) {
            throw new IllegalArgumentException(file + " is of " + saved.get(0) + ", not of " + what);
        }
        next = Long.parseLong(saved.get(1));
        cpuBefore += Long.parseLong(saved.get(2));
    }

    private void save(Path file) throws IOException {
        totals.save(file, List.of(what, Long.toString(next), Long.toString(cpuBefore + cpu())));
        Files.writeString(
                file.resolveSibling(file.getFileName() + ".md"),
                String.format(Locale.ROOT, "# Soak%n%n%s: %s%n%n%s", what, this, totals.toMarkdown()));
    }

    Totals totals() {
        return totals;
    }

    /** {@return the last seed that was run of each profile} */
    long last() {
        return next - 1;
    }

    double cpuMinutes() {
        return (cpuBefore + cpu()) / NANOS_PER_MINUTE;
    }

    /** {@return up to which seed it ran, and how fast} */
    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "up to seed %d, JDK %s, %.1f CPU minutes, %,.0f schedules in each",
                last(),
                Runtime.version(),
                cpuMinutes(),
                totals.schedules() / cpuMinutes());
    }

    private static long cpu() {
        return ProcessHandle.current()
                .info()
                .totalCpuDuration()
                .orElse(Duration.ZERO)
                .toNanos();
    }
}
