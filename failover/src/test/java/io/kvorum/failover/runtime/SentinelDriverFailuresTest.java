package io.kvorum.failover.runtime;

import static io.kvorum.failover.runtime.DrivenSentinel.B;
import static io.kvorum.failover.runtime.DrivenSentinel.C;
import static io.kvorum.failover.runtime.DrivenSentinel.PEER;
import static io.kvorum.failover.runtime.DrivenSentinel.SETTINGS;
import static io.kvorum.failover.runtime.DrivenSentinel.SHARD;
import static io.kvorum.failover.runtime.DrivenSentinel.SOON;
import static io.kvorum.failover.runtime.DrivenSentinel.TOPOLOGY;
import static io.kvorum.failover.runtime.DrivenSentinel.await;
import static io.kvorum.failover.runtime.DrivenSentinel.failure;
import static io.kvorum.failover.runtime.DrivenSentinel.opinion;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.failover.AbortReason;
import io.kvorum.failover.FailureDetector;
import io.kvorum.failover.NodeCommand;
import io.kvorum.failover.SentinelEvent;
import io.kvorum.failover.SentinelFact.CallFailed;
import io.kvorum.failover.SentinelFact.DriverFailed;
import io.kvorum.failover.SentinelFact.StateNotSaved;
import io.kvorum.failover.SentinelFact.SubjectivelyDown;
import io.kvorum.failover.SentinelMessage;
import io.kvorum.failover.SentinelMessage.Opinions;
import io.kvorum.failover.SentinelState;
import io.kvorum.failover.ShardPrimary;
import io.kvorum.failover.TopologySnapshot;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.testing.HandScheduler;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the driver of a sentinel does when code of the application or the sentinel itself fails. */
@Timeout(60)
final class SentinelDriverFailuresTest {
    private final DrivenSentinel sentinel = new DrivenSentinel();
    private final HandScheduler scheduler = sentinel.scheduler;
    private final List<SentinelMessage> sent = sentinel.sent;
    private final List<NodeCommand> commands = sentinel.commands;
    private final List<SentinelEvent> events = sentinel.events;
    private final DrivenSentinel.Disk disk = sentinel.disk;
    private final SentinelDriver driver = sentinel.driver;

    // The store.

    @ParameterizedTest
    @ValueSource(strings = {"io", "runtime", "error"})
    void pingsGoOnWhileTheStateCannotBeSaved(String kind) {
        disk.failure = switch (kind) {
            case "io" -> new IOException("disk full");
            case "runtime" -> new IllegalStateException("disk full");
            default -> new OutOfMemoryError("disk full");
        };
        driver.start();
        driver.receive(PEER, opinion(2, B));
        sentinel.pass(Duration.ofSeconds(1));
        int pings = commands.size();
        sentinel.pass(Duration.ofSeconds(1));
        assertTrue(commands.size() > pings + 3 * 5, () -> "pings: " + pings + ", then " + commands.size());
        assertTrue(disk.failures >= 3, () -> "tries: " + disk.failures);
        assertEquals(List.of(new StateNotSaved("disk full")), sentinel.facts(StateNotSaved.class));
        assertNull(disk.state);

        disk.failure = null;
        sentinel.pass(Duration.ofSeconds(6));
        SentinelState saved = disk.state;
        assertNotNull(saved);
        assertEquals(B, saved.shards().get(0).primary().primary());
    }

    @Test
    void pingsGoOnWhileTheStoreHangs() throws InterruptedException {
        CountDownLatch saving = new CountDownLatch(1);
        CountDownLatch released = new CountDownLatch(1);
        disk.duringSave = () -> {
            saving.countDown();
            await(released);
        };
        driver.receive(PEER, opinion(2, B));
        scheduler.tasks.remove().run(); // the step
        Runnable save =
                scheduler.tasks.stream().reduce((first, second) -> second).orElseThrow();
        scheduler.tasks.remove(save);
        Thread saver = new Thread(save);
        saver.start();
        saving.await();
        int pings = commands.size();
        sentinel.pass(Duration.ofSeconds(1));
        assertTrue(commands.size() > pings + 3 * 5, () -> "pings: " + commands.size());
        released.countDown();
        saver.join();

        assertNotNull(disk.state);
    }

    // Code of the application that fails.

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aGatewayThatThrowsEndsNothing(boolean always) {
        int[] calls = {0};
        sentinel.inGateway = () -> {
            if (calls[0]++ == 0 || always) {
                throw new IllegalStateException("connection pool exhausted");
            }
        };
        driver.start();
        sentinel.pass(Duration.ofSeconds(1).minusNanos(1));

        assertTrue(commands.size() >= 3 * 9, () -> "commands: " + commands.size());
        assertEquals(List.of(new CallFailed("gateway", "connection pool exhausted")), sentinel.facts(CallFailed.class));
        assertEquals(always ? commands.size() : 1, driver.failedCalls());
        assertTrue(driver.isRunning());
    }

    /** However much there is to remember meanwhile, one try follows the other. */
    @Test
    void aFullDiskIsTriedNoMoreOftenTheMoreThereIsToSave() {
        disk.failure = new IOException("disk full");
        driver.start();
        for (int round = 2; round < 52; round++) {
            driver.receive(PEER, opinion(round, B));
            scheduler.runTasks();
        }
        sentinel.pass(Duration.ofSeconds(20));
        int before = disk.failures;
        sentinel.pass(Duration.ofSeconds(20));
        int tries = disk.failures - before;
        assertTrue(tries >= 4 && tries <= 5, () -> "tries: " + tries);

        disk.failure = null;
        sentinel.pass(Duration.ofSeconds(6));
        assertNotNull(disk.state);
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
        sentinel.inTransport = () -> {
            throw new Speechless();
        };
        sentinel.inGateway = sentinel.inTransport;
        disk.failure = new Speechless();
        driver.start();
        driver.receive(PEER, opinion(2, B));
        sentinel.pass(Duration.ofSeconds(1));
        disk.failure = null;
        sentinel.pass(Duration.ofSeconds(6));

        assertTrue(driver.isRunning());
        assertNotNull(disk.state);
        String name = Speechless.class.getName();
        assertTrue(sentinel.facts(CallFailed.class).contains(new CallFailed("gateway", name)));
        assertEquals(List.of(new StateNotSaved(name)), sentinel.facts(StateNotSaved.class));
    }

    @Test
    void aTransportThatThrowsAnErrorEndsNothing() {
        sentinel.inTransport = () -> {
            throw new AssertionError("a codec with a bug");
        };
        driver.start();
        sentinel.pass(Duration.ofSeconds(1).minusNanos(1));

        assertTrue(sent.size() >= 5, () -> "sent: " + sent.size());
        assertEquals(List.of(new CallFailed("transport", "a codec with a bug")), sentinel.facts(CallFailed.class));
    }

    @ParameterizedTest
    @ValueSource(strings = {"rejected", "runtime", "error"})
    void aSchedulerThatThrowsOnceEndsNothingAndIsTold(String kind) {
        driver.start();
        sentinel.pass(SOON);
        scheduler.executeFails.add(
                switch (kind) {
                    case "rejected" -> new RejectedExecutionException("queue full");
                    case "runtime" -> new IllegalStateException("broken executor");
                    default -> new OutOfMemoryError("unable to create native thread");
                });
        driver.receive(PEER, opinion(2, B)); // throws nothing to the transport
        driver.receive(PEER, opinion(3, C));
        scheduler.runTasks();
        assertEquals(C, driver.primaryOf(SHARD));
        assertTrue(driver.merge(TOPOLOGY));
        scheduler.runTasks();

        assertEquals(1, sentinel.facts(CallFailed.class).size());
        assertEquals("scheduler", sentinel.facts(CallFailed.class).get(0).call());
    }

    @Test
    void aListenerThatThrowsSilencesNobodyAndIsTold() {
        List<SentinelEvent> heard = new ArrayList<>();
        driver.addListener(event -> {
            heard.add(event);
            throw new AssertionError("bad listener");
        });
        driver.start();
        sentinel.pass(SETTINGS.downAfter().plus(SOON));

        assertEquals(3, sentinel.facts(SubjectivelyDown.class).size());
        assertEquals(events, heard);
        assertTrue(sentinel.facts(CallFailed.class).contains(new CallFailed("listener", "bad listener")));
        assertTrue(driver.isRunning());
        int told = sentinel.facts(CallFailed.class).size();
        assertTrue(told <= 2, () -> "told " + told + " times");
    }

    @Test
    void eventsAreNumberedWithoutGaps() {
        sentinel.inGateway = () -> {
            throw new IllegalStateException("no connection");
        };
        driver.start();
        sentinel.pass(Duration.ofSeconds(3));

        assertTrue(events.size() > 5);
        for (int i = 0; i < events.size(); i++) {
            assertEquals(i + 1, events.get(i).number());
        }
    }

    @Test
    void aListenerMayCloseTheDriver() {
        List<SentinelEvent> heard = new ArrayList<>();
        driver.addListener(event -> {
            heard.add(event);
            driver.close();
        });
        driver.start();
        sentinel.pass(SETTINGS.downAfter().plus(SOON));
        int pings = commands.size();
        sentinel.pass(SOON);

        assertEquals(1, heard.size());
        assertEquals(pings, commands.size());
        assertFalse(driver.isRunning());
    }

    @Test
    void aFailingSubscriberHarmsNobodyElse() {
        List<TopologySnapshot> seen = new ArrayList<>();
        driver.subscribe(snapshot -> {
            throw new AssertionError("subscriber");
        });
        driver.subscribe(seen::add);
        driver.receive(PEER, opinion(2, B));
        scheduler.runTasks();
        driver.receive(PEER, opinion(3, C));
        scheduler.runTasks();

        assertEquals(C, driver.primaryOf(SHARD));
        assertEquals(3, seen.size());
        assertEquals(List.of(new CallFailed("subscriber", "subscriber")), sentinel.facts(CallFailed.class));
    }

    @Test
    void aClosedSentinelKeepsNoMessage() {
        SentinelDriver driver = sentinel.driver(SETTINGS);
        driver.start();
        sentinel.pass(SOON);
        driver.close();
        for (int i = 0; i <= SentinelDriver.MAX_MESSAGES; i++) {
            driver.receive(new NodeId("S2"), new Opinions(List.of()));
        }

        assertEquals(0, driver.lostMessages());
    }

    /** A defect of the machine, here of a detector in it, is not survived, but it is told. */
    @Test
    void aDefectEndsTheDriverAndIsTold() {
        SentinelDriver broken = sentinel.driver(SETTINGS.withDetector((downAfter, created) -> new FailureDetector() {
            @Override
            public void heard(long now) {}

            @Override
            public void observerWasLate(long nanos) {}

            @Override
            public long downAt() {
                if (scheduler.nanoTime() > created) {
                    throw new IllegalStateException("defect");
                }
                return created + downAfter.toNanos();
            }
        }));
        CompletionStage<ShardPrimary> waiting = broken.failOver(SHARD);
        broken.start();
        sentinel.pass(SOON);

        assertFalse(broken.isRunning());
        assertEquals(
                "defect",
                assertInstanceOf(IllegalStateException.class, broken.failure()).getMessage());
        assertEquals(List.of(new DriverFailed("defect")), sentinel.facts(DriverFailed.class));
        assertEquals(AbortReason.SENTINEL_FAILED, failure(waiting).reason());
        assertEquals(
                AbortReason.SENTINEL_FAILED, failure(broken.bootstrap(SHARD)).reason());
        assertFalse(broken.merge(TOPOLOGY));
        broken.close();
        broken.close();
    }
}
