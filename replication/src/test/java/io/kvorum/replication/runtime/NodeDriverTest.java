package io.kvorum.replication.runtime;

import static io.kvorum.replication.runtime.DrivenNode.A;
import static io.kvorum.replication.runtime.DrivenNode.ALONE;
import static io.kvorum.replication.runtime.DrivenNode.B;
import static io.kvorum.replication.runtime.DrivenNode.BOTH;
import static io.kvorum.replication.runtime.DrivenNode.EPOCH;
import static io.kvorum.replication.runtime.DrivenNode.INCARNATION;
import static io.kvorum.replication.runtime.DrivenNode.SENTINEL;
import static io.kvorum.replication.runtime.DrivenNode.SETTINGS;
import static io.kvorum.replication.runtime.DrivenNode.SHARD;
import static io.kvorum.replication.runtime.DrivenNode.TIMEOUT;
import static io.kvorum.replication.runtime.DrivenNode.assertAcknowledged;
import static io.kvorum.replication.runtime.DrivenNode.failure;
import static io.kvorum.replication.runtime.DrivenNode.get;
import static io.kvorum.replication.runtime.DrivenNode.reason;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.ControlAnswer;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.replication.Promise;
import io.kvorum.replication.ReplicationEvent.PromiseNotSaved;
import io.kvorum.replication.ReplicationLog;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.replication.ReplicationMessage.Heartbeat;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.testing.HandScheduler;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the driver of a node does with commands, writes and questions, and when it takes steps. */
@Timeout(60)
final class NodeDriverTest {
    private final DrivenNode node = new DrivenNode();
    private final HandScheduler scheduler = node.scheduler;
    private final List<ReplicationMessage> sent = node.sent;
    private final DrivenNode.Promises promises = node.promises;
    private final ReplicationLog log = node.log;
    private final NodeDriver driver = node.driver;

    @AfterEach
    void nothingLeaks() {
        node.close();
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
        assertEquals(List.of(new PromiseNotSaved(A, EPOCH, "disk full")), node.told(PromiseNotSaved.class));

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
        node.begin(ALONE);
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
        RefusedException refused = assertThrows(RefusedException.class, node::write);
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
        node.begin(BOTH);
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
        node.begin(ALONE);
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
        node.begin(BOTH);
        node.acknowledge(node.lastSequence());
        node.write();
        CompletionStage<@Nullable Void> majority = driver.acknowledged(log.end(), Acknowledgement.MAJORITY, TIMEOUT);
        scheduler.runTasks();
        assertFalse(majority.toCompletableFuture().isDone());
        node.acknowledge(node.lastSequence());

        assertAcknowledged(majority);
    }

    @Test
    void aConfirmationNeedsAnAnswerToALaterMessage() {
        node.begin(BOTH);
        node.acknowledge(node.lastSequence());
        long before = node.lastSequence();
        CompletionStage<LogPosition> confirmed = driver.confirm(TIMEOUT);
        scheduler.runTasks();
        node.acknowledge(before);
        assertFalse(confirmed.toCompletableFuture().isDone());
        node.acknowledge(node.lastSequence());

        assertEquals(log.end(), get(confirmed));
    }

    @Test
    void aTimeoutIsAnUnknownOutcome() {
        node.begin(BOTH);
        CompletionStage<@Nullable Void> majority = driver.acknowledged(log.end(), Acknowledgement.MAJORITY, TIMEOUT);
        scheduler.pass(TIMEOUT.toNanos() - 1);
        assertFalse(majority.toCompletableFuture().isDone());
        scheduler.pass(1);

        assertEquals(OutcomeUnknownException.Reason.TIMEOUT, reason(majority));
    }

    @Test
    void aTimeoutThatIsOverLongAgoIsOver() {
        node.begin(BOTH);
        Duration longAgo = Duration.ofSeconds(Long.MIN_VALUE);
        CompletionStage<@Nullable Void> outcome = driver.acknowledged(log.end(), Acknowledgement.MAJORITY, longAgo);
        CompletionStage<LogPosition> confirmed = driver.confirm(longAgo);
        scheduler.runTasks();

        assertEquals(OutcomeUnknownException.Reason.TIMEOUT, reason(outcome));
        assertEquals(OutcomeUnknownException.Reason.TIMEOUT, reason(confirmed));
    }

    /** A mistake of the caller is the caller's, and counts for nothing. */
    @Test
    @SuppressWarnings({"NullAway", "DataFlowIssue"})
    void whatIsMissingIsRefusedAtOnce() {
        node.begin(BOTH);
        assertThrows(NullPointerException.class, () -> driver.acknowledged(null, Acknowledgement.MAJORITY, TIMEOUT));
        assertThrows(NullPointerException.class, () -> driver.acknowledged(log.end(), Acknowledgement.MAJORITY, null));
        assertThrows(NullPointerException.class, () -> driver.receive(B, null));
        scheduler.runTasks();

        assertTrue(driver.isRunning());
        assertEquals(0, driver.acknowledgements().waiting());
    }

    @Test
    void timeoutsMayBeForEver() {
        node.begin(BOTH);
        Duration ever = Duration.ofSeconds(Long.MAX_VALUE);
        CompletionStage<@Nullable Void> longest = driver.acknowledged(log.end(), Acknowledgement.MAJORITY, ever);
        driver.pause(EPOCH, ever);
        scheduler.pass(TIMEOUT.toNanos());

        assertFalse(longest.toCompletableFuture().isDone());
        assertFalse(log.isWritable());
        node.acknowledge(node.lastSequence());
        assertTrue(longest.toCompletableFuture().isDone());
    }

    // Wake-ups.

    /** Nobody is told of a write, and nobody can unhook that: there is no public hook. */
    @Test
    void aWriteIsSentWithinTheLingerTogetherWithOthers() {
        node.begin(BOTH);
        node.acknowledge(node.lastSequence());
        scheduler.runTasks();
        sent.forEach(ReplicationMessage::release);
        sent.clear();
        int timers = scheduler.scheduled.size();
        for (int i = 0; i < 100; i++) {
            node.write();
        }
        assertTrue(scheduler.tasks.isEmpty());
        assertTrue(scheduler.scheduled.size() - timers <= 1);
        scheduler.pass(SETTINGS.linger().toNanos() - 1);
        assertEquals(0, node.appends());
        scheduler.pass(1);

        assertEquals(1, node.appends());
    }

    @Test
    void aFullBatchIsSentAtOnce() {
        node.begin(BOTH);
        node.acknowledge(node.lastSequence());
        long end = log.end().offset();
        while (log.end().offset() - end < SETTINGS.batchBytes()) {
            assertTrue(scheduler.tasks.isEmpty());
            log.append(1, Unpooled.wrappedBuffer(new byte[1000]));
        }
        assertEquals(1, scheduler.tasks.size());
        scheduler.runTasks();

        assertTrue(node.appends() >= 1);
    }

    @Test
    void aQuestionSendsWhatWasWrittenBeforeItAtOnce() {
        node.begin(BOTH);
        node.acknowledge(node.lastSequence());
        node.write();
        driver.acknowledged(log.end(), Acknowledgement.MAJORITY, TIMEOUT);
        scheduler.runTasks();

        assertTrue(node.appends() >= 1);
    }

    @Test
    void aWriteOfAnOnlyMemberLeadsToNoStep() {
        node.begin(ALONE);
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
}
