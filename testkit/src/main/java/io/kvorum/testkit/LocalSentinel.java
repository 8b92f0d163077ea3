package io.kvorum.testkit;

import io.kvorum.cluster.ClusterSentinel;
import io.kvorum.failover.SentinelList;
import io.kvorum.failover.SentinelMessage;
import io.kvorum.failover.SentinelState;
import io.kvorum.failover.SentinelStateStore;
import io.kvorum.failover.runtime.SentinelDriver;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/**
 * A sentinel of a {@link LocalCluster}. It stands for the same sentinel over crashes and restarts.
 *
 * <p>Safe for use by any number of threads.
 */
public final class LocalSentinel {
    private final LocalCluster cluster;
    private final NodeId id;
    private final SentinelList sentinels;
    private final ClusterTopology initial;
    private final KeptState kept = new KeptState();
    private volatile @Nullable ClusterSentinel running;

    LocalSentinel(LocalCluster cluster, NodeId id, SentinelList sentinels, ClusterTopology initial) {
        this.cluster = cluster;
        this.id = id;
        this.sentinels = sentinels;
        this.initial = initial;
    }

    synchronized void start() {
        ClusterSentinel sentinel;
        try {
            sentinel = ClusterSentinel.builder(id, sentinels, initial)
                    .settings(cluster.settings().failover())
                    .transport((to, message) -> cluster.send(id, to, message))
                    .gateway((node, command, answer) -> cluster.send(id, node, command, answer))
                    .stateStore(kept)
                    .scheduler(cluster.scheduler())
                    .listener(event -> cluster.publish(new ClusterEvent.OfSentinel(event)))
                    .start();
        } catch (IOException e) { // a state in memory can always be loaded
            throw new UncheckedIOException(e);
        }
        sentinel.configuration().subscribe(snapshot -> cluster.learn(id, snapshot.topology()));
        running = sentinel;
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
        return required().driver();
    }

    /** {@return what runs the sentinel, or {@code null} if it does not run} */
    @Nullable
    SentinelDriver driverIfRunning() {
        ClusterSentinel current = running;
        return current == null ? null : current.driver();
    }

    /** Ends it at once. What it had saved stays. Has no effect if it does not run. */
    public void crash() {
        ClusterSentinel crashed = stop();
        if (crashed != null) {
            crashed.close();
        }
    }

    private synchronized @Nullable ClusterSentinel stop() {
        ClusterSentinel stopped = running;
        running = null;
        return stopped;
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

    /**
     * Starts it again without what it had saved.
     *
     * @throws IllegalStateException if it runs
     */
    public synchronized void restartWithoutState() {
        kept.state = null;
        restart();
    }

    void receive(NodeId from, SentinelMessage message) {
        ClusterSentinel receiver = running;
        if (receiver != null) {
            receiver.receive(from, message);
        }
    }

    private ClusterSentinel required() {
        ClusterSentinel current = running;
        if (current == null) {
            throw new IllegalStateException("sentinel must be running: " + id);
        }
        return current;
    }

    /** Survives a crash of the sentinel, as a disk would. */
    private static final class KeptState implements SentinelStateStore {
        private volatile @Nullable SentinelState state;

        @Override
        public @Nullable SentinelState load() {
            return state;
        }

        @Override
        public void save(SentinelState newer) {
            state = newer;
        }
    }
}
