package io.kvorum.failover.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.failover.AbortReason;
import io.kvorum.failover.ConfigurationProvider.Subscription;
import io.kvorum.failover.FailureDetector;
import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeCommand;
import io.kvorum.failover.NodeGateway;
import io.kvorum.failover.NodeReport;
import io.kvorum.failover.Operation;
import io.kvorum.failover.OperationFailedException;
import io.kvorum.failover.QuorumCheck;
import io.kvorum.failover.Sentinel;
import io.kvorum.failover.SentinelEvent;
import io.kvorum.failover.SentinelFact;
import io.kvorum.failover.SentinelFact.CallFailed;
import io.kvorum.failover.SentinelFact.DriverFailed;
import io.kvorum.failover.SentinelFact.StateNotSaved;
import io.kvorum.failover.SentinelFact.SubjectivelyDown;
import io.kvorum.failover.SentinelList;
import io.kvorum.failover.SentinelMessage;
import io.kvorum.failover.SentinelMessage.Opinion;
import io.kvorum.failover.SentinelMessage.Opinions;
import io.kvorum.failover.SentinelSettings;
import io.kvorum.failover.SentinelState;
import io.kvorum.failover.SentinelStateStore;
import io.kvorum.failover.ShardPrimary;
import io.kvorum.failover.TopologySnapshot;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import io.kvorum.testing.HandScheduler;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The driver of a real sentinel, on a scheduler that the test runs by hand. */
@Timeout(60)
final class SentinelDriverTest {
    private static final ShardId SHARD = new ShardId("shard");
    private static final NodeId ME = new NodeId("S1");
    private static final NodeId PEER = new NodeId("S2");
    private static final NodeId A = new NodeId("a");
    private static final NodeId B = new NodeId("b");
    private static final NodeId C = new NodeId("c");
    private static final ClusterTopology TOPOLOGY =
            ClusterTopology.EMPTY.apply(0, new TopologyChange.AddShard(SHARD, 1, A, List.of(B, C)));
    private static final SentinelSettings SETTINGS = SentinelSettings.defaults().withPingPeriod(Duration.ofMillis(100));
    private static final Duration SOON = Duration.ofMillis(300);

    private final HandScheduler scheduler = new HandScheduler();
    private final List<SentinelMessage> sent = new ArrayList<>();
    private final List<NodeCommand> commands = new ArrayList<>();
    private final List<Consumer<NodeAnswer>> asked = new ArrayList<>();
    private final List<SentinelEvent> events = new ArrayList<>();
    private final Disk disk = new Disk();
    private Runnable inTransport = () -> {};
    private Runnable inGateway = () -> {};
    private final SentinelDriver driver = driver(SETTINGS);

    /** A store that can fail. */
    private static final class Disk implements SentinelStateStore {
        private @Nullable SentinelState state;
        private @Nullable Throwable failure;
        private int failures;
        private Runnable duringSave = () -> {};

        @Override
        public @Nullable SentinelState load() {
            return state;
        }

        @Override
        public void save(SentinelState next) throws IOException {
            duringSave.run();
            if (failure != null) {
                failures++;
            }
            if (failure instanceof IOException io) {
                throw io;
            } else if (failure != null) {
                SentinelDriverTest.throwUnchecked(failure);
            }
            state = next;
        }
    }

    private static void throwUnchecked(Throwable failure) {
        if (failure instanceof Error error) {
            throw error;
        }
        throw (RuntimeException) failure;
    }

    private SentinelDriver driver(SentinelSettings settings) {
        NodeGateway gateway = (node, command, answer) -> {
            commands.add(command);
            asked.add(answer);
            inGateway.run();
        };
        SentinelDriver made = new SentinelDriver(
                new Sentinel(
                        settings,
                        ME,
                        SentinelList.of(ME, PEER, new NodeId("S3")),
                        TOPOLOGY,
                        null,
                        new SplittableRandom(1),
                        scheduler.nanoTime()),
                (to, message) -> {
                    sent.add(message);
                    inTransport.run();
                },
                gateway,
                disk,
                scheduler);
        made.addListener(events::add);
        return made;
    }

    private void pass(Duration time) {
        scheduler.pass(time.toNanos());
    }

    private static Opinions opinion(long round, NodeId primary) {
        return new Opinions(List.of(
                new Opinion(new ShardPrimary(SHARD, 1, round == 0 ? 0 : Epoch.of(round, 2), primary), false, 0)));
    }

    private <F extends SentinelFact> List<F> facts(Class<F> kind) {
        return events.stream()
                .map(SentinelEvent::fact)
                .filter(kind::isInstance)
                .map(kind::cast)
                .toList();
    }

    private static OperationFailedException failure(CompletionStage<?> stage) {
        CompletableFuture<?> future = stage.toCompletableFuture();
        assertTrue(future.isCompletedExceptionally());
        AtomicReference<@Nullable Throwable> told = new AtomicReference<>();
        stage.whenComplete((value, failure) -> told.set(failure)); // without a wrapper around it
        return assertInstanceOf(OperationFailedException.class, told.get());
    }

    // Steps.

    @Test
    void nothingHappensBeforeTheStart() {
        pass(SOON);
        assertEquals(List.of(), commands);
        driver.start();
        scheduler.runTasks();

        assertEquals(3, commands.size());
    }

    @Test
    void theSentinelIsRunWhenItAskedForIt() {
        driver.start();
        pass(SETTINGS.pingPeriod().multipliedBy(5));
        assertTrue(commands.size() >= 3 * 5, () -> "commands: " + commands.size());
        pass(SETTINGS.downAfter());

        assertEquals(List.of(A, B, C), driver.down(SHARD));
        assertEquals(3, facts(SubjectivelyDown.class).size());
    }

    @Test
    void aMessageIsTakenAtOnce() {
        driver.receive(PEER, opinion(2, B));
        scheduler.runTasks();

        assertEquals(B, driver.primaryOf(SHARD));
    }

    @Test
    void anAnswerUnderAnotherNodesNameIsIgnored() {
        driver.start();
        scheduler.runTasks();
        NodeReport stranger = new NodeReport(
                B,
                SHARD,
                7,
                true,
                Epoch.of(5, 2),
                null,
                LogPosition.START,
                -1,
                true,
                true,
                null,
                LogPosition.START,
                List.of(),
                100);
        asked.get(0).accept(new NodeAnswer(commands.get(0), NodeAnswer.Outcome.DONE, stranger)); // a was asked
        scheduler.runTasks();
        assertEquals(A, driver.primaryOf(SHARD));
        asked.get(1).accept(new NodeAnswer(commands.get(1), NodeAnswer.Outcome.DONE, stranger));
        scheduler.runTasks();

        assertEquals(B, driver.primaryOf(SHARD));
    }

    /** A flood of messages, more than are taken in a step, does not hide that nobody answers. */
    @Test
    void aFloodDelaysNoDetection() {
        driver.start();
        long period = Duration.ofMillis(10).toNanos();
        for (long passed = 0; passed < SETTINGS.downAfter().toNanos() * 3 / 2; passed += period) {
            for (int i = 0; i < 5_000; i++) {
                driver.receive(PEER, opinion(0, A));
            }
            scheduler.pass(period);
        }

        assertEquals(List.of(A, B, C), driver.down(SHARD));
    }

    @Test
    void messagesBeyondTheBoundAreLostAndCounted() {
        for (int i = 0; i < SentinelDriver.MAX_MESSAGES + 7; i++) {
            driver.receive(PEER, opinion(0, A));
        }

        assertEquals(7, driver.lostMessages());
    }

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
        pass(Duration.ofSeconds(1));
        int pings = commands.size();
        pass(Duration.ofSeconds(1));
        assertTrue(commands.size() > pings + 3 * 5, () -> "pings: " + pings + ", then " + commands.size());
        assertTrue(disk.failures >= 3, () -> "tries: " + disk.failures);
        assertEquals(List.of(new StateNotSaved("disk full")), facts(StateNotSaved.class));
        assertNull(disk.state);

        disk.failure = null;
        pass(Duration.ofSeconds(6));
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
        pass(Duration.ofSeconds(1));
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
        inGateway = () -> {
            if (calls[0]++ == 0 || always) {
                throw new IllegalStateException("connection pool exhausted");
            }
        };
        driver.start();
        pass(Duration.ofSeconds(1).minusNanos(1));

        assertTrue(commands.size() >= 3 * 9, () -> "commands: " + commands.size());
        assertEquals(List.of(new CallFailed("gateway", "connection pool exhausted")), facts(CallFailed.class));
        assertEquals(always ? commands.size() : 1, driver.failedCalls());
        assertTrue(driver.isRunning());
    }

    @Test
    void aTransportThatThrowsAnErrorEndsNothing() {
        inTransport = () -> {
            throw new AssertionError("a codec with a bug");
        };
        driver.start();
        pass(Duration.ofSeconds(1).minusNanos(1));

        assertTrue(sent.size() >= 5, () -> "sent: " + sent.size());
        assertEquals(List.of(new CallFailed("transport", "a codec with a bug")), facts(CallFailed.class));
    }

    @ParameterizedTest
    @ValueSource(strings = {"rejected", "runtime", "error"})
    void aSchedulerThatThrowsOnceEndsNothingAndIsTold(String kind) {
        driver.start();
        pass(SOON);
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

        assertEquals(1, facts(CallFailed.class).size());
        assertEquals("scheduler", facts(CallFailed.class).get(0).call());
    }

    @Test
    void aListenerThatThrowsSilencesNobodyAndIsTold() {
        List<SentinelEvent> heard = new ArrayList<>();
        driver.addListener(event -> {
            heard.add(event);
            throw new AssertionError("bad listener");
        });
        driver.start();
        pass(SETTINGS.downAfter().plus(SOON));

        assertEquals(3, facts(SubjectivelyDown.class).size());
        assertEquals(events, heard);
        assertTrue(facts(CallFailed.class).contains(new CallFailed("listener", "bad listener")));
        assertTrue(driver.isRunning());
        int told = facts(CallFailed.class).size();
        assertTrue(told <= 2, () -> "told " + told + " times");
    }

    @Test
    void eventsAreNumberedWithoutGaps() {
        inGateway = () -> {
            throw new IllegalStateException("no connection");
        };
        driver.start();
        pass(Duration.ofSeconds(3));

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
        pass(SETTINGS.downAfter().plus(SOON));
        int pings = commands.size();
        pass(SOON);

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
        assertEquals(List.of(new CallFailed("subscriber", "subscriber")), facts(CallFailed.class));
    }

    @Test
    void aClosedSentinelKeepsNoMessage() {
        SentinelDriver driver = driver(SETTINGS);
        driver.start();
        pass(SOON);
        driver.close();
        for (int i = 0; i <= SentinelDriver.MAX_MESSAGES; i++) {
            driver.receive(new NodeId("S2"), new Opinions(List.of()));
        }

        assertEquals(0, driver.lostMessages());
    }

    /** A defect of the machine, here of a detector in it, is not survived, but it is told. */
    @Test
    void aDefectEndsTheDriverAndIsTold() {
        SentinelDriver broken = driver(SETTINGS.withDetector((downAfter, created) -> new FailureDetector() {
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
        pass(SOON);

        assertFalse(broken.isRunning());
        assertEquals(
                "defect",
                assertInstanceOf(IllegalStateException.class, broken.failure()).getMessage());
        assertEquals(List.of(new DriverFailed("defect")), facts(DriverFailed.class));
        assertEquals(AbortReason.SENTINEL_FAILED, failure(waiting).reason());
        assertEquals(
                AbortReason.SENTINEL_FAILED, failure(broken.bootstrap(SHARD)).reason());
        assertFalse(broken.merge(TOPOLOGY));
        broken.close();
        broken.close();
    }

    // Topologies.

    @Test
    void aSubscriberGetsTheCurrentTopologyAndTheLatestOfTheLaterOnes() {
        List<TopologySnapshot> seen = new ArrayList<>();
        driver.subscribe(seen::add);
        scheduler.runTasks();
        assertEquals(List.of(new TopologySnapshot(1, TOPOLOGY)), seen);
        driver.receive(PEER, opinion(2, B));
        scheduler.runTasks();
        driver.receive(PEER, opinion(3, C));
        scheduler.tasks.remove().run();
        driver.receive(PEER, opinion(4, B));
        scheduler.tasks.stream().reduce((first, second) -> second).orElseThrow().run();
        scheduler.runTasks();

        assertEquals(
                List.of(1L, 2L, 4L), seen.stream().map(TopologySnapshot::number).toList());
        assertEquals(driver.topology(), seen.get(2).topology());
    }

    @Test
    void anEndedSubscriptionIsSilent() {
        List<TopologySnapshot> seen = new ArrayList<>();
        Subscription subscription = driver.subscribe(seen::add);
        subscription.close();
        subscription.close();
        driver.receive(PEER, opinion(2, B));
        scheduler.runTasks();

        assertEquals(List.of(), seen);
    }

    @Test
    void itAnswersWhatSentinelsAreAsked() {
        driver.start();
        scheduler.runTasks();
        assertEquals(Map.of(SHARD, A), driver.primaries());
        assertEquals(List.of(B, C), driver.replicas(SHARD));
        assertEquals(List.of(), driver.replicas(new ShardId("unknown")));
        assertEquals(List.of(ME, PEER, new NodeId("S3")), driver.sentinels());
        assertEquals(ME, driver.self());
        assertEquals(new QuorumCheck(1, 3, 2, 2), driver.quorumCheck());
        assertEquals(List.of(), driver.down(SHARD));
        driver.receive(PEER, opinion(0, A));
        scheduler.runTasks();

        assertEquals(new QuorumCheck(2, 3, 2, 2), driver.quorumCheck());
    }

    // Orders.

    @Test
    void anOrderThatIsRefusedSaysWhy() {
        ShardId unknown = new ShardId("unknown");
        CompletionStage<ShardPrimary> failover = driver.failOver(unknown);
        CompletionStage<ShardPrimary> bootstrap = driver.bootstrap(unknown);
        CompletionStage<ShardPrimary> anew = driver.beginAnew(unknown);
        CompletionStage<ShardPrimary> replacement = driver.replace(unknown, A, new NodeId("d"));
        scheduler.runTasks();

        for (CompletionStage<ShardPrimary> stage : List.of(failover, bootstrap, anew, replacement)) {
            assertEquals(AbortReason.UNKNOWN_SHARD, failure(stage).reason());
            assertEquals(unknown, failure(stage).operation().shard());
        }
        assertInstanceOf(Operation.BeginAnew.class, failure(anew).operation());
    }

    @Test
    void anOrderEndsWithinItsTime() {
        CompletionStage<ShardPrimary> failover = driver.failOver(SHARD);
        pass(SETTINGS.operationTimeout().plus(SOON));

        assertEquals(SHARD, failure(failover).operation().shard());
    }

    @Test
    void ordersBeyondTheBoundAreRefused() {
        for (int i = 0; i < SentinelDriver.MAX_REQUESTS; i++) {
            assertTrue(driver.merge(TOPOLOGY));
        }
        assertFalse(driver.merge(TOPOLOGY));
        assertEquals(AbortReason.OVERLOADED, failure(driver.failOver(SHARD)).reason());
        scheduler.runTasks();

        assertTrue(driver.merge(TOPOLOGY));
        assertFalse(driver.failOver(SHARD).toCompletableFuture().isDone());
    }

    @Test
    void anOrderEndsThoughTheSchedulerTakesNoMoreTasks() {
        CompletionStage<ShardPrimary> waiting = driver.failOver(new ShardId("unknown"));
        for (int i = 0; i < 10; i++) {
            scheduler.executeFails.add(new RejectedExecutionException());
        }
        scheduler.tasks.remove().run();

        assertEquals(AbortReason.UNKNOWN_SHARD, failure(waiting).reason());
    }

    @Test
    void whatDependsOnAnOrderHoldsNoPingUp() {
        CompletionStage<ShardPrimary> failover = driver.failOver(new ShardId("unknown"));
        boolean[] reacted = {false};
        failover.whenComplete((primary, failure) -> reacted[0] = true);
        scheduler.tasks.remove().run();
        assertEquals(3, commands.size());
        assertFalse(reacted[0]); // on the scheduler only
        scheduler.runTasks();
        assertTrue(reacted[0]);
    }

    // The end.

    @Test
    void aClosedDriverDoesNothing() {
        driver.start();
        CompletionStage<ShardPrimary> waiting = driver.failOver(SHARD);
        pass(SOON);
        driver.close();
        assertEquals(AbortReason.CLOSED, failure(waiting).reason());
        sent.clear();
        commands.clear();
        events.clear();
        driver.receive(PEER, opinion(2, B));
        pass(Duration.ofSeconds(3));
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
        inTransport = driver::close;
        driver.start();
        pass(Duration.ofSeconds(1));

        assertEquals(1, sent.size());
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
