package io.kvorum.testkit;

import io.kvorum.testkit.history.History;
import io.kvorum.testkit.history.RecordedClient;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * One run of a {@link Simulation}, of one seed, as its workloads, invariants and checks see it.
 *
 * <p>For use by the workloads of the run, and by its invariants and checks while they are called.
 *
 * @param <A> the application under test, or whatever else the workloads of a run share
 */
public final class SimulatedRun<A> {
    private final LocalCluster cluster;
    private final History history;
    private final RandomGenerator random;
    private final FaultSchedule faults;
    private final A application;

    SimulatedRun(LocalCluster cluster, A application, FaultSchedule faults) {
        this.cluster = cluster;
        this.application = application;
        this.faults = faults;
        this.history = new History(cluster.scheduler()::nanoTime);
        this.random = new SplittableRandom(~cluster.seed());
    }

    /** {@return the seed} */
    public long seed() {
        return cluster.seed();
    }

    /** {@return the cluster, in virtual time} */
    public LocalCluster cluster() {
        return cluster;
    }

    /** {@return the application of this run} */
    public A application() {
        return application;
    }

    /** {@return whether the faults have ended, and the workloads are to end too} */
    public boolean isOver() {
        return faults.isOver();
    }

    /**
     * {@return a client of the cluster whose operations are recorded, and judged at the end}
     *
     * @param name its name, one for each workload
     */
    public RecordedClient client(String name) {
        return history.client(name, cluster.client());
    }

    /** {@return what the recorded clients did and saw} */
    public History history() {
        return history;
    }

    /** {@return chance that the seed decides, for workloads; they share it} */
    public RandomGenerator random() {
        return random;
    }

    /**
     * Lets time pass for the workload that calls.
     *
     * @param duration how long; at least 0
     */
    public void sleep(Duration duration) {
        cluster.advance(duration);
    }

    /** {@return the cluster, with the seed} */
    @Override
    public String toString() {
        return "SimulatedRun[" + cluster + "]";
    }
}
