package io.kvorum.replication.runtime;

import static io.kvorum.replication.runtime.DrivenNode.A;
import static io.kvorum.replication.runtime.DrivenNode.ALONE;
import static io.kvorum.replication.runtime.DrivenNode.B;
import static io.kvorum.replication.runtime.DrivenNode.BOTH;
import static io.kvorum.replication.runtime.DrivenNode.EPOCH;
import static io.kvorum.replication.runtime.DrivenNode.SENTINEL;
import static io.kvorum.replication.runtime.DrivenNode.SHARD;
import static io.kvorum.replication.runtime.DrivenNode.TIMEOUT;
import static io.kvorum.replication.runtime.DrivenNode.get;
import static io.kvorum.replication.runtime.DrivenNode.reason;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.replication.Acknowledgement;
import io.kvorum.replication.ControlAnswer;
import io.kvorum.replication.OutcomeUnknownException;
import io.kvorum.replication.ReplicationEvent.DriverFailed;
import io.kvorum.replication.ReplicationEvent.PromiseNotSaved;
import io.kvorum.replication.ReplicationEvent.ShardBegun;
import io.kvorum.replication.ReplicationEvent.UserCodeFailed;
import io.kvorum.replication.ReplicationLog;
import io.kvorum.replication.ReplicationMessage.Append;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.RefusedException;
import io.kvorum.testing.HandScheduler;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the driver of a node does when too much comes in, and when code of the application or the node itself fails. */
@Timeout(60)
final class NodeDriverFailuresTest {
    private final DrivenNode node = new DrivenNode();
    private final UnpooledByteBufAllocator allocator = node.allocator;
    private final HandScheduler scheduler = node.scheduler;
    private final ReplicationLog log = node.log;
    private final NodeDriver driver = node.driver;

    @AfterEach
    void nothingLeaks() {
        node.close();
    }

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
        node.inTransport = () -> {
            if (calls[0]++ == 0 || always) {
                throw new IllegalStateException("channel closed");
            }
        };
        node.begin(BOTH);
        scheduler.pass(TIMEOUT.toNanos() / 2);
        node.write();

        assertTrue(driver.status().writable());
        assertTrue(driver.isRunning());
        assertTrue(calls[0] >= 4, () -> "sent: " + calls[0]);
        assertEquals(always ? calls[0] : 1, driver.failedCalls());
        assertEquals(List.of(new UserCodeFailed(A, "transport", "channel closed")), node.told(UserCodeFailed.class));
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
        node.begin(ALONE);
        node.write();

        assertTrue(driver.status().writable());
        assertEquals(1, node.told(ShardBegun.class).size());
        assertEquals(List.of(new UserCodeFailed(A, "listener", "bad listener")), node.told(UserCodeFailed.class));
    }

    /** A failure of the application whose own message fails. */
    private static final class Speechless extends RuntimeException {
        private static final long serialVersionUID = 1;

        @Override
        public String getMessage() {
            throw new IllegalStateException("no message");
        }
    }

    @Test
    void aFailureThatCannotSayWhatItIsEndsNothing() {
        node.inTransport = () -> {
            throw new Speechless();
        };
        driver.addListener(event -> {
            throw new Speechless();
        });
        node.begin(BOTH);
        node.promises.failure = new Speechless();
        driver.follow(EPOCH + 1, B);
        scheduler.pass(TIMEOUT.toNanos());
        node.promises.failure = null;
        scheduler.pass(2 * TIMEOUT.toNanos());

        assertTrue(driver.isRunning());
        assertEquals(EPOCH + 1, node.promises.epoch());
        String name = Speechless.class.getName();
        assertTrue(node.events.contains(new UserCodeFailed(A, "transport", name)), node.events::toString);
        assertTrue(node.events.contains(new PromiseNotSaved(A, EPOCH + 1, name)), node.events::toString);
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
        node.begin(BOTH);
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
        assertEquals(1, node.told(UserCodeFailed.class).size());
        assertEquals("scheduler", node.told(UserCodeFailed.class).get(0).what());
    }

    @Test
    void aSchedulerThatRefusesATimerDoesNotHurtTheWriter() {
        node.begin(BOTH);
        node.acknowledge(node.lastSequence());
        scheduler.scheduleFails.add(new OutOfMemoryError("unable to create native thread"));
        node.write();
        scheduler.runTasks();

        assertTrue(node.appends() >= 1);
    }

    @Test
    void aListenerMayCloseItsNode() {
        driver.addListener(event -> driver.close());
        driver.fence(EPOCH, SENTINEL);
        CompletionStage<ControlAnswer> begun = driver.begin(EPOCH, SENTINEL, ALONE, List.of(), false);
        scheduler.runTasks();

        assertEquals(ControlAnswer.Outcome.DONE, get(begun).outcome());
        assertFalse(driver.isRunning());
        assertThrows(RefusedException.class, node::write);
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
        assertEquals(1, node.told(DriverFailed.class).size());
        assertEquals(ControlAnswer.Outcome.CLOSED, get(driver.describe()).outcome());
    }

    @Test
    void aWriteIsRefusedWithTheDefectThatEndedTheDriver() {
        node.begin(BOTH);
        ByteBuf released = allocator.buffer();
        released.release();
        driver.receive(B, new Append(SHARD, EPOCH, 1, LogPosition.START, -1, released)); // fails the machine
        scheduler.runTasks();

        assertNotNull(driver.failure());
        String message =
                String.valueOf(assertThrows(RefusedException.class, node::write).getMessage());
        assertTrue(message.startsWith("the node stopped after a defect of its own"), message);
    }
}
