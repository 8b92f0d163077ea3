package io.kvorum.core.replicated;

import static io.kvorum.core.replicated.ShardOfThree.A;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.replication.OutcomeUnknownException.Reason;
import io.kvorum.replication.runtime.NodeDriver;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class WaitTest {
    private static final Wait LONG = Wait.of(Duration.ofMinutes(5));

    private final ShardOfThree shard = new ShardOfThree();
    private final NodeDriver driver = shard.node(A).driver;

    @AfterEach
    void close() {
        shard.close();
    }

    @Test
    void whatTheStageFailsWithIsThrownAsItIs() {
        IllegalStateException exception = new IllegalStateException("planted");
        AssertionError error = new AssertionError("planted");

        assertSame(exception, assertThrows(IllegalStateException.class, () -> LONG.await(failed(exception), driver)));
        assertSame(error, assertThrows(AssertionError.class, () -> LONG.await(failed(error), driver)));
    }

    /** No stage of ours fails with one. */
    @Test
    void aCheckedExceptionIsADefect() {
        IOException exception = new IOException("planted");
        AssertionError defect = assertThrows(AssertionError.class, () -> LONG.await(failed(exception), driver));

        assertSame(
                exception,
                assertInstanceOf(ExecutionException.class, defect.getCause()).getCause());
    }

    private static CompletableFuture<String> failed(Throwable failure) {
        return CompletableFuture.failedFuture(failure);
    }

    @Test
    void aStageThatIsNeverCompletedIsWaitedForTwiceTheTimeout() {
        Duration timeout = Duration.ofMillis(10);
        long begun = System.nanoTime();
        OutcomeUnknownException unknown = assertThrows(
                OutcomeUnknownException.class, () -> Wait.of(timeout).await(new CompletableFuture<String>(), driver));

        assertTrue(System.nanoTime() - begun >= 2 * timeout.toNanos());
        assertEquals(Reason.TIMEOUT, unknown.reason());
        assertEquals(A, unknown.node());
        assertEquals(driver.status().position(), unknown.position());
    }

    @Test
    void anInterruptEndsTheWaitingAndStays() {
        Thread.currentThread().interrupt();
        OutcomeUnknownException unknown =
                assertThrows(OutcomeUnknownException.class, () -> LONG.await(new CompletableFuture<String>(), driver));

        assertTrue(Thread.interrupted());
        assertEquals(Reason.INTERRUPTED, unknown.reason());
    }

    @Test
    void whatIsKnownIsReturned() {
        assertEquals("done", LONG.await(CompletableFuture.completedFuture("done"), driver));
    }
}
