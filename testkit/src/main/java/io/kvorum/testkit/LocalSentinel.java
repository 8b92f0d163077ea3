package io.kvorum.testkit;

import io.kvorum.failover.Sentinel;
import io.kvorum.failover.SentinelMessage;
import io.kvorum.failover.SentinelSettings;
import io.kvorum.failover.SentinelState;
import io.kvorum.failover.SentinelStateStore;
import io.kvorum.failover.runtime.SentinelDriver;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A sentinel of a {@link LocalCluster}. It stands for the same sentinel over crashes and restarts.
 *
 * <p>Safe for use by any number of threads.
 */
public final class LocalSentinel {
    private final LocalCluster cluster;
    private final NodeId id;
    private final List<NodeId> sentinels;
    private final ClusterTopology initial;
    private final KeptState kept;
    private volatile @Nullable Running running;

    /** What runs between a start and a crash. */
    private record Running(SentinelDriver driver, ScheduledFuture<?> ticks) {}

    LocalSentinel(LocalCluster cluster, NodeId id, List<NodeId> sentinels, ClusterTopology initial) {
        this.cluster = cluster;
        this.id = id;
        this.sentinels = sentinels;
        this.initial = initial;
        this.kept = new KeptState(SentinelState.initial(id, initial));
    }

    /** The wiring of a sentinel: a machine, a driver that runs it, and a scheduler that calls it for time. */
    synchronized void start() {
        SentinelSettings settings = cluster.settings().failover();
        ScheduledExecutorService scheduler = cluster.scheduler();
        Sentinel machine =
                new Sentinel(settings, id, sentinels, initial, kept.load(), new SplittableRandom(), System.nanoTime());
        SentinelDriver driver = new SentinelDriver(
                machine,
                (to, message) -> cluster.send(id, to, message),
                (node, command, answer) -> cluster.send(id, node, command, answer),
                kept,
                System::nanoTime,
                scheduler,
                event -> cluster.publish(new ClusterEvent.OfSentinel(event)));
        driver.subscribe(snapshot -> cluster.learn(id, snapshot.topology()));
        long period = settings.tickPeriod().toNanos();
        running = new Running(driver, scheduler.scheduleWithFixedDelay(driver, 0, period, TimeUnit.NANOSECONDS));
    }

    /** {@return its id} */
    public NodeId id() {
        return id;
    }

    /** {@return whether it runs: it was not crashed, or was restarted since} */
    public boolean isRunning() {
        return running != null;
    }

    /**
     * {@return what runs the sentinel: it answers queries, takes orders for a failover, and delivers the topology}
     *
     * @throws IllegalStateException if it does not run
     */
    public SentinelDriver driver() {
        return required().driver;
    }

    /** Ends it at once. What it had saved stays. Has no effect if it does not run. */
    public synchronized void crash() {
        Running crashed = running;
        if (crashed != null) {
            running = null;
            crashed.ticks.cancel(false);
            crashed.driver.close();
        }
    }

    /**
     * Starts it again, with what it had saved.
     *
     * @throws IllegalStateException if it runs
     */
    public synchronized void restart() {
        if (running != null) {
            throw new IllegalStateException("sentinel must not be running: " + id);
        }
        start();
    }

    void receive(NodeId from, SentinelMessage message) {
        Running receiver = running;
        if (receiver != null) {
            receiver.driver.receive(from, message);
        }
    }

    private Running required() {
        Running current = running;
        if (current == null) {
            throw new IllegalStateException("sentinel must be running: " + id);
        }
        return current;
    }

    /** Survives a crash of the sentinel, as a disk would. */
    private static final class KeptState implements SentinelStateStore {
        private volatile SentinelState state;

        KeptState(SentinelState state) {
            this.state = state;
        }

        @Override
        public SentinelState load() {
            return state;
        }

        @Override
        public void save(SentinelState newer) {
            state = newer;
        }
    }
}
