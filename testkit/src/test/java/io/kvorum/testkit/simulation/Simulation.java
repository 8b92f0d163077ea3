package io.kvorum.testkit.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/** Runs seeds, and explains those that break an invariant. */
final class Simulation {
    private static final int TIMELINE = 60;
    private static final long AFTERMATH = Plan.SECOND;
    private static final int MAX_SHRINKING_RUNS = 100;

    private Simulation() {}

    /** {@return how the run of a seed in a profile ended} */
    static Report run(long seed, Profile profile, Mutant mutant) {
        return run(Plan.draw(seed, profile), mutant);
    }

    /** {@return how the run of a plan ended} */
    static Report run(Plan plan, Mutant mutant) {
        return new Cluster(plan, mutant, false).run();
    }

    /** {@return how the run of a seed ended, with its timeline} */
    static Report replay(Plan plan, Mutant mutant) {
        return new Cluster(plan, mutant, true).run();
    }

    /** {@return how the run of a seed ended, with its timeline, and what a violation led to} */
    static Report replayPast(Plan plan, Mutant mutant) {
        return new Cluster(plan, mutant, true).run(AFTERMATH);
    }

    /** {@return how to run a seed again, with its timeline} */
    static String replayLine(Profile profile, long seed) {
        return String.format(
                Locale.ROOT,
                "replay: mvn -pl testkit -am test -Dtest=SimulationTest -Dsurefire.failIfNoSpecifiedTests=false"
                        + " -Dkvorum.sim.profile=%s -Dkvorum.sim.seed=%d",
                profile,
                seed);
    }

    /** {@return what a reader needs to understand a run that broke an invariant} */
    static String explain(Report failed, Mutant mutant) {
        Plan shrunk = shrink(failed, mutant);
        Report replayed = replay(shrunk, mutant);
        StringBuilder text = new StringBuilder();
        text.append(String.format(
                Locale.ROOT,
                "profile %s, seed %d, mutant %s: %s%n",
                failed.plan().profile(),
                failed.plan().seed(),
                mutant,
                violation(failed).getMessage()));
        text.append(replayLine(failed.plan().profile(), failed.plan().seed())).append('\n');
        text.append(String.format(
                Locale.ROOT,
                "of %d faults these matter, with which: %s%n",
                failed.plan().faults().size(),
                violation(replayed).getMessage()));
        shrunk.faults().forEach(fault -> text.append("  ").append(fault).append('\n'));
        text.append("the end of the timeline with these:\n");
        replayed.tail(TIMELINE).forEach(line -> text.append(line).append('\n'));
        Throwable cause = violation(failed).getCause();
        if (cause != null) {
            text.append("caused by ").append(cause).append('\n');
            for (StackTraceElement element : cause.getStackTrace()) {
                text.append("  at ").append(element).append('\n');
            }
        }
        return text.toString();
    }

    private static Violation violation(Report report) {
        return Objects.requireNonNull(report.violation(), "violation");
    }

    /** Leaves faults out, many at once at first, for as long as the same invariant is broken. */
    private static Plan shrink(Report failed, Mutant mutant) {
        String invariant = violation(failed).invariant();
        Plan plan = failed.plan();
        int runs = 0;
        int chunk = Math.max(1, plan.faults().size() / 2);
        while (runs < MAX_SHRINKING_RUNS) {
            boolean smaller = false;
            for (int from = 0; from < plan.faults().size() && runs < MAX_SHRINKING_RUNS; runs++) {
                Plan candidate = plan.withFaults(without(plan.faults(), from, chunk));
                Violation found = new Cluster(candidate, mutant, false).run().violation();
                if (found != null && found.invariant().equals(invariant)) {
                    plan = candidate;
                    smaller = true;
                } else {
                    from += chunk;
                }
            }
            if (chunk == 1 && !smaller) {
                break;
            }
            chunk = Math.max(1, chunk / 2);
        }
        return plan;
    }

    private static List<Fault> without(List<Fault> faults, int from, int count) {
        List<Fault> fewer = new ArrayList<>(faults);
        fewer.subList(from, Math.min(faults.size(), from + count)).clear();
        return fewer;
    }
}
