package io.kvorum.slots;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
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

    /** With two executors, the one of the timers only waits. */
    @Test
    void whatFallsDueRunsOnTheExecutorOfTheTasks() throws Exception {
        ExecutorService tasks = Executors.newSingleThreadExecutor();
        Scheduler both = Scheduler.of(tasks, executor);
        CompletableFuture<Thread> atOnce = new CompletableFuture<>();
        CompletableFuture<Thread> later = new CompletableFuture<>();
        both.execute(() -> atOnce.complete(Thread.currentThread()));
        both.schedule(() -> later.complete(Thread.currentThread()), 1);

        assertEquals(atOnce.get(), later.get());
        tasks.shutdown();
        executor.shutdown();
    }

    @Test
    void aTaskThatIsCancelledAfterItFellDueDoesNotRun() throws Exception {
        Queue<Runnable> handedOver = new LinkedBlockingQueue<>();
        CountDownLatch due = new CountDownLatch(1);
        Scheduler both = Scheduler.of(
                task -> {
                    handedOver.add(task);
                    due.countDown();
                },
                executor);
        AtomicBoolean ran = new AtomicBoolean();
        Scheduler.Cancellable handle = both.schedule(() -> ran.set(true), 1);
        due.await();
        handle.cancel();
        handedOver.forEach(Runnable::run);

        assertFalse(ran.get());
        executor.shutdown();
    }

    /** What waits for a timer would else wait for ever. */
    @Test
    void whatTheExecutorRejectsRunsWhereTheTimersAre() throws InterruptedException {
        Scheduler both = Scheduler.of(
                task -> {
                    throw new RejectedExecutionException("full");
                },
                executor);
        CountDownLatch ran = new CountDownLatch(1);
        both.schedule(ran::countDown, 1);
        ran.await();
        executor.shutdown();
    }
}
