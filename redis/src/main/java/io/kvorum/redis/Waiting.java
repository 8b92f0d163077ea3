package io.kvorum.redis;

import io.kvorum.replication.OutcomeUnknownException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/** Waits for the outcomes of commands. */
final class Waiting {
    private Waiting() {}

    /** Waits for something that changes nothing. */
    static <T extends @Nullable Object> T read(CompletionStage<T> stage) {
        try {
            return get(stage);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("interrupted while it waited for what changes nothing");
        }
    }

    /** Waits for something that may change something at a place. */
    static <T extends @Nullable Object> T change(CompletionStage<T> stage, Place place) {
        try {
            return get(stage);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Failures.unknown(OutcomeUnknownException.Reason.INTERRUPTED, place);
        }
    }

    private static <T extends @Nullable Object> T get(CompletionStage<T> stage) throws InterruptedException {
        try {
            return stage.toCompletableFuture().get();
        } catch (ExecutionException e) {
            Throwable cause = Failures.cause(e);
            if (cause instanceof Error error) {
                throw error;
            } else if (cause instanceof RuntimeException failure) {
                throw failure;
            }
            throw new IllegalStateException(cause);
        }
    }
}
