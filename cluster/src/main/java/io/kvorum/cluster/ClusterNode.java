package io.kvorum.cluster;

import static java.util.Objects.requireNonNull;

import io.kvorum.core.LocalStore;
import io.kvorum.core.StoreSettings;
import io.kvorum.core.replicated.ReplicatedStore;
import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeCommand;
import io.kvorum.replication.NodeIdentity;
import io.kvorum.replication.NodeStatus;
import io.kvorum.replication.Promise;
import io.kvorum.replication.PromiseStore;
import io.kvorum.replication.ReplicatedState;
import io.kvorum.replication.ReplicationEvent;
import io.kvorum.replication.ReplicationLog;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.replication.ReplicationSettings;
import io.kvorum.replication.ShardNode;
import io.kvorum.replication.Transport;
import io.kvorum.replication.runtime.FilePromiseStore;
import io.kvorum.replication.runtime.NodeDriver;
import io.kvorum.slots.Scheduler;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A member of a shard, ready to be embedded: a key-value store, the log that replicates it, the promise that keeps it
 * safe, and what runs them.
 *
 * <pre>{@code
 * ClusterNode node = ClusterNode.builder(new ShardId("shard-1"), new NodeId("node-1"))
 *         .directory(Path.of("data/node-1"))
 *         .transport((to, message) -> network.send(to, message))
 *         .topology(sentinel::topology)
 *         .start();
 * }</pre>
 *
 * <p>The owner brings two things together: what the transport of another node sends to this one goes to
 * {@link #receive}, and what a sentinel's gateway sends goes to {@link #execute}. A node takes no part in its shard
 * until a sentinel has bootstrapped the shard or has this node follow its primary.
 *
 * <p>The data is in memory. A node that is started again begins without it and counts for nothing until it has taken a
 * full sync from the primary, which the sentinels see to. Its promise must survive: it is kept in a file of the
 * {@link Builder#directory}. If the file is lost, the node is another member of its shard, which the primary takes in
 * again once its data is complete; if the directory is missing, the node does not start.
 *
 * <p>Instead of the key-value store a node may have a {@linkplain Builder#state state of the owner's}, which the same
 * log replicates.
 *
 * <p>Safe for use by any number of threads.
 */
public final class ClusterNode implements AutoCloseable {
    /** The name of the file in the node's directory that keeps the promise. */
    public static final String PROMISE_FILE = "promise";

    /** The key-value store of a node that has one, and what deletes its expired keys. */
    private record Keys(LocalStore local, ReplicatedStore replicated, Scheduler.Cancellable expiry) {}

    private final NodeIdentity identity;
    private final ReplicatedState state;
    private final ReplicationLog log;
    private final NodeDriver driver;
    private final LatestReport reports = new LatestReport();
    private final @Nullable Keys keys;
    private final OwnScheduler scheduler;

    private ClusterNode(Builder builder, PromiseStore promises, Promise promise) {
        identity = builder.identity;
        log = ReplicationLog.inMemory(builder.logCapacity);
        LocalStore local = null;
        if (builder.state == null) {
            local = new LocalStore(builder.storeSettings, builder.random.nextLong(), builder.clock, log::append);
            state = local.replicatedState();
        } else {
            state = requireNonNull(builder.state.apply(log), "state");
        }
        scheduler = OwnScheduler.of(builder.scheduler, "kvorum-" + identity.node());
        ShardNode machine = new ShardNode(
                builder.settings,
                identity,
                log,
                state,
                builder.allocator,
                promise,
                false,
                scheduler.get().nanoTime());
        driver = new NodeDriver(
                builder.settings,
                machine,
                log,
                builder.required("transport", builder.transport),
                promises,
                scheduler.get());
        if (builder.listener != null) {
            driver.addListener(builder.listener);
        }
        keys = local == null ? null : keys(local, builder.required("topology", builder.topology));
    }

    private Keys keys(LocalStore local, Supplier<ClusterTopology> topology) {
        ReplicatedStore store = new ReplicatedStore(local, log, driver, topology);
        return new Keys(local, store, store.expireWith(scheduler.get()));
    }

    private Keys keys() {
        if (keys == null) {
            throw new IllegalStateException("node must have a key-value store: " + id()
                    + " has a state of its owner's, " + state.getClass().getName());
        }
        return keys;
    }

    /**
     * Starts to describe a node.
     *
     * @param shard the shard it belongs to
     * @param node its id, unique in the cluster
     * @return a builder, which needs a {@linkplain Builder#transport transport}, a {@linkplain Builder#directory
     *     directory} or {@linkplain Builder#promises promise store}, and a {@linkplain Builder#topology topology} or
     *     {@linkplain Builder#state state}
     */
    public static Builder builder(ShardId shard, NodeId node) {
        return new Builder(new NodeIdentity(shard, node));
    }

    /** {@return the node's id} */
    public NodeId id() {
        return identity.node();
    }

    /** {@return the shard that the node belongs to} */
    public ShardId shard() {
        return identity.shard();
    }

    /**
     * {@return the node's store, which refuses what its role does not allow}
     *
     * @throws IllegalStateException if the node has a {@linkplain Builder#state state} of the owner's instead
     */
    public ReplicatedStore store() {
        return keys().replicated;
    }

    /**
     * {@return the owner's {@linkplain Builder#state state} that the node has instead of a store}
     *
     * @param type its class
     * @param <T> its class
     * @throws IllegalStateException if the node has a store, or a state of another class
     */
    public <T extends ReplicatedState> T state(Class<T> type) {
        if (keys != null || !type.isInstance(state)) {
            throw new IllegalStateException("node must have a " + type.getName() + ": " + id() + " has "
                    + (keys == null ? state.getClass().getName() : "a key-value store"));
        }
        return type.cast(state);
    }

    /** {@return the position of the node, its role and its members, after its last step} */
    public NodeStatus status() {
        return driver.status();
    }

    /** {@return what runs the node, for meters and for what this class does not name} */
    public NodeDriver driver() {
        return driver;
    }

    /**
     * {@return the number of keys that the node holds}
     *
     * @throws IllegalStateException if the node has a {@linkplain Builder#state state} of the owner's instead of a
     *     store
     */
    public long size() {
        return keys().local.size();
    }

    /**
     * Takes a message that another node's transport has sent to this one.
     *
     * @param from the sender
     * @param message the message; this node takes over its buffers
     */
    public void receive(NodeId from, ReplicationMessage message) {
        driver.receive(from, message);
    }

    /**
     * Carries out a command of a sentinel.
     *
     * @param command the command
     * @param answer takes the answer, on a thread of the scheduler; never called if the node is closed
     */
    public void execute(NodeCommand command, Consumer<? super NodeAnswer> answer) {
        NodeCommands.execute(driver, command, reports, answer);
    }

    /**
     * Adds a listener for the node's events from now on.
     *
     * @param listener takes the events in order, one at a time, on a thread of the scheduler; may do anything, closing
     *     this node included
     */
    public void addListener(Consumer<? super ReplicationEvent> listener) {
        driver.addListener(listener);
    }

    /**
     * Ends the node's part in its shard and releases its log. Outstanding writes end with an unknown outcome. May be
     * called by a listener. Idempotent.
     */
    @Override
    public void close() {
        if (keys != null) {
            keys.expiry.cancel();
        }
        driver.close();
        log.close();
        scheduler.close();
    }

    /** {@return the id, the shard, the role and the position} */
    @Override
    public String toString() {
        NodeStatus status = status();
        return id() + " (" + status.role() + " of " + shard() + " at " + status.position() + ")";
    }

    /** The parts of a node. Confined to one thread. */
    public static final class Builder {
        private NodeIdentity identity;
        private @Nullable Path directory;
        private @Nullable PromiseStore promises;
        private @Nullable Transport transport;
        private @Nullable Supplier<ClusterTopology> topology;
        private @Nullable Function<? super ReplicationLog, ? extends ReplicatedState> state;
        private @Nullable Scheduler scheduler;
        private @Nullable Consumer<? super ReplicationEvent> listener;
        private ReplicationSettings settings = ReplicationSettings.defaults();
        private StoreSettings storeSettings = StoreSettings.defaults();
        private int logCapacity = 16 << 20;
        private ByteBufAllocator allocator = ByteBufAllocator.DEFAULT;
        private InstantSource clock = InstantSource.system();
        private RandomGenerator random = new SecureRandom();

        private Builder(NodeIdentity identity) {
            this.identity = identity;
        }

        /**
         * Keeps the promise in a directory of its own, which must exist.
         *
         * @param value the directory, of this node alone
         * @return this builder
         */
        public Builder directory(Path value) {
            directory = requireNonNull(value, "directory");
            return this;
        }

        /**
         * Keeps the promise elsewhere than in a directory.
         *
         * @param value the store, of this node alone; must survive what a node is to survive
         * @return this builder
         */
        public Builder promises(PromiseStore value) {
            promises = requireNonNull(value, "promises");
            return this;
        }

        /**
         * Sends the node's messages to the other nodes.
         *
         * @param value the transport
         * @return this builder
         */
        public Builder transport(Transport value) {
            transport = requireNonNull(value, "transport");
            return this;
        }

        /**
         * Replicates a state of the owner's instead of a key-value store. Its writers append to the log that it is
         * given, as {@link ReplicatedState} says, and wait for {@link NodeDriver#acknowledged}. The node asks for no
         * topology then, and its settings of the store, its clock and its deletion of expired keys have no meaning.
         *
         * @param value makes the state, empty, of the node's log; called once at each {@link #start}
         * @return this builder
         */
        public Builder state(Function<? super ReplicationLog, ? extends ReplicatedState> value) {
            state = requireNonNull(value, "state");
            return this;
        }

        /**
         * Tells the node which slots its shard owns.
         *
         * @param value the current topology as far as it is known, such as a sentinel's; asked for each operation, so
         *     it must be quick
         * @return this builder
         */
        public Builder topology(Supplier<ClusterTopology> value) {
            topology = requireNonNull(value, "topology");
            return this;
        }

        /**
         * Sets the priority in failovers, 100 by default.
         *
         * @param value lower values are preferred; 0 means never promoted
         * @return this builder
         * @throws IllegalArgumentException if {@code value} is negative
         */
        public Builder priority(int value) {
            identity = new NodeIdentity(identity.shard(), identity.node(), value);
            return this;
        }

        /**
         * Sets the replication settings, which should be those of all nodes of the shard.
         *
         * @param value the settings
         * @return this builder
         */
        public Builder settings(ReplicationSettings value) {
            settings = requireNonNull(value, "settings");
            return this;
        }

        /**
         * Sets the settings of the store.
         *
         * @param value the settings
         * @return this builder
         */
        public Builder storeSettings(StoreSettings value) {
            storeSettings = requireNonNull(value, "storeSettings");
            return this;
        }

        /**
         * Sets how much of its log the node keeps at most, 16 MiB by default. The log starts small and grows with use.
         *
         * @param bytes the bytes; a power of two from {@value ReplicationLog#MIN_CAPACITY} to
         *     {@value ReplicationLog#MAX_CAPACITY}
         * @return this builder
         * @throws IllegalArgumentException if it is not
         */
        public Builder logCapacity(int bytes) {
            if (Integer.bitCount(bytes) != 1
                    || bytes < ReplicationLog.MIN_CAPACITY
                    || bytes > ReplicationLog.MAX_CAPACITY) {
                throw new IllegalArgumentException("logCapacity must be a power of two from "
                        + ReplicationLog.MIN_CAPACITY + " to " + ReplicationLog.MAX_CAPACITY + ": " + bytes);
            }
            logCapacity = bytes;
            return this;
        }

        /**
         * Runs the node on threads of the owner instead of two daemon threads of its own.
         *
         * @param value the scheduler, which the owner closes after the node
         * @return this builder
         */
        public Builder scheduler(Scheduler value) {
            scheduler = requireNonNull(value, "scheduler");
            return this;
        }

        /**
         * Allocates the buffers of messages with another allocator.
         *
         * @param value the allocator
         * @return this builder
         */
        public Builder allocator(ByteBufAllocator value) {
            allocator = requireNonNull(value, "allocator");
            return this;
        }

        /**
         * Reads the wall clock, which decides when keys expire, from another source.
         *
         * @param value the source
         * @return this builder
         */
        public Builder clock(InstantSource value) {
            clock = requireNonNull(value, "clock");
            return this;
        }

        /**
         * Draws the node's incarnation and the seed of its store from another source.
         *
         * @param value the source; if it can be guessed, keys can be made to collide
         * @return this builder
         */
        public Builder random(RandomGenerator value) {
            random = requireNonNull(value, "random");
            return this;
        }

        /**
         * Hears the node's events from its start.
         *
         * @param value the listener; see {@link ClusterNode#addListener}
         * @return this builder
         */
        public Builder listener(Consumer<? super ReplicationEvent> value) {
            listener = requireNonNull(value, "listener");
            return this;
        }

        /**
         * Begins a life of the node: loads its promise, saves that another life has begun, and starts it.
         *
         * @return the node, which the caller closes
         * @throws IOException if the promise can be neither loaded nor saved: the directory is missing or the file is
         *     damaged, for example; nothing was started
         * @throws IllegalStateException if the transport, both the directory and the promise store, or both the
         *     topology and the state are missing
         */
        public ClusterNode start() throws IOException {
            required("transport", transport);
            if (state == null) {
                required("topology", topology);
            }
            PromiseStore kept = promises != null
                    ? promises
                    : new FilePromiseStore(required("directory", directory).resolve(PROMISE_FILE));
            Promise last = kept.load();
            Promise promise = last == null ? Promise.first(random) : last.nextLife();
            kept.save(promise);
            ClusterNode node = new ClusterNode(this, kept, promise);
            node.driver.start();
            return node;
        }

        private <T> T required(String name, @Nullable T value) {
            if (value == null) {
                throw new IllegalStateException("node " + identity.node() + " must have a " + name);
            }
            return value;
        }
    }
}
