package io.kvorum.testkit;

import static java.util.Objects.requireNonNull;

import io.kvorum.cluster.ClusterNode;
import io.kvorum.core.replicated.ReplicatedStore;
import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeCommand;
import io.kvorum.replication.NodeStatus;
import io.kvorum.replication.Promise;
import io.kvorum.replication.PromiseStore;
import io.kvorum.replication.ReplicatedState;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.replication.runtime.NodeDriver;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.testkit.ClusterEvent.Fault.Kind;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A node of a {@link LocalCluster}. It stands for the same node over crashes and restarts.
 *
 * <p>Safe for use by any number of threads.
 */
public final class LocalNode {
    /** On the heap, so that a message to a crashed node is just garbage. */
    private static final ByteBufAllocator ALLOCATOR = new UnpooledByteBufAllocator(false);

    private final LocalCluster cluster;
    private final ShardId shard;
    private final NodeId id;
    private final int priority;
    private volatile KeptPromise promise = new KeptPromise(null);
    private final PartyScheduler scheduler;
    private volatile Duration clockOffset = Duration.ZERO;
    private volatile boolean diskFull;
    private volatile @Nullable ClusterNode running;

    /** What runs between a start and a crash. */
    LocalNode(LocalCluster cluster, ShardId shard, NodeId id, int priority) {
        this.cluster = cluster;
        this.shard = shard;
        this.id = id;
        this.priority = priority;
        scheduler = new PartyScheduler(cluster.scheduler());
    }

    synchronized void start() {
        LocalClusterSettings settings = cluster.settings();
        ClusterNode.Builder builder = ClusterNode.builder(shard, id)
                .priority(priority)
                .promises(promise)
                .transport((to, message) -> cluster.mail().send(id, to, message))
                .topology(cluster::topology)
                .scheduler(scheduler)
                .random(new SplittableRandom(cluster.random().nextLong()))
                .clock(() -> cluster.clock().instant().plus(clockOffset))
                .settings(settings.replication())
                .logCapacity(settings.logCapacity())
                .allocator(ALLOCATOR)
                .listener(event -> cluster.events()
                        .publish(new ClusterEvent.OfNode(cluster.scheduler().nanoTime(), event)));
        if (cluster.state() != null) {
            builder.state(cluster.state());
        }
        ClusterNode node;
        try {
            node = builder.start();
        } catch (IOException e) { // a promise in memory can always be loaded and saved
            throw new UncheckedIOException(e);
        }
        running = node;
    }

    /** {@return its id} */
    public NodeId id() {
        return id;
    }

    /** {@return its shard} */
    public ShardId shard() {
        return shard;
    }

    /** {@return whether it runs: it was not crashed, or was restarted since} */
    public boolean isRunning() {
        return running != null;
    }

    /**
     * {@return the node's store, as an application on this node would use it, whatever links are cut}
     *
     * @throws IllegalStateException if the node does not run, or has a {@linkplain #state state} of the test's
     */
    public ReplicatedStore store() {
        return required().store();
    }

    /**
     * {@return the state of the test's that the node has instead of a store: another one after each restart}
     *
     * @param type its class
     * @param <T> its class
     * @throws IllegalStateException if the node does not run, or has a store or a state of another class
     * @see LocalClusterBuilder#state
     */
    public <T extends ReplicatedState> T state(Class<T> type) {
        return required().state(type);
    }

    /**
     * {@return what runs the node, and tells when enough nodes have what was written: another one after each restart}
     *
     * @throws IllegalStateException if the node does not run
     */
    public NodeDriver driver() {
        return required().driver();
    }

    /**
     * {@return the node's role, position and members}
     *
     * @throws IllegalStateException if the node does not run
     */
    public NodeStatus status() {
        return required().status();
    }

    /**
     * {@return the number of keys that the node holds}
     *
     * @throws IllegalStateException if the node does not run, or has a {@linkplain #state state} of the test's
     */
    public long size() {
        return required().size();
    }

    /**
     * {@return a number that is equal for nodes that hold the same entries, and otherwise differs, except by a chance
     * of one in 2 to the 64}
     *
     * @throws IllegalStateException if the node does not run, or has a {@linkplain #state state} of the test's
     */
    public long digest() {
        return required().store().digest();
    }

    /**
     * Ends the node at once, as if its process had been killed: its data and its log are gone, and outstanding requests
     * end with an unknown outcome. Only its promise is kept, as on a disk. Has no effect if the node does not run.
     */
    public void crash() {
        ClusterNode crashed = stop();
        if (crashed != null) {
            crashed.close();
            scheduler.resume(); // only now: a process that is killed while it is stopped does nothing more
            scheduler.slow(Duration.ZERO);
            cluster.events().fault(Kind.CRASH, List.of(id), "");
            cluster.events().startedOrEnded(id);
        }
    }

    /** What is closed is closed outside of the lock. */
    private synchronized @Nullable ClusterNode stop() {
        ClusterNode stopped = running;
        running = null;
        return stopped;
    }

    /**
     * Starts the node again, without its data. It does not count for anything until it has taken a full sync from the
     * primary, which a sentinel has it follow.
     *
     * @throws IllegalStateException if the node runs, or the cluster was closed
     */
    public void restart() {
        startAgain(promise, "");
    }

    private void startAgain(KeptPromise kept, String detail) {
        synchronized (this) {
            cluster.requireOpen();
            if (running != null) {
                throw new IllegalStateException("node must not be running: " + id());
            }
            KeptPromise before = promise;
            promise = kept;
            diskFull = false;
            cluster.events().fault(Kind.RESTART, List.of(id), detail);
            try {
                start();
            } catch (Throwable e) { // of a state of the test's
                promise = before;
                cluster.events().fault(Kind.CRASH, List.of(id), "at its start");
                throw e;
            }
        }
        cluster.events().startedOrEnded(id);
    }

    /**
     * Starts the node again on a new disk: without its data and without its promise. It is another member of its shard
     * now, and counts for nothing until the primary has fed it and taken it in.
     *
     * @throws IllegalStateException if the node runs, or the cluster was closed
     */
    public void restartOnNewDisk() {
        startAgain(new KeptPromise(null), "on a new disk");
    }

    /**
     * Starts the node again, without its data, on an older copy of its disk: one that {@link #promise} returned
     * earlier. That breaks a rule of the protocols, as a restored backup of a disk does.
     *
     * @param stale the promise that it starts with
     * @throws IllegalStateException if the node runs, or the cluster was closed
     */
    public void restartWith(Promise stale) {
        startAgain(new KeptPromise(requireNonNull(stale, "stale")), "on an old copy of its disk");
    }

    /** {@return the promise that the node has saved last, or null if it never did} */
    public @Nullable Promise promise() {
        return promise.load();
    }

    /**
     * Stops the node for a while, as a process is by a long collection of garbage: its timers and its mail pile up, and
     * the client gets no answer, until {@link #resume}. A node that is crashed and restarted runs. Has no effect if the
     * node does not run.
     */
    public void pause() {
        if (running == null) {
            return;
        }
        scheduler.pause();
        cluster.events().fault(Kind.PAUSE, List.of(id), "");
    }

    /** Has a paused node go on. All that has become due meanwhile happens at once. */
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
     * Has each step of the node begin later, until it is crashed.
     *
     * @param delay how much later, at most a hundred years; zero to end it
     * @throws IllegalArgumentException if it is out of range
     */
    public void slowSteps(Duration delay) {
        scheduler.slow(ClusterTime.checked("delay", delay));
        cluster.events().fault(Kind.SLOW_STEPS, List.of(id), "by " + delay);
    }

    /**
     * Sets the node's time of day forward or back. Deadlines of keys go by it, the protocols do not.
     *
     * @param distance how far, at most a hundred years, added to what was set before; negative for back
     * @throws IllegalArgumentException if it is out of range
     */
    public void clockJump(Duration distance) {
        ClusterTime.checked("the distance of a jump", distance.abs());
        clockOffset = clockOffset.plus(distance);
        cluster.events().fault(Kind.CLOCK_JUMP, List.of(id), "by " + distance);
    }

    /**
     * Fills the disk: what the node must remember can't be saved, until {@link #freeDisk}. To be started again it needs
     * room: that frees the disk too.
     */
    public void fillDisk() {
        diskFull = true;
        cluster.events().fault(Kind.DISK_FULL, List.of(id), "");
    }

    /** Frees the disk again. */
    public void freeDisk() {
        diskFull = false;
        cluster.events().fault(Kind.DISK_FREE, List.of(id), "");
    }

    /** Cuts the node off: nothing reaches it, nor does it reach anything, until {@link LocalCluster#heal}. */
    public void isolate() {
        cluster.isolate(id());
    }

    @Override
    public String toString() {
        return id().value();
    }

    void receive(NodeId from, ReplicationMessage message) {
        ClusterNode receiver = running;
        if (receiver != null) {
            receiver.receive(from, message);
        } else {
            message.release();
        }
    }

    void execute(NodeCommand command, Consumer<? super NodeAnswer> answer) {
        ClusterNode receiver = running;
        if (receiver != null) {
            receiver.execute(command, answer);
        }
    }

    /** {@return what the client of the cluster would talk to, or null if the node does not run or is paused} */
    @Nullable
    ClusterNode answering() {
        return scheduler.isPaused() ? null : running;
    }

    private ClusterNode required() {
        ClusterNode current = running;
        if (current == null) {
            throw new IllegalStateException("node must be running: " + id());
        }
        return current;
    }

    /** Survives a crash of the node, as a disk would. */
    private final class KeptPromise implements PromiseStore {
        private volatile @Nullable Promise promise;

        KeptPromise(@Nullable Promise promise) {
            this.promise = promise;
        }

        @Override
        public @Nullable Promise load() {
            return promise;
        }

        @Override
        public void save(Promise newer) throws IOException {
            if (diskFull) {
                throw new IOException("the disk is full");
            }
            ClusterNode saving = running;
            if (saving != null
                    && cluster.mail().hit(new StopPoint.Hit(StopPoint.BEFORE_PERSIST, id, shard))
                    && running != saving) {
                throw new IOException("node was crashed before it saved its promise");
            }
            promise = newer;
        }
    }
}
