package io.kvorum.slots.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.Scheduler;
import io.kvorum.testing.HandScheduler;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class SerialTaskTest {
    private final HandScheduler scheduler = new HandScheduler();
    private final List<Throwable> refusals = new ArrayList<>();
    private final Queue<Runnable> lastResort = new ArrayDeque<>();
    private final List<Long> lastDelays = new ArrayList<>();
    private int runs;
    private Runnable body = () -> {};
    private final SerialTask task = new SerialTask(
            scheduler,
            () -> {
                runs++;
                body.run();
            },
            refusals::add,
            (retry, delayNanos) -> {
                lastResort.add(retry);
                lastDelays.add(delayNanos);
            });

    private static Throwable failure(String kind) {
        return switch (kind) {
            case "rejected" -> new RejectedExecutionException("shut down");
            case "exception" -> new IllegalStateException("broken executor");
            default -> new OutOfMemoryError("unable to create native thread");
        };
    }

    @Test
    void wakeUpsThatComeTogetherShareARun() {
        task.wake();
        task.wake();
        assertEquals(1, scheduler.tasks.size());
        scheduler.runTasks();
        assertEquals(1, runs);
    }

    @Test
    void aWakeUpDuringARunIsFollowedByAnotherRun() {
        body = () -> {
            if (runs == 1) {
                task.wake();
                task.wake();
            }
        };
        task.wake();
        scheduler.runTasks();

        assertEquals(2, runs);
    }

    @Test
    void aTaskThatIsWokenForEverGivesItsThreadBack() {
        body = task::wake;
        task.wake();
        scheduler.tasks.remove().run();

        assertEquals(SerialTask.MAX_RUNS, runs);
        assertEquals(1, scheduler.tasks.size());
    }

    @Test
    void aTaskThatCannotGiveItsThreadBackGoesOn() {
        body = () -> {
            if (runs < 2 * SerialTask.MAX_RUNS) {
                task.wake();
            }
        };
        task.wake();
        scheduler.executeFails.add(new RejectedExecutionException());
        Runnable turn = scheduler.tasks.remove();
        turn.run();

        assertEquals(2 * SerialTask.MAX_RUNS, runs);
        assertEquals(1, refusals.size());
        assertTrue(scheduler.tasks.isEmpty());
    }

    @ParameterizedTest
    @ValueSource(strings = {"rejected", "exception", "error"})
    void aSchedulerThatThrowsOnceIsTriedAgainByTheNextWakeUp(String kind) {
        scheduler.executeFails.add(failure(kind));
        task.wake();
        assertEquals(1, refusals.size());
        task.wake();
        scheduler.runTasks();

        assertEquals(1, runs);
    }

    @ParameterizedTest
    @ValueSource(strings = {"rejected", "exception", "error"})
    void aSchedulerThatThrowsOnceIsTriedAgainByATimer(String kind) {
        scheduler.executeFails.add(failure(kind));
        task.wake();
        scheduler.pass(SerialTask.RETRY_NANOS - 1);
        assertEquals(0, runs);
        scheduler.pass(1);

        assertEquals(1, runs);
    }

    @Test
    void aSchedulerThatRefusesTimersTooIsTriedAgainByTheNextWakeUp() {
        for (int i = 0; i < 3; i++) {
            scheduler.executeFails.add(new RejectedExecutionException());
        }
        scheduler.scheduleFails.add(new RejectedExecutionException());
        task.wake();
        task.wake();
        task.wake();
        assertEquals(4, refusals.size());
        assertEquals(1, lastResort.size());
        task.wake();
        scheduler.runTasks();

        assertEquals(1, runs);
    }

    @Test
    void aSchedulerThatRefusesEverythingForAWhileIsTriedAgainByTheLastResort() {
        for (int i = 0; i < 10; i++) {
            scheduler.executeFails.add(new RejectedExecutionException());
            scheduler.scheduleFails.add(new RejectedExecutionException());
        }
        task.wake();
        Runnable retry;
        while ((retry = lastResort.poll()) != null) {
            retry.run();
        }
        scheduler.runTasks();

        assertEquals(1, runs);
        assertEquals(10, lastDelays.size());
        assertEquals(SerialTask.RETRY_NANOS, lastDelays.get(0));
        assertEquals(1_000_000_000, lastDelays.get(9));
    }

    @Test
    void aSchedulerThatWasShutDownIsLeftAloneInTheEnd() {
        for (int i = 0; i < 2 * LastResort.MAX_TRIES; i++) {
            scheduler.executeFails.add(new RejectedExecutionException());
            scheduler.scheduleFails.add(new RejectedExecutionException());
        }
        task.wake();
        int tries = 0;
        Runnable retry;
        while ((retry = lastResort.poll()) != null) {
            retry.run();
            tries++;
        }

        assertEquals(LastResort.MAX_TRIES, tries);
    }

    @Test
    void aTurnThatCameDespiteTheThrowIsNoHarm() {
        Scheduler treacherous = new Scheduler() {
            @Override
            public long nanoTime() {
                return 0;
            }

            @Override
            public void execute(Runnable turn) {
                scheduler.execute(turn);
                throw new OutOfMemoryError("after the task was queued");
            }

            @Override
            public Cancellable schedule(Runnable retry, long delayNanos) {
                return scheduler.schedule(retry, delayNanos);
            }
        };
        SerialTask other = new SerialTask(treacherous, () -> runs++, refusals::add);
        other.wake();
        scheduler.pass(SerialTask.RETRY_NANOS);
        assertEquals(1, runs);
        other.wake();
        scheduler.pass(SerialTask.RETRY_NANOS);

        assertEquals(2, runs);
    }

    @Test
    void aRunByATimerTakesTheTurnOfAWakeUp() {
        task.wake();
        task.run();
        assertEquals(1, runs);
        scheduler.runTasks();

        assertEquals(1, runs);
    }

    @Test
    void aRunDuringARunIsAWakeUp() {
        body = () -> {
            if (runs == 1) {
                task.run();
                assertEquals(1, runs);
                task.run();
            }
        };
        task.run();

        assertEquals(2, runs);
    }

    @Test
    void whatTheBodyThrowsEndsNothing() {
        body = () -> {
            throw new AssertionError("told to fail");
        };
        task.wake();
        scheduler.runTasks();
        task.wake();
        scheduler.runTasks();

        assertEquals(2, runs);
    }

    @Test
    void anInterruptIsKeptFromTheBodyAndStaysSet() {
        boolean[] seen = new boolean[1];
        body = () -> seen[0] |= Thread.currentThread().isInterrupted();
        Thread.currentThread().interrupt();
        task.run();

        assertTrue(Thread.interrupted());
        assertFalse(seen[0]);
    }

    @Test
    void aSchedulerThatRunsTasksInTheCallIsNoHarm() {
        Scheduler direct = new Scheduler() {
            @Override
            public long nanoTime() {
                return 0;
            }

            @Override
            public void execute(Runnable turn) {
                turn.run();
            }

            @Override
            public Cancellable schedule(Runnable turn, long delayNanos) {
                turn.run();
                return () -> {};
            }
        };
        SerialTask other = new SerialTask(direct, () -> runs++, refusals::add);
        other.wake();
        other.wake();

        assertEquals(2, runs);
    }

    /** Each of many threads publishes and wakes; the runs, never two at a time, see everything. */
    @Test
    void noWakeUpIsLostBetweenThreads() throws InterruptedException {
        int wakers = 4;
        int wakeUps = 20_000;
        ScheduledExecutorService pool = Executors.newScheduledThreadPool(2);
        AtomicLong published = new AtomicLong();
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger overlaps = new AtomicInteger();
        CountDownLatch sawAll = new CountDownLatch(1);
        SerialTask shared = new SerialTask(
                Scheduler.of(pool),
                () -> {
                    if (inside.incrementAndGet() != 1) {
                        overlaps.incrementAndGet();
                    }
                    if (published.get() == (long) wakers * wakeUps) {
                        sawAll.countDown();
                    }
                    inside.decrementAndGet();
                },
                refusals::add);
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < wakers; i++) {
            boolean byTimer = i == 0;
            threads.add(new Thread(() -> {
                for (int n = 0; n < wakeUps; n++) {
                    published.incrementAndGet();
                    if (byTimer && n % 100 == 0) {
                        shared.run();
                    } else {
                        shared.wake();
                    }
                }
            }));
        }
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        sawAll.await();
        pool.shutdown();

        assertEquals(0, overlaps.get());
    }
}
