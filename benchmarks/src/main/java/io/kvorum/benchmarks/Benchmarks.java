package io.kvorum.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Collectors;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormat;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Runs the benchmarks and writes what came out, as JSON and as a Markdown table of ratios, into
 * {@code benchmarks/target/results} or the directory given as {@code -Dresults=DIRECTORY}.
 *
 * <ul>
 *   <li>{@code java -jar benchmarks/target/benchmarks.jar quick [PATTERN]}: every benchmark whose name matches,
 *       briefly.
 *   <li>{@code java -jar benchmarks/target/benchmarks.jar full [PATTERN]}: the same, long enough to quote.
 *   <li>{@code java -jar benchmarks/target/benchmarks.jar compare [PATTERN]}: close contenders in one JVM, in batches
 *       of shuffled order; one fresh JVM for each comparison.
 *   <li>{@code java -jar benchmarks/target/benchmarks.jar memory}: the bytes of heap that an entry takes in a store and
 *       in its peers.
 *   <li>{@code java -jar benchmarks/target/benchmarks.jar hits}: how often a store that evicts has what is asked for,
 *       beside Caffeine.
 *   <li>{@code java -jar benchmarks/target/benchmarks.jar replicated}: what a write costs at a primary: at
 *       {@code LOCAL} beside one in a plain store, in turns, and at {@code MAJORITY} with two replicas.
 *   <li>{@code java -jar benchmarks/target/benchmarks.jar failover}: how long it takes from the kill of a primary until
 *       it is found down, and from there until a write is acknowledged.
 *   <li>{@code java -jar benchmarks/target/benchmarks.jar idle}: the CPU time and the garbage of a cluster that nobody
 *       uses, with 3 and with 1,000 shards.
 *   <li>{@code java -jar benchmarks/target/benchmarks.jar BENCHMARK [OPTION...]}, or an option of JMH first, goes to
 *       JMH as it is.
 *   <li>{@code java -jar benchmarks/target/benchmarks.jar -h}: all this in short, and the options of JMH.
 * </ul>
 */
public final class Benchmarks {
    private static final int ROUNDS = Integer.getInteger("rounds", 1_000);

    /**
     * A heap that is mapped before the first operation, so that none pays for the pages that it is the first to use.
     */
    private static final List<String> HEAP = List.of("-Xms4g", "-Xmx4g", "-XX:+AlwaysPreTouch");

    /** What a peer needs to read the parts of the JDK that it uses. */
    private static final List<String> OPENED = List.of("--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED");

    /** What {@code compare} runs in each of its JVMs: one comparison, given by its full name. */
    private static final String COMPARE_HERE = "compare-here";

    private static final String USAGE = """
            java -jar benchmarks.jar quick [PATTERN]    every benchmark whose name matches, briefly
            java -jar benchmarks.jar full [PATTERN]     the same, long enough to quote
            java -jar benchmarks.jar compare [PATTERN]  close contenders in one JVM, in batches of shuffled order
            java -jar benchmarks.jar memory             bytes of heap that an entry takes, beside peers
            java -jar benchmarks.jar hits               hit rates of a store that evicts, beside Caffeine
            java -jar benchmarks.jar replicated         what a write costs at a primary, beside one in a plain store
            java -jar benchmarks.jar failover           from the kill of a primary to the next acknowledged write
            java -jar benchmarks.jar idle               what a cluster costs that nobody uses
            java -jar benchmarks.jar BENCHMARK [...]    goes to JMH, as do its options: -l lists the benchmarks
            java -jar benchmarks.jar -h                 this, and the options of JMH
            """;

    private Benchmarks() {}

    /**
     * Runs what the arguments say.
     *
     * @param args as described above
     * @throws Exception if a benchmark fails or a result can't be written
     */
    public static void main(String[] args) throws Exception {
        String command = args.length == 0 ? "-h" : args[0];
        String pattern = args.length < 2 ? "" : args[1];
        switch (command) {
            case "quick" -> measure(command, pattern, 1, 3, 5, TimeValue.milliseconds(200));
            case "full" -> measure(command, pattern, 2, 5, 5, TimeValue.seconds(1));
            case "compare" -> compare(pattern);
            case "memory" -> publish(results().resolve("memory.md"), StoreMemory.table());
            case "replicated" ->
                publish(
                        results().resolve("replicated.md"),
                        LocalWrites.table() + System.lineSeparator() + MajorityWrites.table());
            case "failover" -> publish(results().resolve("failover.md"), FailoverTimes.table());
            case "idle" -> publish(results().resolve("idle.md"), IdleCost.table());
            case "hits" -> publish(results().resolve("hits.md"), HitRates.table());
            case COMPARE_HERE -> compareHere(pattern);
            case "-h", "--help", "help" -> {
                System.out.println(USAGE);
                org.openjdk.jmh.Main.main(new String[] {"-h"});
            }
            default -> {
                if (!command.startsWith("-")) {
                    requireBenchmark(command);
                }
                org.openjdk.jmh.Main.main(args);
            }
        }
    }

    /** Ends the program unless the name of a benchmark matches. */
    private static void requireBenchmark(String pattern) {
        OutputFormat silent = OutputFormatFactory.createFormatInstance(System.out, VerboseMode.SILENT);
        boolean matches;
        try {
            matches = !BenchmarkList.defaultList()
                    .find(silent, List.of(pattern), List.of())
                    .isEmpty();
        } catch (PatternSyntaxException e) {
            matches = false;
        }
        if (!matches) {
            refuse("neither a command nor the name of a benchmark: " + pattern);
        }
    }

    private static void refuse(String why) {
        System.err.println(why + System.lineSeparator() + System.lineSeparator() + USAGE);
        System.exit(2);
    }

    private static void measure(String pass, String pattern, int forks, int warmUps, int iterations, TimeValue time)
            throws RunnerException, IOException {
        requireBenchmark(pattern);
        Path results = results();
        Collection<RunResult> runs = new Runner(new OptionsBuilder()
                        .include(pattern)
                        .forks(forks)
                        .warmupIterations(warmUps)
                        .warmupTime(time)
                        .measurementIterations(iterations)
                        .measurementTime(time)
                        .jvmArgsAppend(HEAP.toArray(String[]::new))
                        .addProfiler(CpuProfiler.class)
                        .resultFormat(ResultFormatType.JSON)
                        .result(results.resolve(pass + ".json").toString())
                        .build())
                .run();
        publish(results.resolve(pass + ".md"), RatioTable.ofRuns(runs));
    }

    private static Map<String, Supplier<Comparison>> comparisons() {
        Map<String, Supplier<Comparison>> all = new LinkedHashMap<>(SlotComparisons.all());
        all.putAll(StoreComparisons.all());
        all.putAll(LogComparisons.all());
        return all;
    }

    private static void compare(String pattern) throws IOException, InterruptedException {
        if (comparisons().keySet().stream().noneMatch(name -> name.contains(pattern))) {
            refuse("no comparison has this in its name: " + pattern + "; there are "
                    + String.join(", ", comparisons().keySet()));
        }
        Path results = results();
        List<Interleaved.Outcome> outcomes = new ArrayList<>();
        for (String name : comparisons().keySet()) {
            if (name.contains(pattern)) {
                outcomes.addAll(compareInFreshJvm(name));
            }
        }
        Files.writeString(
                results.resolve("compare.json"),
                outcomes.stream().map(Interleaved.Outcome::json).collect(Collectors.joining(",\n", "[\n", "\n]\n")));
        publish(results.resolve("compare.md"), RatioTable.ofComparisons(outcomes));
    }

    private static List<Interleaved.Outcome> compareInFreshJvm(String name) throws IOException, InterruptedException {
        List<String> line = new ArrayList<>();
        line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        line.addAll(HEAP);
        line.addAll(OPENED);
        line.addAll(List.of("-Drounds=" + ROUNDS, "-cp", System.getProperty("java.class.path")));
        line.addAll(List.of(Benchmarks.class.getName(), COMPARE_HERE, name));
        Process process = new ProcessBuilder(line)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        List<Interleaved.Outcome> outcomes;
        try (BufferedReader lines = process.inputReader()) {
            outcomes = lines.lines().map(Interleaved.Outcome::parse).toList();
        }
        int status = process.waitFor();
        if (status != 0) {
            throw new IOException("comparison " + name + " ended with status " + status);
        }
        return outcomes;
    }

    private static void compareHere(String name) {
        Supplier<Comparison> comparison = comparisons().get(name);
        if (comparison == null) {
            throw new IllegalArgumentException("comparison must be one that is known: " + name);
        }
        int status = 1;
        try {
            new Interleaved(comparison.get(), ROUNDS).run().forEach(outcome -> System.out.println(outcome.line()));
            status = 0;
        } catch (RuntimeException | Error e) {
            System.getLogger(Benchmarks.class.getName()).log(System.Logger.Level.ERROR, name, e);
        } finally {
            System.exit(status); // some contenders leave threads behind that are no daemons
        }
    }

    private static Path results() throws IOException {
        return Files.createDirectories(Path.of(System.getProperty("results", "benchmarks/target/results")));
    }

    private static void publish(Path file, String table) throws IOException {
        String context = String.format(
                Locale.ROOT,
                "%s, %s, %d cores, %s%n%n",
                LocalDate.now(ZoneOffset.UTC),
                Runtime.version(),
                Runtime.getRuntime().availableProcessors(),
                System.getProperty("os.arch"));
        Files.writeString(file, context + table);
        System.out.printf("%n%s%s%nwritten to %s, with the same as JSON beside it%n", context, table, file);
    }
}
