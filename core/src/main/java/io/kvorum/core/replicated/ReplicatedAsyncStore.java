package io.kvorum.core.replicated;

import io.kvorum.core.AsyncKeyValueStore;
import io.kvorum.core.Entry;
import io.kvorum.core.KeyValueStore;
import io.kvorum.replication.Acknowledgement;
import io.netty.buffer.ByteBuf;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The asynchronous form of a node. Safe for use by any number of threads. */
final class ReplicatedAsyncStore implements AsyncKeyValueStore {
    private final ReplicatedStore node;
    private final Acknowledgement writeLevel;
    private final ReadLevel readLevel;
    private final Duration timeout;

    ReplicatedAsyncStore(ReplicatedStore node, Acknowledgement writeLevel, ReadLevel readLevel, Duration timeout) {
        this.node = node;
        this.writeLevel = writeLevel;
        this.readLevel = readLevel;
        this.timeout = timeout;
    }

    @Override
    public <T extends @Nullable Object> CompletionStage<T> reading(
            Function<? super KeyValueStore, ? extends T> function) {
        return node.<T>read(readLevel, timeout, function::apply);
    }

    /** What was read is in the buffer before it is confirmed, and taken out of it again if it is not. */
    @Override
    public CompletionStage<Integer> get(byte[] key, ByteBuf target) {
        int start = target.writerIndex();
        CompletableFuture<Integer> outcome = new CompletableFuture<>();
        reading(store -> store.get(key, target)).whenComplete((length, failure) -> {
            if (failure == null) {
                outcome.complete(length);
            } else {
                target.writerIndex(start);
                outcome.completeExceptionally(failure);
            }
        });
        return outcome;
    }

    /** Collects the entries first: the action must see none that is not confirmed. */
    @Override
    public CompletionStage<@Nullable Void> forEachInSlot(int slot, Consumer<Entry> action) {
        CompletionStage<List<Entry>> entries = reading(store -> {
            List<Entry> collected = new ArrayList<>();
            store.forEachInSlot(slot, collected::add);
            return collected;
        });
        return ReplicatedStore.<List<Entry>, @Nullable Void>then(entries, collected -> {
            collected.forEach(action);
            return null;
        });
    }

    @Override
    public <T extends @Nullable Object> CompletionStage<T> changing(
            Function<? super KeyValueStore, ? extends T> function) {
        return ReplicatedStore.then(node.<T>write(writeLevel, timeout, function::apply), Written::result);
    }
}
