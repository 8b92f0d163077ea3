package io.kvorum.cluster;

import io.kvorum.core.ForwardingStore;
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
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** An operation of a client, from its first try to its outcome. */
final class ClientOperation<T extends @Nullable Object> implements Pending<T> {
    private static final long FIRST_PAUSE = 1_000_000;
    private static final long LONGEST_PAUSE = 128_000_000;

    /** Sees to it that what only reads does only read, since it may be run again. */
    private static final class ReadOnly extends ForwardingStore {
        private final KeyValueStore store;

        ReadOnly(KeyValueStore store) {
            this.store = store;
        }

        @Override
        protected <R extends @Nullable Object> R reading(Function<? super KeyValueStore, ? extends R> operation) {
            return operation.apply(store);
        }

        @Override
        protected <R extends @Nullable Object> R changing(Function<? super KeyValueStore, ? extends R> operation) {
            throw new IllegalStateException("a read must not change the store");
        }
    }

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
            KeyValueStore store = node.unawaited(cluster.writeLevel(), cluster.readLevel(), limit, outcomes::add);
            return reads ? new ReadOnly(store) : store;
        }

        /** Calls back, once, when everything that was begun has succeeded, or as soon as something has failed. */
        void whenDone(Runnable succeeded, Consumer<? super Throwable> failed) {
            if (outcomes.isEmpty()) {
                succeeded.run();
                return;
            }
            AtomicInteger left = new AtomicInteger(outcomes.size());
            AtomicBoolean over = new AtomicBoolean();
            for (CompletionStage<?> stage : outcomes) {
                stage.whenComplete((value, failure) -> {
                    if (failure == null ? left.decrementAndGet() == 0 : over.compareAndSet(false, true)) {
                        if (failure == null) {
                            succeeded.run();
                        } else {
                            failed.accept(failure);
                        }
                    }
                });
            }
        }
    }

    private final ClusterClient.Cluster cluster;
    private final Function<? super KeyValueStore, ? extends T> function;
    private final boolean reads;
    private final long deadline;
    private final CompletableFuture<T> outcome;
    private long pause = FIRST_PAUSE;

    /** The node that was asked last. */
    private volatile @Nullable ReplicatedStore lastNode;

    private boolean abandoned;
    /** What the last try failed with, while the operation waits for another one. */
    private @Nullable RuntimeException lastFailure;

    /**
     * Prepares an operation.
     *
     * @param reads whether the function changes nothing, so that it can be run again whatever came of it
     */
    ClientOperation(
            ClusterClient.Cluster cluster,
            Duration timeout,
            boolean reads,
            Function<? super KeyValueStore, ? extends T> function) {
        this.cluster = cluster;
        this.function = function;
        this.reads = reads;
        outcome = cluster.scheduler().newFuture();
        deadline = cluster.scheduler().nanoTime() + timeout.toNanos();
    }

    @Override
    public CompletableFuture<T> outcome() {
        return outcome;
    }

    /** Makes a try, unless the caller has given up meanwhile or the time is up. */
    @Override
    public void run() {
        Runnable rest;
        synchronized (this) { // whoever gives up waits for a try under way: arrays and buffers are borrowed until then
            rest = takeTry();
        }
        rest.run();
    }

    /** Runs the function, and returns what is left to do. */
    private Runnable takeTry() {
        RuntimeException before = lastFailure;
        lastFailure = null;
        long left = deadline - cluster.scheduler().nanoTime();
        if (abandoned || outcome.isDone()) {
            return () -> {};
        } else if (left <= 0) {
            return () -> fail(
                    before != null
                            ? before
                            : new CancellationException(
                                    "operation did not begin before its deadline; nothing was changed"));
        }
        if (before != null) {
            cluster.counters().triedAgain(before);
        }
        Try now = new Try(left);
        try {
            T result = function.apply(now.store());
            return () -> now.whenDone(() -> succeed(result), this::failed);
        } catch (Throwable e) { // an Error, too, is the outcome: nobody else would hear of it
            return e instanceof RefusedException refused && mayPass(refused) && (reads || now.outcomes.isEmpty())
                    ? pause(refused)
                    : () -> now.whenDone(() -> fail(e), this::failed);
        }
    }

    private void succeed(T result) {
        if (outcome.complete(result)) {
            cluster.counters().succeeded();
        }
    }

    private void fail(Throwable failure) {
        if (outcome.completeExceptionally(failure)) {
            cluster.counters().failed(failure);
        }
    }

    /** What was read is not confirmed, or what was changed not acknowledged. */
    private void failed(Throwable failure) {
        Runnable rest = () -> fail(failure);
        if (reads && failure instanceof OutcomeUnknownException unknown && mayPass(unknown)) {
            synchronized (this) {
                rest = pause(unknown);
            }
        }
        rest.run();
    }

    /** A read at a node that leads no more can be made at the next primary. */
    private static boolean mayPass(OutcomeUnknownException unknown) {
        return unknown.reason() == OutcomeUnknownException.Reason.DEPOSED
                || unknown.reason() == OutcomeUnknownException.Reason.CLOSED;
    }

    private static boolean mayPass(RefusedException refusal) {
        return switch (refusal.kind()) {
            case MOVED, MOVING, CLUSTER_DOWN, READ_ONLY, FENCED, PAUSED, TOO_FEW_REPLICAS, LAGGING, OVERLOADED -> true;
            case CROSS_SLOT, OUT_OF_MEMORY -> false;
        };
    }

    /** Has another try made after a pause, for the holder of the monitor; returns what is left to do. */
    private Runnable pause(RuntimeException failure) {
        long delay = pause / 2 + cluster.random().nextLong(pause / 2 + 1);
        pause = Math.min(2 * pause, LONGEST_PAUSE);
        Runnable end = () -> fail(failure);
        if (deadline - cluster.scheduler().nanoTime() <= delay) {
            return end;
        }
        AtomicInteger waiting = cluster.waiting();
        if (waiting.incrementAndGet() > ClusterClient.MAX_WAITING) {
            waiting.decrementAndGet();
            return end;
        }
        lastFailure = failure;
        return () -> {
            try {
                cluster.scheduler().schedule(this::runAgain, delay);
            } catch (Throwable e) {
                waiting.decrementAndGet();
                failure.addSuppressed(e);
                end.run();
            }
        };
    }

    private void runAgain() {
        cluster.waiting().decrementAndGet();
        run();
    }

    @Override
    public RuntimeException abandon(OutcomeUnknownException.Reason reason) {
        RuntimeException known;
        synchronized (this) {
            known = lastFailure == null ? unknown(reason) : lastFailure;
            abandoned = true;
        }
        fail(known);
        return known;
    }

    private RuntimeException unknown(OutcomeUnknownException.Reason reason) {
        ReplicatedStore node = lastNode;
        if (node == null) { // its first try is still to come
            return new CancellationException("operation was given up before it began; nothing was changed");
        }
        NodeStatus status = node.status();
        return new OutcomeUnknownException(reason, status.shard(), status.node(), status.position());
    }
}
