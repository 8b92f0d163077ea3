package io.kvorum.cluster;

import static java.util.Objects.requireNonNull;

import io.kvorum.core.AsyncKeyValueStore;
import io.kvorum.core.ForwardingStore;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.PartlyClearedException;
import io.kvorum.core.replicated.ReadLevel;
import io.kvorum.core.replicated.ReplicatedStore;
import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.slots.Scheduler;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.NodeId;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A client of a cluster, which sends each operation to the primary of its slot and retries through failovers.
 *
 * <p>An operation has a deadline, and one that an executor begins only after it is not made: it fails with
 * {@link java.util.concurrent.CancellationException}. A refused operation has changed nothing, so it is retried within
 * the deadline, with growing pauses, at the node that the topology names by then. Only refusals that a retry cannot
 * change are passed on at once: keys of different slots ({@code CROSS_SLOT}) and a store at its memory limit
 * ({@code OUT_OF_MEMORY}). When the time is up, the last refusal is the outcome.
 *
 * <p>An operation that may have changed something is never retried. If a node cannot tell the outcome of a change, the
 * operation fails with {@link OutcomeUnknownException}; the caller decides whether it is safe to repeat. The same holds
 * for a function of several changes that was refused half way.
 *
 * <p>{@link KeyValueStore#clear} goes from shard to shard within its deadline and waits for each; since it is safe to
 * repeat, it also goes on after a refusal half way. If the time is up, or an outcome is unknown, before it is through,
 * it fails with a {@link PartlyClearedException} that names the slots it has cleared and those that remain, or with
 * what stopped it if it has not deleted anything yet.
 *
 * <p>Reads change nothing, so they are also retried after a refusal half way, or if their node was closed or lost the
 * leadership before it confirmed them.
 *
 * <p>No thread is held by an operation that waits: neither for its acknowledgement nor for its next try. A shard that
 * answers slowly, or not at all, delays nothing at the others. At most {@value #MAX_WAITING} operations wait for
 * another try; beyond that refusals are passed on at once.
 *
 * <p>Functions given to {@link AsyncKeyValueStore#reading}, {@link AsyncKeyValueStore#changing},
 * {@link KeyValueStore#transact} and the like are run again if the run before was refused, so they must not have
 * effects of their own. They run in the caller's thread at first, and in one of the scheduler's later. A caller that is
 * interrupted still waits for a run under way, so arrays and buffers are not touched afterwards.
 *
 * <p>Safe for use by any number of threads. It owns nothing, so there is nothing to close.
 */
public final class ClusterClient implements ClientStats.Source {
    /** How many operations may wait for another try. */
    public static final int MAX_WAITING = 1 << 16;

    private static final Duration CENTURY = Duration.ofDays(36_525);

    /** The parts that a client shares with those that differ from it in their timeout only. */
    record Cluster(
            Supplier<ClusterTopology> topology,
            Function<NodeId, @Nullable ReplicatedStore> nodes,
            Acknowledgement writeLevel,
            ReadLevel readLevel,
            Scheduler scheduler,
            RandomGenerator random,
            AtomicInteger waiting,
            ClientCounters counters) {}

    private final class Blocking extends ForwardingStore {
        @Override
        protected <T extends @Nullable Object> T reading(Function<? super KeyValueStore, ? extends T> operation) {
            return ClusterClient.this.<T>await(operation(true, operation));
        }

        @Override
        protected <T extends @Nullable Object> T changing(Function<? super KeyValueStore, ? extends T> operation) {
            return ClusterClient.this.<T>await(operation(false, operation));
        }

        @Override
        public long clear() {
            return clear(SlotSet.ALL);
        }

        @Override
        public long clear(SlotSet slots) {
            return await(new Clearing(cluster, timeout, slots));
        }

        /**
         * {@return the asynchronous form, whose operations begin in the executor but hold none of its threads} One that
         * begins after its deadline fails with {@link java.util.concurrent.CancellationException}; nothing was changed.
         */
        @Override
        public AsyncKeyValueStore async(Executor executor) {
            return new Async(executor);
        }

        @Override
        public String toString() {
            return ClusterClient.this.toString();
        }
    }

    private final class Async implements AsyncKeyValueStore {
        private final Executor executor;

        /** The executor makes the first try of each operation. */
        Async(Executor executor) {
            this.executor = requireNonNull(executor, "executor");
        }

        @Override
        public <T extends @Nullable Object> CompletionStage<T> reading(
                Function<? super KeyValueStore, ? extends T> function) {
            return ClusterClient.<T>begin(operation(true, function), executor);
        }

        @Override
        public <T extends @Nullable Object> CompletionStage<T> changing(
                Function<? super KeyValueStore, ? extends T> function) {
            return ClusterClient.<T>begin(operation(false, function), executor);
        }

        @Override
        public CompletionStage<Long> clear() {
            return clear(SlotSet.ALL);
        }

        @Override
        public CompletionStage<Long> clear(SlotSet slots) {
            return begin(new Clearing(cluster, timeout, slots), executor);
        }

        @Override
        public String toString() {
            return ClusterClient.this.toString();
        }
    }

    private final Cluster cluster;
    private final Duration timeout;
    private final KeyValueStore store = new Blocking();
    private final AsyncKeyValueStore async = new Async(Runnable::run);

    private ClusterClient(Cluster cluster, Duration timeout) {
        this.cluster = cluster;
        this.timeout = timeout;
    }

    /** {@return a builder} */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * {@return the cluster as a store whose calls wait until they are done} An interrupt ends the waiting and stays
     * set: with the last refusal if nothing was changed and nothing will be, with
     * {@link java.util.concurrent.CancellationException} if no node was asked yet, else with
     * {@link OutcomeUnknownException}.
     */
    public KeyValueStore store() {
        return store;
    }

    /**
     * {@return the cluster as an asynchronous store} Dependents of its stages must be quick, since the threads that
     * complete the stages also run nodes.
     */
    public AsyncKeyValueStore async() {
        return async;
    }

    /**
     * {@return a client like this one, whose operations have another deadline}
     *
     * @param value how long an operation may take in all; positive, more than a hundred years are a hundred
     * @throws IllegalArgumentException if it is not positive
     */
    public ClusterClient withTimeout(Duration value) {
        return new ClusterClient(cluster, checked(value));
    }

    /** {@return how long an operation may take in all} */
    public Duration timeout() {
        return timeout;
    }

    /** {@return how many operations wait for another try} */
    @Override
    public int waiting() {
        return cluster.waiting.get();
    }

    /** {@return what this client, and those that differ from it in their timeout only, have done} */
    @Override
    public ClientStats stats() {
        return cluster.counters.stats();
    }

    private <T extends @Nullable Object> Pending<T> operation(
            boolean reads, Function<? super KeyValueStore, ? extends T> function) {
        return new ClientOperation<>(cluster, timeout, reads, requireNonNull(function, "function"));
    }

    private static <T extends @Nullable Object> CompletableFuture<T> begin(Pending<T> operation, Executor executor) {
        try {
            executor.execute(operation::run);
        } catch (RejectedExecutionException e) {
            operation.outcome().completeExceptionally(e);
        }
        return operation.outcome();
    }

    private <T extends @Nullable Object> T await(Pending<T> operation) {
        try {
            return begin(operation, Runnable::run).get(2 * timeout.toNanos(), TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            } else if (e.getCause() instanceof Error cause) {
                throw cause;
            }
            throw new AssertionError(e);
        } catch (TimeoutException e) { // the scheduler is at a standstill
            throw operation.abandon(OutcomeUnknownException.Reason.TIMEOUT);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw operation.abandon(OutcomeUnknownException.Reason.INTERRUPTED);
        }
    }

    private static Duration checked(Duration timeout) {
        if (timeout.isZero() || timeout.isNegative()) {
            throw new IllegalArgumentException("timeout must be positive: " + timeout);
        }
        return timeout.compareTo(CENTURY) > 0 ? CENTURY : timeout;
    }

    /** {@return the number of shards, the levels and the timeout} */
    @Override
    public String toString() {
        return "ClusterClient[" + cluster.topology.get().shards().size() + " shards, writes " + cluster.writeLevel
                + ", reads " + cluster.readLevel + ", timeout " + timeout + "]";
    }

    /** Collects the parts of a client. For use by one thread. */
    public static final class Builder {
        private @Nullable Supplier<ClusterTopology> topology;
        private @Nullable Function<NodeId, @Nullable ReplicatedStore> nodes;
        private @Nullable Scheduler scheduler;
        private RandomGenerator random = () -> ThreadLocalRandom.current().nextLong();
        private Acknowledgement writeLevel = Acknowledgement.MAJORITY;
        private ReadLevel readLevel = ReadLevel.CONFIRMED;
        private Duration timeout = Duration.ofSeconds(5);

        private Builder() {}

        /**
         * Sets where the topology comes from. Required.
         *
         * @param value the current topology, as {@link ClusterSentinel} knows it; asked for each try, so it must be
         *     quick
         * @return this builder
         */
        public Builder topology(Supplier<ClusterTopology> value) {
            topology = requireNonNull(value, "topology");
            return this;
        }

        /**
         * Sets the way to the nodes. Required.
         *
         * @param value the store of a node, or {@code null} while it cannot be reached
         * @return this builder
         */
        public Builder nodes(Function<NodeId, @Nullable ReplicatedStore> value) {
            nodes = requireNonNull(value, "nodes");
            return this;
        }

        /**
         * Sets what runs further tries, and the time. Required.
         *
         * @param value the scheduler; the owner closes it
         * @return this builder
         */
        public Builder scheduler(Scheduler value) {
            scheduler = requireNonNull(value, "scheduler");
            return this;
        }

        /**
         * Sets the source of randomness for the pauses between tries; by default one of the JVM.
         *
         * @param value the source, safe for use by any number of threads
         * @return this builder
         */
        public Builder random(RandomGenerator value) {
            random = requireNonNull(value, "random");
            return this;
        }

        /**
         * Sets how many nodes must have each change; {@link Acknowledgement#MAJORITY} if it isn't set.
         *
         * @param value the level
         * @return this builder
         */
        public Builder writeLevel(Acknowledgement value) {
            writeLevel = requireNonNull(value, "writeLevel");
            return this;
        }

        /**
         * Sets what each read promises; {@link ReadLevel#CONFIRMED} if it isn't set.
         *
         * @param value the level
         * @return this builder
         */
        public Builder readLevel(ReadLevel value) {
            readLevel = requireNonNull(value, "readLevel");
            return this;
        }

        /**
         * Sets how long an operation may take in all, with every try; 5 seconds if it isn't set.
         *
         * @param value the timeout; positive, more than a hundred years are a hundred
         * @return this builder
         * @throws IllegalArgumentException if it is not positive
         */
        public Builder timeout(Duration value) {
            timeout = checked(value);
            return this;
        }

        /**
         * Creates the client.
         *
         * @return the client
         * @throws IllegalStateException if the topology, the nodes or the scheduler are missing
         */
        public ClusterClient build() {
            if (topology == null || nodes == null || scheduler == null) {
                throw new IllegalStateException("client needs a topology, nodes and a scheduler");
            }
            return new ClusterClient(
                    new Cluster(
                            topology,
                            nodes,
                            writeLevel,
                            readLevel,
                            scheduler,
                            random,
                            new AtomicInteger(),
                            new ClientCounters()),
                    timeout);
        }
    }
}
