package io.kvorum.replication.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.ControlAnswer;
import io.kvorum.replication.NodeIdentity;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.replication.PromiseStore;
import io.kvorum.replication.ReplicatedState;
import io.kvorum.replication.ReplicationEvent;
import io.kvorum.replication.ReplicationLog;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.replication.ReplicationSettings;
import io.kvorum.replication.Restoration;
import io.kvorum.replication.ShardNode;
import io.kvorum.replication.SnapshotScan;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.slots.topology.ShardId;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class NodeDriverTest {
    private static final NodeId A = new NodeId("a");
    private static final NodeId B = new NodeId("b");
    private static final Duration TIMEOUT = Duration.ofSeconds(1);

    /** A state that counts what it is given. */
    private static final class CountingState implements ReplicatedState {
        int applied;

        @Override
        public void apply(int slot, ByteBuf payload) {
            applied++;
        }

        @Override
        public SnapshotScan snapshot() {
            throw new AssertionError("no full sync is expected");
        }

        @Override
        public Restoration restore() {
            throw new AssertionError("no full sync is expected");
        }
    }

    private static final class Promises implements PromiseStore {
        long saved;
        boolean failing;
        Runnable duringSave = () -> {};

        @Override
        public long load() {
            return saved;
        }

        @Override
        public void save(long epoch) throws IOException {
            if (failing) {
                throw new IOException("the disk is full");
            }
            duringSave.run();
            saved = epoch;
        }
    }

    private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false);
    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private final List<ReplicationMessage> sent = new ArrayList<>();
    private final List<ReplicationEvent> events = new ArrayList<>();
    private final Promises promises = new Promises();
    private final ReplicationLog log = new ReplicationLog(allocator, 1 << 16);
    private final CountingState state = new CountingState();
    private boolean listenerFails;
    private boolean executorFails;
    private long now;
    private final NodeDriver driver = new NodeDriver(
            new ShardNode(
                    ReplicationSettings.defaults(),
                    new NodeIdentity(new ShardId("s"), A),
                    log,
                    state,
                    allocator,
                    ShardNode.Start.fresh()),
            log,
            (to, message) -> sent.add(message),
            promises,
            () -> now,
            this::execute,
            this::heard);

    private void execute(Runnable task) {
        if (executorFails) {
            throw new OutOfMemoryError("the executor is told to fail");
        }
        tasks.add(task);
    }

    private void heard(ReplicationEvent event) {
        events.add(event);
        if (listenerFails) {
            throw new IllegalStateException("the listener is told to fail");
        }
    }

    @AfterEach
    void nothingLeaks() {
        driver.close();
        log.close();
        sent.forEach(ReplicationMessage::release);
        assertEquals(0, allocator.metric().usedHeapMemory());
    }

    private void runTasks() {
        Runnable task;
        while ((task = tasks.poll()) != null) {
            task.run();
        }
    }

    private static <T> T get(CompletionStage<T> stage) {
        CompletableFuture<T> future = stage.toCompletableFuture();
        assertTrue(future.isDone());
        return future.join();
    }

    private void promote() {
        driver.fence(1);
        CompletionStage<ControlAnswer> promoted = driver.promote(1, LogPosition.START, List.of(A, B));
        runTasks();
        assertEquals(ControlAnswer.Outcome.DONE, get(promoted).outcome());
    }

    private void acknowledge(long sequence) {
        driver.receive(B, new ReplicationMessage.Ack(1, sequence, 0, log.end(), true, true, -1, 0));
        runTasks();
    }

    @Test
    void aFenceIsAnsweredOnceThePromiseIsSaved() {
        CompletionStage<ControlAnswer> answer = driver.fence(3);
        assertFalse(answer.toCompletableFuture().isDone());
        runTasks();

        assertEquals(ControlAnswer.Outcome.DONE, get(answer).outcome());
        assertEquals(3, promises.saved);
        assertEquals(3, driver.status().epoch());
    }

    /** P20: what could not be saved is not promised, and nothing leaves the node until it is. */
    @Test
    void nothingLeavesWhileThePromiseCannotBeSaved() {
        promises.failing = true;
        CompletionStage<ControlAnswer> answer = driver.fence(3);
        runTasks();
        assertEquals(ControlAnswer.Outcome.NOT_SAVED, get(answer).outcome());

        driver.receive(B, new ReplicationMessage.Heartbeat(3, 1, LogPosition.START, -1));
        CompletionStage<ControlAnswer> again = driver.fence(3);
        runTasks();
        assertTrue(sent.isEmpty());
        assertEquals(ControlAnswer.Outcome.NOT_SAVED, get(again).outcome());
        assertInstanceOf(ReplicationEvent.PromiseNotSaved.class, events.get(0));

        promises.failing = false;
        driver.receive(B, new ReplicationMessage.Heartbeat(3, 2, LogPosition.START, -1));
        runTasks();
        assertEquals(3, promises.saved);
        assertEquals(1, sent.size());
    }

    /** What a later command builds on is saved before the command is carried out. */
    @Test
    void nobodyIsPromotedOnAPromiseThatIsNotSaved() {
        promises.failing = true;
        driver.fence(1);
        CompletionStage<ControlAnswer> promoted = driver.promote(1, LogPosition.START, List.of(A, B));
        runTasks();

        assertEquals(ControlAnswer.Outcome.NOT_SAVED, get(promoted).outcome());
        assertFalse(log.isWritable());
        promises.failing = false;
        promote();
        assertTrue(log.isWritable());
    }

    @Test
    void timeoutsMayBeForEver() {
        promote();
        CompletionStage<LogPosition> longest =
                driver.acknowledged(log.end(), Acknowledgement.MAJORITY, Duration.ofSeconds(Long.MAX_VALUE));
        CompletionStage<LogPosition> shorter = driver.acknowledged(log.end(), Acknowledgement.MAJORITY, TIMEOUT);
        driver.pause(1, Duration.ofSeconds(Long.MAX_VALUE));
        runTasks();
        now += TIMEOUT.toNanos();
        driver.run();

        assertTrue(shorter.toCompletableFuture().isCompletedExceptionally());
        assertFalse(longest.toCompletableFuture().isDone());
        assertFalse(log.isWritable());
        acknowledge(driver.status().epoch() + 1);
        assertTrue(longest.toCompletableFuture().isDone());
    }

    @Test
    void anExecutorThatFailsIsTriedAgain() {
        promote();
        executorFails = true;
        log.append(1, Unpooled.wrappedBuffer(new byte[3]));
        assertTrue(tasks.isEmpty());
        executorFails = false;
        log.append(1, Unpooled.wrappedBuffer(new byte[3]));

        assertEquals(1, tasks.size());
    }

    @Test
    void aClosedDriverTakesNoStepAnyMore() throws InterruptedException {
        CountDownLatch saving = new CountDownLatch(1);
        CountDownLatch saved = new CountDownLatch(1);
        promises.duringSave = () -> {
            saving.countDown();
            awaitUninterruptibly(saved);
        };
        CompletionStage<ControlAnswer> fenced = driver.fence(5);
        Thread stepper = new Thread(this::runTasks);
        stepper.start();
        saving.await();
        Thread closer = new Thread(driver::close);
        closer.start();
        assertEquals(0, promises.saved);
        saved.countDown();
        closer.join();

        assertEquals(5, promises.saved); // the step was over before close returned
        assertEquals(ControlAnswer.Outcome.DONE, get(fenced).outcome());
        stepper.join();
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void anAppendWakesTheDriver() {
        promote();
        tasks.clear();
        log.append(1, Unpooled.wrappedBuffer(new byte[3]));

        assertEquals(1, tasks.size());
    }

    @Test
    void aMajorityCompletesTheFuture() {
        promote();
        log.append(1, Unpooled.wrappedBuffer(new byte[3]));
        CompletionStage<LogPosition> local = driver.acknowledged(log.end(), Acknowledgement.LOCAL, TIMEOUT);
        CompletionStage<LogPosition> majority = driver.acknowledged(log.end(), Acknowledgement.MAJORITY, TIMEOUT);
        runTasks();
        assertTrue(local.toCompletableFuture().isDone());
        assertFalse(majority.toCompletableFuture().isDone());

        acknowledge(1);

        assertEquals(log.end(), get(majority));
    }

    @Test
    void aConfirmationNeedsAnAnswerToALaterMessage() {
        promote();
        acknowledge(1);
        CompletionStage<LogPosition> confirmed = driver.confirm(TIMEOUT);
        runTasks();
        assertFalse(confirmed.toCompletableFuture().isDone());
        acknowledge(2);

        assertEquals(log.end(), get(confirmed));
    }

    @Test
    void aTimeoutIsAnUnknownOutcome() {
        promote();
        CompletionStage<LogPosition> majority = driver.acknowledged(log.end(), Acknowledgement.MAJORITY, TIMEOUT);
        now += TIMEOUT.toNanos();
        runTasks();
        driver.run();

        CompletionException failed = assertThrows(
                CompletionException.class, () -> majority.toCompletableFuture().join());
        OutcomeUnknownException unknown = assertInstanceOf(OutcomeUnknownException.class, failed.getCause());
        assertEquals(OutcomeUnknownException.Reason.TIMEOUT, unknown.reason());
        assertEquals(A, unknown.node());
    }

    @Test
    void closingGivesUpWhatWaitsAndRefusesWhatComes() {
        promote();
        CompletionStage<LogPosition> majority = driver.acknowledged(log.end(), Acknowledgement.MAJORITY, TIMEOUT);
        runTasks();
        driver.close();
        driver.close();

        assertTrue(majority.toCompletableFuture().isCompletedExceptionally());
        assertTrue(driver.confirm(TIMEOUT).toCompletableFuture().isCompletedExceptionally());
        assertEquals(ControlAnswer.Outcome.CLOSED, get(driver.fence(9)).outcome());
        assertThrows(RefusedException.class, () -> log.append(1, Unpooled.EMPTY_BUFFER));
        driver.receive(B, new ReplicationMessage.Append(1, 1, LogPosition.START, -1, allocator.buffer()));
    }

    @Test
    void theInboxIsBounded() {
        for (int i = 0; i < NodeDriver.MAX_INBOX + 100; i++) {
            driver.receive(B, new ReplicationMessage.Append(1, i, LogPosition.START, -1, allocator.buffer()));
        }
        runTasks();

        assertEquals(NodeDriver.MAX_INBOX, sent.size());
    }

    @Test
    void requestsThatWaitForAStepAreBounded() {
        for (int i = 0; i < NodeDriver.MAX_REQUESTS; i++) {
            driver.acknowledged(LogPosition.START, Acknowledgement.MAJORITY, TIMEOUT);
        }

        assertEquals(ControlAnswer.Outcome.OVERLOADED, get(driver.fence(1)).outcome());
        assertTrue(driver.confirm(TIMEOUT).toCompletableFuture().isCompletedExceptionally());
        runTasks();
        CompletionStage<ControlAnswer> fenced = driver.fence(1);
        runTasks();
        assertEquals(ControlAnswer.Outcome.DONE, get(fenced).outcome());
    }

    @Test
    void aListenerThatFailsStopsNothing() {
        listenerFails = true;
        promote();

        assertEquals(1, events.size());
        assertTrue(log.isWritable());
    }

    @Test
    void aBadCommandFailsItsFutureOnly() {
        CompletionStage<ControlAnswer> answer = driver.promote(1, LogPosition.START, List.of(B));
        runTasks();

        assertTrue(answer.toCompletableFuture().isCompletedExceptionally());
        promote();
    }

    @Test
    void aRecordOfThePrimaryIsApplied() {
        ByteBuf records = allocator.buffer().writeInt(0).writeInt(5);
        driver.receive(B, new ReplicationMessage.Append(2, 1, LogPosition.START, -1, records));
        runTasks();

        assertEquals(1, state.applied);
        assertEquals(2, promises.saved);
        assertEquals(B, driver.status().primary());
    }
}
