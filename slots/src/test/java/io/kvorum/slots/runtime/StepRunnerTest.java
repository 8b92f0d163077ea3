package io.kvorum.slots.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.Scheduler;
import io.kvorum.testing.HandScheduler;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class StepRunnerTest {
    private static final long MILLI = 1_000_000;

    /** Steps that are told what to do, and note what happened. */
    private static final class Script implements StepRunner.Steps<Integer> {
        final List<String> happened = new ArrayList<>();
        int steps;
        LongConsumer inStep = now -> {};
        Runnable inDelivery = () -> {};
        Runnable inEnd = () -> {};
        Runnable inEnded = () -> {};

        @Override
        public Integer step(long now) {
            steps++;
            happened.add("step");
            inStep.accept(now);
            return steps;
        }

        @Override
        public void deliver(Integer output) {
            assertEquals(steps, output);
            happened.add("deliver");
            inDelivery.run();
        }

        @Override
        public void end(@Nullable Throwable defect) {
            happened.add(defect == null ? "end" : "end after " + defect.getMessage());
            inEnd.run();
        }

        @Override
        public void ended() {
            happened.add("ended");
            inEnded.run();
        }
    }

    private final HandScheduler scheduler = new HandScheduler();
    private final Script script = new Script();
    private final StepRunner<Integer> runner = new StepRunner<>(script, scheduler, (retry, delayNanos) -> {
        throw new AssertionError("no last resort is needed");
    });

    private void wakeAndRun() {
        runner.wake();
        scheduler.runTasks();
    }

    @Test
    void aStepIsFollowedByItsDelivery() {
        assertEquals(List.of(), script.happened);
        wakeAndRun();
        wakeAndRun();

        assertEquals(List.of("step", "deliver", "step", "deliver"), script.happened);
    }

    @Test
    void aWakeUpDuringTheStepIsFollowedByAnother() {
        script.inStep = now -> {
            if (script.steps == 1) {
                runner.wake();
            }
        };
        wakeAndRun();

        assertEquals(List.of("step", "deliver", "step", "deliver"), script.happened);
    }

    @Test
    void aWakeUpDuringTheDeliveryIsFollowedByAnother() {
        script.inDelivery = () -> {
            if (script.steps == 1) {
                runner.wake();
                assertEquals(1, script.steps);
            }
        };
        wakeAndRun();

        assertEquals(List.of("step", "deliver", "step", "deliver"), script.happened);
    }

    @Test
    void aStepAsksForTheNext() {
        script.inStep = now -> runner.wakeAt(now + 10 * MILLI);
        wakeAndRun();
        scheduler.pass(10 * MILLI - 1);
        assertEquals(1, script.steps);
        scheduler.pass(1);
        assertEquals(2, script.steps);
        scheduler.pass(100 * MILLI);
        assertEquals(12, script.steps);
    }

    @Test
    void neverIsNoTime() {
        script.inStep = now -> runner.wakeAt(StepRunner.NEVER);
        wakeAndRun();

        assertTrue(scheduler.timers.isEmpty());
    }

    @Test
    void theEarliestTimeCounts() {
        runner.wakeAt(20 * MILLI);
        runner.wakeAt(10 * MILLI);
        runner.wakeAt(30 * MILLI);
        scheduler.pass(9 * MILLI);
        assertEquals(0, script.steps);
        scheduler.pass(MILLI);
        assertEquals(1, script.steps);
        scheduler.pass(100 * MILLI);
        assertEquals(1, script.steps); // the other wishes were fulfilled by that step
    }

    @Test
    void aDeadlineThatMovesBackCostsNoTimerEachTime() {
        script.inStep = now -> runner.wakeAt(now + 100 * MILLI);
        for (int i = 0; i < 99; i++) {
            wakeAndRun();
            scheduler.pass(MILLI);
        }
        assertEquals(1, scheduler.scheduled.size());
        scheduler.pass(98 * MILLI);
        assertEquals(99, script.steps);
        scheduler.pass(MILLI);
        assertEquals(100, script.steps);
    }

    @Test
    void timersAreBounded() {
        for (int i = 100; i > 0; i--) {
            runner.wakeAt(i * MILLI);
        }
        assertEquals(Alarm.MAX_TIMERS, scheduler.timers.size());
        scheduler.pass(MILLI);
        assertEquals(1, script.steps);
    }

    @Test
    void aTimerThatFiresEarlyLooksAgain() {
        runner.wakeAt(10 * MILLI);
        scheduler.fireNext(false);
        assertEquals(0, script.steps);
        scheduler.pass(10 * MILLI);

        assertEquals(1, script.steps);
    }

    @Test
    void aTimerThatFiresTwiceIsNoHarm() {
        script.inStep = now -> runner.wakeAt(now + 10 * MILLI);
        runner.wakeAt(10 * MILLI);
        scheduler.passUnnoticed(10 * MILLI);
        scheduler.fireNext(true);
        scheduler.fireNext(true);
        assertEquals(1, script.steps);
        scheduler.pass(10 * MILLI);

        assertEquals(2, script.steps);
    }

    @Test
    void aTimerThatFiresLateLeadsToOneStep() {
        script.inStep = now -> runner.wakeAt(now + 10 * MILLI);
        wakeAndRun();
        scheduler.passUnnoticed(1_000 * MILLI);
        scheduler.pass(0);

        assertEquals(2, script.steps);
    }

    @Test
    void aTimerThatCannotBeArmedIsTriedAgainAtOnce() {
        script.inStep = now -> runner.wakeAt(now + 10 * MILLI);
        scheduler.scheduleFails.add(new OutOfMemoryError("unable to create native thread"));
        wakeAndRun();
        assertEquals(2, script.steps);
        assertEquals(1, runner.refusals());
        scheduler.pass(10 * MILLI);

        assertEquals(3, script.steps);
    }

    @Test
    void timersThatCannotBeArmedForAWhileAreTriedByTheLastResort() {
        List<Runnable> lastResort = new ArrayList<>();
        StepRunner<Integer> other = new StepRunner<>(script, scheduler, (retry, delayNanos) -> lastResort.add(retry));
        script.inStep = now -> other.wakeAt(now + 10 * MILLI);
        for (int i = 0; i < 5; i++) {
            scheduler.scheduleFails.add(new RejectedExecutionException());
        }
        other.wake();
        scheduler.runTasks();
        assertEquals(2, script.steps); // the second, at once, was no better off
        for (int i = 0; i < 4; i++) {
            assertEquals(i + 1, lastResort.size());
            lastResort.get(i).run();
        }
        assertEquals(2, script.steps);
        scheduler.pass(100 * MILLI);

        assertEquals(2 + 10, script.steps);
        assertEquals(4, lastResort.size());
    }

    @Test
    void aSchedulerThatThrowsIsToldOnceAndEndsNothing() {
        OutOfMemoryError failure = new OutOfMemoryError("unable to create native thread");
        scheduler.executeFails.add(failure);
        runner.wake();
        assertFalse(runner.isClosed());
        assertEquals(1, runner.refusals());
        assertSame(failure, runner.takeRefusal());
        assertNull(runner.takeRefusal());
        wakeAndRun();

        assertEquals(1, script.steps);
    }

    @Test
    void aClosedRunnerTakesNoStep() {
        runner.wake();
        runner.wakeAt(10 * MILLI);
        runner.close();
        runner.close();
        runner.wake();
        runner.wakeAt(5 * MILLI);
        scheduler.pass(100 * MILLI);

        assertEquals(List.of("end", "ended"), script.happened);
        assertTrue(scheduler.timers.isEmpty());
        assertTrue(runner.isClosed());
        assertNull(runner.defect());
    }

    @Test
    void aDeliveryMayCloseItsRunner() {
        boolean[] seen = new boolean[1];
        script.inDelivery = () -> {
            runner.close();
            seen[0] = runner.isClosed();
        };
        runner.wake();
        runner.wake();
        scheduler.runTasks();

        assertTrue(seen[0]);
        assertEquals(List.of("step", "deliver", "end", "ended"), script.happened);
    }

    @Test
    void aStepThatClosesItsRunnerIsTheLast() {
        script.inStep = now -> {
            runner.close();
            assertTrue(runner.isClosed());
        };
        wakeAndRun();
        wakeAndRun();

        assertEquals(List.of("step", "end", "deliver", "ended"), script.happened);
    }

    @Test
    void theEndMayCloseItsRunner() {
        script.inEnd = runner::close;
        script.inEnded = runner::close;
        runner.close();

        assertEquals(List.of("end", "ended"), script.happened);
    }

    @Test
    void aStepThatThrowsEndsTheRunner() {
        AssertionError defect = new AssertionError("a defect");
        script.inStep = now -> {
            throw defect;
        };
        wakeAndRun();
        wakeAndRun();
        runner.close();

        assertEquals(List.of("step", "end after a defect", "ended"), script.happened);
        assertSame(defect, runner.defect());
        assertTrue(runner.isClosed());
    }

    @Test
    void aDeliveryThatThrowsEndsTheRunner() {
        script.inDelivery = () -> {
            throw new IllegalStateException("a defect");
        };
        wakeAndRun();
        wakeAndRun();

        assertEquals(List.of("step", "deliver", "end after a defect", "ended"), script.happened);
    }

    @Test
    void anEndThatThrowsIsTheEndNevertheless() {
        script.inEnd = () -> {
            throw new IllegalStateException("at the end");
        };
        script.inEnded = () -> {
            throw new IllegalStateException("after the end");
        };
        runner.close();
        wakeAndRun();

        assertEquals(List.of("end", "ended"), script.happened);
    }

    @Test
    void closeWaitsForTheStepUnderWay() throws InterruptedException {
        CountDownLatch saving = new CountDownLatch(1);
        CountDownLatch saved = new CountDownLatch(1);
        List<String> order = Collections.synchronizedList(new ArrayList<>());
        script.inStep = now -> {
            saving.countDown();
            await(saved);
            order.add("saved");
        };
        runner.wake();
        Thread stepper = new Thread(scheduler::runTasks);
        stepper.start();
        saving.await();
        boolean[] interrupted = new boolean[1];
        Thread closer = new Thread(() -> {
            Thread.currentThread().interrupt();
            runner.close();
            order.add("closed");
            interrupted[0] = Thread.currentThread().isInterrupted();
        });
        closer.start();
        awaitBlocked(closer);
        assertTrue(runner.isClosed());
        saved.countDown();
        closer.join();
        stepper.join();

        assertEquals(List.of("saved", "closed"), order);
        assertTrue(interrupted[0]);
    }

    @Test
    void closeDoesNotWaitForADelivery() throws InterruptedException {
        CountDownLatch delivering = new CountDownLatch(1);
        CountDownLatch released = new CountDownLatch(1);
        script.inDelivery = () -> {
            delivering.countDown();
            await(released);
        };
        runner.wake();
        Thread stepper = new Thread(scheduler::runTasks);
        stepper.start();
        delivering.await();
        runner.close();
        assertEquals(List.of("step", "deliver", "end", "ended"), script.happened);
        released.countDown();
        stepper.join();

        assertEquals(1, script.steps);
    }

    /** Each of two runners closes the other in its delivery, at the same time. */
    @Test
    void twoRunnersCloseEachOther() throws InterruptedException, ExecutionException {
        ScheduledExecutorService pool = Executors.newScheduledThreadPool(2);
        for (int round = 0; round < 200; round++) {
            CyclicBarrier bothDeliver = new CyclicBarrier(2);
            Script left = new Script();
            Script right = new Script();
            StepRunner<Integer> leftRunner = new StepRunner<>(left, Scheduler.of(pool));
            StepRunner<Integer> rightRunner = new StepRunner<>(right, Scheduler.of(pool));
            CountDownLatch closed = new CountDownLatch(2);
            left.inDelivery = () -> {
                meet(bothDeliver);
                rightRunner.close();
                closed.countDown();
            };
            right.inDelivery = () -> {
                meet(bothDeliver);
                leftRunner.close();
                closed.countDown();
            };
            leftRunner.wake();
            rightRunner.wake();
            closed.await();

            assertTrue(leftRunner.isClosed() && rightRunner.isClosed());
        }
        pool.shutdown();
    }

    /** Many wake, some close: the end comes once, no step follows it, and everything published before it was seen. */
    @Test
    void closingBesideWakersEndsItOnce() throws InterruptedException, ExecutionException {
        ScheduledExecutorService pool = Executors.newScheduledThreadPool(2);
        for (int round = 0; round < 200; round++) {
            AtomicInteger ends = new AtomicInteger();
            AtomicInteger stepsAfterTheEnd = new AtomicInteger();
            StepRunner.Steps<Integer> steps = new StepRunner.Steps<>() {
                @Override
                public Integer step(long now) {
                    stepsAfterTheEnd.addAndGet(ends.get());
                    return 0;
                }

                @Override
                public void deliver(Integer output) {}

                @Override
                public void end(@Nullable Throwable defect) {
                    ends.incrementAndGet();
                }

                @Override
                public void ended() {}
            };
            StepRunner<Integer> shared = new StepRunner<>(steps, Scheduler.of(pool));
            CyclicBarrier start = new CyclicBarrier(3);
            List<Future<?>> threads = new ArrayList<>();
            ScheduledExecutorService callers = Executors.newScheduledThreadPool(3);
            threads.add(callers.submit(() -> {
                meet(start);
                for (int i = 0; i < 50; i++) {
                    shared.wake();
                    shared.wakeAt(System.nanoTime() + i);
                }
            }));
            for (int i = 0; i < 2; i++) {
                threads.add(callers.submit(() -> {
                    meet(start);
                    shared.close();
                    assertEquals(1, ends.get());
                }));
            }
            for (Future<?> thread : threads) {
                thread.get();
            }
            callers.shutdown();
            assertEquals(1, ends.get());
            assertEquals(0, stepsAfterTheEnd.get());
        }
        pool.shutdown();
    }

    private static void meet(CyclicBarrier barrier) {
        try {
            barrier.await();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void awaitBlocked(Thread thread) {
        while (thread.getState() == Thread.State.NEW || thread.getState() == Thread.State.RUNNABLE) {
            Thread.onSpinWait();
        }
    }
}
