package io.kvorum.failover.runtime;

import io.kvorum.failover.AbortReason;
import io.kvorum.failover.Operation;
import io.kvorum.failover.OperationFailedException;
import io.kvorum.failover.OperationOutcome;
import io.kvorum.failover.Sentinel.Completion;
import io.kvorum.failover.ShardPrimary;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.Shard;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * The orders under way, each with the stage that tells its end. The thread that removes an order completes its stage,
 * so each ends once.
 *
 * <p>Safe for use by any number of threads.
 */
final class PendingOperations {
    private record Pending(Operation operation, CompletableFuture<ShardPrimary> stage) {}

    private final Map<Long, Pending> pending = new ConcurrentHashMap<>();
    private final AtomicLong lastRequest = new AtomicLong();
    private final Supplier<ClusterTopology> topology;

    /**
     * Has none.
     *
     * @param topology tells the epoch of a shard in which an order was refused
     */
    PendingOperations(Supplier<ClusterTopology> topology) {
        this.topology = topology;
    }

    /** {@return the number of a new order} */
    long add(Operation operation, CompletableFuture<ShardPrimary> stage) {
        long request = lastRequest.incrementAndGet();
        pending.put(request, new Pending(operation, stage));
        return request;
    }

    /** Tells on a thread of {@code executor} how an order ended, unless it has ended by then. */
    void complete(Completion completion, Executor executor) {
        Pending ended = pending.remove(completion.request());
        if (ended == null) {
            return; // it was refused when the driver was closed
        }
        if (completion.outcome() instanceof OperationOutcome.Succeeded succeeded) {
            executor.execute(() -> ended.stage.complete(succeeded.primary()));
        } else if (completion.outcome() instanceof OperationOutcome.Failed failed) {
            executor.execute(() ->
                    ended.stage.completeExceptionally(new OperationFailedException(completion.operation(), failed)));
        } else {
            throw new AssertionError(completion);
        }
    }

    /** Refuses an order on this thread, unless it has ended by then. */
    void refuse(long request, AbortReason reason) {
        Pending refused = pending.remove(request);
        if (refused != null) {
            Shard known = topology.get().shard(refused.operation.shard());
            long epoch = known == null ? 0 : known.epoch();
            refused.stage.completeExceptionally(new OperationFailedException(
                    refused.operation, new OperationOutcome.Failed(epoch, reason, List.of())));
        }
    }

    /** Refuses all of them. */
    void refuseAll(AbortReason reason) {
        for (Long request : List.copyOf(pending.keySet())) {
            refuse(request, reason);
        }
    }
}
