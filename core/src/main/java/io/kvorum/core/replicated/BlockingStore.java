package io.kvorum.core.replicated;

import io.kvorum.core.ForwardingStore;
import io.kvorum.core.KeyValueStore;
import io.kvorum.replication.Acknowledgement;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A replicated store whose calls wait. Safe for use by any number of threads. */
final class BlockingStore extends ForwardingStore {
    private final ReplicatedStore node;
    private final Acknowledgement writeLevel;
    private final ReadLevel readLevel;
    private final Wait wait;

    /** The timeout is at most a hundred years. */
    BlockingStore(ReplicatedStore node, Acknowledgement writeLevel, ReadLevel readLevel, Wait wait) {
        this.node = node;
        this.writeLevel = writeLevel;
        this.readLevel = readLevel;
        this.wait = wait;
    }

    @Override
    protected <T extends @Nullable Object> T reading(Function<? super KeyValueStore, ? extends T> operation) {
        return node.<T>readAndWait(readLevel, wait, operation);
    }

    @Override
    protected <T extends @Nullable Object> T changing(Function<? super KeyValueStore, ? extends T> operation) {
        return node.<T>writeAndWait(writeLevel, wait, operation);
    }
}
