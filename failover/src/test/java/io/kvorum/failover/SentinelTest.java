package io.kvorum.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.failover.Sentinel.Envelope;
import io.kvorum.failover.Sentinel.Ready;
import io.kvorum.failover.SentinelEvent.AbortReason;
import io.kvorum.failover.SentinelEvent.FailoverAborted;
import io.kvorum.failover.SentinelEvent.MergeRefused;
import io.kvorum.failover.SentinelMessage.ElectionMessage;
import io.kvorum.failover.SentinelMessage.Opinion;
import io.kvorum.failover.SentinelMessage.Opinions;
import io.kvorum.failover.SentinelMessage.PreVoteAnswer;
import io.kvorum.failover.SentinelMessage.PreVoteRequest;
import io.kvorum.failover.SentinelMessage.Refusal;
import io.kvorum.failover.SentinelMessage.VoteAnswer;
import io.kvorum.failover.SentinelMessage.VoteRequest;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.ClusterTopology;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import io.kvorum.slots.topology.TopologyChange;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** One sentinel alone, input by input. */
final class SentinelTest {
    private static final ShardId SHARD = new ShardId("shard");
    private static final NodeId ME = new NodeId("S1");
    private static final NodeId ALICE = new NodeId("S2");
    private static final NodeId BOB = new NodeId("S3");
    private static final NodeId A = new NodeId("a");
    private static final NodeId B = new NodeId("b");
    private static final NodeId C = new NodeId("c");
    private static final ClusterTopology TOPOLOGY =
            ClusterTopology.EMPTY.apply(0, new TopologyChange.AddShard(SHARD, 1, A, List.of(B, C)));
    private static final Configuration CONFIGURATION = new Configuration(SHARD, 1, A);
    private static final SentinelSettings SETTINGS = SentinelSettings.defaults();
    private static final long TICK = SETTINGS.tickPeriod().toNanos();

    private long now;
    private Sentinel sentinel = sentinel(SentinelState.initial(ME, TOPOLOGY));

    @Test
    void aVoteIsSavedInTheSameStepAsItIsGiven() {
        sentinel.receive(ALICE, new VoteRequest(CONFIGURATION, 2), now);
        Ready ready = sentinel.ready();

        SentinelState saved = ready.toSave();
        assertNotNull(saved);
        assertEquals(ALICE, saved.shards().get(0).votedFor());
        assertEquals(2, saved.shards().get(0).votedEpoch());
        assertEquals(List.of(new Envelope(ALICE, new VoteAnswer(CONFIGURATION, 2, null, 2))), ready.messages());
    }

    @Test
    void aVoteIsNotGivenTwiceEvenAfterARestart() {
        sentinel.receive(ALICE, new VoteRequest(CONFIGURATION, 2), now);
        SentinelState saved = sentinel.ready().toSave();
        sentinel = sentinel(saved);

        sentinel.receive(BOB, new VoteRequest(CONFIGURATION, 2), now);
        assertEquals(Refusal.ALREADY_VOTED, refusal(sentinel.ready(), BOB));
        sentinel.receive(ALICE, new VoteRequest(CONFIGURATION, 2), now);
        assertNull(refusal(sentinel.ready(), ALICE));
    }

    @Test
    void aVoteIsRememberedThoughTheConfigurationIsUnknownToTheTopologyOfTheStart() {
        NodeId d = new NodeId("d");
        ClusterTopology larger = TOPOLOGY.apply(TOPOLOGY.version(), members(A, B, C, d));
        sentinel = start(SETTINGS, List.of(ME, ALICE, BOB), larger, SentinelState.initial(ME, larger));
        Configuration promoted = new Configuration(SHARD, 2, d);
        sentinel.receive(ALICE, new Opinions(List.of(new Opinion(promoted, false, 0))), now);
        sentinel.receive(ALICE, new VoteRequest(promoted, 3), now);
        SentinelState saved = sentinel.ready().toSave();
        sentinel = sentinel(saved); // with the topology without d

        sentinel.receive(BOB, new VoteRequest(promoted, 3), now);
        assertEquals(Refusal.ALREADY_VOTED, refusal(sentinel.ready(), BOB));
        assertTrue(sentinel.checkInvariants());
    }

    @Test
    void aVoteIsRememberedThoughTheTopologyOfTheStartLacksTheShard() {
        ShardId added = new ShardId("added");
        ClusterTopology both = TOPOLOGY.apply(
                TOPOLOGY.version(), new TopologyChange.AddShard(added, 1, new NodeId("x"), List.of(new NodeId("y"))));
        Configuration configuration = new Configuration(added, 1, new NodeId("x"));
        sentinel.merge(both, now);
        sentinel.receive(ALICE, new VoteRequest(configuration, 2), now);
        SentinelState saved = sentinel.ready().toSave();
        sentinel = sentinel(saved);
        assertEquals(saved, sentinel.state());
        sentinel.merge(both, now);

        sentinel.receive(BOB, new VoteRequest(configuration, 2), now);
        assertEquals(Refusal.ALREADY_VOTED, refusal(sentinel.ready(), BOB));
        assertTrue(sentinel.checkInvariants());
    }

    @Test
    void aPreVoteChangesNothing() {
        sentinel.receive(ALICE, new PreVoteRequest(CONFIGURATION, 7, true), now);
        Ready ready = sentinel.ready();

        assertNull(ready.toSave());
        assertNull(refusal(ready, ALICE));
    }

    @Test
    void aPreVoteIsRefusedWhileThePrimaryIsUp() {
        sentinel.receive(ALICE, new PreVoteRequest(CONFIGURATION, 2, false), now);

        assertEquals(Refusal.PRIMARY_UP, refusal(sentinel.ready(), ALICE));
    }

    @Test
    void aPreVoteIsGivenOnceThePrimaryHasBeenSilent() {
        beSilent(Duration.ofSeconds(1));
        sentinel.receive(ALICE, new PreVoteRequest(CONFIGURATION, 2, false), now);

        assertNull(refusal(sentinel.ready(), ALICE));
    }

    @Test
    void whoHasVotedSupportsNobodyElseForAWhile() {
        beSilent(Duration.ofSeconds(1));
        sentinel.receive(ALICE, new VoteRequest(CONFIGURATION, 2), now);
        sentinel.receive(BOB, new PreVoteRequest(CONFIGURATION, 3, false), now);
        assertEquals(Refusal.FAILOVER_IN_PROGRESS, refusal(sentinel.ready(), BOB));

        beSilent(SETTINGS.electionTimeout());
        sentinel.receive(BOB, new PreVoteRequest(CONFIGURATION, 3, false), now);
        assertNull(refusal(sentinel.ready(), BOB));
    }

    @Test
    void aVoterWaitsForAsLongAsTheLeaderIsAtWork() {
        beSilent(Duration.ofSeconds(1));
        sentinel.receive(ALICE, new VoteRequest(CONFIGURATION, 2), now);
        for (int i = 0; i < 5; i++) {
            beSilent(Duration.ofMillis(200));
            sentinel.receive(ALICE, opinion(2), now);
        }
        sentinel.receive(BOB, new PreVoteRequest(CONFIGURATION, 3, false), now);
        assertEquals(Refusal.FAILOVER_IN_PROGRESS, refusal(sentinel.ready(), BOB));

        sentinel.receive(ALICE, opinion(0), now);
        sentinel.receive(BOB, new PreVoteRequest(CONFIGURATION, 3, false), now);
        assertNull(refusal(sentinel.ready(), BOB));
    }

    @Test
    void itsOwnPauseIsNoSilenceOfTheNodes() {
        now += Duration.ofMinutes(5).toNanos();
        sentinel.tick(now);
        assertEquals(List.of(), sentinel.down(SHARD));

        beSilent(Duration.ofMillis(900));
        assertEquals(List.of(), sentinel.down(SHARD));
        beSilent(Duration.ofMillis(200));
        assertEquals(List.of(A, B, C), sentinel.down(SHARD));
    }

    @Test
    void aPauseIsNoticedByWhateverComesFirst() {
        now += Duration.ofMinutes(5).toNanos();
        sentinel.receive(ALICE, new PreVoteRequest(CONFIGURATION, 2, false), now);

        assertEquals(Refusal.PRIMARY_UP, refusal(sentinel.ready(), ALICE));
        sentinel.tick(now);
        assertEquals(List.of(), sentinel.down(SHARD));
    }

    @Test
    void aPrimaryThatSaysItIsNoneIsDownAfterAWhile() {
        for (int i = 0; i < 60; i++) {
            report(A, false, 1, B);
            report(B, false, 1, A);
            report(C, false, 1, A);
            beSilent(Duration.ofMillis(10));
            assertEquals(
                    i * 10 + 10 >= SETTINGS.roleLimit().toMillis(),
                    sentinel.down(SHARD).equals(List.of(A)));
        }
    }

    @Test
    void aPrimaryThatANodeHasOutrunIsDownAfterAWhile() {
        report(C, false, 5, null);
        for (int i = 0; i < 60; i++) {
            report(A, true, 1, null);
            beSilent(Duration.ofMillis(10));
        }

        assertEquals(List.of(A), sentinel.down(SHARD));
    }

    @Test
    void aNodeThatLeadsALaterEpochIsThePrimary() {
        report(B, true, 4, null);
        Ready ready = sentinel.ready();

        ClusterTopology published = ready.published();
        assertNotNull(published);
        var shard = published.shard(SHARD);
        assertNotNull(shard);
        assertEquals(B, shard.primary());
        assertEquals(4, shard.epoch());
        assertNotNull(ready.toSave());
    }

    @Test
    void aLaterConfigurationIsTakenOverFromAnyMessage() {
        Configuration later = new Configuration(SHARD, 3, C);
        sentinel.receive(ALICE, new VoteAnswer(later, 2, Refusal.STALE_CONFIGURATION, 3), now);

        assertEquals(later, configuration());
        sentinel.receive(BOB, new Opinions(List.of(new Opinion(CONFIGURATION, false, 0))), now);
        assertEquals(later, configuration());
    }

    @Test
    void strangersAreIgnored() {
        sentinel.ready();
        ShardId unknown = new ShardId("unknown");
        sentinel.receive(new NodeId("stranger"), new VoteRequest(CONFIGURATION, 2), now);
        sentinel.receive(ME, new VoteRequest(CONFIGURATION, 2), now);
        sentinel.receive(ALICE, new VoteRequest(new Configuration(unknown, 1, A), 2), now);
        sentinel.receive(ALICE, new Opinions(List.of(new Opinion(new Configuration(unknown, 1, A), true, 0))), now);
        sentinel.receive(
                ALICE,
                new Opinions(List.of(new Opinion(new Configuration(SHARD, 9, new NodeId("nobody")), true, 0))),
                now);
        NodeReport foreign = new NodeReport(A, unknown, true, 7, null, LogPosition.START, true, 100);
        sentinel.answered(
                new NodeAnswer(new NodeCommand.Describe(SHARD), NodeAnswer.Outcome.WRONG_SHARD, foreign), now);

        assertEquals(new Ready(null, List.of(), List.of(), List.of(), null), sentinel.ready());
    }

    @Test
    void everyKindOfMessageIsUnderstood() {
        Map<Class<?>, SentinelMessage> samples = new LinkedHashMap<>();
        for (SentinelMessage sample : List.of(
                opinion(0),
                new PreVoteRequest(CONFIGURATION, 2, false),
                new PreVoteAnswer(CONFIGURATION, 2, null, 1),
                new VoteRequest(CONFIGURATION, 2),
                new VoteAnswer(CONFIGURATION, 2, null, 2))) {
            samples.put(sample.getClass(), sample);
        }
        for (Class<?> type : SentinelMessage.class.getPermittedSubclasses()) {
            for (Class<?> kind :
                    type == ElectionMessage.class ? type.getPermittedSubclasses() : new Class<?>[] {type}) {
                SentinelMessage sample = samples.get(kind);
                assertNotNull(sample, kind.getName());
                sentinel.receive(ALICE, sample, now);
            }
        }
        sentinel.checkInvariants();
    }

    @Test
    void withoutItsStateItAbstainsForAWhile() {
        sentinel = sentinel(null);
        beSilent(Duration.ofSeconds(1));
        sentinel.receive(ALICE, new VoteRequest(CONFIGURATION, 2), now);
        Ready ready = sentinel.ready();
        assertEquals(Refusal.ABSTAINING, refusal(ready, ALICE));
        SentinelState saved = ready.toSave();
        assertNotNull(saved);
        assertTrue(saved.abstaining());

        sentinel = sentinel(saved); // a restart does not shorten it
        beSilent(SETTINGS.abstention().minus(Duration.ofMillis(10)));
        sentinel.receive(ALICE, new VoteRequest(CONFIGURATION, 2), now);
        assertEquals(Refusal.ABSTAINING, refusal(sentinel.ready(), ALICE));
        beSilent(Duration.ofMillis(10));
        sentinel.receive(ALICE, new VoteRequest(CONFIGURATION, 2), now);
        assertNull(refusal(sentinel.ready(), ALICE));
        assertFalse(sentinel.state().abstaining());
    }

    @Test
    void aVoteThatComesTooLateElectsNobody() {
        standForElection();
        now += SETTINGS.electionTimeout().toNanos();
        sentinel.receive(ALICE, new VoteAnswer(CONFIGURATION, 2, null, 2), now);
        Ready ready = sentinel.ready();

        assertEquals(List.of(AbortReason.NOT_ELECTED), reasons(ready));
        assertEquals(List.of(), ready.commands());
        sentinel.checkInvariants();
    }

    @Test
    void aPreVoteThatComesTooLateUsesUpNoEpoch() {
        askForPreVotes();
        now += SETTINGS.electionTimeout().toNanos();
        sentinel.receive(ALICE, new PreVoteAnswer(CONFIGURATION, 2, null, 1), now);
        Ready ready = sentinel.ready();

        assertEquals(List.of(AbortReason.PRE_VOTE_LOST), reasons(ready));
        assertNull(ready.toSave());
    }

    @Test
    void promisesThatComeTooLateLetNobodyBePromoted() {
        standForElection();
        sentinel.receive(ALICE, new VoteAnswer(CONFIGURATION, 2, null, 2), now);
        promise(B);
        now += SETTINGS.attemptTimeout().toNanos();
        promise(C);
        Ready ready = sentinel.ready();

        assertEquals(List.of(AbortReason.TOO_FEW_NODES), reasons(ready));
        assertTrue(ready.commands().stream().noneMatch(each -> each.command() instanceof NodeCommand.Promote));
        sentinel.checkInvariants();
    }

    @Test
    void promisesInTimeLetANodeBePromoted() {
        standForElection();
        now += SETTINGS.electionTimeout().toNanos() - 1;
        sentinel.receive(ALICE, new VoteAnswer(CONFIGURATION, 2, null, 2), now);
        promise(B);
        now += SETTINGS.attemptTimeout().toNanos() - 1;
        promise(C);

        assertTrue(
                sentinel.ready().commands().stream().anyMatch(each -> each.command() instanceof NodeCommand.Promote));
    }

    @Test
    void aTopologyThatChangesTheNodesOfAShardIsRefused() {
        sentinel.ready();
        ClusterTopology slots = TOPOLOGY.apply(TOPOLOGY.version(), new TopologyChange.AssignSlots(SlotSet.ALL, SHARD));
        for (TopologyChange change : List.of(members(A, B, C, new NodeId("d")), members(A, B))) {
            assertFalse(sentinel.merge(slots.apply(slots.version(), change), now));
            Ready ready = sentinel.ready();

            assertEquals(List.of(new MergeRefused(now, ME, SHARD, 1)), ready.events());
            assertNull(ready.published());
            assertNull(ready.toSave());
            assertEquals(TOPOLOGY, sentinel.topology());
        }
        assertTrue(sentinel.merge(slots, now));
        assertEquals(slots, sentinel.topology());
    }

    private static TopologyChange members(NodeId... nodes) {
        return new TopologyChange.SetMembers(SHARD, new LogPosition(1, 1), List.of(nodes));
    }

    @Test
    void noShardIsTakenOverFromATopologyThatChangesTheNodesOfAnother() {
        ShardId added = new ShardId("added");
        ClusterTopology other = TOPOLOGY.apply(
                TOPOLOGY.version(),
                List.of(new TopologyChange.AddShard(added, 1, new NodeId("x"), List.of()), members(A, C)));

        assertFalse(sentinel.merge(other, now));
        assertNull(sentinel.topology().shard(added));
    }

    @Test
    void aPromotionElsewhereIsNoChangeOfTheNodes() {
        ClusterTopology promoted = TOPOLOGY.apply(TOPOLOGY.version(), new TopologyChange.Promote(SHARD, 2, C));

        assertTrue(sentinel.merge(promoted, now));
        assertEquals(new Configuration(SHARD, 2, C), configuration());
    }

    @Test
    void theLongestDurationsAreSurvived() {
        Duration day = SentinelSettings.MAX_DURATION;
        SentinelSettings longest = SETTINGS.withAskPeriod(day)
                .withRepairDelay(day)
                .withRoleLimit(day)
                .withAttemptTimeout(day)
                .withPauseLimit(day)
                .withAbstention(day)
                .withElectionTimeout(day);
        sentinel = start(longest, List.of(ME, ALICE, BOB), TOPOLOGY, null);
        sentinel.receive(ALICE, opinion(0), now);
        report(A, true, 1, null);
        report(B, false, 0, null);
        beSilent(Duration.ofSeconds(2));

        assertEquals(new QuorumCheck(2, 3, 2, 2), sentinel.quorumCheck(now));
    }

    @Test
    void theQuorumCheckCountsWhoHasBeenHeardLately() {
        assertEquals(new QuorumCheck(1, 3, 2, 2), sentinel.quorumCheck(now));
        assertFalse(sentinel.quorumCheck(now).majorityReachable());
        sentinel.receive(BOB, opinion(0), now);
        assertEquals(new QuorumCheck(2, 3, 2, 2), sentinel.quorumCheck(now));
        assertTrue(sentinel.quorumCheck(now).majorityReachable());
        now += 5 * SETTINGS.askPeriod().toNanos();
        assertFalse(sentinel.quorumCheck(now).quorumReachable());
    }

    @Test
    void wrongPartsAreRefused() {
        SentinelState state = SentinelState.initial(ME, TOPOLOGY);
        assertThrows(IllegalArgumentException.class, () -> start(SETTINGS, List.of(ALICE, BOB), TOPOLOGY, state));
        assertThrows(IllegalArgumentException.class, () -> start(SETTINGS, List.of(ME, ME, BOB), TOPOLOGY, state));
        assertThrows(IllegalArgumentException.class, () -> start(SETTINGS.withQuorum(2), List.of(ME), TOPOLOGY, state));
        assertThrows(
                IllegalArgumentException.class,
                () -> start(SETTINGS, List.of(ME, ALICE), TOPOLOGY, SentinelState.initial(ALICE, TOPOLOGY)));
    }

    /** Only the primary is silent, and another sentinel finds so too, until this one asks for pre-votes. */
    private void askForPreVotes() {
        for (long end = now + Duration.ofSeconds(3).toNanos(); now < end; ) {
            now += TICK;
            report(B, false, 1, A);
            report(C, false, 1, A);
            sentinel.receive(ALICE, opinion(0), now);
            sentinel.tick(now);
            if (sentinel.ready().messages().stream().anyMatch(each -> each.message() instanceof PreVoteRequest)) {
                return;
            }
        }
        throw new AssertionError("no pre-vote was asked for");
    }

    private void standForElection() {
        askForPreVotes();
        sentinel.receive(ALICE, new PreVoteAnswer(CONFIGURATION, 2, null, 1), now);
        assertTrue(sentinel.ready().messages().stream().anyMatch(each -> each.message() instanceof VoteRequest));
    }

    private void promise(NodeId node) {
        sentinel.answered(
                new NodeAnswer(
                        new NodeCommand.Fence(SHARD, 2),
                        NodeAnswer.Outcome.DONE,
                        new NodeReport(node, SHARD, false, 2, A, LogPosition.START, true, 100)),
                now);
    }

    private static List<AbortReason> reasons(Ready ready) {
        return ready.events().stream()
                .filter(FailoverAborted.class::isInstance)
                .map(event -> ((FailoverAborted) event).reason())
                .toList();
    }

    /** Time passes in ticks, and no node says anything. */
    private void beSilent(Duration duration) {
        for (long end = now + duration.toNanos(); now < end; ) {
            now += TICK;
            sentinel.tick(now);
            sentinel.checkInvariants();
        }
    }

    private void report(NodeId node, boolean primary, long epoch, @Nullable NodeId following) {
        sentinel.answered(
                new NodeAnswer(
                        new NodeCommand.Describe(SHARD),
                        NodeAnswer.Outcome.DONE,
                        new NodeReport(node, SHARD, primary, epoch, following, LogPosition.START, true, 100)),
                now);
    }

    private static Opinions opinion(long leading) {
        return new Opinions(List.of(new Opinion(CONFIGURATION, true, leading)));
    }

    private Configuration configuration() {
        return sentinel.state().shards().get(0).configuration();
    }

    private static @Nullable Refusal refusal(Ready ready, NodeId to) {
        for (Envelope envelope : ready.messages()) {
            if (envelope.to().equals(to) && envelope.message() instanceof VoteAnswer answer) {
                return answer.refusal();
            }
            if (envelope.to().equals(to) && envelope.message() instanceof PreVoteAnswer answer) {
                return answer.refusal();
            }
        }
        throw new AssertionError("no answer to " + to + " in " + ready.messages());
    }

    private Sentinel sentinel(@Nullable SentinelState state) {
        return start(SETTINGS, List.of(ME, ALICE, BOB), TOPOLOGY, state);
    }

    private Sentinel start(
            SentinelSettings settings,
            List<NodeId> sentinels,
            ClusterTopology topology,
            @Nullable SentinelState state) {
        return new Sentinel(settings, ME, sentinels, topology, state, new SplittableRandom(1), now);
    }
}
