package io.kvorum.cluster;

import io.kvorum.core.KeyValueStore;
import io.kvorum.core.ShardedStore;
import io.kvorum.core.replicated.ReplicatedStore;
import io.kvorum.replication.NodeStatus;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** An operation of a client, from its first try to its outcome. */
final class ClientOperation<T extends @Nullable Object> {
    private static final long FIRST_PAUSE = 1_000_000;
    private static final long LONGEST_PAUSE = 128_000_000;

    /** One run of the function. */
    private final class Try {
        private final List<CompletionStage<?>> outcomes = new ArrayList<>(1);
        private final Duration limit;

        Try(long nanos) {
            limit = Duration.ofNanos(nanos);
        }

        ShardedStore store() {
            return new ShardedStore(cluster.topology(), this::node);
        }

        private @Nullable KeyValueStore node(NodeId id) {
            ReplicatedStore node = cluster.nodes().apply(id);
            if (node == null) {
                return null;
            }
            lastNode = node;
            return node.unawaited(cluster.writeLevel(), cluster.readLevel(), limit, outcomes::add);
        }

        /** Calls back when everything that was begun has come to its end. */
        void whenDone(Runnable succeeded) {
            if (outcomes.isEmpty()) {
                succeeded.run();
                return;
            }
            AtomicInteger left = new AtomicInteger(outcomes.size());
            for (CompletionStage<?> stage : outcomes) {
                stage.whenComplete((value, failure) -> {
                    if (failure != null) {
                        outcome.completeExceptionally(failure);
                    } else if (left.decrementAndGet() == 0) {
                        succeeded.run();
                    }
                });
            }
        }
    }

    private final ClusterClient.Cluster cluster;
    private final Function<? super KeyValueStore, ? extends T> function;
    private final long deadline;
    private final CompletableFuture<T> outcome = new CompletableFuture<>();
    private long pause = FIRST_PAUSE;

    /** The node that was asked last. */
    private volatile @Nullable ReplicatedStore lastNode;
    /** The last refusal while the operation waits for another try, otherwise null. */
    private @Nullable RefusedException refusal;

    ClientOperation(
            ClusterClient.Cluster cluster, Duration timeout, Function<? super KeyValueStore, ? extends T> function) {
        this.cluster = cluster;
        this.function = function;
        deadline = cluster.scheduler().nanoTime() + timeout.toNanos();
    }

    CompletableFuture<T> outcome() {
        return outcome;
    }

    /** Makes a try, unless the caller has given up meanwhile. */
    void run() {
        Try now = new Try(Math.max(1, deadline - cluster.scheduler().nanoTime()));
        synchronized (this) {
            if (outcome.isDone()) {
                return;
            }
            refusal = null;
        }
        T result;
        try {
            result = function.apply(now.store());
        } catch (Throwable e) { // an Error, too, is the outcome: nobody else would hear of it
            if (now.outcomes.isEmpty() && e instanceof RefusedException refused && mayPass(refused)) {
                pause(refused);
            } else {
                now.whenDone(() -> outcome.completeExceptionally(e));
            }
            return;
        }
        now.whenDone(() -> outcome.complete(result));
    }

    private static boolean mayPass(RefusedException refusal) {
        return switch (refusal.kind()) {
            case MOVED, MOVING, CLUSTER_DOWN, READ_ONLY, FENCED, PAUSED, TOO_FEW_REPLICAS, LAGGING, OVERLOADED -> true;
            case CROSS_SLOT, OUT_OF_MEMORY -> false;
        };
    }

    private void pause(RefusedException refused) {
        long delay = pause / 2 + ThreadLocalRandom.current().nextLong(pause / 2 + 1);
        pause = Math.min(2 * pause, LONGEST_PAUSE);
        AtomicInteger waiting = cluster.waiting();
        if (deadline - cluster.scheduler().nanoTime() <= delay) {
            outcome.completeExceptionally(refused);
        } else if (waiting.incrementAndGet() > ClusterClient.MAX_WAITING) {
            waiting.decrementAndGet();
            outcome.completeExceptionally(refused);
        } else {
            synchronized (this) {
                refusal = refused;
            }
            try {
                cluster.scheduler()
                        .schedule(
                                () -> {
                                    waiting.decrementAndGet();
                                    run();
                                },
                                delay);
            } catch (RuntimeException | Error e) {
                waiting.decrementAndGet();
                refused.addSuppressed(e);
                outcome.completeExceptionally(refused);
            }
        }
    }

    /** Ends the operation before its outcome is known, and returns what is known of it. */
    RuntimeException abandon(OutcomeUnknownException.Reason reason) {
        synchronized (this) {
            RefusedException last = refusal;
            ReplicatedStore node = lastNode;
            if (last != null) {
                outcome.completeExceptionally(last); // so that no other try begins
                return last;
            } else if (node == null) {
                IllegalStateException early =
                        new IllegalStateException("operation was given up while it asked a node for the first time");
                outcome.completeExceptionally(early);
                return early;
            }
            NodeStatus status = node.status();
            OutcomeUnknownException unknown =
                    new OutcomeUnknownException(reason, status.shard(), status.node(), status.position());
            outcome.completeExceptionally(unknown);
            return unknown;
        }
    }
}
