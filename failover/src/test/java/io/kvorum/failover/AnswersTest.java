package io.kvorum.failover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.failover.SentinelFact.Obstacle;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.Member;
import io.kvorum.slots.topology.MemberList;
import io.kvorum.slots.topology.Membership;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.ShardId;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Who counts, for whom, and who may lead. */
final class AnswersTest {
    private static final NodeId A = new NodeId("a");
    private static final NodeId B = new NodeId("b");
    private static final NodeId C = new NodeId("c");
    private static final NodeId D = new NodeId("d");
    private static final MemberList ABC = MemberList.of(new Member(A, 1), new Member(B, 1), new Member(C, 1));
    private static final MemberList ABD = MemberList.of(new Member(A, 1), new Member(B, 1), new Member(D, 1));
    private static final Membership OLD = Membership.committed(ABC);

    @Test
    void twoOfThreeCompleteMembersAreAMajority() {
        assertEquals(
                true,
                answers(report(A, 1, 5, true, OLD), report(B, 1, 5, true, OLD)).isCompleteMajority());
        assertEquals(false, answers(report(A, 1, 5, true, OLD)).isCompleteMajority());
    }

    @Test
    void anIncompleteMemberDoesNotCount() {
        assertEquals(
                false,
                answers(report(A, 1, 5, true, OLD), report(B, 1, 5, false, OLD)).isCompleteMajority());
    }

    /** Its data is not what its log says; it had the greatest position and would lead. */
    @Test
    void anIncompleteMemberIsNotChosenAmong() {
        Answers answers = answers(report(A, 1, 5, true, OLD), report(B, 1, 5, true, OLD), report(C, 1, 6, false, OLD));

        assertEquals(
                List.of(A, B),
                answers.candidates().stream().map(NodeReport::node).sorted().toList());
    }

    @Test
    void anotherIncarnationDoesNotCount() {
        assertEquals(
                false,
                answers(report(A, 1, 5, true, OLD), report(B, 2, 5, true, OLD)).isCompleteMajority());
    }

    @Test
    void aNodeCountsOnceHoweverOftenItAnswers() {
        assertEquals(
                false,
                answers(report(A, 1, 5, true, OLD), report(A, 1, 6, true, OLD)).isCompleteMajority());
    }

    @Test
    void anUncommittedListNeedsAMajorityOfBoth() {
        Membership joint = new Membership(ABD, ABC);
        assertEquals(
                false,
                answers(report(A, 1, 6, true, joint), report(D, 1, 6, true, joint))
                        .isCompleteMajority());
        assertEquals(
                true,
                answers(report(A, 1, 6, true, joint), report(B, 1, 5, true, OLD))
                        .isCompleteMajority());
    }

    @Test
    void aListThatAnyCompleteNodeKnowsToBeCommittedCountsAlone() {
        Membership joint = new Membership(ABD, ABC);
        Membership alone = Membership.committed(ABD);
        NodeReport ahead = report(A, 1, 6, true, joint);
        NodeReport knowing = report(D, 1, 5, true, alone);

        assertEquals(alone, Answers.newest(List.of(ahead, knowing)));
        assertEquals(1, answers(ahead, knowing).committed(ahead));
        assertEquals(5, answers(ahead, knowing).committed(knowing));
    }

    @Test
    void onlyACompleteNodeWithTheSameListKnowsThatItIsCommitted() {
        Membership joint = new Membership(ABD, ABC);
        NodeReport ahead = report(A, 1, 6, true, joint);
        NodeReport incomplete = report(D, 1, 5, false, Membership.committed(ABD));
        NodeReport other = with(report(B, 1, 5, true, OLD), new LogPosition(1, 2), 100);

        assertEquals(joint, Answers.newest(List.of(ahead, incomplete, other)));
        assertEquals(-1, answers(ahead, incomplete, other).committed(ahead));
    }

    @Test
    void theNewestListIsThatOfTheGreatestPosition() {
        Membership changed = Membership.committed(ABD);
        List<NodeReport> reports = List.of(report(C, 1, 5, true, OLD), report(A, 1, 6, true, changed));

        assertEquals(changed, Answers.newest(reports));
        assertNull(Answers.newest(List.of(report(C, 1, 9, false, OLD), report(B, 1, 0, true, null))));
    }

    @Test
    void onlyMembersOfTheNewestListMayLead() {
        Answers answers = answers(
                report(C, 1, 5, true, OLD),
                report(A, 1, 6, true, Membership.committed(ABD)),
                report(B, 1, 4, true, OLD));

        assertEquals(
                List.of(A, B),
                answers.candidates().stream().map(NodeReport::node).sorted().toList());
    }

    @Test
    void theProspectNamesWhoIsMissingAndWhoIsIncomplete() {
        List<NodeReport> fresh = List.of(report(B, 1, 5, true, OLD), report(C, 1, 5, false, OLD));

        assertEquals(
                new Prospect(Obstacle.TOO_FEW_MEMBERS, List.of(A), List.of(C)),
                Prospect.of(Prospect.Kind.FAILOVER, List.of(A, B, C), fresh));
        assertEquals(
                new Prospect(null, List.of(A), List.of(C)),
                Prospect.of(Prospect.Kind.LOSSY_FAILOVER, List.of(A, B, C), fresh));
    }

    @Test
    void withoutAMemberListThereIsNoProspect() {
        assertEquals(
                new Prospect(Obstacle.NO_MEMBER_LIST, List.of(B), List.of(A)),
                Prospect.of(Prospect.Kind.FAILOVER, List.of(A, B), List.of(report(A, 1, 0, true, null))));
    }

    /** Only a switchover may count on the replicas to catch up, and only a lossy failover on what is lost. */
    @Test
    void aFailoverNeedsAnEligibleMemberThatHasTheMost() {
        NodeReport ahead = with(report(B, 1, 6, true, OLD), new LogPosition(1, 1), 0);
        List<NodeReport> fresh = List.of(report(A, 1, 5, true, OLD), ahead);

        assertEquals(
                Obstacle.NO_ELIGIBLE_MEMBER,
                Prospect.of(Prospect.Kind.FAILOVER, List.of(A, B, C), fresh).obstacle());
        assertTrue(Prospect.of(Prospect.Kind.LOSSY_FAILOVER, List.of(A, B, C), fresh)
                .isGood());
        assertTrue(
                Prospect.of(Prospect.Kind.SWITCHOVER, List.of(A, B, C), fresh).isGood());
    }

    @Test
    void theGreatestPositionLeadsWhateverItsPriority() {
        NodeReport ahead = report(B, 1, 6, true, OLD);
        NodeReport behind = report(A, 1, 5, true, OLD);

        assertEquals(ahead, new Selection(null, null, null, Set.of(), false).choose(List.of(behind, ahead)));
        assertEquals(ahead, new Selection(null, A, B, Set.of(), false).choose(List.of(behind, ahead)));
    }

    /** A majority may have acknowledged what only it has; unless losses are allowed, nobody leads without that. */
    @Test
    void aNodeOfPriorityZeroHasItsSay() {
        NodeReport ahead = with(report(B, 1, 6, true, OLD), new LogPosition(1, 1), 0);
        NodeReport behind = report(A, 1, 5, true, OLD);

        assertNull(new Selection(null, null, null, Set.of(), false).choose(List.of(behind, ahead)));
        assertEquals(behind, new Selection(null, null, null, Set.of(), true).choose(List.of(behind, ahead)));
    }

    @Test
    void amongEqualsTheOutgoingPrimaryIsAvoidedAndTheFormerKept() {
        NodeReport a = report(A, 1, 5, true, OLD);
        NodeReport b = report(B, 1, 5, true, OLD);

        assertEquals(a, new Selection(null, null, null, Set.of(), false).choose(List.of(b, a)));
        assertEquals(b, new Selection(null, null, A, Set.of(), false).choose(List.of(a, b)));
        assertEquals(b, new Selection(null, B, null, Set.of(), false).choose(List.of(a, b)));
    }

    @Test
    void aTargetIsPreferredWhateverItsPriorityButNotToMoreData() {
        NodeReport a = report(A, 1, 5, true, OLD);
        NodeReport target = with(report(B, 1, 5, true, OLD), a.position(), a.priority() + 1);

        assertEquals(target, new Selection(B, null, A, Set.of(), false).choose(List.of(a, target)));
        assertEquals(a, new Selection(B, null, null, Set.of(), false).choose(List.of(report(B, 1, 4, true, OLD), a)));
    }

    @Test
    void whoeverWasDeposedOfLateComesAfterOthersOfItsPriority() {
        NodeReport a = report(A, 1, 5, true, OLD);
        NodeReport b = report(B, 1, 5, true, OLD);
        NodeReport later = with(b, b.position(), b.priority() + 1);
        NodeReport behind = report(B, 1, 4, true, OLD);
        Selection selection = new Selection(null, null, null, Set.of(A), false);

        assertEquals(b, selection.choose(List.of(a, b)));
        assertEquals(a, selection.choose(List.of(a, later)));
        assertEquals(a, selection.choose(List.of(a, behind)));
        assertEquals(a, selection.choose(List.of(a)));
    }

    private static Answers answers(NodeReport... reports) {
        Answers answers = new Answers();
        for (NodeReport report : reports) {
            answers.add(report);
        }
        return answers;
    }

    private static NodeReport with(NodeReport report, LogPosition membersAt, int priority) {
        return new NodeReport(
                report.node(),
                report.shard(),
                report.incarnation(),
                report.primary(),
                report.epoch(),
                report.following(),
                report.position(),
                report.committed(),
                report.complete(),
                report.begun(),
                report.membership(),
                membersAt,
                report.joining(),
                priority);
    }

    private static NodeReport report(
            NodeId node, long incarnation, long offset, boolean complete, @Nullable Membership membership) {
        return new NodeReport(
                node,
                new ShardId("s"),
                incarnation,
                false,
                7,
                null,
                new LogPosition(offset == 0 ? 0 : 1, offset),
                membership == null || membership.previous() != null ? -1 : offset,
                complete,
                true,
                membership,
                membership == null ? LogPosition.START : new LogPosition(1, 1),
                List.of(),
                100);
    }
}
