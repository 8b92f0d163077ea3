package io.kvorum.testkit;

import io.kvorum.cluster.ClusterNode;
import io.kvorum.core.replicated.ReplicatedStore;
import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeCommand;
import io.kvorum.replication.NodeStatus;
import io.kvorum.replication.Promise;
import io.kvorum.replication.PromiseStore;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.IOException;
import java.io.UncheckedIOException;
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
    private KeptPromise promise = new KeptPromise();
    private volatile @Nullable ClusterNode running;

    /** What runs between a start and a crash. */
    LocalNode(LocalCluster cluster, ShardId shard, NodeId id) {
        this.cluster = cluster;
        this.shard = shard;
        this.id = id;
    }

    synchronized void start() {
        LocalClusterSettings settings = cluster.settings();
        ClusterNode node;
        try {
            node = ClusterNode.builder(shard, id)
                    .promises(promise)
                    .transport((to, message) -> cluster.send(id, to, message))
                    .topology(cluster::topology)
                    .scheduler(cluster.scheduler())
                    .settings(settings.replication())
                    .logCapacity(settings.logCapacity())
                    .allocator(ALLOCATOR)
                    .listener(event -> cluster.publish(new ClusterEvent.OfNode(System.nanoTime(), event)))
                    .start();
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
     * @throws IllegalStateException if the node does not run
     */
    public ReplicatedStore store() {
        return required().store();
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
     * @throws IllegalStateException if the node does not run
     */
    public long size() {
        return required().size();
    }

    /**
     * {@return a number that is equal for nodes that hold the same entries, and otherwise differs, except by a chance
     * of one in 2 to the 64}
     *
     * @throws IllegalStateException if the node does not run
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
     * @throws IllegalStateException if the node runs
     */
    public synchronized void restart() {
        if (running != null) {
            throw new IllegalStateException("node must not be running: " + id());
        }
        start();
    }

    /**
     * Starts the node again on a new disk: without its data and without its promise. It is another member of its shard
     * now, and counts for nothing until the primary has fed it and taken it in.
     *
     * @throws IllegalStateException if the node runs
     */
    public synchronized void restartOnNewDisk() {
        if (running != null) {
            throw new IllegalStateException("node must not be running: " + id());
        }
        promise = new KeptPromise();
        start();
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

    /** {@return the store for the client of the cluster, or null if the node does not run} */
    @Nullable
    ReplicatedStore storeIfRunning() {
        ClusterNode current = running;
        return current == null ? null : current.store();
    }

    private ClusterNode required() {
        ClusterNode current = running;
        if (current == null) {
            throw new IllegalStateException("node must be running: " + id());
        }
        return current;
    }

    /** Survives a crash of the node, as a disk would. */
    private static final class KeptPromise implements PromiseStore {
        private volatile @Nullable Promise promise;

        @Override
        public @Nullable Promise load() {
            return promise;
        }

        @Override
        public void save(Promise newer) {
            promise = newer;
        }
    }
}
