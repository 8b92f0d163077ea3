package io.kvorum.testkit.simulation;

import static java.util.Objects.requireNonNull;

import io.kvorum.testkit.kills.KilledPrimaries;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.Stream;

/**
 * Runs the simulation and writes a page of what it showed: {@code Reliability PAGE DIRECTORY FIRST LAST KILLS}. Seeds
 * from {@code FIRST} to {@code LAST} of all profiles are run as by {@link Soak}, whose file is in {@code DIRECTORY},
 * one for each commit; then each guard of the protocols is switched off in turn, until a seed notices; then
 * {@code KILLS} primaries are killed that are processes.
 *
 * <p>Ends with status 1 if a seed broke an invariant, a guard was not missed, or a write was lost.
 */
public final class Reliability {
    private static final long MOST_SEEDS = 100; // of a mutant
    private static final double PERCENT_95 = 3;

    private final StringBuilder page = new StringBuilder();

    private Reliability() {}

    /**
     * Runs.
     *
     * @param args the page, the directory of what to go on from, the first seed and the last one, and how many
     *     primaries to kill
     * @throws Exception if a file can't be read or written, git can't be asked, or the thread is interrupted
     */
    public static void main(String[] args) throws Exception {
        ProductLog log = new ProductLog();
        log.off();
        String commit = commit();
        Path directory = Files.createDirectories(Path.of(args[1]));
        Path file = directory.resolve(commit.replace(' ', '-'));
        Soak soak = Soak.run(file, commit, Long.parseLong(args[2]), Long.parseLong(args[3]), List.of(Profile.values()));
        Reliability reliability = new Reliability();
        reliability.figures(soak, commit, Long.parseLong(args[2]));
        boolean allNoticed = reliability.mutants();
        KilledPrimaries.Counts killed = reliability.kills(Integer.parseInt(args[4]));
        reliability.trackRecord();
        Files.writeString(Path.of(args[0]), reliability.page);
        System.out.println(soak.totals());
        if (!allNoticed || killed.lost() > 0 || !soak.totals().failures().isEmpty()) {
            System.exit(1);
        }
    }

    /** {@return the commit that is checked out, and whether anything differs from it} */
    private static String commit() throws IOException, InterruptedException {
        boolean clean =
                ask("git", "status", "--porcelain", "--untracked-files=no").isEmpty();
        return ask("git", "rev-parse", "HEAD") + (clean ? "" : " with changes");
    }

    private static String ask(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        if (process.waitFor() != 0) {
            throw new IOException(String.join(" ", command) + " ended with " + process.exitValue());
        }
        return answer;
    }

    private void line(String format, Object... arguments) {
        page.append(String.format(Locale.ROOT, format, arguments)).append('\n');
    }

    private void figures(Soak soak, String commit, long first) {
        Totals totals = soak.totals();
        line("# Reliability");
        line("");
        line(
                "Written by `mvn -Preliability -pl testkit -am process-test-classes`, from [the simulation](simulation.md).");
        line("The times are virtual; whatever else went wrong at the same time is in them.");
        line("");
        line("| | |");
        line("|---|---|");
        line("| commit | `%s` |", commit);
        line("| date | %s |", LocalDate.now(java.time.ZoneOffset.UTC));
        line("| JDK | %s |", Runtime.version());
        line("| seeds | %,d to %,d of each of %d profiles |", first, soak.last(), Profile.values().length);
        line("| schedules | %,d, %,.0f in a CPU minute |", totals.schedules(), totals.schedules() / soak.cpuMinutes());
        line("| virtual hours | %,.1f |", totals.virtualHours());
        line("| elections | %,d |", totals.of(Sometimes.ELECTION).times());
        line(
                "| failovers, switchovers | %,d, %,d |",
                totals.of(Sometimes.FAILOVER).times(),
                totals.of(Sometimes.SWITCHOVER).times());
        line(
                "| full syncs, partial ones | %,d, %,d |",
                totals.of(Sometimes.FULL_SYNC_COMPLETED).times(),
                totals.of(Sometimes.PARTIAL_SYNC).times());
        line("| migrations of slots | 0: they are not built |");
        line("| operations of clients judged | %,d |", totals.operations());
        line(
                "| of these without a known outcome | %,d |",
                totals.of(Sometimes.UNKNOWN_TO_CLIENT).times());
        line("| violations | %,d |", totals.violations());
        line("| histories that no checker could judge | %,d |", totals.unjudged());
        if (totals.violations() == 0) {
            line(
                    "| schedules that would break something, with 95 %% confidence | fewer than one in %,d |",
                    (long) (totals.schedules() / PERCENT_95));
        } else {
            line("");
            page.append(totals.failuresTable());
        }
        section("Acknowledged writes that were lost", totals.lossesTable());
        line("");
        line(
                "A write at `LOCAL` is acknowledged by the primary alone, and may be lost with it. The bound of a `MAJORITY`");
        line("write is 3/n: had one in that many been lost, a run without any would have a chance of 5 %%.");
        section("Failovers", totals.failoversTable());
        line("");
        line(
                "From the loss of a primary that took writes until another node leads. The sentinels hold a node down after a");
        line(
                "second of silence. The long times are of shards that nobody could fail over before other faults had ended: too few");
        line("nodes or sentinels reached each other.");
        section("Runs", totals.runsTable());
        section("Faults", totals.faultsTable());
        section("What happened", totals.happenedTable());
    }

    private void section(String title, String table) {
        line("");
        line("## %s", title);
        line("");
        page.append(table);
    }

    /** Switches each guard off until a seed notices; returns whether one did for each. */
    private boolean mutants() {
        StringBuilder table =
                new StringBuilder("| guard | profile | seeds until noticed | invariant |\n|---|---|---:|---|\n");
        int noticed = 0;
        int all = 0;
        for (Mutant mutant : Mutant.values()) {
            if (mutant == Mutant.NONE) {
                continue;
            }
            all++;
            String row = "| " + mutant + " | " + mutant.profile() + " | more than " + MOST_SEEDS + " | |";
            for (long seed = 1; seed <= MOST_SEEDS; seed++) {
                Violation found = Simulation.run(seed, mutant.profile(), mutant).violation();
                if (found != null) {
                    row = "| " + mutant + " | " + mutant.profile() + " | " + seed + " | " + found.invariant() + " |";
                    noticed++;
                    break;
                }
            }
            table.append(row).append('\n');
        }
        section("Guards that were switched off", table.toString());
        line("");
        line("%d of %d were noticed.", noticed, all);
        return noticed == all;
    }

    /** Kills primaries that are processes, as {@link KilledPrimaries} does. */
    private KilledPrimaries.Counts kills(int kills) throws IOException, InterruptedException {
        Path directory = Files.createTempDirectory("kills");
        KilledPrimaries.Counts counts = KilledPrimaries.run(kills, directory, new Random(kills));
        if (counts.lost() == 0) {
            delete(directory);
        }
        section("Killed processes", "| | |\n|---|---:|\n");
        line("| primaries ended by `kill -9` | %,d |", counts.kills());
        line("| writes that a majority had acknowledged | %,d |", counts.acknowledged());
        line("| of these looked for at the next primary | %,d |", counts.checked());
        line("| of these lost | %,d |", counts.lost());
        line("");
        line(
                "Three JVMs, each with a node and a sentinel. The primary is killed while it acknowledges writes at `MAJORITY`;");
        line(
                "another node takes over, is asked for the last 50 of them and for some from before, and the killed process comes");
        line("back without its data. `-Dreliability.kills=N` kills N.");
        return counts;
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> paths = Files.walk(directory)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    /** Copies the tables of the faults that were found. */
    private void trackRecord() throws IOException {
        try (InputStream found = Reliability.class.getResourceAsStream("/simulation/seeds-found.md")) {
            String text = new String(requireNonNull(found, "seeds-found.md").readAllBytes(), StandardCharsets.UTF_8);
            section("Faults that seeds have found", text.substring(text.indexOf("| fault |")));
            line("");
            line("All are mended; the build runs these seeds again.");
        }
        try (InputStream found = Reliability.class.getResourceAsStream("/simulation/found-otherwise.md")) {
            String text =
                    new String(requireNonNull(found, "found-otherwise.md").readAllBytes(), StandardCharsets.UTF_8);
            section("Faults that were found otherwise", text.substring(text.indexOf("| fault |")));
            line("");
            line("All are mended.");
        }
    }
}
