package io.kvorum.cluster;

import io.kvorum.core.PartlyClearedException;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.slots.topology.Shard;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The deletion of all keys of some slots: an operation for each shard, one after the other, within one deadline. A
 * shard that refuses half way is asked again for the rest.
 */
final class Clearing implements Pending<Long> {
    private record Part(SlotSet slots, ClientOperation<Long> operation) {}

    private final ClusterClient.Cluster cluster;
    private final SlotSet slots;
    private final long deadline;
    private final CompletableFuture<Long> outcome;

    private SlotSet remaining;
    private long deleted;
    private boolean abandoned;
    private @Nullable Part last;

    Clearing(ClusterClient.Cluster cluster, Duration timeout, SlotSet slots) {
        this.cluster = cluster;
        this.slots = Objects.requireNonNull(slots, "slots");
        remaining = slots;
        outcome = cluster.scheduler().newFuture();
        deadline = cluster.scheduler().nanoTime() + timeout.toNanos();
    }

    @Override
    public CompletableFuture<Long> outcome() {
        return outcome;
    }

    /** Clears one shard after the other until one must be waited for. */
    @Override
    public void run() {
        Part part = next();
        while (part != null) {
            CompletableFuture<Long> cleared = clear(part);
            if (!cleared.isDone()) {
                runAfter(cleared);
                return;
            }
            part = next();
        }
    }

    /** Goes on in another thread than the one that steps the node, which must not be held. */
    private void runAfter(CompletionStage<?> part) {
        part.whenComplete((count, failure) -> {
            try {
                cluster.scheduler().execute(this::run);
            } catch (Throwable e) {
                end(e);
            }
        });
    }

    /** Returns the next shard's part, or null if the outcome is known. */
    private synchronized @Nullable Part next() {
        if (abandoned || outcome.isDone()) {
            return null;
        }
        for (Shard shard : cluster.topology().get().shards()) {
            SlotSet own = remaining.intersect(shard.slots());
            if (!own.isEmpty()) {
                Duration left = Duration.ofNanos(deadline - cluster.scheduler().nanoTime());
                last = new Part(own, new ClientOperation<>(cluster, left, false, store -> store.clear(own)));
                return last;
            }
        }
        outcome.complete(deleted); // a slot that no shard owns has no keys
        return null;
    }

    private CompletableFuture<Long> clear(Part part) {
        part.operation.run();
        return part.operation.outcome().whenComplete((count, failure) -> {
            if (failure == null) {
                cleared(count, part.slots);
            } else if (failure instanceof PartlyClearedException partly
                    && partly.getCause() instanceof RefusedException) {
                cleared(partly.deleted(), partly.cleared());
            } else {
                end(failure);
            }
        });
    }

    private synchronized void cleared(long count, SlotSet part) {
        deleted += count;
        remaining = remaining.minus(part);
    }

    private void end(Throwable failure) {
        outcome.completeExceptionally(failure instanceof RuntimeException e ? told(e) : failure);
    }

    private synchronized RuntimeException told(RuntimeException failure) {
        return PartlyClearedException.after(deleted, slots.minus(remaining), remaining, failure);
    }

    @Override
    public RuntimeException abandon(OutcomeUnknownException.Reason reason) {
        Part part;
        synchronized (this) {
            abandoned = true;
            part = last;
        }
        RuntimeException known = told(
                part == null
                        ? new CancellationException("clearing was given up before it began; nothing was changed")
                        : part.operation.abandon(reason));
        outcome.completeExceptionally(known);
        return known;
    }
}
