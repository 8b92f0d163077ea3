package io.kvorum.core.replicated;

import io.kvorum.core.AsyncKeyValueStore;
import io.kvorum.core.KeyValueStore;
import io.kvorum.replication.Acknowledgement;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
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

    @Override
    public <T extends @Nullable Object> CompletionStage<T> changing(
            Function<? super KeyValueStore, ? extends T> function) {
        return ReplicatedStore.then(node.<T>write(writeLevel, timeout, function::apply), Written::result);
    }
}
