package io.kvorum.testkit;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;

/**
 * Collects the parts of a {@link Simulation}. What isn't set: a cluster of one shard, three nodes and three sentinels,
 * faults of all kinds for a minute, a minute of recovery, and all checks.
 *
 * <p>For use by one thread.
 *
 * @param <A> the application under test
 */
public final class SimulationBuilder<A> {
    private final Function<? super LocalCluster, ? extends A> application;
    private BiConsumer<? super LocalClusterBuilder, ? super RandomGenerator> shape =
            (cluster, random) -> cluster.shards(1);
    private Set<FaultKind> faults = EnumSet.allOf(FaultKind.class);
    private Set<SimulationCheck> promises = EnumSet.allOf(SimulationCheck.class);
    private Duration length = Duration.ofMinutes(1);
    private Duration recovery = Duration.ofMinutes(1);
    private final Map<String, Simulation.Body<A>> workloads = new LinkedHashMap<>();
    private final Map<String, Predicate<? super SimulatedRun<A>>> invariants = new LinkedHashMap<>();
    private final Map<String, Simulation.Body<A>> checks = new LinkedHashMap<>();

    SimulationBuilder(Function<? super LocalCluster, ? extends A> application) {
        this.application = application;
    }

    /** The parts of a simulation. */
    record Parts<A>(
            Function<? super LocalCluster, ? extends A> application,
            BiConsumer<? super LocalClusterBuilder, ? super RandomGenerator> shape,
            List<FaultKind> faults,
            Set<SimulationCheck> promises,
            Duration length,
            Duration recovery,
            Map<String, Simulation.Body<A>> workloads,
            Map<String, Predicate<? super SimulatedRun<A>>> invariants,
            Map<String, Simulation.Body<A>> checks) {}

    /**
     * Sets the shape and the settings of the cluster, which may differ from seed to seed.
     *
     * @param value tells the builder of a cluster what it is to be like, and may draw that from the seed
     * @return this builder
     */
    public SimulationBuilder<A> cluster(BiConsumer<? super LocalClusterBuilder, ? super RandomGenerator> value) {
        shape = requireNonNull(value, "cluster");
        return this;
    }

    /**
     * Sets the kinds of faults among which each seed chooses.
     *
     * @param kinds the kinds; none for none at all
     * @return this builder
     */
    public SimulationBuilder<A> faults(FaultKind... kinds) {
        faults = EnumSet.noneOf(FaultKind.class);
        Collections.addAll(faults, kinds);
        return this;
    }

    /**
     * Sets how long faults happen, and the workloads run.
     *
     * @param value the length of the first phase, in virtual time; positive, at most a hundred years
     * @return this builder
     * @throws IllegalArgumentException if it is out of range
     */
    public SimulationBuilder<A> length(Duration value) {
        length = positive("length", value);
        return this;
    }

    /**
     * Sets within what time after the faults everything must be well.
     *
     * @param value the length of the second phase, in virtual time; positive, at most a hundred years
     * @return this builder
     * @throws IllegalArgumentException if it is out of range
     */
    public SimulationBuilder<A> recovery(Duration value) {
        recovery = positive("recovery", value);
        return this;
    }

    private static Duration positive(String name, Duration value) {
        if (value.isZero()) {
            throw new IllegalArgumentException(name + " must be positive: " + value);
        }
        return ClusterTime.checked(name, value);
    }

    /**
     * Adds a workload: a thread of the application, which must end by itself once the faults are over.
     *
     * @param name its name, of its thread too
     * @param body what it does
     * @return this builder
     * @throws IllegalArgumentException if the name is taken
     */
    public SimulationBuilder<A> workload(String name, Simulation.Body<A> body) {
        return put(workloads, name, body);
    }

    /**
     * Adds an invariant: what must hold after each step of the cluster and of the workloads.
     *
     * @param name its name, in the failure
     * @param holds returns whether it holds, or throws if it does not; quick, and must not wait for anything
     * @return this builder
     * @throws IllegalArgumentException if the name is taken
     */
    public SimulationBuilder<A> invariant(String name, Predicate<? super SimulatedRun<A>> holds) {
        return put(invariants, name, holds);
    }

    /**
     * Adds a check: what must hold at the end, when all workloads have ended and the cluster is whole again.
     *
     * @param name its name, in the failure
     * @param body throws if it does not hold; may use the cluster
     * @return this builder
     * @throws IllegalArgumentException if the name is taken
     */
    public SimulationBuilder<A> check(String name, Simulation.Body<A> body) {
        return put(checks, name, body);
    }

    private <T> SimulationBuilder<A> put(Map<String, T> parts, String name, T part) {
        if (parts.putIfAbsent(requireNonNull(name, "name"), requireNonNull(part, name)) != null) {
            throw new IllegalArgumentException("name must be used once: " + name);
        }
        return this;
    }

    /**
     * Leaves out some of Kvorum's own checks: those that cannot hold, since the cluster acknowledges at a lower level
     * or a workload breaks the rules of the schedule. Where the nodes have a {@linkplain LocalClusterBuilder#state
     * state} of the test's, {@link SimulationCheck#EQUAL_DATA} and {@link SimulationCheck#NOTHING_LOST} must be left
     * out, since they look into stores.
     *
     * @param left the checks to leave out
     * @return this builder
     */
    public SimulationBuilder<A> without(SimulationCheck... left) {
        promises = EnumSet.copyOf(promises);
        List.of(left).forEach(promises::remove);
        return this;
    }

    /**
     * {@return the simulation}
     *
     * @throws IllegalStateException if it has no workload
     */
    public Simulation<A> build() {
        if (workloads.isEmpty()) {
            throw new IllegalStateException("a simulation must have a workload");
        }
        return new Simulation<>(new Parts<>(
                application,
                shape,
                List.copyOf(faults),
                EnumSet.copyOf(promises),
                length,
                recovery,
                Collections.unmodifiableMap(new LinkedHashMap<>(workloads)),
                Collections.unmodifiableMap(new LinkedHashMap<>(invariants)),
                Collections.unmodifiableMap(new LinkedHashMap<>(checks))));
    }
}
