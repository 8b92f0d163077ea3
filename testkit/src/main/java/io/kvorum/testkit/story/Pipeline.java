package io.kvorum.testkit.story;

import java.util.concurrent.CompletionStage;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Keeps many requests under way at once, but no more than a limit.
 *
 * <p>Confined to one thread, which is not one of those that complete the requests.
 */
final class Pipeline {
    private static final int LIMIT = 4096;

    private final Semaphore room = new Semaphore(LIMIT);
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    /** Adds a request that was just made, and waits while too many are under way. */
    void add(CompletionStage<?> request) {
        room.acquireUninterruptibly();
        request.whenComplete((result, failed) -> {
            if (failed != null) {
                failure.compareAndSet(null, failed);
            }
            room.release();
        });
    }

    /** Waits for all requests, and returns the first failure, if any. */
    @Nullable
    Throwable drain() {
        room.acquireUninterruptibly(LIMIT);
        room.release(LIMIT);
        return failure.get();
    }
}
