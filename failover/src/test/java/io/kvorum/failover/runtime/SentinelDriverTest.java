package io.kvorum.failover.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.failover.Configuration;
import io.kvorum.failover.ConfigurationProvider.Subscription;
import io.kvorum.failover.FailoverFailedException;
import io.kvorum.failover.NodeAnswer;
import io.kvorum.failover.NodeCommand;
import io.kvorum.failover.NodeReport;
import io.kvorum.failover.QuorumCheck;
import io.kvorum.failover.Sentinel;
import io.kvorum.failover.SentinelEvent;
import io.kvorum.failover.SentinelEvent.AbortReason;
import io.kvorum.failover.SentinelEvent.EventsLost;
import io.kvorum.failover.SentinelEvent.StateNotSaved;
import io.kvorum.failover.SentinelEvent.VoteGiven;
import io.kvorum.failover.SentinelMessage;
import io.kvorum.failover.SentinelMessage.Opinion;
import io.kvorum.failover.SentinelMessage.Opinions;
import io.kvorum.failover.SentinelMessage.PreVoteAnswer;
import io.kvorum.failover.SentinelMessage.Refusal;
import io.kvorum.failover.SentinelMessage.VoteAnswer;
import io.kvorum.failover.SentinelMessage.VoteRequest;
import io.kvorum.failover.SentinelSettings;
import io.kvorum.failover.SentinelState;
import io.kvorum.failover.SentinelStateStore;
import io.kvorum.failover.TopologySnapshot;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The driver, stepped by hand: its executor is a queue that the test empties. */
final class SentinelDriverTest {
    private static final ShardId SHARD = new ShardId("shard");
    private static final NodeId ME = new NodeId("S1");
    private static final NodeId PEER = new NodeId("S2");
    private static final NodeId A = new NodeId("a");
    private static final NodeId B = new NodeId("b");
    private static final NodeId C = new NodeId("c");
    private static final ClusterTopology TOPOLOGY =
            ClusterTopology.EMPTY.apply(0, new TopologyChange.AddShard(SHARD, 1, A, List.of(B, C)));
    private static final Configuration CONFIGURATION = new Configuration(SHARD, 1, A);

    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private final List<SentinelMessage> sent = new ArrayList<>();
    private final List<Consumer<NodeAnswer>> asked = new ArrayList<>();
    private final List<NodeCommand> commands = new ArrayList<>();
    private final List<SentinelEvent> events = new ArrayList<>();
    private final Disk disk = new Disk();
    private long now;
    private final SentinelDriver driver = driver(List.of(ME, PEER, new NodeId("S3")), events::add);

    /** A store that can fail. */
    private static final class Disk implements SentinelStateStore {
        private @Nullable SentinelState state;
        private boolean full;
        private Runnable duringSave = () -> {};

        @Override
        public @Nullable SentinelState load() {
            return state;
        }

        @Override
        public void save(SentinelState next) throws IOException {
            if (full) {
                throw new IOException("disk full");
            }
            duringSave.run();
            state = next;
        }
    }

    @Test
    void aVoteLeavesOnlyAfterItIsSaved() {
        disk.full = true;
        driver.receive(PEER, new VoteRequest(CONFIGURATION, 2));
        work();
        assertEquals(List.of(), votes());
        assertEquals(List.of("StateNotSaved"), kinds());

        driver.receive(PEER, new VoteRequest(CONFIGURATION, 2)); // it has the vote in memory by now
        work();
        assertEquals(List.of(), votes());
        assertEquals(1, events.size());

        disk.full = false;
        driver.receive(PEER, new VoteRequest(CONFIGURATION, 2));
        work();
        assertEquals(1, votes().size());
        SentinelState saved = disk.state;
        assertTrue(saved != null && saved.shards().get(0).votedEpoch() == 2);
        assertEquals(List.of("StateNotSaved", "VoteGiven"), kinds());
        assertInstanceOf(StateNotSaved.class, events.get(0));
        assertInstanceOf(VoteGiven.class, events.get(1));
    }

    @Test
    void aSubscriberGetsTheCurrentTopologyAndTheLatestOfTheLaterOnes() {
        List<TopologySnapshot> seen = new ArrayList<>();
        driver.subscribe(seen::add);
        work();
        assertEquals(List.of(new TopologySnapshot(1, TOPOLOGY)), seen);

        learn(2, B);
        work();
        driver.receive(PEER, opinion(3, C));
        driver.run();
        driver.receive(PEER, opinion(4, B));
        driver.run();
        work();

        assertEquals(
                List.of(1L, 2L, 4L), seen.stream().map(TopologySnapshot::number).toList());
        assertEquals(driver.topology(), seen.get(2).topology());
        assertEquals(B, driver.primaryOf(SHARD));
    }

    @Test
    void anEndedSubscriptionIsSilent() {
        List<TopologySnapshot> seen = new ArrayList<>();
        Subscription subscription = driver.subscribe(seen::add);
        subscription.close();
        subscription.close();
        learn(2, B);
        work();

        assertEquals(List.of(), seen);
    }

    @Test
    void aFailingListenerOrSubscriberHarmsNobodyElse() {
        SentinelDriver other = driver(List.of(ME, PEER), event -> {
            throw new IllegalStateException("listener");
        });
        List<TopologySnapshot> seen = new ArrayList<>();
        other.subscribe(snapshot -> {
            throw new IllegalStateException("subscriber");
        });
        other.subscribe(seen::add);
        other.receive(PEER, opinion(2, B));
        work();
        other.receive(PEER, opinion(3, C));
        work();

        assertEquals(C, other.primaryOf(SHARD));
        assertEquals(3, seen.size());
    }

    @Test
    void itAnswersWhatSentinelsAreAsked() {
        driver.run();
        assertEquals(Map.of(SHARD, A), driver.primaries());
        assertEquals(List.of(B, C), driver.replicas(SHARD));
        assertEquals(List.of(), driver.replicas(new ShardId("unknown")));
        assertEquals(List.of(ME, PEER, new NodeId("S3")), driver.sentinels());
        assertEquals(ME, driver.self());
        assertEquals(new QuorumCheck(1, 3, 2, 2), driver.quorumCheck());
        assertEquals(List.of(), driver.down(SHARD));
        driver.receive(PEER, opinion(1, A));
        work();
        assertEquals(new QuorumCheck(2, 3, 2, 2), driver.quorumCheck());

        pass(Duration.ofSeconds(2));
        assertEquals(List.of(A, B, C), driver.down(SHARD));
    }

    @Test
    void anAnswerUnderAnotherNodesNameIsIgnored() {
        driver.run();
        NodeReport stranger = new NodeReport(B, SHARD, true, 5, null, LogPosition.START, true, 100);
        asked.get(0).accept(new NodeAnswer(commands.get(0), NodeAnswer.Outcome.DONE, stranger)); // a was asked
        work();
        assertEquals(A, driver.primaryOf(SHARD));

        asked.get(1).accept(new NodeAnswer(commands.get(1), NodeAnswer.Outcome.DONE, stranger));
        work();
        assertEquals(B, driver.primaryOf(SHARD));
    }

    @Test
    void aManualFailoverThatFailsSaysWhy() {
        CompletableFuture<NodeId> unknown =
                driver.failOver(new ShardId("unknown")).toCompletableFuture();
        CompletableFuture<NodeId> lost = driver.failOver(SHARD).toCompletableFuture();
        CompletableFuture<NodeId> second = driver.failOver(SHARD).toCompletableFuture();
        work();
        assertEquals(AbortReason.UNKNOWN_SHARD, failure(unknown).reason());
        assertEquals(AbortReason.FAILOVER_IN_PROGRESS, failure(second).reason());
        assertEquals(1, failure(second).epoch()); // that of the configuration
        assertFalse(lost.isDone());

        pass(Duration.ofSeconds(1)); // nobody gives a pre-vote
        assertEquals(AbortReason.PRE_VOTE_LOST, failure(lost).reason());
        assertEquals(SHARD, failure(lost).shard());
    }

    @Test
    void aClosedDriverDoesNothing() {
        CompletableFuture<NodeId> waiting = driver.failOver(SHARD).toCompletableFuture();
        driver.run();
        driver.close();
        work();
        assertInstanceOf(
                CancellationException.class,
                assertThrows(CompletionException.class, () -> waiting.getNow(A)).getCause());
        sent.clear();
        commands.clear();
        driver.receive(PEER, new VoteRequest(CONFIGURATION, 2));
        pass(Duration.ofSeconds(3));
        driver.close();

        assertEquals(List.of(), sent);
        assertEquals(List.of(), commands);
        assertTrue(driver.failOver(SHARD).toCompletableFuture().isCompletedExceptionally());
    }

    @Test
    void aManualFailoverEndsWithTheDriverEvenBeforeItsFirstStep() {
        CompletableFuture<NodeId> waiting = driver.failOver(SHARD).toCompletableFuture();
        driver.close();
        tasks.clear(); // an executor that was shut down

        assertTrue(waiting.isCompletedExceptionally());
    }

    @Test
    void aManualFailoverEndsWhenItsShardIsRemoved() {
        CompletableFuture<NodeId> waiting = driver.failOver(SHARD).toCompletableFuture();
        work();
        assertTrue(driver.merge(TOPOLOGY.apply(TOPOLOGY.version(), new TopologyChange.RemoveShard(SHARD))));
        work();
        assertEquals(AbortReason.UNKNOWN_SHARD, failure(waiting).reason());

        CompletableFuture<NodeId> next = driver.failOver(SHARD).toCompletableFuture();
        work();
        assertEquals(AbortReason.UNKNOWN_SHARD, failure(next).reason());
        assertEquals(List.of(), driver.down(SHARD));
    }

    @Test
    void whatIsLostWhileTheStateCannotBeSavedIsCounted() {
        driver.run();
        work();
        events.clear();
        disk.full = true;
        CompletableFuture<NodeId> waiting = driver.failOver(SHARD).toCompletableFuture();
        driver.receive(PEER, new VoteRequest(CONFIGURATION, 2)); // which ends the candidacy
        int votes = SentinelDriver.MAX_EVENTS + 10;
        for (int i = 0; i < votes; i++) {
            driver.receive(PEER, new VoteRequest(CONFIGURATION, 3 + i));
        }
        work();
        assertFalse(waiting.isDone());

        disk.full = false;
        driver.run();
        work();
        assertEquals(AbortReason.SUPERSEDED, failure(waiting).reason());
        long told = events.stream()
                .mapToLong(event -> event instanceof EventsLost lost ? lost.count() : 1)
                .sum();
        assertEquals(1 + 2 + votes, told); // the failed save, the end of the candidacy, the votes
        assertTrue(kinds().contains("EventsLost"));
    }

    @Test
    void theEndOfAnEarlierFailoverIsNotThatOfAManualOne() {
        NodeId third = new NodeId("S3");
        SentinelDriver other = new SentinelDriver(
                sentinel(List.of(ME, PEER, third)),
                (to, message) -> sent.add(message),
                (node, command, answer) -> {
                    if (!node.equals(A)) {
                        answer.accept(new NodeAnswer(
                                command,
                                NodeAnswer.Outcome.DONE,
                                new NodeReport(node, SHARD, false, 1, A, LogPosition.START, true, 100)));
                    }
                },
                disk,
                () -> now,
                tasks::add,
                events::add);
        pass(other, Duration.ofMillis(1200));
        other.receive(PEER, new Opinions(List.of(new Opinion(CONFIGURATION, true, 0))));
        pass(other, Duration.ofMillis(100));
        other.receive(PEER, new PreVoteAnswer(CONFIGURATION, 2, null, 1));
        work();
        assertTrue(kinds().contains("Candidacy"), () -> "events: " + events);

        other.receive(PEER, new VoteAnswer(CONFIGURATION, 2, Refusal.ALREADY_VOTED, 2));
        other.receive(third, new VoteAnswer(CONFIGURATION, 2, Refusal.ALREADY_VOTED, 2));
        CompletableFuture<NodeId> manual = other.failOver(SHARD).toCompletableFuture();
        work();
        assertTrue(kinds().contains("FailoverAborted"), () -> "events: " + events);
        assertFalse(manual.isDone());
    }

    private SentinelDriver withAnExecutorThatRefusesIf(boolean[] full) {
        return new SentinelDriver(
                sentinel(List.of(ME, PEER)),
                (to, message) -> sent.add(message),
                (node, command, answer) -> commands.add(command),
                disk,
                () -> now,
                task -> {
                    if (full[0]) {
                        throw new RejectedExecutionException();
                    }
                    tasks.add(task);
                },
                events::add);
    }

    @Test
    void aManualFailoverEndsThoughTheExecutorTakesNoMoreTasks() {
        boolean[] shut = {false};
        SentinelDriver other = withAnExecutorThatRefusesIf(shut);
        CompletableFuture<NodeId> waiting =
                other.failOver(new ShardId("unknown")).toCompletableFuture();
        shut[0] = true;
        other.run();

        assertEquals(AbortReason.UNKNOWN_SHARD, failure(waiting).reason());
    }

    @Test
    void aRefusedInputIsNotTakenInSilence() {
        assertTrue(driver.merge(TOPOLOGY));
        for (int i = 1; i < SentinelDriver.MAX_INPUTS; i++) {
            driver.receive(PEER, opinion(1, A));
        }
        assertFalse(driver.merge(TOPOLOGY));
        assertTrue(driver.failOver(SHARD).toCompletableFuture().isCompletedExceptionally());
        work();
        assertTrue(driver.merge(TOPOLOGY));
        assertFalse(driver.failOver(SHARD).toCompletableFuture().isDone());
        driver.close();
        assertFalse(driver.merge(TOPOLOGY));
    }

    @Test
    void aStepDuringAStepIsTakenAfterIt() {
        int[] depth = {0};
        List<SentinelDriver> self = new ArrayList<>();
        SentinelDriver direct = new SentinelDriver(
                sentinel(List.of(ME, PEER)),
                (to, message) -> {
                    assertEquals(1, ++depth[0]);
                    self.get(0).receive(PEER, opinion(1, A));
                    depth[0]--;
                },
                (node, command, answer) -> answer.accept(new NodeAnswer(
                        command,
                        NodeAnswer.Outcome.DONE,
                        new NodeReport(node, SHARD, node.equals(A), 1, A, LogPosition.START, true, 100))),
                disk,
                () -> now,
                Runnable::run,
                events::add);
        self.add(direct);
        direct.run();

        assertEquals(2, direct.quorumCheck().usable());
    }

    @Test
    void aSlowListenerLosesTheOldestEventsAndIsTold() {
        List<String> heard = new ArrayList<>();
        EventFeed<String> feed = new EventFeed<>(2, tasks::add, heard::add, count -> "lost " + count);
        for (String event : List.of("a", "b", "c", "d")) {
            feed.offer(event);
        }
        work();
        feed.offer("e");
        work();

        assertEquals(List.of("lost 2", "c", "d", "e"), heard);
    }

    @Test
    void aClosedDriverTakesNoStepAnyMore() throws InterruptedException {
        CountDownLatch saving = new CountDownLatch(1);
        CountDownLatch saved = new CountDownLatch(1);
        disk.duringSave = () -> {
            saving.countDown();
            awaitUninterruptibly(saved);
        };
        driver.receive(PEER, new VoteRequest(CONFIGURATION, 2));
        Thread stepper = new Thread(driver);
        stepper.start();
        saving.await();
        AtomicReference<@Nullable SentinelState> seen = new AtomicReference<>();
        Thread closer = new Thread(() -> {
            driver.close();
            seen.set(disk.state);
        });
        closer.start();
        while (closer.getState() == Thread.State.NEW || closer.getState() == Thread.State.RUNNABLE) {
            Thread.onSpinWait();
        }
        saved.countDown();
        closer.join();
        stepper.join();

        SentinelState state = seen.get();
        assertTrue(state != null && state.shards().get(0).votedEpoch() == 2); // the step was over before close returned
    }

    @Test
    void aDriverCanBeClosedFromWithinItsStep() {
        List<CompletableFuture<NodeId>> waiting = new ArrayList<>();
        disk.duringSave = () -> {
            waiting.add(driver.failOver(SHARD).toCompletableFuture());
            driver.close();
        };
        driver.receive(PEER, new VoteRequest(CONFIGURATION, 2));
        driver.run();

        assertEquals(1, waiting.size());
        assertTrue(waiting.get(0).isCompletedExceptionally());
        assertFalse(driver.merge(TOPOLOGY));
    }

    @Test
    void aDriverThatFailedCanBeClosed() {
        SentinelDriver broken = new SentinelDriver(
                sentinel(List.of(ME, PEER)),
                (to, message) -> {
                    throw new IllegalStateException("no transport");
                },
                (node, command, answer) -> commands.add(command),
                disk,
                () -> now,
                tasks::add,
                events::add);
        assertThrows(IllegalStateException.class, broken::run);
        broken.close();
        assertFalse(broken.merge(TOPOLOGY));
    }

    @Test
    void aRejectedTaskSilencesNobodyForEver() {
        boolean[] full = {false};
        List<TopologySnapshot> seen = new ArrayList<>();
        SentinelDriver other = withAnExecutorThatRefusesIf(full);
        other.subscribe(seen::add);
        other.run();
        work();
        full[0] = true;
        other.receive(PEER, opinion(2, B));
        other.run();
        assertEquals(1, seen.size());
        full[0] = false;
        other.run(); // nothing new happens
        work();

        assertEquals(2, seen.size());
        assertEquals(other.topology(), seen.get(1).topology());
        assertTrue(kinds().contains("ConfigurationAdopted"), () -> "events: " + events);
    }

    @Test
    void anErrorOfAListenerSilencesNobodyForEver() {
        List<TopologySnapshot> seen = new ArrayList<>();
        List<SentinelEvent> heard = new ArrayList<>();
        SentinelDriver other = driver(List.of(ME, PEER), event -> {
            heard.add(event);
            if (heard.size() == 1) {
                throw new AssertionError("first");
            }
        });
        other.subscribe(snapshot -> {
            seen.add(snapshot);
            throw new AssertionError("any");
        });
        for (int epoch = 2; epoch <= 4; epoch++) {
            other.receive(PEER, opinion(epoch, epoch % 2 == 0 ? B : A));
            other.run();
            workThroughErrors();
        }

        assertEquals(3, seen.size());
        assertEquals(3, heard.size(), () -> "heard: " + heard);
    }

    private void workThroughErrors() {
        Runnable task;
        while ((task = tasks.poll()) != null) {
            try {
                task.run();
            } catch (AssertionError e) {
                assertTrue(List.of("first", "any").contains(e.getMessage()), e::toString);
            }
        }
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private void learn(long epoch, NodeId primary) {
        driver.receive(PEER, opinion(epoch, primary));
    }

    private static Opinions opinion(long epoch, NodeId primary) {
        return new Opinions(List.of(new Opinion(new Configuration(SHARD, epoch, primary), false, 0)));
    }

    private void work() {
        Runnable task;
        while ((task = tasks.poll()) != null) {
            task.run();
        }
    }

    private void pass(Duration duration) {
        pass(driver, duration);
    }

    private void pass(SentinelDriver stepped, Duration duration) {
        for (long end = now + duration.toNanos(); now < end; ) {
            now += SentinelSettings.defaults().tickPeriod().toNanos();
            stepped.run();
            work();
        }
    }

    private List<SentinelMessage> votes() {
        return sent.stream().filter(VoteAnswer.class::isInstance).toList();
    }

    private List<String> kinds() {
        return events.stream().map(event -> event.getClass().getSimpleName()).toList();
    }

    private static FailoverFailedException failure(CompletableFuture<?> stage) {
        CompletionException thrown = assertThrows(CompletionException.class, () -> stage.getNow(null));
        return assertInstanceOf(FailoverFailedException.class, thrown.getCause());
    }

    private Sentinel sentinel(List<NodeId> sentinels) {
        return new Sentinel(
                SentinelSettings.defaults(),
                ME,
                sentinels,
                TOPOLOGY,
                SentinelState.initial(ME, TOPOLOGY),
                new SplittableRandom(1),
                now);
    }

    private SentinelDriver driver(List<NodeId> sentinels, Consumer<SentinelEvent> listener) {
        return new SentinelDriver(
                sentinel(sentinels),
                (to, message) -> sent.add(message),
                (node, command, answer) -> {
                    commands.add(command);
                    asked.add(answer);
                },
                disk,
                () -> now,
                tasks::add,
                listener);
    }
}
