package io.kvorum.replication.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.ControlAnswer;
import io.kvorum.replication.NodeIdentity;
import io.kvorum.replication.NodeRole;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.replication.Promise;
import io.kvorum.replication.PromiseStore;
import io.kvorum.replication.ReplicatedState;
import io.kvorum.replication.ReplicationEvent;
import io.kvorum.replication.ReplicationEvent.DriverFailed;
import io.kvorum.replication.ReplicationEvent.PromiseNotSaved;
import io.kvorum.replication.ReplicationEvent.ShardBegun;
import io.kvorum.replication.ReplicationEvent.UserCodeFailed;
import io.kvorum.replication.ReplicationLog;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.replication.ReplicationMessage.Ack;
import io.kvorum.replication.ReplicationMessage.Append;
import io.kvorum.replication.ReplicationMessage.Heartbeat;
import io.kvorum.replication.ReplicationMessage.Taken;
import io.kvorum.replication.ReplicationSettings;
import io.kvorum.replication.Restoration;
import io.kvorum.replication.ShardNode;
import io.kvorum.replication.SnapshotScan;
import io.kvorum.slots.Scheduler;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.testing.HandScheduler;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The driver of a real node, on a scheduler that the test runs by hand. */
@Timeout(60)
final class NodeDriverTest {
    private static final ShardId SHARD = new ShardId("s");
    private static final NodeId A = new NodeId("a");
    private static final NodeId B = new NodeId("b");
    private static final NodeId SENTINEL = new NodeId("S1");
    private static final long INCARNATION = 7;
    private static final long B_INCARNATION = 8;
    private static final Member ME = new Member(A, INCARNATION);
    private static final MemberList ALONE = MemberList.of(ME);
    private static final MemberList BOTH = MemberList.of(ME, new Member(B, B_INCARNATION));
    private static final long EPOCH = Epoch.of(1, 1);
    private static final Duration TIMEOUT = Duration.ofSeconds(1);
    private static final ReplicationSettings SETTINGS = ReplicationSettings.defaults();

    /** A state that is given nothing. */
    private static final class NoState implements ReplicatedState {
        @Override
        public void apply(int slot, ByteBuf payload) {
            throw new AssertionError("no record is expected");
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
        @Nullable
        Promise saved;

        @Nullable
        Throwable failure;

        int failures;
        Runnable duringSave = () -> {};

        @Override
        public @Nullable Promise load() {
            return saved;
        }

        @Override
        public void save(Promise promise) throws IOException {
            duringSave.run();
            if (failure != null) {
                failures++;
            }
            if (failure instanceof IOException io) {
                throw io;
            } else if (failure instanceof Error error) {
                throw error;
            } else if (failure instanceof RuntimeException exception) {
                throw exception;
            }
            saved = promise;
        }

        long epoch() {
            return saved == null ? -1 : saved.epoch();
        }
    }

    private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false);
    private final HandScheduler scheduler = new HandScheduler();
    private final List<ReplicationMessage> sent = new ArrayList<>();
    private final List<ReplicationEvent> events = new ArrayList<>();
    private final Promises promises = new Promises();
    private final ReplicationLog log = ReplicationLog.inMemory(1 << 18);
    private Runnable inTransport = () -> {};
    private final NodeDriver driver = driver(scheduler);

    private NodeDriver driver(Scheduler scheduler) {
        NodeDriver made = new NodeDriver(
                SETTINGS,
                new ShardNode(
                        SETTINGS,
                        new NodeIdentity(SHARD, A),
                        log,
                        new NoState(),
                        allocator,
                        new Promise(INCARNATION, 1, 0, null, false),
                        false,
                        scheduler.nanoTime()),
                log,
                (to, message) -> {
                    sent.add(message);
                    inTransport.run();
                },
                promises,
                scheduler);
        made.addListener(events::add);
        return made;
    }

    @AfterEach
    void nothingLeaks() {
        driver.close();
        log.close();
        sent.forEach(ReplicationMessage::release);
        assertEquals(0, allocator.metric().usedHeapMemory());
    }

    private static <T> T get(CompletionStage<T> stage) {
        CompletableFuture<T> future = stage.toCompletableFuture();
        assertTrue(future.isDone());
        return Objects.requireNonNull(future.join());
    }

    private static void assertAcknowledged(CompletionStage<?> stage) {
        CompletableFuture<?> future = stage.toCompletableFuture();
        assertTrue(future.isDone() && !future.isCompletedExceptionally());
    }

    private static @Nullable Throwable failure(CompletionStage<?> stage) {
        CompletableFuture<?> future = stage.toCompletableFuture();
        assertTrue(future.isCompletedExceptionally());
        return assertThrows(CompletionException.class, future::join).getCause();
    }

    private static OutcomeUnknownException.Reason reason(CompletionStage<?> stage) {
        return assertInstanceOf(OutcomeUnknownException.class, failure(stage)).reason();
    }

    private void begin(MemberList members) {
        driver.start();
        driver.fence(EPOCH, SENTINEL);
        CompletionStage<ControlAnswer> begun = driver.begin(EPOCH, SENTINEL, members, List.of(), false);
        scheduler.runTasks();
        assertEquals(ControlAnswer.Outcome.DONE, get(begun).outcome());
        assertEquals(NodeRole.PRIMARY, driver.status().role());
    }

    private void write() {
        log.append(1, Unpooled.wrappedBuffer(new byte[3]));
    }

    private static Ack ack(long sequence, LogPosition position) {
        return new Ack(SHARD, EPOCH, sequence, B_INCARNATION, 1, position, true, Taken.TAKEN, 0, 0);
    }

    private void acknowledge(long sequence) {
        driver.receive(B, ack(sequence, log.end()));
        scheduler.runTasks();
    }

    private long lastSequence() {
        return sent.stream()
                .filter(ReplicationMessage.FromPrimary.class::isInstance)
                .mapToLong(message -> ((ReplicationMessage.FromPrimary) message).sequence())
                .max()
                .orElse(0);
    }

    private <E extends ReplicationEvent> List<E> told(Class<E> kind) {
        return events.stream().filter(kind::isInstance).map(kind::cast).toList();
    }

    // Commands, and the promise.

    @Test
    void nothingHappensBeforeTheStart() {
        assertTrue(scheduler.tasks.isEmpty());
        driver.start();
        scheduler.runTasks();

        assertEquals(new Promise(INCARNATION, 1, 0, null, false), promises.saved);
    }

    @Test
    void aFenceIsAnsweredOnceThePromiseIsSaved() {
        CompletionStage<ControlAnswer> answer = driver.fence(EPOCH, SENTINEL);
        assertFalse(answer.toCompletableFuture().isDone());
        scheduler.runTasks();

        assertEquals(ControlAnswer.Outcome.DONE, get(answer).outcome());
        assertEquals(new Promise(INCARNATION, 1, EPOCH, SENTINEL, false), promises.saved);
        assertEquals(EPOCH, driver.status().epoch());
    }

    @Test
    void aDescriptionIsAnsweredByAStep() {
        CompletionStage<ControlAnswer> answer = driver.describe();
        assertFalse(answer.toCompletableFuture().isDone());
        scheduler.runTasks();

        assertEquals(ControlAnswer.Outcome.DONE, get(answer).outcome());
        assertEquals(INCARNATION, get(answer).status().incarnation());
    }

    /** P20: what could not be saved is not promised, and nothing leaves the node until it is. */
    @ParameterizedTest
    @ValueSource(strings = {"io", "runtime", "error"})
    void nothingLeavesWhileThePromiseCannotBeSaved(String kind) {
        driver.start();
        scheduler.runTasks();
        promises.failure = switch (kind) {
            case "io" -> new IOException("disk full");
            case "runtime" -> new IllegalStateException("disk full");
            default -> new OutOfMemoryError("disk full");
        };
        CompletionStage<ControlAnswer> answer = driver.fence(EPOCH, SENTINEL);
        scheduler.runTasks();
        assertEquals(ControlAnswer.Outcome.NOT_SAVED, get(answer).outcome());
        driver.receive(B, new Heartbeat(SHARD, EPOCH, 1, LogPosition.START, -1));
        CompletionStage<ControlAnswer> again = driver.fence(EPOCH, SENTINEL);
        scheduler.runTasks();
        assertTrue(sent.isEmpty());
        assertEquals(ControlAnswer.Outcome.NOT_SAVED, get(again).outcome());
        scheduler.pass(TIMEOUT.toNanos());
        assertTrue(promises.failures > 3, () -> "tries: " + promises.failures);
        assertEquals(List.of(new PromiseNotSaved(A, EPOCH, "disk full")), told(PromiseNotSaved.class));

        promises.failure = null;
        scheduler.pass(2 * TIMEOUT.toNanos());
        assertEquals(EPOCH, promises.epoch());
        CompletionStage<ControlAnswer> third = driver.fence(EPOCH, SENTINEL);
        scheduler.runTasks();
        assertEquals(ControlAnswer.Outcome.DONE, get(third).outcome());
        assertTrue(driver.isRunning());
    }

    /** What a later command builds on is saved before the command is carried out. */
    @Test
    void nothingIsBegunOnAPromiseThatIsNotSaved() {
        driver.start();
        scheduler.runTasks();
        promises.failure = new IOException("disk full");
        driver.fence(EPOCH, SENTINEL);
        CompletionStage<ControlAnswer> begun = driver.begin(EPOCH, SENTINEL, ALONE, List.of(), false);
        scheduler.runTasks();

        assertEquals(ControlAnswer.Outcome.NOT_SAVED, get(begun).outcome());
        assertFalse(log.isWritable());
        promises.failure = null;
        scheduler.pass(TIMEOUT.toNanos());
        begin(ALONE);
        assertTrue(log.isWritable());
    }

    /**
     * A shard that is begun takes no writes before that is saved: after a crash it could be begun again without them.
     */
    @Test
    void nothingIsWrittenBeforeTheBeginningIsSaved() {
        driver.start();
        driver.fence(EPOCH, SENTINEL);
        scheduler.runTasks();
        promises.failure = new IOException("disk full");
        CompletionStage<ControlAnswer> begun = driver.begin(EPOCH, SENTINEL, ALONE, List.of(), false);
        scheduler.runTasks();
        assertEquals(ControlAnswer.Outcome.NOT_SAVED, get(begun).outcome());
        assertFalse(log.isWritable());
        scheduler.pass(TIMEOUT.toNanos());
        assertFalse(log.isWritable());
        RefusedException refused = assertThrows(RefusedException.class, this::write);
        assertEquals(RefusedException.Kind.CLUSTER_DOWN, refused.kind());

        promises.failure = null;
        scheduler.pass(TIMEOUT.toNanos());
        assertTrue(log.isWritable());
        assertTrue(driver.status().writable());
        CompletionStage<ControlAnswer> again = driver.begin(EPOCH, SENTINEL, ALONE, List.of(), false);
        scheduler.runTasks();
        assertEquals(ControlAnswer.Outcome.DONE, get(again).outcome());
    }

    /** Whoever waits is told that the time is over, although the disk is full. */
    @Test
    void aWaitEndsInTimeWhileThePromiseCannotBeSaved() {
        begin(BOTH);
        CompletionStage<@Nullable Void> waiting = driver.acknowledged(log.end(), Acknowledgement.MAJORITY, TIMEOUT);
        scheduler.runTasks();
        promises.failure = new IOException("disk full");
        driver.fence(Epoch.of(2, 1), SENTINEL);
        scheduler.pass(2 * TIMEOUT.toNanos());

        assertTrue(waiting.toCompletableFuture().isCompletedExceptionally());
        assertFalse(log.isWritable());
    }

    @Test
    void aBadCommandFailsItsStageOnly() {
        driver.start();
        CompletionStage<ControlAnswer> answer = driver.fence(-1, SENTINEL);
        scheduler.runTasks();

        assertInstanceOf(IllegalArgumentException.class, failure(answer));
        begin(ALONE);
    }

    // Writes and questions.

    @Test
    void aLocalAcknowledgementIsAlwaysTheSameCompletedStage() {
        CompletionStage<@Nullable Void> first = driver.acknowledged(LogPosition.START, Acknowledgement.LOCAL, TIMEOUT);
        assertAcknowledged(first);
        assertSame(first, driver.acknowledged(log.end(), Acknowledgement.LOCAL, TIMEOUT));
        assertTrue(scheduler.tasks.isEmpty());
    }

    @Test
    void aMajorityCompletesTheStage() {
        begin(BOTH);
        acknowledge(lastSequence());
        write();
        CompletionStage<@Nullable Void> majority = driver.acknowledged(log.end(), Acknowledgement.MAJORITY, TIMEOUT);
        scheduler.runTasks();
        assertFalse(majority.toCompletableFuture().isDone());
        acknowledge(lastSequence());

        assertAcknowledged(majority);
    }

    @Test
    void aConfirmationNeedsAnAnswerToALaterMessage() {
        begin(BOTH);
        acknowledge(lastSequence());
        long before = lastSequence();
        CompletionStage<LogPosition> confirmed = driver.confirm(TIMEOUT);
        scheduler.runTasks();
        acknowledge(before);
        assertFalse(confirmed.toCompletableFuture().isDone());
        acknowledge(lastSequence());

        assertEquals(log.end(), get(confirmed));
    }

    @Test
    void aTimeoutIsAnUnknownOutcome() {
        begin(BOTH);
        CompletionStage<@Nullable Void> majority = driver.acknowledged(log.end(), Acknowledgement.MAJORITY, TIMEOUT);
        scheduler.pass(TIMEOUT.toNanos() - 1);
        assertFalse(majority.toCompletableFuture().isDone());
        scheduler.pass(1);

        assertEquals(OutcomeUnknownException.Reason.TIMEOUT, reason(majority));
    }

    @Test
    void timeoutsMayBeForEver() {
        begin(BOTH);
        Duration ever = Duration.ofSeconds(Long.MAX_VALUE);
        CompletionStage<@Nullable Void> longest = driver.acknowledged(log.end(), Acknowledgement.MAJORITY, ever);
        driver.pause(EPOCH, ever);
        scheduler.pass(TIMEOUT.toNanos());

        assertFalse(longest.toCompletableFuture().isDone());
        assertFalse(log.isWritable());
        acknowledge(lastSequence());
        assertTrue(longest.toCompletableFuture().isDone());
    }

    // Wake-ups.

    /** Nobody is told of a write, and nobody can unhook that: there is no public hook. */
    @Test
    void aWriteIsSentWithinTheLingerTogetherWithOthers() {
        begin(BOTH);
        acknowledge(lastSequence());
        scheduler.runTasks();
        sent.forEach(ReplicationMessage::release);
        sent.clear();
        int timers = scheduler.scheduled.size();
        for (int i = 0; i < 100; i++) {
            write();
        }
        assertTrue(scheduler.tasks.isEmpty());
        assertTrue(scheduler.scheduled.size() - timers <= 1);
        scheduler.pass(SETTINGS.linger().toNanos() - 1);
        assertEquals(0, appends());
        scheduler.pass(1);

        assertEquals(1, appends());
    }

    @Test
    void aFullBatchIsSentAtOnce() {
        begin(BOTH);
        acknowledge(lastSequence());
        long end = log.end().offset();
        while (log.end().offset() - end < SETTINGS.batchBytes()) {
            assertTrue(scheduler.tasks.isEmpty());
            log.append(1, Unpooled.wrappedBuffer(new byte[1000]));
        }
        assertEquals(1, scheduler.tasks.size());
        scheduler.runTasks();

        assertTrue(appends() >= 1);
    }

    @Test
    void aQuestionSendsWhatWasWrittenBeforeItAtOnce() {
        begin(BOTH);
        acknowledge(lastSequence());
        write();
        driver.acknowledged(log.end(), Acknowledgement.MAJORITY, TIMEOUT);
        scheduler.runTasks();

        assertTrue(appends() >= 1);
    }

    @Test
    void aWriteOfAnOnlyMemberLeadsToNoStep() {
        begin(ALONE);
        scheduler.pass(10 * TIMEOUT.toNanos());
        int timers = scheduler.scheduled.size();
        for (int i = 0; i < 1000; i++) {
            log.append(1, Unpooled.wrappedBuffer(new byte[100]));
        }

        assertTrue(scheduler.tasks.isEmpty());
        assertEquals(timers, scheduler.scheduled.size());
        CompletionStage<@Nullable Void> majority = driver.acknowledged(log.end(), Acknowledgement.MAJORITY, TIMEOUT);
        scheduler.runTasks();
        assertAcknowledged(majority);
    }

    @Test
    void anIdleReplicaTakesNoSteps() {
        driver.start();
        scheduler.pass(TIMEOUT.toNanos());
        int timers = scheduler.scheduled.size();
        scheduler.pass(100 * TIMEOUT.toNanos());

        assertEquals(timers, scheduler.scheduled.size());
    }

    private long appends() {
        return sent.stream().filter(Append.class::isInstance).count();
    }

    // Bounds.

    @Test
    void messagesBeyondTheBoundAreLostAndCounted() {
        for (int i = 0; i < NodeDriver.MAX_MESSAGES + 100; i++) {
            driver.receive(B, new Append(SHARD, EPOCH, i, LogPosition.START, -1, allocator.buffer()));
        }
        assertEquals(100, driver.lostMessages());
        scheduler.runTasks();
    }

    @Test
    void requestsBeyondTheBoundAreRefused() {
        for (int i = 0; i < NodeDriver.MAX_REQUESTS; i++) {
            driver.acknowledged(LogPosition.START, Acknowledgement.MAJORITY, TIMEOUT);
        }
        assertEquals(
                ControlAnswer.Outcome.OVERLOADED,
                get(driver.fence(EPOCH, SENTINEL)).outcome());
        assertEquals(OutcomeUnknownException.Reason.OVERLOADED, reason(driver.confirm(TIMEOUT)));
        scheduler.runTasks();
        CompletionStage<ControlAnswer> fenced = driver.fence(EPOCH, SENTINEL);
        scheduler.runTasks();
        assertEquals(ControlAnswer.Outcome.DONE, get(fenced).outcome());
    }

    // Code of the application that fails.

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aTransportThatThrowsEndsNothing(boolean always) {
        int[] calls = {0};
        inTransport = () -> {
            if (calls[0]++ == 0 || always) {
                throw new IllegalStateException("channel closed");
            }
        };
        begin(BOTH);
        scheduler.pass(TIMEOUT.toNanos() / 2);
        write();

        assertTrue(driver.status().writable());
        assertTrue(driver.isRunning());
        assertTrue(calls[0] >= 4, () -> "sent: " + calls[0]);
        assertEquals(always ? calls[0] : 1, driver.failedCalls());
        assertEquals(List.of(new UserCodeFailed(A, "transport", "channel closed")), told(UserCodeFailed.class));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aListenerThatThrowsEndsNothingAndSilencesNobody(boolean error) {
        driver.addListener(event -> {
            if (error) {
                throw new AssertionError("bad listener");
            }
            throw new IllegalStateException("bad listener");
        });
        begin(ALONE);
        write();

        assertTrue(driver.status().writable());
        assertEquals(1, told(ShardBegun.class).size());
        assertEquals(List.of(new UserCodeFailed(A, "listener", "bad listener")), told(UserCodeFailed.class));
    }

    @Test
    void aConsumerThatThrowsStopsNoOtherAnswer() {
        List<ControlAnswer.Outcome> heard = new ArrayList<>();
        driver.describe(answer -> {
            throw new AssertionError("bad question");
        });
        driver.describe(answer -> heard.add(answer.outcome()));
        scheduler.runTasks();
        driver.close();
        driver.describe(answer -> heard.add(answer.outcome()));
        driver.describe(answer -> {
            throw new AssertionError("bad question");
        });

        assertEquals(List.of(ControlAnswer.Outcome.DONE, ControlAnswer.Outcome.CLOSED), heard);
        assertEquals(2, driver.failedCalls());
    }

    @ParameterizedTest
    @ValueSource(strings = {"rejected", "runtime", "error"})
    void aSchedulerThatThrowsOnceEndsNothingAndIsTold(String kind) {
        begin(BOTH);
        scheduler.executeFails.add(
                switch (kind) {
                    case "rejected" -> new RejectedExecutionException("queue full");
                    case "runtime" -> new IllegalStateException("broken executor");
                    default -> new OutOfMemoryError("unable to create native thread");
                });
        CompletionStage<ControlAnswer> first = driver.describe();
        CompletionStage<ControlAnswer> second = driver.describe();
        scheduler.runTasks();

        assertEquals(ControlAnswer.Outcome.DONE, get(first).outcome());
        assertEquals(ControlAnswer.Outcome.DONE, get(second).outcome());
        assertEquals(1, told(UserCodeFailed.class).size());
        assertEquals("scheduler", told(UserCodeFailed.class).get(0).what());
    }

    @Test
    void aSchedulerThatRefusesATimerDoesNotHurtTheWriter() {
        begin(BOTH);
        acknowledge(lastSequence());
        scheduler.scheduleFails.add(new OutOfMemoryError("unable to create native thread"));
        write();
        scheduler.runTasks();

        assertTrue(appends() >= 1);
    }

    @Test
    void aListenerMayCloseItsNode() {
        driver.addListener(event -> driver.close());
        driver.fence(EPOCH, SENTINEL);
        CompletionStage<ControlAnswer> begun = driver.begin(EPOCH, SENTINEL, ALONE, List.of(), false);
        scheduler.runTasks();

        assertEquals(ControlAnswer.Outcome.DONE, get(begun).outcome());
        assertFalse(driver.isRunning());
        assertThrows(RefusedException.class, this::write);
    }

    @Test
    void aDefectEndsTheDriverAndIsTold() {
        driver.start();
        scheduler.runTasks();
        log.close(); // so that the machine fails on it
        CompletionStage<ControlAnswer> fenced = driver.fence(EPOCH, SENTINEL);
        CompletionStage<ControlAnswer> begun = driver.begin(EPOCH, SENTINEL, ALONE, List.of(), false);
        scheduler.runTasks();

        assertTrue(fenced.toCompletableFuture().isDone());
        assertEquals(ControlAnswer.Outcome.CLOSED, get(begun).outcome());
        assertFalse(driver.isRunning());
        assertNotNull(driver.failure());
        assertEquals(1, told(DriverFailed.class).size());
        assertEquals(ControlAnswer.Outcome.CLOSED, get(driver.describe()).outcome());
    }

    @Test
    void aWriteIsRefusedWithTheDefectThatEndedTheDriver() {
        begin(BOTH);
        ByteBuf released = allocator.buffer();
        released.release();
        driver.receive(B, new Append(SHARD, EPOCH, 1, LogPosition.START, -1, released)); // fails the machine
        scheduler.runTasks();

        assertNotNull(driver.failure());
        String message =
                String.valueOf(assertThrows(RefusedException.class, this::write).getMessage());
        assertTrue(message.startsWith("the node stopped after a defect of its own"), message);
    }

    // The end.

    @Test
    void closingGivesUpWhatWaitsAndRefusesWhatComes() {
        begin(BOTH);
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
                String.valueOf(assertThrows(RefusedException.class, this::write).getMessage());
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
        NodeDriver closed = driver(closer);
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

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
