package io.kvorum.failover.runtime;

import static io.kvorum.failover.runtime.DrivenSentinel.B;
import static io.kvorum.failover.runtime.DrivenSentinel.PEER;
import static io.kvorum.failover.runtime.DrivenSentinel.SHARD;
import static io.kvorum.failover.runtime.DrivenSentinel.SOON;
import static io.kvorum.failover.runtime.DrivenSentinel.TOPOLOGY;
import static io.kvorum.failover.runtime.DrivenSentinel.await;
import static io.kvorum.failover.runtime.DrivenSentinel.failure;
import static io.kvorum.failover.runtime.DrivenSentinel.opinion;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.failover.AbortReason;
import io.kvorum.failover.NodeCommand;
import io.kvorum.failover.SentinelEvent;
import io.kvorum.failover.SentinelMessage;
import io.kvorum.failover.ShardPrimary;
import io.kvorum.testing.HandScheduler;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How the driver of a sentinel ends. */
@Timeout(60)
final class SentinelDriverEndTest {
    private final DrivenSentinel sentinel = new DrivenSentinel();
    private final HandScheduler scheduler = sentinel.scheduler;
    private final List<SentinelMessage> sent = sentinel.sent;
    private final List<NodeCommand> commands = sentinel.commands;
    private final List<SentinelEvent> events = sentinel.events;
    private final DrivenSentinel.Disk disk = sentinel.disk;
    private final SentinelDriver driver = sentinel.driver;

    @Test
    void aClosedDriverDoesNothing() {
        driver.start();
        CompletionStage<ShardPrimary> waiting = driver.failOver(SHARD);
        sentinel.pass(SOON);
        driver.close();
        assertEquals(AbortReason.CLOSED, failure(waiting).reason());
        sent.clear();
        commands.clear();
        events.clear();
        driver.receive(PEER, opinion(2, B));
        sentinel.pass(Duration.ofSeconds(3));
        driver.close();

        assertEquals(List.of(), sent);
        assertEquals(List.of(), commands);
        assertEquals(List.of(), events);
        assertNull(driver.failure());
        assertEquals(AbortReason.CLOSED, failure(driver.failOver(SHARD)).reason());
        assertFalse(driver.merge(TOPOLOGY));
    }

    @Test
    void anOrderEndsWithTheDriverEvenBeforeItsFirstStep() {
        CompletionStage<ShardPrimary> waiting = driver.failOver(SHARD);
        driver.close();
        scheduler.tasks.clear(); // an executor that was shut down

        assertEquals(AbortReason.CLOSED, failure(waiting).reason());
    }

    @Test
    void closeWaitsForTheSaveUnderWay() throws InterruptedException {
        CountDownLatch saving = new CountDownLatch(1);
        CountDownLatch saved = new CountDownLatch(1);
        disk.duringSave = () -> {
            saving.countDown();
            await(saved);
        };
        driver.receive(PEER, opinion(2, B));
        Thread stepper = new Thread(scheduler::runTasks);
        stepper.start();
        saving.await();
        boolean[] seen = {false};
        Thread closer = new Thread(() -> {
            driver.close();
            seen[0] = disk.state != null;
        });
        closer.start();
        while (closer.getState() == Thread.State.NEW || closer.getState() == Thread.State.RUNNABLE) {
            Thread.onSpinWait();
        }
        saved.countDown();
        closer.join();
        stepper.join();

        assertTrue(seen[0]);
    }

    @Test
    void theStoreMayCloseTheDriver() {
        disk.duringSave = driver::close;
        driver.receive(PEER, opinion(2, B));
        scheduler.runTasks();

        assertFalse(driver.isRunning());
        assertFalse(driver.merge(TOPOLOGY));
    }

    @Test
    void theTransportMayCloseTheDriver() {
        sentinel.inTransport = driver::close;
        driver.start();
        sentinel.pass(Duration.ofSeconds(1));

        assertEquals(1, sent.size());
    }
}
