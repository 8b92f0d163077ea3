package io.kvorum.testkit;

import static java.util.Objects.requireNonNull;

import io.kvorum.testkit.DrawnFaults.Struck;
import io.kvorum.testkit.SimulationAttempt.Violation;
import io.kvorum.testkit.SimulationBuilder.Parts;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Runs a seed that broke something again with fewer and fewer faults, for as long as the same thing is broken, and then
 * with fewer of the single messages that these faults strike.
 *
 * <p>Confined to one thread; used once.
 *
 * @param <A> the application under test
 */
final class SimulationShrinker<A> {
    private static final int MAX_RUNS = 100;
    private static final int LAST_EVENTS = 40;

    private final Parts<A> parts;
    private final long seed;
    private final String violated;
    private SimulationAttempt<A> best;
    private int runs;

    private SimulationShrinker(Parts<A> parts, SimulationAttempt<A> failed) {
        this.parts = parts;
        this.seed = failed.seed();
        this.violated = requireNonNull(failed.violation(), "violation").name();
        this.best = failed;
    }

    /**
     * {@return what a reader needs to understand a run that failed}
     *
     * @param caller the class and method that ran it, for the line that does so again
     */
    static <A> SimulationFailure explain(Parts<A> parts, SimulationAttempt<A> failed, String caller) {
        SimulationShrinker<A> shrinker = new SimulationShrinker<>(parts, failed);
        if (failed.isEndless()) { // each run more would leave threads more
            return shrinker.failure(failed, caller, false);
        }
        Set<Integer> faults = shrinker.shrink(failed.drawn().begun(), DrawnFaults::only);
        Set<Struck> messages = shrinker.best.drawn().struck();
        boolean single = false;
        if (!messages.isEmpty()) {
            Set<Struck> fewer = shrinker.shrink(messages, some -> DrawnFaults.only(faults, some));
            single = fewer.size() < messages.size();
        }
        return shrinker.failure(failed, caller, single);
    }

    private boolean tries(DrawnFaults drawn) {
        runs++;
        SimulationAttempt<A> attempt = SimulationAttempt.run(parts, seed, drawn);
        Violation found = attempt.violation();
        if (attempt.isEndless()) {
            runs = MAX_RUNS;
        }
        if (found == null || !found.name().equals(violated)) {
            return false;
        }
        best = attempt;
        return true;
    }

    /** Leaves some out, many at once at first; returns what has to stay. */
    private <T> Set<T> shrink(Set<T> all, Function<Set<T>, DrawnFaults> drawn) {
        List<T> kept = new ArrayList<>(all);
        if (kept.isEmpty() || tries(drawn.apply(Set.of()))) {
            return Set.of();
        }
        for (int chunk = Math.max(1, kept.size() / 2); runs < MAX_RUNS; chunk = Math.max(1, chunk / 2)) {
            boolean fewer = false;
            for (int from = 0; from < kept.size() && runs < MAX_RUNS; ) {
                List<T> candidate = new ArrayList<>(kept);
                candidate.subList(from, Math.min(kept.size(), from + chunk)).clear();
                if (!candidate.isEmpty() && tries(drawn.apply(new LinkedHashSet<>(candidate)))) {
                    kept = candidate;
                    fewer = true;
                } else {
                    from += chunk;
                }
            }
            if (chunk == 1 && !fewer) {
                break;
            }
        }
        return new LinkedHashSet<>(kept);
    }

    private SimulationFailure failure(SimulationAttempt<A> failed, String caller, boolean single) {
        Violation first = requireNonNull(failed.violation(), "violation");
        Violation last = requireNonNull(best.violation(), "violation");
        String replay = "mvn test '-Dtest=" + caller + "' -Dkvorum.seed=" + seed;
        List<String> messages = single ? best.drawn().lines() : List.of();
        List<String> lines = new ArrayList<>();
        lines.add("seed " + seed + " broke: " + violated + seconds(first.at()) + ": " + text(first.cause()));
        lines.add("to run it again: " + replay);
        lines.add("of " + failed.faults().size() + " faults " + best.faults().size() + " matter"
                + (best == failed ? "" : "; with these" + seconds(last.at()) + ": " + text(last.cause())));
        best.faults().forEach(fault -> lines.add("  " + fault));
        if (!messages.isEmpty()) {
            lines.add("of the messages that they lose, repeat or delay these matter");
            messages.forEach(message -> lines.add("  " + message));
        }
        lines.add("the last events before");
        best.timeline().lines(LAST_EVENTS).forEach(line -> lines.add("  " + line));
        return new SimulationFailure(
                String.join(System.lineSeparator(), lines),
                last.cause(),
                seed,
                violated,
                replay,
                failed.faults(),
                best.faults(),
                messages,
                best.timeline());
    }

    private static String seconds(long nanos) {
        return String.format(Locale.ROOT, " at %.6f s", nanos / 1e9);
    }

    private static String text(@Nullable Throwable cause) {
        return String.valueOf(cause);
    }
}
