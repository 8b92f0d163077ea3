package io.kvorum.replication.runtime;

import static io.kvorum.replication.runtime.DrivenNode.B;
import static io.kvorum.replication.runtime.DrivenNode.BOTH;
import static io.kvorum.replication.runtime.DrivenNode.EPOCH;
import static io.kvorum.replication.runtime.DrivenNode.SENTINEL;
import static io.kvorum.replication.runtime.DrivenNode.SHARD;
import static io.kvorum.replication.runtime.DrivenNode.TIMEOUT;
import static io.kvorum.replication.runtime.DrivenNode.await;
import static io.kvorum.replication.runtime.DrivenNode.get;
import static io.kvorum.replication.runtime.DrivenNode.reason;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.ControlAnswer;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.replication.ReplicationLog;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.replication.ReplicationMessage.Append;
import io.kvorum.slots.Scheduler;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.testing.HandScheduler;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How the driver of a node ends. */
@Timeout(60)
final class NodeDriverEndTest {
    private final DrivenNode node = new DrivenNode();
    private final UnpooledByteBufAllocator allocator = node.allocator;
    private final HandScheduler scheduler = node.scheduler;
    private final List<ReplicationMessage> sent = node.sent;
    private final DrivenNode.Promises promises = node.promises;
    private final ReplicationLog log = node.log;
    private final NodeDriver driver = node.driver;

    @AfterEach
    void nothingLeaks() {
        node.close();
    }

    @Test
    void closingGivesUpWhatWaitsAndRefusesWhatComes() {
        node.begin(BOTH);
        CompletionStage<@Nullable Void> majority = driver.acknowledged(log.end(), Acknowledgement.MAJORITY, TIMEOUT);
        scheduler.runTasks();
        CompletionStage<ControlAnswer> unseen = driver.describe();
        driver.receive(B, new Append(SHARD, EPOCH, 1, LogPosition.START, -1, allocator.buffer()));
        driver.close();
        driver.close();

        assertEquals(OutcomeUnknownException.Reason.CLOSED, reason(majority));
        assertEquals(ControlAnswer.Outcome.CLOSED, get(unseen).outcome());
        assertEquals(OutcomeUnknownException.Reason.CLOSED, reason(driver.confirm(TIMEOUT)));
        assertEquals(
                ControlAnswer.Outcome.CLOSED, get(driver.fence(EPOCH, SENTINEL)).outcome());
        String message =
                String.valueOf(assertThrows(RefusedException.class, node::write).getMessage());
        assertTrue(message.startsWith("the node is closed"), message);
        driver.receive(B, new Append(SHARD, EPOCH, 1, LogPosition.START, -1, allocator.buffer()));
        int before = sent.size();
        scheduler.pass(TIMEOUT.toNanos());
        assertEquals(before, sent.size());
        assertNull(driver.failure());
    }

    @Test
    void closeWaitsForTheSaveUnderWay() throws InterruptedException {
        CountDownLatch saving = new CountDownLatch(1);
        CountDownLatch saved = new CountDownLatch(1);
        driver.start();
        scheduler.runTasks();
        promises.duringSave = () -> {
            saving.countDown();
            await(saved);
        };
        CompletionStage<ControlAnswer> fenced = driver.fence(EPOCH, SENTINEL);
        Thread stepper = new Thread(scheduler::runTasks);
        stepper.start();
        saving.await();
        long[] seen = {-1};
        Thread closer = new Thread(() -> {
            driver.close();
            seen[0] = promises.epoch();
        });
        closer.start();
        while (closer.getState() == Thread.State.NEW || closer.getState() == Thread.State.RUNNABLE) {
            Thread.onSpinWait();
        }
        saved.countDown();
        closer.join();
        stepper.join();

        assertEquals(EPOCH, seen[0]);
        assertEquals(ControlAnswer.Outcome.DONE, get(fenced).outcome());
    }

    @Test
    void theStoreMayCloseTheDriver() {
        promises.duringSave = driver::close;
        CompletionStage<ControlAnswer> fenced = driver.fence(EPOCH, SENTINEL);
        scheduler.runTasks();

        assertFalse(driver.isRunning());
        assertTrue(fenced.toCompletableFuture().isDone());
    }

    /**
     * Closes its driver while the step that it has begun for the first ping answers the pings that wait, and has the
     * thread that has asked find the driver closed meanwhile, so that it refuses what it finds waiting.
     */
    private final class ClosingScheduler implements Scheduler {
        final List<CompletionStage<ControlAnswer>> pings = new ArrayList<>();
        final List<Thread> threads = new ArrayList<>();

        @Nullable
        NodeDriver closing;

        @Override
        public long nanoTime() {
            NodeDriver now = closing;
            if (now != null && Thread.currentThread() == threads.get(0)) { // in the step
                closing = null;
                begin(now::close);
                while (now.isRunning()) {
                    Thread.onSpinWait();
                }
            }
            return scheduler.nanoTime();
        }

        @Override
        public void execute(Runnable task) {
            NodeDriver now = closing;
            if (now == null) {
                scheduler.execute(task);
                return;
            }
            for (int i = 0; i < 20_000; i++) {
                pings.add(now.describe());
            }
            begin(task);
            while (now.isRunning()) {
                Thread.onSpinWait();
            }
        }

        @Override
        public Cancellable schedule(Runnable task, long delayNanos) {
            return scheduler.schedule(task, delayNanos);
        }

        private void begin(Runnable task) {
            Thread thread = new Thread(task);
            threads.add(thread);
            thread.start();
        }
    }

    @Test
    void noRequestIsForgottenByAStepAndARefusalAtOneTime() throws InterruptedException {
        ClosingScheduler closer = new ClosingScheduler();
        NodeDriver closed = node.driver(closer);
        closed.start();
        scheduler.runTasks();
        closer.closing = closed;
        closer.pings.add(closed.describe());
        for (Thread thread : closer.threads) {
            thread.join();
        }

        assertEquals(
                0,
                closer.pings.stream()
                        .filter(ping -> !ping.toCompletableFuture().isDone())
                        .count());
    }
}
