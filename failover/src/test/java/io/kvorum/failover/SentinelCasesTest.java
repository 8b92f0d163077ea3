package io.kvorum.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.failover.SentinelFact.EpochTaken;
import io.kvorum.failover.SentinelFact.LeaderElected;
import io.kvorum.failover.SentinelFact.NoFailoverPossible;
import io.kvorum.failover.SentinelFact.ObjectivelyDown;
import io.kvorum.failover.SentinelFact.SubjectivelyDown;
import io.kvorum.replication.ReplicationMessage;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.Epoch;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.Membership;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * Situations that once broke a promise. The cluster checks on the wire that no epoch has two primaries, nor loses a
 * write.
 */
final class SentinelCasesTest {
    private static final ShardId SHARD = new ShardId("shard1");
    private static final SentinelSettings SETTINGS = SentinelSettings.defaults();
    private static final NodeId A = new NodeId("a");
    private static final Duration SECOND = Duration.ofSeconds(1);

    private static FakeCluster started(SentinelSettings settings, int nodes, int sentinels) {
        FakeCluster cluster = new FakeCluster(settings, 1, nodes, sentinels, true, 1);
        cluster.run(SECOND);
        return cluster;
    }

    @Test
    void aSentinelThatLosesItsStateBringsAboutNoSecondPrimaryOfAnEpoch() {
        FakeCluster cluster = started(SETTINGS, 3, 3);
        cluster.isolate(A);
        cluster.delay = (from, to, what) -> what instanceof NodeCommand.Promote
                        && from.value().equals("S1")
                ? 4_000 * FakeCluster.MILLI
                : what instanceof NodeAnswer && to.value().equals("S3") ? 3_000 * FakeCluster.MILLI : FakeCluster.MILLI;
        assertTrue(cluster.runUntil(() -> !cluster.facts(EpochTaken.class).isEmpty(), SECOND.multipliedBy(5)));
        cluster.run(Duration.ofMillis(20));
        cluster.sentinel("S1").crash();
        cluster.sentinel("S2").saved = null;
        cluster.sentinel("S2").start();
        cluster.heal();
        cluster.isolate(new NodeId("b"));
        cluster.run(SECOND.multipliedBy(6)); // the late promotion comes to b, if to anyone
        cluster.heal();
        cluster.sentinel("S1").start();

        assertTrue(cluster.runUntil(cluster::isWhole, SECOND.multipliedBy(10)));
    }

    @Test
    void twoLeadersAtWorkTakeDifferentEpochs() {
        FakeCluster cluster = started(SETTINGS, 3, 3);
        List<NodeCommand.Fence> fences = new ArrayList<>();
        cluster.onSent = (from, to, what) -> {
            if (what instanceof NodeCommand.Fence fence) {
                fences.add(fence);
            }
        };
        cluster.delay = (from, to, what) -> what instanceof NodeCommand.Fence || what instanceof NodeCommand.Promote
                ? 400 * FakeCluster.MILLI
                : FakeCluster.MILLI;
        cluster.node("a").up = false;
        assertTrue(cluster.runUntil(() -> !cluster.facts(LeaderElected.class).isEmpty(), SECOND.multipliedBy(5)));
        cluster.cut(new NodeId("S1"), new NodeId("S2"));
        cluster.cut(new NodeId("S1"), new NodeId("S3"));
        cluster.sentinel("S3").saved = null; // it forgets its vote
        cluster.sentinel("S3").start();
        assertTrue(cluster.runUntil(() -> cluster.facts(LeaderElected.class).size() > 1, SECOND.multipliedBy(5)));
        cluster.delay = (from, to, what) -> FakeCluster.MILLI;
        cluster.heal();

        assertTrue(cluster.runUntil(cluster::isWhole, SECOND.multipliedBy(10)));
        fences.forEach(fence -> assertEquals(
                Epoch.candidateOf(fence.epoch()),
                SentinelList.of(List.copyOf(cluster.sentinels.keySet()))
                        .numberOf(new NodeId(fence.holder().value().substring(0, 2)))));
    }

    @Test
    void aRunThatIsPausedBetweenItsPromisesAndItsPromotionYieldsToItsSuccessor() {
        FakeCluster cluster = started(SETTINGS.withQuorum(1), 3, 1);
        cluster.delay = (from, to, what) -> what instanceof NodeAnswer answer
                        && answer.command() instanceof NodeCommand.Fence
                        && from.value().equals("c")
                ? 500 * FakeCluster.MILLI
                : FakeCluster.MILLI;
        cluster.node("a").up = false;
        assertTrue(cluster.runUntil(() -> !cluster.facts(EpochTaken.class).isEmpty(), SECOND.multipliedBy(5)));
        cluster.sentinel("S1").paused = true;
        cluster.startDouble("X", "S1"); // takes itself for the same sentinel
        cluster.run(SECOND.multipliedBy(3));
        cluster.sentinel("S1").resume();

        assertTrue(cluster.runUntil(cluster::isWhole, SECOND.multipliedBy(10)));
    }

    @Test
    void aShardThatServesIsNotDeposedForAFailoverThatCannotSucceed() {
        FakeCluster cluster = started(SETTINGS, 3, 3);
        cluster.restart("c", false, true);
        cluster.delay = (from, to, what) ->
                what instanceof ReplicationMessage && to.value().equals("c") ? -1 : FakeCluster.MILLI;
        for (String sentinel : List.of("S1", "S2", "S3")) {
            cluster.cut(A, new NodeId(sentinel));
            cluster.cut(new NodeId(sentinel), A);
        }
        cluster.run(SECOND.multipliedBy(2));
        long before = cluster.node("a").status().committed();
        cluster.run(SECOND.multipliedBy(30));

        assertTrue(cluster.node("a").status().committed() > before + 1000 * 16);
        assertEquals(
                List.of(1L, 1L, 1L),
                cluster.nodes.values().stream()
                        .map(node -> node.status().epoch())
                        .toList());
        assertEquals(3, cluster.facts(NoFailoverPossible.class).size(), "once by each sentinel");
        assertEquals(List.of(A), cluster.facts(NoFailoverPossible.class).get(0).missing());
        assertEquals(
                List.of(new NodeId("c")),
                cluster.facts(NoFailoverPossible.class).get(0).incomplete());
    }

    @Test
    void aManualFailoverBeforeTheFirstReportNeverFencesFirst() {
        ClusterTopology topology = topology();
        NodeId me = new NodeId("S1");
        Sentinel sentinel = new Sentinel(
                SETTINGS.withQuorum(1), me, SentinelList.of(me), topology, null, new SplittableRandom(1), 0);
        sentinel.tick(0);
        sentinel.ready();
        sentinel.start(1, new Operation.FailOver(SHARD), 1);

        assertEquals(List.of(), sentinel.ready().commands());
        sentinel.tick(SETTINGS.operationTimeout().toNanos() + 1);
        OperationOutcome outcome = sentinel.ready().completions().get(0).outcome();
        assertEquals(
                AbortReason.PRIMARY_SILENT,
                assertInstanceOf(OperationOutcome.Failed.class, outcome).reason());
    }

    /** Between the question and the fence another sentinel has begun the shard. */
    @Test
    void aBootstrapEndsIfAFencedNodeHasBegun() {
        NodeId me = new NodeId("S1");
        Sentinel sentinel = new Sentinel(
                SETTINGS.withQuorum(1), me, SentinelList.of(me), topology(), null, new SplittableRandom(1), 0);
        sentinel.start(1, new Operation.Bootstrap(SHARD), 1);
        for (Sentinel.AddressedCommand asked : sentinel.ready().commands()) {
            sentinel.answered(answer(asked, 0, false), 2);
        }
        List<Sentinel.AddressedCommand> fences = sentinel.ready().commands().stream()
                .filter(each -> each.command() instanceof NodeCommand.Fence)
                .toList();
        assertEquals(3, fences.size());
        long epoch = ((NodeCommand.Fence) fences.get(0).command()).epoch();
        for (Sentinel.AddressedCommand fence : fences) {
            sentinel.answered(answer(fence, epoch, fence.to().equals(A)), 3);
        }

        Sentinel.Ready ready = sentinel.ready();
        assertEquals(
                AbortReason.ALREADY_BEGUN,
                assertInstanceOf(
                                OperationOutcome.Failed.class,
                                ready.completions().get(0).outcome())
                        .reason());
        assertTrue(ready.commands().stream().noneMatch(each -> each.command() instanceof NodeCommand.Begin));
    }

    /** A bootstrap of a shard that has begun changes nothing: no node is asked for its promise. */
    @Test
    void aBootstrapFencesNobodyIfANodeHasBegun() {
        NodeId me = new NodeId("S1");
        ClusterTopology fresh = ClusterTopology.EMPTY.apply(
                0, new TopologyChange.AddShard(SHARD, 0, A, List.of(new NodeId("b"), new NodeId("c"))));
        Sentinel sentinel =
                new Sentinel(SETTINGS.withQuorum(1), me, SentinelList.of(me), fresh, null, new SplittableRandom(1), 0);
        sentinel.start(1, new Operation.Bootstrap(SHARD), 1);
        for (Sentinel.AddressedCommand asked : sentinel.ready().commands()) {
            sentinel.answered(answer(asked, 0, asked.to().equals(A)), 2);
        }

        Sentinel.Ready ready = sentinel.ready();
        assertEquals(
                AbortReason.ALREADY_BEGUN,
                assertInstanceOf(
                                OperationOutcome.Failed.class,
                                ready.completions().get(0).outcome())
                        .reason());
        assertTrue(ready.commands().stream().noneMatch(each -> each.command() instanceof NodeCommand.Fence));
    }

    /** A node that has begun the shard may forget that, until it is saved. */
    @Test
    void aNodeThatCannotSaveItsPromiseDoesNotLead() {
        NodeId me = new NodeId("S1");
        Sentinel sentinel = new Sentinel(
                SETTINGS.withQuorum(1), me, SentinelList.of(me), topology(), null, new SplittableRandom(1), 0);
        sentinel.start(1, new Operation.Bootstrap(SHARD), 1);
        sentinel.ready().commands().forEach(asked -> sentinel.answered(answer(asked, 0, false), 2));
        List<Sentinel.AddressedCommand> fences = sentinel.ready().commands();
        long epoch = ((NodeCommand.Fence) fences.get(0).command()).epoch();
        fences.forEach(fence -> sentinel.answered(answer(fence, epoch, false), 3));
        Sentinel.AddressedCommand begin = sentinel.ready().commands().stream()
                .filter(each -> each.command() instanceof NodeCommand.Begin)
                .findFirst()
                .orElseThrow();
        NodeAnswer done = answer(begin, epoch, true, true);
        sentinel.answered(new NodeAnswer(begin.command(), NodeAnswer.Outcome.NOT_SAVED, done.report()), 4);

        assertEquals(List.of(), sentinel.ready().completions());
        sentinel.answered(done, 5);
        assertInstanceOf(
                OperationOutcome.Succeeded.class,
                sentinel.ready().completions().get(0).outcome());
    }

    /** A node that could not save its promise may have forgotten it since, and is no worse for that. */
    @Test
    void aNodeThatForgotAPromiseWhichItCouldNotSaveCountsAgain() {
        FakeCluster cluster = started(SETTINGS, 3, 3);
        cluster.node("b").disk = false;
        NodeId hand = new NodeId("hand");
        cluster.node("b").handle(new NodeCommand.Fence(SHARD, Epoch.of(9, 1), hand), cluster.now);
        cluster.run(SECOND.dividedBy(4));
        cluster.restart("b", true, true);
        cluster.node("b").disk = true;
        cluster.run(SECOND);
        assertTrue(cluster.node("b").status().epoch() < Epoch.of(9, 1));
        cluster.node("c").up = false;
        cluster.node("a").up = false;
        cluster.run(SECOND.multipliedBy(2));
        cluster.node("c").up = true;

        assertTrue(cluster.runUntil(
                () -> !cluster.facts(SentinelFact.NodePromoted.class).isEmpty(), SECOND.multipliedBy(5)));
    }

    /** A promise that could not be saved is no answer to what a shard is begun on. */
    @Test
    void aBootstrapWaitsForANodeThatCannotSaveItsPromise() {
        NodeId me = new NodeId("S1");
        Sentinel sentinel = new Sentinel(
                SETTINGS.withQuorum(1), me, SentinelList.of(me), topology(), null, new SplittableRandom(1), 0);
        sentinel.start(1, new Operation.Bootstrap(SHARD), 1);
        List<Sentinel.AddressedCommand> asked = sentinel.ready().commands();
        for (Sentinel.AddressedCommand each : asked) {
            NodeAnswer answer = answer(each, 0, false);
            sentinel.answered(
                    each.to().equals(A)
                            ? new NodeAnswer(each.command(), NodeAnswer.Outcome.NOT_SAVED, answer.report())
                            : answer,
                    2);
        }
        assertTrue(sentinel.ready().commands().stream().noneMatch(each -> each.command() instanceof NodeCommand.Fence));

        asked.stream()
                .filter(each -> each.to().equals(A))
                .forEach(each -> sentinel.answered(answer(each, 0, false), 3));
        assertTrue(sentinel.ready().commands().stream().anyMatch(each -> each.command() instanceof NodeCommand.Fence));
    }

    /** A member that becomes complete between the question and its promise: nothing is lost after all. */
    @Test
    void aShardThatHasItsMajorityByItsPromisesIsNotBegunAnew() {
        NodeId me = new NodeId("S1");
        Sentinel sentinel = new Sentinel(
                SETTINGS.withQuorum(1), me, SentinelList.of(me), topology(), null, new SplittableRandom(1), 0);
        sentinel.start(1, new Operation.BeginAnew(SHARD), 1);
        for (Sentinel.AddressedCommand asked : sentinel.ready().commands()) {
            if (!asked.to().equals(A)) {
                sentinel.answered(ofMember(asked, 1, asked.to().value().equals("b")), 2);
            }
        }
        long later = SETTINGS.attemptTimeout().toNanos() + 1;
        sentinel.tick(later);
        List<Sentinel.AddressedCommand> fences = sentinel.ready().commands().stream()
                .filter(each -> each.command() instanceof NodeCommand.Fence)
                .toList();
        assertEquals(2, fences.size());
        for (Sentinel.AddressedCommand fence : fences) {
            sentinel.answered(ofMember(fence, ((NodeCommand.Fence) fence.command()).epoch(), true), later);
        }

        Sentinel.Ready ready = sentinel.ready();
        assertTrue(ready.commands().stream().noneMatch(each -> each.command() instanceof NodeCommand.Begin));
        assertEquals(
                AbortReason.MAJORITY_LEFT,
                assertInstanceOf(
                                OperationOutcome.Failed.class,
                                ready.completions().get(0).outcome())
                        .reason());
    }

    private static NodeAnswer ofMember(Sentinel.AddressedCommand asked, long epoch, boolean complete) {
        MemberList members =
                MemberList.of(new Member(A, 1), new Member(new NodeId("b"), 1), new Member(new NodeId("c"), 1));
        NodeReport report = new NodeReport(
                asked.to(),
                SHARD,
                1,
                false,
                epoch,
                null,
                new LogPosition(1, 100),
                100,
                complete,
                true,
                Membership.committed(members),
                new LogPosition(1, 50),
                List.of(),
                100);
        return new NodeAnswer(asked.command(), NodeAnswer.Outcome.DONE, report);
    }

    private static NodeAnswer answer(Sentinel.AddressedCommand asked, long epoch, boolean begun) {
        return answer(asked, epoch, begun, false);
    }

    private static NodeAnswer answer(Sentinel.AddressedCommand asked, long epoch, boolean begun, boolean primary) {
        NodeReport report = new NodeReport(
                asked.to(),
                SHARD,
                1,
                primary,
                epoch,
                null,
                LogPosition.START,
                -1,
                begun,
                begun,
                null,
                LogPosition.START,
                List.of(),
                100);
        return new NodeAnswer(asked.command(), NodeAnswer.Outcome.DONE, report);
    }

    /** A promise is given to an attempt: what an earlier one of the same sentinel was promised helps no later one. */
    @Test
    void everyAttemptIsPromisedItsEpochUnderANameOfItsOwn() {
        FakeCluster cluster = started(SETTINGS.withQuorum(1), 3, 1);
        Map<Long, NodeId> holders = new TreeMap<>();
        cluster.onSent = (from, to, what) -> {
            if (what instanceof NodeCommand.Fence fence) {
                holders.put(fence.epoch(), fence.holder());
            }
        };
        cluster.delay = (from, to, what) -> what instanceof NodeCommand.Promote ? -1 : FakeCluster.MILLI;
        cluster.node("a").up = false;
        assertTrue(cluster.runUntil(() -> holders.size() == 3, SECOND.multipliedBy(20)));

        assertEquals(3, Set.copyOf(holders.values()).size());
    }

    /** The cluster checks on the wire that enough promises of the very epoch have been heard of. */
    @Test
    void promisesOfAnEarlierAttemptDoNotCount() {
        FakeCluster cluster = started(SETTINGS.withQuorum(1), 3, 1);
        cluster.delay =
                (from, to, what) -> what instanceof NodeAnswer answer && answer.command() instanceof NodeCommand.Fence
                        ? 1_200 * FakeCluster.MILLI // after the attempt that asked for it has ended
                        : FakeCluster.MILLI;
        cluster.node("a").up = false;
        cluster.run(SECOND.multipliedBy(15));
        assertTrue(cluster.facts(EpochTaken.class).size() > 2);
        assertEquals(List.of(), cluster.facts(SentinelFact.NodePromoted.class));

        cluster.delay = (from, to, what) -> FakeCluster.MILLI;
        assertTrue(cluster.runUntil(cluster::isWhole, SECOND.multipliedBy(10)));
    }

    /** An operator who is too early, or mistaken, loses nothing. */
    @Test
    void aShardThatHasItsMajorityIsNotBegunAnew() {
        FakeCluster cluster = started(SETTINGS, 3, 3);
        cluster.node("c").up = false;
        long request = cluster.sentinel("S1").start(new Operation.BeginAnew(SHARD));
        cluster.run(SECOND.multipliedBy(2));

        assertEquals(
                AbortReason.MAJORITY_LEFT,
                assertInstanceOf(OperationOutcome.Failed.class, cluster.outcomes.get(request))
                        .reason());
        assertEquals(List.of(), cluster.facts(EpochTaken.class));
        assertEquals(A, cluster.primary());
    }

    @Test
    void aReplacementThatCannotBeIsRefusedAtOnce() {
        FakeCluster cluster = started(SETTINGS, 3, 3);
        long request = cluster.sentinel("S1").start(new Operation.Replace(SHARD, new NodeId("b"), new NodeId("c")));
        cluster.run(Duration.ofMillis(10));

        assertEquals(
                AbortReason.NOT_A_MEMBER,
                assertInstanceOf(OperationOutcome.Failed.class, cluster.outcomes.get(request))
                        .reason());
    }

    @Test
    void anOperationOnAnUnknownShardIsRefusedAtOnce() {
        NodeId me = new NodeId("S1");
        Sentinel sentinel = new Sentinel(
                SETTINGS.withQuorum(1),
                me,
                SentinelList.of(me),
                ClusterTopology.EMPTY,
                null,
                new SplittableRandom(1),
                0);
        sentinel.start(7, new Operation.Bootstrap(SHARD), 1);

        Sentinel.Ready ready = sentinel.ready();
        assertEquals(7, ready.completions().get(0).request());
        assertEquals(Sentinel.NEVER, ready.wakeAt());
    }

    @Test
    void aVoteThatIsForgottenWithItsShardDoesNoHarm() {
        NodeId me = new NodeId("S1");
        NodeId s2 = new NodeId("S2");
        NodeId s3 = new NodeId("S3");
        ClusterTopology topology = topology();
        Sentinel sentinel =
                new Sentinel(SETTINGS, me, SentinelList.of(me, s2, s3), topology, null, new SplittableRandom(1), 0);
        sentinel.receive(s2, new SentinelMessage.VoteRequest(new ShardPrimary(SHARD, 1, 1, A), 9), 1);
        assertTrue(votes(sentinel));
        sentinel.receive(s3, new SentinelMessage.VoteRequest(new ShardPrimary(SHARD, 1, 1, A), 10), 2);
        assertFalse(votes(sentinel));

        ClusterTopology removed = topology.apply(topology.version(), new TopologyChange.RemoveShard(SHARD));
        sentinel.merge(removed, 3);
        assertEquals(List.of(), sentinel.state().shards());
        ClusterTopology again = removed.apply(
                removed.version(), new TopologyChange.AddShard(SHARD, 2, A, List.of(new NodeId("b"), new NodeId("c"))));
        sentinel.merge(again, 4);
        sentinel.receive(s3, new SentinelMessage.VoteRequest(new ShardPrimary(SHARD, 2, 2, A), 10), 5);

        assertTrue(votes(sentinel)); // two candidates may be at work, in epochs of their own
    }

    /** A shard that was removed and added again is another one, whatever epochs the former one had. */
    @Test
    void whatIsRememberedOrSaidOfAnEarlierGenerationDoesNotCount() {
        NodeId me = new NodeId("S1");
        NodeId s2 = new NodeId("S2");
        NodeId c = new NodeId("c");
        ClusterTopology removed = topology().apply(topology().version(), new TopologyChange.RemoveShard(SHARD));
        ClusterTopology again =
                removed.apply(removed.version(), new TopologyChange.AddShard(SHARD, 1, A, List.of(new NodeId("b"), c)));
        ShardPrimary former = new ShardPrimary(SHARD, 1, Epoch.of(9, 1), c);
        SentinelState cached =
                new SentinelState(me, List.of(new SentinelState.KnownShard(former, List.of(A, c, new NodeId("x")))));
        Sentinel sentinel = new Sentinel(
                SETTINGS, me, SentinelList.of(me, s2, new NodeId("S3")), again, cached, new SplittableRandom(1), 0);
        sentinel.receive(s2, new SentinelMessage.Opinions(List.of(new SentinelMessage.Opinion(former, true, 0))), 1);
        assertEquals(A, sentinel.state().shards().get(0).primary().primary());
        assertFalse(sentinel.state().shards().get(0).nodes().contains(new NodeId("x")));

        ShardPrimary later = new ShardPrimary(SHARD, 2, Epoch.of(2, 1), c);
        sentinel.receive(s2, new SentinelMessage.Opinions(List.of(new SentinelMessage.Opinion(later, false, 0))), 2);
        assertEquals(later, sentinel.state().shards().get(0).primary());
    }

    /** A sentinel that takes each step late detects later by a few steps, not by all of them together. */
    @Test
    void aSentinelThatIsAlwaysLateStillNotices() {
        long late = 300 * FakeCluster.MILLI;
        NodeId me = new NodeId("S1");
        Sentinel sentinel = new Sentinel(
                SETTINGS.withQuorum(1), me, SentinelList.of(me), topology(), null, new SplittableRandom(1), 0);
        long now = 0;
        while (sentinel.down(SHARD).isEmpty()) {
            sentinel.tick(now);
            Sentinel.Ready ready = sentinel.ready();
            for (Sentinel.AddressedCommand asked : ready.commands()) {
                if (!asked.to().equals(A)) {
                    sentinel.answered(answer(asked, 1, true), now);
                }
            }
            now = sentinel.ready().wakeAt() + late;
        }

        assertEquals(List.of(A), sentinel.down(SHARD));
        long limit = SETTINGS.downAfter().plus(SETTINGS.pingPeriod()).toNanos() + 3 * late;
        assertTrue(now - late <= limit, () -> "not before " + limit);
    }

    /** What a primary says of itself is waited for in the same way. */
    @Test
    void aSentinelThatIsAlwaysLateStillHearsThatAPrimaryDenies() {
        long late = 300 * FakeCluster.MILLI;
        NodeId me = new NodeId("S1");
        Sentinel sentinel = new Sentinel(
                SETTINGS.withQuorum(1), me, SentinelList.of(me), topology(), null, new SplittableRandom(1), 0);
        long now = 0;
        while (sentinel.down(SHARD).isEmpty()) {
            sentinel.tick(now);
            for (Sentinel.AddressedCommand asked : sentinel.ready().commands()) {
                sentinel.answered(answer(asked, 1, true), now);
            }
            now = sentinel.ready().wakeAt() + late;
        }

        assertEquals(List.of(A), sentinel.down(SHARD));
        long limit = SETTINGS.roleLimit().plus(SETTINGS.pingPeriod()).toNanos() + 3 * late;
        assertTrue(now - late <= limit, () -> "not before " + limit);
    }

    /** An answer that no step of the node has given is no sign of life. */
    @Test
    void aNodeWhoseDriverIsStuckIsSilent() {
        NodeId me = new NodeId("S1");
        Sentinel sentinel = new Sentinel(
                SETTINGS.withQuorum(1), me, SentinelList.of(me), topology(), null, new SplittableRandom(1), 0);
        long end = 2 * SETTINGS.downAfter().toNanos();
        for (long now = 0; now < end; now += SETTINGS.pingPeriod().toNanos()) {
            sentinel.tick(now);
            for (Sentinel.AddressedCommand asked : sentinel.ready().commands()) {
                NodeAnswer answer = answer(asked, 1, true, asked.to().equals(A));
                sentinel.answered(
                        asked.to().equals(A)
                                ? new NodeAnswer(asked.command(), NodeAnswer.Outcome.OVERLOADED, answer.report())
                                : answer,
                        now);
            }
        }

        assertEquals(List.of(A), sentinel.down(SHARD));
    }

    @Test
    void aPausedSentinelAccusesNobody() {
        FakeCluster cluster = started(SETTINGS, 3, 3);
        cluster.sentinels.values().forEach(host -> host.paused = true);
        cluster.run(SECOND.multipliedBy(60));
        cluster.sentinels.values().forEach(FakeCluster.Host::resume);
        cluster.run(SECOND.multipliedBy(5));

        assertEquals(List.of(), cluster.facts(SubjectivelyDown.class));
    }

    @Test
    void detectionIsSlowedDownByNoMoreThanThePause() {
        FakeCluster cluster = started(SETTINGS, 3, 3);
        long crashed = cluster.elapsed();
        cluster.node("a").up = false;
        cluster.run(Duration.ofMillis(500));
        cluster.sentinels.values().forEach(host -> host.paused = true);
        cluster.run(Duration.ofMillis(300));
        cluster.sentinels.values().forEach(FakeCluster.Host::resume);
        assertTrue(cluster.runUntil(() -> !cluster.facts(ObjectivelyDown.class).isEmpty(), SECOND.multipliedBy(3)));

        assertTrue(cluster.elapsed() - crashed <= 1_300 * FakeCluster.MILLI + 10 * FakeCluster.MILLI);
    }

    @Test
    void manyShardsFailOverInTheTimeOfOne() {
        FakeCluster cluster = new FakeCluster(SETTINGS, 100, 3, 3, true, 1);
        cluster.writes = false;
        cluster.run(SECOND);
        cluster.nodes.values().stream().filter(TestNode::isPrimary).forEach(node -> node.up = false);

        assertTrue(cluster.runUntil(
                () -> cluster.facts(SentinelFact.Switched.class).size() == 100, Duration.ofMillis(1_100)));
    }

    private static ClusterTopology topology() {
        return ClusterTopology.EMPTY.apply(
                0, new TopologyChange.AddShard(SHARD, 1, A, List.of(new NodeId("b"), new NodeId("c"))));
    }

    private static boolean votes(Sentinel sentinel) {
        return sentinel.ready().messages().stream()
                .anyMatch(envelope ->
                        envelope.message() instanceof SentinelMessage.VoteAnswer answer && answer.refusal() == null);
    }
}
