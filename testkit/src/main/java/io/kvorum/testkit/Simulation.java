package io.kvorum.testkit;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Runs an application against whole clusters in virtual time, once for each of many seeds, while faults that are drawn
 * from the seed happen; and explains the first seed that breaks something.
 *
 * <pre>{@code
 * Simulation.of(cluster -> new Carts(cluster.client()))
 *         .cluster((cluster, random) -> cluster.shards(1 + random.nextInt(3)))
 *         .length(Duration.ofSeconds(30))
 *         .workload("ada", run -> {
 *             while (!run.isOver()) {
 *                 run.application().add("ada", "tea"); // blocking code, as it is
 *                 run.sleep(Duration.ofMillis(100));
 *             }
 *         })
 *         .invariant("no cart is sold twice", run -> run.application().soldTwice() == 0)
 *         .check("nothing is lost", run -> assertEquals(..., run.application().items("ada")))
 *         .build()
 *         .run(1, 1000)
 *         .orThrow();
 * }</pre>
 *
 * <p><b>A run</b> has two phases. In the first, of the {@linkplain SimulationBuilder#length length} that is set, the
 * workloads run while faults happen, of some kinds that the seed chooses among those
 * {@linkplain SimulationBuilder#faults allowed}. Then all faults are undone. In the second phase, of the
 * {@linkplain SimulationBuilder#recovery recovery time}, all workloads must end and the cluster must become whole
 * again; then the checks are made.
 *
 * <p><b>What must hold.</b> Your own {@linkplain SimulationBuilder#invariant invariants} after each step, your own
 * {@linkplain SimulationBuilder#check checks} at the end; and Kvorum's own promises, by the {@link SimulationCheck}s.
 * Whatever a workload throws fails the run as well.
 *
 * <p><b>A failure</b> is run again with fewer and fewer faults, down to single messages, for as long as the same thing
 * is broken. {@link SimulationFailure} names what remains.
 *
 * <p>The system property {@code kvorum.seed} has only that seed run, {@code kvorum.seeds} so many from the first on.
 *
 * <p>Immutable; each run has a cluster of its own. For use by one thread at a time if the workloads are.
 *
 * @param <A> the application under test, made anew for each run
 */
public final class Simulation<A> {
    private static final Pattern METHOD_OF_LAMBDA = Pattern.compile("^lambda\\$(.*)\\$\\d+$");

    private final SimulationBuilder.Parts<A> parts;

    Simulation(SimulationBuilder.Parts<A> parts) {
        this.parts = parts;
    }

    /**
     * What a workload does, or a check.
     *
     * @param <A> the application under test
     */
    @FunctionalInterface
    public interface Body<A> {
        /**
         * Does it. A workload is an actor of the cluster, and may wait for it; so may a check.
         *
         * @param run the run
         * @throws Exception whatever it likes; that fails the run
         */
        void run(SimulatedRun<A> run) throws Exception;
    }

    /**
     * {@return a builder of simulations of an application}
     *
     * @param application makes the application at the start of each run, once the cluster is ready, anew for each
     * @param <A> the application
     */
    public static <A> SimulationBuilder<A> of(Function<? super LocalCluster, ? extends A> application) {
        return new SimulationBuilder<>(requireNonNull(application, "application"));
    }

    /** {@return a builder of simulations whose workloads share nothing but the cluster} */
    public static SimulationBuilder<Object> builder() {
        return of(cluster -> new Object());
    }

    /**
     * Runs seeds one after another, up to the first that fails.
     *
     * @param first the first seed
     * @param count how many; positive
     * @return what they amount to, with the failure, if there is one
     * @throws IllegalArgumentException if {@code count} or {@code kvorum.seeds} is not positive, or one of the two
     *     properties is not a number
     */
    public SimulationResult run(long first, long count) {
        if (count < 1) {
            throw new IllegalArgumentException("count must be positive: " + count);
        }
        boolean one = !System.getProperty("kvorum.seed", "").isBlank();
        long from = property("kvorum.seed", first);
        long seeds = one ? 1 : property("kvorum.seeds", count);
        if (seeds < 1) {
            throw new IllegalArgumentException("kvorum.seeds must be at least 1: " + seeds);
        }
        String caller = StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE)
                .walk(frames -> frames.filter(frame -> frame.getDeclaringClass() != Simulation.class)
                        .findFirst()
                        .map(frame -> frame.getClassName() + "#"
                                + METHOD_OF_LAMBDA
                                        .matcher(frame.getMethodName())
                                        .replaceFirst("$1"))
                        .orElse(""));
        Totals totals = new Totals();
        for (long i = 0; i < seeds; i++) {
            SimulationAttempt<A> attempt = SimulationAttempt.run(parts, from + i, DrawnFaults.all());
            totals.add(attempt);
            if (attempt.violation() != null) {
                return totals.result(SimulationShrinker.explain(parts, attempt, caller));
            }
        }
        return totals.result(null);
    }

    private static long property(String name, long otherwise) {
        String text = System.getProperty(name, "").trim();
        try {
            return text.isEmpty() ? otherwise : Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(name + " must be a number: " + text, e);
        }
    }

    /** {@return the names of its workloads} */
    @Override
    public String toString() {
        return "Simulation" + parts.workloads().keySet();
    }

    private static final class Totals {
        private final Map<FaultKind, Long> faults = new EnumMap<>(FaultKind.class);
        private long runs;
        private long virtualNanos;
        private long elections;
        private long failovers;
        private long operations;
        private long unknown;

        void add(SimulationAttempt<?> attempt) {
            runs++;
            virtualNanos += attempt.endNanos();
            elections += attempt.elections();
            failovers += attempt.failovers();
            operations += attempt.operations();
            unknown += attempt.unknown();
            attempt.faults().forEach(fault -> faults.merge(fault.kind(), 1L, Long::sum));
        }

        SimulationResult result(@Nullable SimulationFailure failure) {
            return new SimulationResult(
                    runs, Duration.ofNanos(virtualNanos), faults, elections, failovers, operations, unknown, failure);
        }
    }
}
