package io.kvorum.core.replicated;

import io.kvorum.replication.NodeStatus;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.replication.runtime.NodeDriver;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * The longest wait of a blocking call, worked out once.
 *
 * @param timeout what a driver is told
 * @param nanos the same in nanoseconds
 */
record Wait(Duration timeout, long nanos) {
    static Wait of(Duration timeout) {
        return new Wait(timeout, timeout.toNanos());
    }

    /** Waits for an outcome; twice the timeout if the driver takes no steps. */
    <T extends @Nullable Object> T await(CompletionStage<T> stage, NodeDriver driver) {
        try {
            return stage.toCompletableFuture().get(2 * nanos, TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            } else if (e.getCause() instanceof Error cause) {
                throw cause;
            }
            throw new AssertionError(e);
        } catch (TimeoutException e) {
            throw unknown(OutcomeUnknownException.Reason.TIMEOUT, driver);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw unknown(OutcomeUnknownException.Reason.INTERRUPTED, driver);
        }
    }

    private static OutcomeUnknownException unknown(OutcomeUnknownException.Reason reason, NodeDriver driver) {
        NodeStatus status = driver.status();
        return new OutcomeUnknownException(reason, status.shard(), status.node(), status.position());
    }
}
