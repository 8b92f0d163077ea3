package io.kvorum.testkit;

import io.kvorum.core.KeyValueStore;
import io.kvorum.core.LocalStore;
import io.kvorum.core.StoreSettings;
import io.kvorum.core.replicated.ReadLevel;
import io.kvorum.core.replicated.ReplicatedStore;
import io.kvorum.replication.NodeIdentity;
import io.kvorum.replication.NodeStatus;
import io.kvorum.replication.PromiseStore;
import io.kvorum.replication.ReplicationLog;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.replication.ReplicationSettings;
import io.kvorum.replication.ShardNode;
import io.kvorum.replication.runtime.NodeDriver;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.Shard;
import io.kvorum.slots.topology.ShardId;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A node of a {@link LocalCluster}. It stands for the same node over crashes and restarts.
 *
 * <p>Safe for use by any number of threads.
 */
public final class LocalNode {
    /** On the heap, so that the log of a crashed node is just garbage, even if a client is still in a call. */
    private static final ByteBufAllocator ALLOCATOR = new UnpooledByteBufAllocator(false);

    /** How many expired keys a node deletes in each heartbeat interval, at most. */
    private static final int EXPIRY_BUDGET = 1_000;

    private final LocalCluster cluster;
    private final NodeIdentity identity;
    private final KeptPromise promise = new KeptPromise();
    private volatile @Nullable Running running;

    /** What runs between a start and a crash. */
    private record Running(
            LocalStore state,
            NodeDriver driver,
            ReplicatedStore store,
            KeyValueStore clientStore,
            ScheduledFuture<?> ticks,
            ScheduledFuture<?> expiry) {}

    LocalNode(LocalCluster cluster, ShardId shard, NodeId id) {
        this.cluster = cluster;
        this.identity = new NodeIdentity(shard, id);
    }

    /** The wiring of a node: a store and a log, a machine, a driver that runs it, and a scheduler for the time. */
    synchronized void start(ShardNode.Start start) {
        LocalClusterSettings settings = cluster.settings();
        ReplicationSettings replication = settings.replication();
        ScheduledExecutorService scheduler = cluster.scheduler();
        ReplicationLog log = new ReplicationLog(ALLOCATOR, settings.logCapacity());
        LocalStore state = new LocalStore(
                StoreSettings.defaults(), new SecureRandom().nextLong(), InstantSource.system(), log::append);
        NodeDriver driver = new NodeDriver(
                new ShardNode(replication, identity, log, state.replicatedState(), ALLOCATOR, start),
                log,
                (to, message) -> cluster.send(id(), to, message),
                promise,
                System::nanoTime,
                scheduler,
                event -> cluster.publish(new ClusterEvent.OfNode(System.nanoTime(), event)));
        ReplicatedStore store = new ReplicatedStore(state, log, driver, cluster::topology);
        long period = replication.heartbeatInterval().toNanos();
        running = new Running(
                state,
                driver,
                store,
                store.store(settings.acknowledgement(), ReadLevel.CONFIRMED, settings.timeout()),
                scheduler.scheduleWithFixedDelay(driver, 0, period, TimeUnit.NANOSECONDS),
                scheduler.scheduleWithFixedDelay(
                        () -> store.expire(EXPIRY_BUDGET), period, period, TimeUnit.NANOSECONDS));
    }

    /** A new shard begins as every leadership does: its nodes promise the epoch, and one of them is promoted. */
    void begin(Shard shard) {
        NodeDriver driver = required().driver;
        if (shard.primary().equals(id())) {
            driver.fence(shard.epoch());
            driver.promote(shard.epoch(), LogPosition.START, shard.nodes());
        } else {
            driver.follow(shard.epoch(), shard.primary());
        }
    }

    /** {@return its id} */
    public NodeId id() {
        return identity.node();
    }

    /** {@return its shard} */
    public ShardId shard() {
        return identity.shard();
    }

    /** {@return whether it runs: it was not crashed, or was restarted since} */
    public boolean isRunning() {
        return running != null;
    }

    /**
     * {@return the node's store, as an application on this node would use it, whatever links are cut}
     *
     * @throws IllegalStateException if the node does not run
     */
    public ReplicatedStore store() {
        return required().store;
    }

    /**
     * {@return where the node stands}
     *
     * @throws IllegalStateException if the node does not run
     */
    public NodeStatus status() {
        return required().driver.status();
    }

    /**
     * {@return how many keys the node holds}
     *
     * @throws IllegalStateException if the node does not run
     */
    public long size() {
        return required().state.size();
    }

    /**
     * {@return a number that is equal for nodes that hold the same entries, and otherwise differs, except by a chance
     * of one in 2 to the 64}
     *
     * @throws IllegalStateException if the node does not run
     */
    public long digest() {
        return required().state.digest();
    }

    /**
     * Ends the node at once, as if its process had been killed: its data and its log are gone, and whoever waits for it
     * learns that the outcome is unknown. Only the epoch that it has promised is kept, as on a disk. Has no effect if
     * the node does not run.
     */
    public void crash() {
        Running crashed = stop();
        if (crashed != null) {
            crashed.ticks.cancel(false);
            crashed.expiry.cancel(false);
            crashed.driver.close();
        }
    }

    /** What is closed is closed outside of the lock: a listener that a step calls may want it. */
    private synchronized @Nullable Running stop() {
        Running stopped = running;
        running = null;
        return stopped;
    }

    /**
     * Starts the node again, without its data. It does not count for anything until it has taken a full sync from the
     * primary, which a sentinel has it follow.
     *
     * @throws IllegalStateException if the node runs
     */
    public synchronized void restart() {
        if (running != null) {
            throw new IllegalStateException("node must not be running: " + id());
        }
        start(ShardNode.Start.empty(promise.load(), new SecureRandom().nextLong()));
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
        Running receiver = running;
        if (receiver != null) {
            receiver.driver.receive(from, message);
        } else {
            message.release();
        }
    }

    @Nullable
    NodeDriver driver() {
        Running current = running;
        return current == null ? null : current.driver;
    }

    /** {@return the store as the client of the cluster uses it, or null if the node does not run} */
    @Nullable
    KeyValueStore clientStore() {
        Running current = running;
        return current == null ? null : current.clientStore;
    }

    private Running required() {
        Running current = running;
        if (current == null) {
            throw new IllegalStateException("node must be running: " + id());
        }
        return current;
    }

    /** Survives a crash of the node, as a disk would. */
    private static final class KeptPromise implements PromiseStore {
        private volatile long epoch;

        @Override
        public long load() {
            return epoch;
        }

        @Override
        public void save(long newEpoch) {
            epoch = Math.max(epoch, newEpoch);
        }
    }
}
