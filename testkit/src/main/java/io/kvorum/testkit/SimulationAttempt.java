package io.kvorum.testkit;

import static java.util.Objects.requireNonNull;

import io.kvorum.testkit.SimulationBuilder.Parts;
import io.kvorum.testkit.history.History;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One run of one seed of a simulation, from the start of its cluster to the end, and what came of it.
 *
 * <p>Confined to one thread, but for the workloads, of which one runs at a time.
 *
 * @param <A> the application under test
 */
final class SimulationAttempt<A> {
    private static final int MOST_ELECTIONS = 4; // of a shard, once all faults are over

    private final Parts<A> parts;
    private final LocalCluster cluster;
    private final DrawnFaults drawn;
    private final SimulationAuditor auditor;
    private final Set<String> working = new ConcurrentSkipListSet<>();
    private @Nullable FaultSchedule schedule;
    private @Nullable SimulatedRun<A> begun;
    private volatile @Nullable Violation violation;
    private long electionsUnderFaults = -1;
    private long endNanos;
    private boolean endless;

    /**
     * What was broken.
     *
     * @param name the name of the invariant, check or workload
     * @param at when, in nanoseconds of the cluster
     */
    record Violation(String name, long at, Throwable cause) {}

    private SimulationAttempt(Parts<A> parts, LocalCluster cluster, DrawnFaults drawn) {
        this.parts = parts;
        this.cluster = cluster;
        this.drawn = drawn;
        this.auditor = new SimulationAuditor(cluster);
    }

    /** Runs a seed with what is drawn for it, or with some of that. */
    static <A> SimulationAttempt<A> run(Parts<A> parts, long seed, DrawnFaults drawn) {
        LocalClusterBuilder builder = LocalCluster.builder();
        parts.shape().accept(builder, new SplittableRandom(seed));
        LocalCluster cluster = builder.virtualTime(seed).start();
        SimulationAttempt<A> attempt = new SimulationAttempt<>(parts, cluster, drawn);
        try {
            attempt.runPhases();
        } catch (Throwable e) {
            attempt.breaks("what listeners and rules of a test throw", e);
        }
        attempt.endNanos = cluster.scheduler().nanoTime();
        try {
            cluster.close();
        } catch (ClusterTime.ActorGoesOn e) {
            attempt.endless = true;
            attempt.breaks("workloads end", e);
        } catch (Throwable e) {
            attempt.breaks("what listeners and rules of a test throw", e);
        }
        return attempt;
    }

    private void runPhases() {
        if (!cluster.await(() -> cluster.missing() == null, parts.recovery())) {
            breaks("ready at the start", new AssertionError(cluster.missing()));
            return;
        }
        A application;
        try {
            application = parts.application().apply(cluster);
        } catch (Throwable e) {
            breaks("the application begins", e);
            return;
        }
        FaultSchedule faults = FaultSchedule.begin(
                cluster,
                cluster.seed(),
                parts.length(),
                parts.faults().isEmpty() ? DrawnFaults.only(Set.of()) : drawn,
                parts.faults().toArray(new FaultKind[0]));
        schedule = faults;
        SimulatedRun<A> run = new SimulatedRun<>(cluster, application, faults);
        begun = run;
        working.addAll(parts.workloads().keySet());
        parts.workloads().forEach((name, body) -> begin(name, body, run));
        Duration limit = parts.length().plus(parts.recovery());
        if (!cluster.await(() -> isBroken(run) || (faults.isOver() && working.isEmpty()), limit)) {
            breaks("workloads end", new AssertionError(working + " must end once the faults are over"));
        }
        if (violation == null) {
            recover(run);
        }
        if (violation == null) {
            parts.checks().forEach((name, body) -> check(name, body, run));
        }
        if (violation == null) {
            checkEnd(run.history());
        }
    }

    private void begin(String name, Simulation.Body<A> body, SimulatedRun<A> run) {
        var unused = cluster.actor(name, () -> {
            try {
                body.run(run);
            } catch (Throwable e) { // also when the cluster is closed: then something else is broken already
                breaks("workload " + name, e);
            } finally {
                working.remove(name);
            }
        });
    }

    /** Looks whether all invariants hold; returns whether something is broken. Is called after each step. */
    private boolean isBroken(SimulatedRun<A> run) {
        if (schedule != null && schedule.isOver() && electionsUnderFaults < 0) {
            electionsUnderFaults = auditor.elections();
        }
        String broken = auditor.broken();
        if (broken != null && has(SimulationCheck.ONE_PRIMARY)) {
            breaks(SimulationCheck.ONE_PRIMARY.name(), new AssertionError(broken));
        }
        for (Map.Entry<String, Predicate<? super SimulatedRun<A>>> invariant :
                parts.invariants().entrySet()) {
            if (violation != null) {
                break;
            }
            try {
                if (!invariant.getValue().test(run)) {
                    breaks(invariant.getKey(), new AssertionError(invariant.getKey() + " does not hold"));
                }
            } catch (Throwable e) {
                breaks(invariant.getKey(), e);
            }
        }
        return violation != null;
    }

    private void recover(SimulatedRun<A> run) {
        if (!cluster.await(() -> isBroken(run) || cluster.missing() == null, parts.recovery())) {
            String missing = requireNonNull(cluster.missing(), "missing");
            if (has(SimulationCheck.RECOVERY)) {
                breaks(SimulationCheck.RECOVERY.name(), new AssertionError(missing));
            }
        }
        long elections = auditor.elections() - electionsUnderFaults;
        if (elections > (long) MOST_ELECTIONS * cluster.topology().shards().size() && has(SimulationCheck.RECOVERY)) {
            breaks(
                    SimulationCheck.RECOVERY.name(),
                    new AssertionError(elections + " elections although all faults are over"));
        }
    }

    private void check(String name, Simulation.Body<A> body, SimulatedRun<A> run) {
        if (violation == null) {
            try {
                body.run(run);
            } catch (Throwable e) {
                breaks(name, e);
            }
        }
    }

    private void checkEnd(History history) {
        demandNone(SimulationCheck.EQUAL_DATA, auditor::differences);
        demandNone(
                SimulationCheck.NOTHING_LOST,
                () -> history.losses(cluster.client()::get).details());
        demandNone(SimulationCheck.LINEARIZABILITY, history::linearizabilityViolations);
        demandNone(SimulationCheck.SESSIONS, history::sessionViolations);
    }

    /** Makes a check, if it is wanted: without a cluster that is whole again, some cannot be made. */
    private void demandNone(SimulationCheck check, Supplier<List<String>> search) {
        if (!has(check)) {
            return;
        }
        try {
            List<String> found = search.get();
            if (!found.isEmpty()) {
                breaks(check.name(), new AssertionError(String.join(System.lineSeparator(), found)));
            }
        } catch (Throwable e) { // such as of a store that could not be read
            breaks(check.name(), e);
        }
    }

    private boolean has(SimulationCheck check) {
        return parts.promises().contains(check);
    }

    private synchronized void breaks(String name, Throwable cause) {
        if (violation == null) {
            violation = new Violation(name, cluster.scheduler().nanoTime(), cause);
        }
    }

    // ---- what came of it

    @Nullable
    Violation violation() {
        return violation;
    }

    long seed() {
        return cluster.seed();
    }

    DrawnFaults drawn() {
        return drawn;
    }

    List<FaultSchedule.Fault> faults() {
        return schedule == null ? List.of() : schedule.faults();
    }

    ClusterTimeline timeline() {
        return violation == null ? cluster.timeline() : cluster.timeline().withFailure(violation.cause);
    }

    /** {@return whether a thread of it goes on for ever, such as in a deadlock} */
    boolean isEndless() {
        return endless;
    }

    long endNanos() {
        return endNanos;
    }

    long elections() {
        return auditor.elections();
    }

    long failovers() {
        return auditor.failovers();
    }

    long operations() {
        return begun == null ? 0 : begun.history().operations();
    }

    long unknown() {
        return begun == null ? 0 : begun.history().unknown();
    }
}
