package io.kvorum.cluster;

import io.kvorum.replication.OutcomeUnknownException;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** What a caller of a client waits for. */
interface Pending<T extends @Nullable Object> {
    /** Begins, or goes on. */
    void run();

    CompletableFuture<T> outcome();

    /** Ends this before its outcome is known, and returns what is known of it. */
    RuntimeException abandon(OutcomeUnknownException.Reason reason);
}
