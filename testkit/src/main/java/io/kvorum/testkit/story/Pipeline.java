package io.kvorum.testkit.story;

import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * Keeps many requests under way at once, but no more than a limit, and makes those that fail once more.
 *
 * <p>Confined to one thread, which is not one of those that complete the requests.
 */
final class Pipeline {
    private static final int LIMIT = 4096;
    private static final long PAUSE_NANOS = 5_000_000;

    private final Semaphore room = new Semaphore(LIMIT);
    private final Queue<Supplier<? extends CompletionStage<?>>> failed = new ConcurrentLinkedQueue<>();
    private int repeated;

    /** Makes a request, once fewer than the limit are under way. It must be safe to repeat. */
    void add(Supplier<? extends CompletionStage<?>> request) {
        room.acquireUninterruptibly();
        request.get().whenComplete((result, failure) -> {
            if (failure != null) {
                failed.add(request);
            }
            room.release();
        });
    }

    /** Waits for all requests, and repeats those that failed until none fails or the limit is over. */
    boolean drain(Duration limit) {
        long start = System.nanoTime();
        await();
        while (!failed.isEmpty() && System.nanoTime() - start < limit.toNanos()) {
            LockSupport.parkNanos(PAUSE_NANOS);
            for (int i = failed.size(); i > 0; i--) {
                repeated++;
                add(failed.remove());
            }
            await();
        }
        return failed.isEmpty();
    }

    private void await() {
        room.acquireUninterruptibly(LIMIT);
        room.release(LIMIT);
    }

    /** {@return how many requests were repeats} */
    int repeated() {
        return repeated;
    }
}
