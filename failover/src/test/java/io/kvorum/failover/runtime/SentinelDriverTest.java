package io.kvorum.failover.runtime;

import static io.kvorum.failover.runtime.DrivenSentinel.A;
import static io.kvorum.failover.runtime.DrivenSentinel.B;
import static io.kvorum.failover.runtime.DrivenSentinel.C;
import static io.kvorum.failover.runtime.DrivenSentinel.ME;
import static io.kvorum.failover.runtime.DrivenSentinel.PEER;
import static io.kvorum.failover.runtime.DrivenSentinel.SETTINGS;
import static io.kvorum.failover.runtime.DrivenSentinel.SHARD;
import static io.kvorum.failover.runtime.DrivenSentinel.SOON;
import static io.kvorum.failover.runtime.DrivenSentinel.TOPOLOGY;
import static io.kvorum.failover.runtime.DrivenSentinel.failure;
import static io.kvorum.failover.runtime.DrivenSentinel.opinion;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.failover.AbortReason;
import io.kvorum.failover.ConfigurationProvider.Subscription;
import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeCommand;
import io.kvorum.failover.NodeReport;
import io.kvorum.failover.Operation;
import io.kvorum.failover.QuorumCheck;
import io.kvorum.failover.SentinelFact.SubjectivelyDown;
import io.kvorum.failover.ShardPrimary;
import io.kvorum.failover.TopologySnapshot;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import io.kvorum.testing.HandScheduler;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the driver of a sentinel does with messages, topologies and orders. */
@Timeout(60)
final class SentinelDriverTest {
    private final DrivenSentinel sentinel = new DrivenSentinel();
    private final HandScheduler scheduler = sentinel.scheduler;
    private final List<NodeCommand> commands = sentinel.commands;
    private final List<Consumer<NodeAnswer>> asked = sentinel.asked;
    private final SentinelDriver driver = sentinel.driver;

    // Steps.

    @Test
    void nothingHappensBeforeTheStart() {
        sentinel.pass(SOON);
        assertEquals(List.of(), commands);
        driver.start();
        scheduler.runTasks();

        assertEquals(3, commands.size());
    }

    @Test
    void theSentinelIsRunWhenItAskedForIt() {
        driver.start();
        sentinel.pass(SETTINGS.pingPeriod().multipliedBy(5));
        assertTrue(commands.size() >= 3 * 5, () -> "commands: " + commands.size());
        sentinel.pass(SETTINGS.downAfter());

        assertEquals(List.of(A, B, C), driver.down(SHARD));
        assertEquals(3, sentinel.facts(SubjectivelyDown.class).size());
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

    /** Whom it no longer watches it cannot hold down. */
    @Test
    void aShardThatIsAddedAnewHasNobodyDown() {
        driver.start();
        sentinel.pass(SETTINGS.downAfter().plus(SOON));
        assertEquals(List.of(A, B, C), driver.down(SHARD));
        driver.merge(TOPOLOGY.apply(
                TOPOLOGY.version(),
                List.of(
                        new TopologyChange.RemoveShard(SHARD),
                        new TopologyChange.AddShard(SHARD, 1, A, List.of(B, C)))));
        scheduler.runTasks();

        assertEquals(List.of(), driver.down(SHARD));
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
        sentinel.pass(SETTINGS.operationTimeout().plus(SOON));

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
}
