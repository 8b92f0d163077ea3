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
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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
    void dueTasksRunOnTheExecutorOfTasks() throws Exception {
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

    /** Whoever waits for a timer would otherwise wait for ever. */
    @ParameterizedTest
    @ValueSource(classes = {RejectedExecutionException.class, IllegalStateException.class, OutOfMemoryError.class})
    void aTimerRunsEvenIfTheExecutorThrows(Class<? extends Throwable> failure) throws Exception {
        Throwable thrown = failure.getConstructor(String.class).newInstance("full");
        Scheduler both = Scheduler.of(task -> SchedulerTest.<RuntimeException>fail(thrown), executor);
        CountDownLatch ran = new CountDownLatch(1);
        both.schedule(ran::countDown, 1);
        ran.await();
        executor.shutdown();
    }

    /** One that has run the task in the call, and lets through what the task threw, has run it. */
    @Test
    void aTaskRunsOnce() throws Exception {
        AtomicInteger runs = new AtomicInteger();
        CountDownLatch over = new CountDownLatch(1);
        Scheduler both = Scheduler.of(Runnable::run, executor);
        both.schedule(
                () -> {
                    runs.incrementAndGet();
                    throw new RejectedExecutionException("by the task");
                },
                1);
        both.schedule(over::countDown, TimeUnit.MILLISECONDS.toNanos(5));
        over.await();
        executor.shutdown();

        assertEquals(1, runs.get());
    }

    @SuppressWarnings("unchecked")
    private static <T extends Throwable> void fail(Throwable thrown) throws T {
        throw (T) thrown;
    }
}
