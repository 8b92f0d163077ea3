package io.kvorum.slots;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class SchedulerTest {
    private final ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(1);
    private final Scheduler scheduler = Scheduler.of(executor);

    @Test
    void tasksRunOnTheExecutor() throws InterruptedException {
        CountDownLatch ran = new CountDownLatch(2);
        scheduler.execute(ran::countDown);
        scheduler.schedule(ran::countDown, -5);
        ran.await();
        executor.shutdown();
    }

    @Test
    void aTaskDoesNotRunBeforeItsDelay() throws InterruptedException {
        CountDownLatch ran = new CountDownLatch(1);
        long begun = scheduler.nanoTime();
        scheduler.schedule(ran::countDown, TimeUnit.MILLISECONDS.toNanos(5));
        ran.await();
        assertTrue(scheduler.nanoTime() - begun >= TimeUnit.MILLISECONDS.toNanos(5));
        executor.shutdown();
    }

    @Test
    void aCancelledTaskDoesNotRun() {
        Scheduler.Cancellable handle = scheduler.schedule(() -> {}, TimeUnit.DAYS.toNanos(1));
        assertEquals(1, executor.getQueue().size());
        handle.cancel();
        handle.cancel();
        assertTrue(executor.getQueue().stream().allMatch(task -> ((Future<?>) task).isCancelled()));
        executor.shutdownNow();
    }
}
