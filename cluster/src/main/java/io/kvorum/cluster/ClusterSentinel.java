package io.kvorum.cluster;

import static java.util.Objects.requireNonNull;

import io.kvorum.failover.ConfigurationProvider;
import io.kvorum.failover.NodeGateway;
import io.kvorum.failover.Operation;
import io.kvorum.failover.Sentinel;
import io.kvorum.failover.SentinelEvent;
import io.kvorum.failover.SentinelList;
import io.kvorum.failover.SentinelMessage;
import io.kvorum.failover.SentinelSettings;
import io.kvorum.failover.SentinelState;
import io.kvorum.failover.SentinelStateStore;
import io.kvorum.failover.SentinelTransport;
import io.kvorum.failover.ShardPrimary;
import io.kvorum.failover.runtime.FileSentinelStateStore;
import io.kvorum.failover.runtime.SentinelDriver;
import io.kvorum.slots.Scheduler;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A sentinel, ready to be embedded: it watches the shards of a topology and, together with the other sentinels, fails
 * them over.
 *
 * <pre>{@code
 * ClusterSentinel sentinel = ClusterSentinel.builder(new NodeId("sentinel-1"), sentinels, topology)
 *         .directory(Path.of("data/sentinel-1"))
 *         .transport((to, message) -> network.send(to, message))
 *         .gateway((node, command, answer) -> network.ask(node, command, answer))
 *         .start();
 * sentinel.bootstrap(new ShardId("shard-1")); // once, by one sentinel, when the shard is new
 * }</pre>
 *
 * <p>The owner hands what the transport of another sentinel sends to this one to {@link #receive}. A sentinel's file
 * holds what it knew, so that it knows it sooner after a restart; losing it costs time, not safety.
 *
 * <p>Safe for use by any number of threads.
 */
public final class ClusterSentinel implements AutoCloseable {
    /** The name of the file in the sentinel's directory that keeps what it knew. */
    public static final String STATE_FILE = "sentinel";

    private final SentinelDriver driver;
    private final OwnScheduler scheduler;

    private ClusterSentinel(Builder builder, SentinelStateStore store, @Nullable SentinelState cached) {
        scheduler = OwnScheduler.of(builder.scheduler, "kvorum-" + builder.self);
        Sentinel machine = new Sentinel(
                builder.settings,
                builder.self,
                builder.sentinels,
                builder.topology,
                cached,
                builder.random,
                scheduler.get().nanoTime());
        driver = new SentinelDriver(
                machine,
                Builder.required(builder.self, "transport", builder.transport),
                Builder.required(builder.self, "gateway", builder.gateway),
                store,
                scheduler.get());
        if (builder.listener != null) {
            driver.addListener(builder.listener);
        }
    }

    /**
     * Starts to describe a sentinel.
     *
     * @param self its id
     * @param sentinels all sentinels with their numbers, the same at each of them
     * @param topology the topology to start with: the shards, their nodes and the slots they own
     * @return a builder, which needs a {@linkplain Builder#transport transport} and a {@linkplain Builder#gateway
     *     gateway}
     */
    public static Builder builder(NodeId self, SentinelList sentinels, ClusterTopology topology) {
        return new Builder(self, sentinels, topology);
    }

    /** {@return the sentinel's id} */
    public NodeId id() {
        return driver.self();
    }

    /** {@return the newest topology that the sentinel knows} */
    public ClusterTopology topology() {
        return driver.topology();
    }

    /** {@return the source of topologies for applications: the newest one, and each change} */
    public ConfigurationProvider configuration() {
        return driver;
    }

    /** {@return what runs the sentinel, for queries and for operations that this class does not name} */
    public SentinelDriver driver() {
        return driver;
    }

    /**
     * Takes a message that another sentinel's transport has sent to this one.
     *
     * @param from the sender
     * @param message the message
     */
    public void receive(NodeId from, SentinelMessage message) {
        driver.receive(from, message);
    }

    /**
     * Begins a new shard, once in its life. All its nodes must run and never have been part of a shard before.
     *
     * @param shard the shard, as the topology has it
     * @return the first primary; or, exceptionally, {@link io.kvorum.failover.OperationFailedException}, and a retry is
     *     safe
     */
    public CompletionStage<ShardPrimary> bootstrap(ShardId shard) {
        return driver.bootstrap(shard);
    }

    /**
     * Gives a shard another primary: by a switchover, which loses nothing, if the present one is well, and by a
     * failover if it is down.
     *
     * @param shard the shard
     * @return the new primary; or, exceptionally, {@link io.kvorum.failover.OperationFailedException}
     */
    public CompletionStage<ShardPrimary> failOver(ShardId shard) {
        return driver.failOver(shard);
    }

    /**
     * Hands a shard over to one of its replicas.
     *
     * @param shard the shard
     * @param target the node that is to lead
     * @return the new primary, which is the target; or, exceptionally,
     *     {@link io.kvorum.failover.OperationFailedException}, as for a target that may not lead
     * @see Operation.FailOver
     */
    public CompletionStage<ShardPrimary> failOver(ShardId shard, NodeId target) {
        return driver.perform(new Operation.FailOver(shard, requireNonNull(target, "target")));
    }

    /**
     * Begins a shard anew whose data is lost. <strong>Writes that were acknowledged are gone</strong> unless a node
     * that still has them answers: use it only if the shard cannot get a primary in any other way. Logged as WARNING.
     *
     * @param shard the shard
     * @return the new primary; or, exceptionally, {@link io.kvorum.failover.OperationFailedException}
     */
    public CompletionStage<ShardPrimary> beginAnew(ShardId shard) {
        return driver.beginAnew(shard);
    }

    /**
     * Replaces a member of a shard by a node with another id.
     *
     * @param shard the shard
     * @param outgoing the member that leaves
     * @param incoming the node that takes its place, which must run
     * @return the primary, once the change is committed; or, exceptionally,
     *     {@link io.kvorum.failover.OperationFailedException}
     */
    public CompletionStage<ShardPrimary> replace(ShardId shard, NodeId outgoing, NodeId incoming) {
        return driver.replace(shard, outgoing, incoming);
    }

    /**
     * Adds a listener for the sentinel's events from now on.
     *
     * @param listener takes the events in order, one at a time, on a thread of the scheduler; may do anything, closing
     *     this sentinel included
     */
    public void addListener(Consumer<? super SentinelEvent> listener) {
        driver.addListener(listener);
    }

    /** Ends the sentinel. May be called by a listener. Idempotent. */
    @Override
    public void close() {
        driver.close();
        scheduler.close();
    }

    /** {@return the id and the number of shards} */
    @Override
    public String toString() {
        return id() + " (sentinel of " + topology().shards().size() + " shards)";
    }

    /** The parts of a sentinel. Confined to one thread. */
    public static final class Builder {
        private final NodeId self;
        private final SentinelList sentinels;
        private final ClusterTopology topology;
        private @Nullable SentinelStateStore store;
        private @Nullable SentinelTransport transport;
        private @Nullable NodeGateway gateway;
        private @Nullable Scheduler scheduler;
        private @Nullable Consumer<? super SentinelEvent> listener;
        private SentinelSettings settings = SentinelSettings.defaults();
        private RandomGenerator random = new SecureRandom();

        private Builder(NodeId self, SentinelList sentinels, ClusterTopology topology) {
            this.self = requireNonNull(self, "self");
            this.sentinels = requireNonNull(sentinels, "sentinels");
            this.topology = requireNonNull(topology, "topology");
        }

        /**
         * Keeps what the sentinel knows in a directory of its own, which must exist. Without it, and without a
         * {@linkplain #stateStore store}, a sentinel that is started again knows nothing but its topology.
         *
         * @param value the directory, of this sentinel alone
         * @return this builder
         */
        public Builder directory(Path value) {
            return stateStore(new FileSentinelStateStore(
                    requireNonNull(value, "directory").resolve(STATE_FILE)));
        }

        /**
         * Keeps what the sentinel knows elsewhere than in a directory.
         *
         * @param value the store, of this sentinel alone
         * @return this builder
         */
        public Builder stateStore(SentinelStateStore value) {
            store = requireNonNull(value, "stateStore");
            return this;
        }

        /**
         * Sends the sentinel's messages to the other sentinels.
         *
         * @param value the transport
         * @return this builder
         */
        public Builder transport(SentinelTransport value) {
            transport = requireNonNull(value, "transport");
            return this;
        }

        /**
         * Sends the sentinel's commands to the nodes.
         *
         * @param value the gateway
         * @return this builder
         */
        public Builder gateway(NodeGateway value) {
            gateway = requireNonNull(value, "gateway");
            return this;
        }

        /**
         * Sets the settings, which should be those of all sentinels.
         *
         * @param value the settings
         * @return this builder
         */
        public Builder settings(SentinelSettings value) {
            settings = requireNonNull(value, "settings");
            return this;
        }

        /**
         * Runs the sentinel on threads of the owner instead of two daemon threads of its own.
         *
         * @param value the scheduler, which the owner closes after the sentinel
         * @return this builder
         */
        public Builder scheduler(Scheduler value) {
            scheduler = requireNonNull(value, "scheduler");
            return this;
        }

        /**
         * Draws the numbers of attempts and nonces from another source.
         *
         * @param value the source; another one for each sentinel
         * @return this builder
         */
        public Builder random(RandomGenerator value) {
            random = requireNonNull(value, "random");
            return this;
        }

        /**
         * Hears the sentinel's events from its start.
         *
         * @param value the listener; see {@link ClusterSentinel#addListener}
         * @return this builder
         */
        public Builder listener(Consumer<? super SentinelEvent> value) {
            listener = requireNonNull(value, "listener");
            return this;
        }

        /**
         * Loads what the sentinel knew, and starts it.
         *
         * @return the sentinel, which the caller closes
         * @throws IOException if what it knew cannot be read: the directory is missing or the file is damaged; deleting
         *     a damaged file is safe
         * @throws IllegalStateException if the transport or the gateway is missing
         * @throws IllegalArgumentException if the sentinel is not in the list, or the quorum of the settings is greater
         *     than the list
         */
        public ClusterSentinel start() throws IOException {
            required(self, "transport", transport);
            required(self, "gateway", gateway);
            SentinelStateStore kept = store == null ? new ForgetfulStore() : store;
            ClusterSentinel sentinel = new ClusterSentinel(this, kept, kept.load());
            sentinel.driver.start();
            return sentinel;
        }

        private static <T> T required(NodeId self, String name, @Nullable T value) {
            if (value == null) {
                throw new IllegalStateException("sentinel " + self + " must have a " + name);
            }
            return value;
        }
    }

    /** Keeps nothing. */
    private static final class ForgetfulStore implements SentinelStateStore {
        @Override
        public @Nullable SentinelState load() {
            return null;
        }

        @Override
        public void save(SentinelState state) {
            // a sentinel that is started again asks the nodes
        }
    }
}
