package io.kvorum.testkit.simulation;

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

    private Soak() {}

    /**
     * Runs.
     *
     * @param args the file, the first seed, the last one and, optionally, the profiles
     * @throws Exception if the log can't be turned off, the file can't be read or written, or the thread is interrupted
     */
    public static void main(String[] args) throws Exception {
        ProductLog log = new ProductLog();
        log.off();
        Path file = Path.of(args[0]);
        long last = Long.parseLong(args[2]);
        String names = args.length > 3 ? args[3] : "ALL";
        List<Profile> profiles = names.equals("ALL")
                ? List.of(Profile.values())
                : Stream.of(names.split(",")).map(Profile::valueOf).toList();
        String what = "commit " + System.getProperty("kvorum.sim.commit", "unknown") + ", seeds from " + args[1]
                + ", profiles " + names;
        long next = Long.parseLong(args[1]);
        long cpu = -cpu();
        Totals totals = new Totals();
        if (Files.exists(file)) {
            List<String> saved = totals.load(file);
            if (!saved.get(0).equals(what)) {
                throw new IllegalArgumentException(file + " is of " + saved.get(0) + ", not of " + what);
            }
            next = Long.parseLong(saved.get(1));
            cpu += Long.parseLong(saved.get(2));
        }
        long end = System.nanoTime()
                + Duration.ofSeconds(Long.getLong("kvorum.sim.seconds", Integer.MAX_VALUE))
                        .toNanos();
        while (next <= last && System.nanoTime() < end) {
            long count = Math.min(SEEDS_BETWEEN_SAVES, last - next + 1);
            totals.run(profiles, next, count, Integer.getInteger("kvorum.sim.threads", 1));
            next += count;
            totals.save(file, List.of(what, Long.toString(next), Long.toString(cpu + cpu())));
            Files.writeString(
                    file.resolveSibling(file.getFileName() + ".md"),
                    String.format(
                            Locale.ROOT,
                            "# Soak%n%n%s to %d, JDK %s: %.1f CPU minutes, %,.0f schedules in each.%n%n%s",
                            what,
                            next - 1,
                            Runtime.version(),
                            (cpu + cpu()) / NANOS_PER_MINUTE,
                            totals.schedules() / ((cpu + cpu()) / NANOS_PER_MINUTE),
                            totals.toMarkdown()));
        }
        System.out.println(totals);
        System.out.printf(
                Locale.ROOT,
                "up to seed %d, %.1f CPU minutes, %,.0f schedules in each%n",
                next - 1,
                (cpu + cpu()) / NANOS_PER_MINUTE,
                totals.schedules() / ((cpu + cpu()) / NANOS_PER_MINUTE));
        System.out.println("never happened: " + totals.missing());
        totals.failures().forEach(System.out::println);
        if (!totals.failures().isEmpty()) {
            System.exit(1);
        }
    }

    private static long cpu() {
        return ProcessHandle.current()
                .info()
                .totalCpuDuration()
                .orElse(Duration.ZERO)
                .toNanos();
    }
}
