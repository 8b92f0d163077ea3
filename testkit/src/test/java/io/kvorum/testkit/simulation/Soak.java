package io.kvorum.testkit.simulation;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * Runs many seeds and prints what they amount to: {@code Soak PROFILE FIRST COUNT [THREADS]}. Ends with status 1 if one
 * of them broke an invariant.
 */
public final class Soak {
    private Soak() {}

    /**
     * Runs.
     *
     * @param args the profile, the first seed, the number of seeds and, optionally, the number of threads
     * @throws Exception if the log can't be turned off, or the thread is interrupted
     */
    public static void main(String[] args) throws Exception {
        ProductLog log = new ProductLog();
        log.off();
        Profile profile = Profile.valueOf(args[0]);
        long first = Long.parseLong(args[1]);
        long count = Long.parseLong(args[2]);
        int threads = args.length > 3 ? Integer.parseInt(args[3]) : 2;
        long began = System.nanoTime();
        Totals totals = Totals.run(profile, first, count, threads);
        System.out.println(totals);
        System.out.println(totals.coverage());
        System.out.printf(Locale.ROOT, "%.1f s%n", (System.nanoTime() - began) / 1e9);
        Map<String, List<Long>> seeds = new TreeMap<>();
        Map<String, String> firsts = new TreeMap<>();
        totals.failures().stream()
                .sorted(Comparator.comparingLong(failed -> failed.plan().seed()))
                .forEach(failed -> {
                    Violation violation = Objects.requireNonNull(failed.violation());
                    seeds.computeIfAbsent(violation.invariant(), invariant -> new ArrayList<>())
                            .add(failed.plan().seed());
                    firsts.putIfAbsent(violation.invariant(), String.valueOf(violation.getMessage()));
                });
        seeds.forEach((invariant, all) -> System.out.printf(
                Locale.ROOT,
                "%s %s: %d seeds, first %s%n    %s%n",
                profile,
                invariant,
                all.size(),
                all.subList(0, Math.min(5, all.size())),
                firsts.get(invariant)));
        if (!totals.failures().isEmpty()) {
            System.exit(1);
        }
    }
}
