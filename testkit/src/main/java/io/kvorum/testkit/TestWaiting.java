package io.kvorum.testkit;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What the threads of a test wait for. Whatever else the test has thrown meanwhile reaches them.
 *
 * <p>Safe for use by as many threads as its time is.
 */
final class TestWaiting {
    private final ClusterTime time;
    private final Failures failures;
    private final String replay;

    /**
     * Waits for a cluster.
     *
     * @param replay what a failure ends with, for a reader who wants to run it again
     */
    TestWaiting(ClusterTime time, Failures failures, String replay) {
        this.time = time;
        this.failures = failures;
        this.replay = replay;
    }

    void advance(Duration duration) {
        time.sleep(ClusterTime.checked("duration", duration));
        failures.rethrow();
    }

    boolean await(BooleanSupplier condition, Duration limit) {
        requireNonNull(condition, "condition");
        boolean held = time.await(() -> !failures.isEmpty() || condition.getAsBoolean(), limit);
        failures.rethrow();
        return held;
    }

    void runUntil(BooleanSupplier condition, Duration limit) {
        if (!await(condition, limit)) {
            throw new AssertionError("condition did not come to hold within " + limit + replay);
        }
    }

    /**
     * Waits until a cluster is ready.
     *
     * @param missing tells what is missing, or null if nothing is
     */
    void awaitReady(Supplier<@Nullable String> missing, Duration limit) {
        if (!await(() -> missing.get() == null, limit)) {
            throw new IllegalStateException("cluster must be ready within " + limit + ": " + missing.get() + replay);
        }
    }

    ClusterEvent awaitEvent(ClusterEvents events, Predicate<? super ClusterEvent> wanted, Duration limit) {
        AtomicReference<@Nullable ClusterEvent> found = new AtomicReference<>();
        Consumer<ClusterEvent> listener = event -> {
            if (found.get() == null && wanted.test(event)) {
                found.set(event);
            }
        };
        events.add(listener);
        try {
            runUntil(() -> found.get() != null, limit);
        } finally {
            events.remove(listener);
        }
        return requireNonNull(found.get(), "event");
    }

    /** {@return what came of something, or throws what it failed by} */
    static <T> T outcome(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw e;
        }
    }
}
