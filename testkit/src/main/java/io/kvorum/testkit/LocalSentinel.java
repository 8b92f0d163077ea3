package io.kvorum.testkit;

import static java.util.Objects.requireNonNull;

import io.kvorum.cluster.ClusterSentinel;
import io.kvorum.failover.SentinelList;
import io.kvorum.failover.SentinelMessage;
import io.kvorum.failover.SentinelSettings;
import io.kvorum.failover.SentinelState;
import io.kvorum.failover.SentinelStateStore;
import io.kvorum.failover.runtime.SentinelDriver;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.testkit.ClusterEvent.Fault.Kind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
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
    private final PartyScheduler scheduler;
    private volatile SentinelSettings settings;
    private volatile boolean diskFull;
    private volatile @Nullable ClusterSentinel running;

    LocalSentinel(LocalCluster cluster, NodeId id, SentinelList sentinels, ClusterTopology initial) {
        this.cluster = cluster;
        this.id = id;
        this.sentinels = sentinels;
        this.initial = initial;
        scheduler = new PartyScheduler(cluster.scheduler());
        settings = cluster.settings().failover();
    }

    synchronized void start() {
        ClusterSentinel sentinel;
        try {
            sentinel = ClusterSentinel.builder(id, sentinels, initial)
                    .settings(settings)
                    .transport((to, message) -> cluster.mail().send(id, to, message))
                    .gateway((node, command, answer) -> cluster.mail().send(id, node, command, answer))
                    .stateStore(kept)
                    .scheduler(scheduler)
                    .random(new SplittableRandom(cluster.random().nextLong()))
                    .listener(event -> cluster.events().publish(new ClusterEvent.OfSentinel(event)))
                    .start();
        } catch (IOException e) { // a state in memory can always be loaded
            throw new UncheckedIOException(e);
        }
        sentinel.configuration().subscribe(snapshot -> cluster.clientSide().learn(id, snapshot.topology()));
        running = sentinel;
    }

    /** {@return its id} */
    public NodeId id() {
        return id;
    }

    /** {@return its settings: those of the cluster, unless they were replaced} */
    public SentinelSettings settings() {
        return settings;
    }

    /**
     * Replaces its settings. A sentinel that runs is restarted with them and with what it had saved: no crash is
     * reported, but an operation under way fails. The other sentinels keep their settings.
     *
     * @param value the settings
     * @throws IllegalArgumentException if the settings contradict each other, or their quorum is greater than the
     *     number of sentinels
     */
    public synchronized void reconfigure(SentinelSettings value) {
        value.checked();
        if (value.quorum() > sentinels.size()) {
            throw new IllegalArgumentException(
                    "quorum must be at most the number of sentinels, " + sentinels.size() + ": " + value.quorum());
        }
        settings = value;
        ClusterSentinel before = running;
        if (before != null) {
            before.close(); // which fails its operations: who hears of that may crash it
            if (running == before) {
                start();
            }
        }
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
            scheduler.resume(); // only now: a process that is killed while it is stopped does nothing more
            scheduler.slow(Duration.ZERO);
            cluster.events().fault(Kind.CRASH, List.of(id), "");
            cluster.events().startedOrEnded(id);
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
     * @throws IllegalStateException if it runs, or the cluster was closed
     */
    public void restart() {
        startAgain(kept.state);
    }

    private void startAgain(@Nullable SentinelState state) {
        synchronized (this) {
            cluster.requireOpen();
            if (running != null) {
                throw new IllegalStateException("sentinel must not be running: " + id);
            }
            kept.state = state;
            diskFull = false;
            cluster.events().fault(Kind.RESTART, List.of(id), "");
            start();
        }
        cluster.events().startedOrEnded(id);
    }

    /**
     * Starts it again without what it had saved.
     *
     * @throws IllegalStateException if it runs, or the cluster was closed
     */
    public void restartWithoutState() {
        startAgain(null);
    }

    /**
     * Starts it again with an older copy of what it had saved: one that {@link #state} returned earlier.
     *
     * @param stale the state that it starts with
     * @throws IllegalStateException if it runs, or the cluster was closed
     */
    public void restartWith(SentinelState stale) {
        startAgain(requireNonNull(stale, "stale"));
    }

    /** {@return what it has saved last, or null if it never did} */
    public @Nullable SentinelState state() {
        return kept.state;
    }

    /**
     * Stops it for a while, as a process is by a long collection of garbage: its timers and its mail pile up, until
     * {@link #resume}. A sentinel that is crashed and restarted runs. Has no effect if it does not run.
     */
    public void pause() {
        if (running == null) {
            return;
        }
        scheduler.pause();
        cluster.events().fault(Kind.PAUSE, List.of(id), "");
    }

    /** Has a paused sentinel go on. All that has become due meanwhile happens at once. */
    public void resume() {
        if (scheduler.isPaused()) {
            cluster.events().fault(Kind.RESUME, List.of(id), "");
        }
        scheduler.resume();
    }

    /** {@return whether it is paused} */
    public boolean isPaused() {
        return scheduler.isPaused();
    }

    /**
     * Has each of its steps begin later, until it is crashed.
     *
     * @param delay how much later, at most a hundred years; zero to end it
     * @throws IllegalArgumentException if it is out of range
     */
    public void slowSteps(Duration delay) {
        scheduler.slow(ClusterTime.checked("delay", delay));
        cluster.events().fault(Kind.SLOW_STEPS, List.of(id), "by " + delay);
    }

    /** Fills the disk: what it must remember can't be saved, until {@link #freeDisk} or until it is started again. */
    public void fillDisk() {
        diskFull = true;
        cluster.events().fault(Kind.DISK_FULL, List.of(id), "");
    }

    /** Frees the disk again. */
    public void freeDisk() {
        diskFull = false;
        cluster.events().fault(Kind.DISK_FREE, List.of(id), "");
    }

    /** Cuts it off: nothing reaches it, nor does it reach anything, until {@link LocalCluster#heal}. */
    public void isolate() {
        cluster.isolate(id);
    }

    @Override
    public String toString() {
        return id.value();
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
    private final class KeptState implements SentinelStateStore {
        private volatile @Nullable SentinelState state;

        @Override
        public @Nullable SentinelState load() {
            return state;
        }

        @Override
        public void save(SentinelState newer) throws IOException {
            if (diskFull) {
                throw new IOException("the disk is full");
            }
            ClusterSentinel saving = running;
            if (saving != null
                    && cluster.mail().hit(new StopPoint.Hit(StopPoint.BEFORE_PERSIST, id, null))
                    && running != saving) {
                throw new IOException("sentinel was crashed before it saved its state");
            }
            state = newer;
        }
    }
}
