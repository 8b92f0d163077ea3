package io.kvorum.core.replicated;

import io.kvorum.core.ForwardingStore;
import io.kvorum.core.KeyValueStore;
import io.kvorum.replication.Acknowledgement;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A replicated store whose calls leave the waiting to somebody else. As safe for use by threads as the consumer. */
final class UnawaitedStore extends ForwardingStore {
    private final ReplicatedStore node;
    private final Acknowledgement writeLevel;
    private final ReadLevel readLevel;
    private final Duration timeout;
    private final Consumer<? super CompletionStage<?>> outcomes;

    /** The timeout is at most a hundred years. */
    UnawaitedStore(
            ReplicatedStore node,
            Acknowledgement writeLevel,
            ReadLevel readLevel,
            Duration timeout,
            Consumer<? super CompletionStage<?>> outcomes) {
        this.node = node;
        this.writeLevel = writeLevel;
        this.readLevel = readLevel;
        this.timeout = timeout;
        this.outcomes = outcomes;
    }

    @Override
    protected <T extends @Nullable Object> T reading(Function<? super KeyValueStore, ? extends T> operation) {
        return node.<T>readUnawaited(readLevel, timeout, operation, outcomes);
    }

    @Override
    protected <T extends @Nullable Object> T changing(Function<? super KeyValueStore, ? extends T> operation) {
        return node.<T>writeUnawaited(writeLevel, timeout, operation, outcomes);
    }
}
