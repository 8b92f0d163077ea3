package io.kvorum.benchmarks;

import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.util.Statistics;

/**
 * Writes results as Markdown: for each benchmark class and parameters one row a contender, with its CPU time and how
 * many times that is of ours. Ours is the method {@code kvorum}; a class without such a method has times but no ratios.
 */
final class RatioTable {
    private static final String OURS = "kvorum";

    private RatioTable() {}

    static String ofRuns(Collection<RunResult> results) {
        Map<String, Map<String, RunResult>> groups = new TreeMap<>();
        for (RunResult result : results) {
            String name = result.getParams().getBenchmark();
            int dot = name.lastIndexOf('.');
            String question = name.substring(name.lastIndexOf('.', dot - 1) + 1, dot) + parameters(result.getParams());
            groups.computeIfAbsent(question, q -> new TreeMap<>()).put(name.substring(dot + 1), result);
        }
        StringBuilder table = new StringBuilder("""
                | benchmark | contender | CPU ns/op | times ours | B/op | process cores |
                |---|---|---|---|---|---|
                """);
        groups.forEach((question, contenders) -> contenders.forEach((contender, result) -> table.append(String.format(
                Locale.ROOT,
                "| %s | %s | %s | %s | %.1f | %.2f |%n",
                question,
                contender,
                figure(time(result)),
                ratio(contenders, contender),
                statistics(result, CpuProfiler.ALLOCATION).getMean(),
                statistics(result, CpuProfiler.PROCESS).getMean()))));
        return table.toString();
    }

    static String ofComparisons(List<Interleaved.Outcome> outcomes) {
        StringBuilder table = new StringBuilder("""
                | comparison | contender | CPU ns/op | times ours: median | quartiles |
                |---|---|---|---|---|
                """);
        for (Interleaved.Outcome outcome : outcomes) {
            table.append(String.format(
                    Locale.ROOT,
                    "| %s | %s | %.1f | %.2f | %.2f to %.2f |%n",
                    outcome.comparison(),
                    outcome.contender(),
                    outcome.nanos(),
                    outcome.median(),
                    outcome.lower(),
                    outcome.upper()));
        }
        return table.toString();
    }

    private static String ratio(Map<String, RunResult> contenders, String contender) {
        RunResult ours = contenders.get(OURS);
        if (ours == null || contender.equals(OURS)) {
            return "";
        }
        Statistics own = time(ours);
        Statistics other = time(contenders.get(contender));
        double ratio = other.getMean() / own.getMean();
        double error = ratio * Math.hypot(relativeError(own), relativeError(other));
        return String.format(Locale.ROOT, "%.2f ± %.2f", ratio, error);
    }

    private static String figure(Statistics statistics) {
        return String.format(Locale.ROOT, "%.2f ± %.0f%%", statistics.getMean(), 100 * relativeError(statistics));
    }

    /** One standard deviation of the iterations, as a part of their mean. */
    private static double relativeError(Statistics statistics) {
        return statistics.getN() < 2 ? 0 : statistics.getStandardDeviation() / statistics.getMean();
    }

    private static Statistics time(RunResult result) {
        return statistics(result, CpuProfiler.TIME);
    }

    private static Statistics statistics(RunResult result, String label) {
        return result.getSecondaryResults().get(label).getStatistics();
    }

    private static String parameters(BenchmarkParams params) {
        return params.getParamsKeys().stream()
                .map(key -> " " + key + "=" + params.getParam(key))
                .collect(Collectors.joining());
    }
}
