package io.kvorum.replication;

import static io.kvorum.replication.TestShard.A;
import static io.kvorum.replication.TestShard.B;
import static io.kvorum.replication.TestShard.C;
import static io.kvorum.replication.TestShard.SENTINEL;
import static io.kvorum.replication.TestShard.epoch;
import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.replication.ControlAnswer.Outcome;
import io.kvorum.slots.topology.Membership;
import io.kvorum.slots.topology.NodeId;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Who counts, and how that changes. */
final class MembershipChangeTest extends ShardTest {
    private static final NodeId D = new NodeId("d");

    /**
     * A node that lost its promise with its data must not count: were it promoted, or counted, a write that a majority
     * had acknowledged could be gone.
     */
    @Test
    void aNodeThatLostItsPromiseCountsForNothing() {
        shard.isolate(C);
        a.write("acknowledged", "yes");
        long request = request(a, Acknowledgement.MAJORITY);
        shard.step();
        assertEquals("ACKNOWLEDGED", outcome(request));

        shard.lost = sent -> true;
        b.restartWithoutPromise();
        shard.fence(2, B, C);
        assertFalse(b.status().complete());
        assertFalse(b.status().begun());
        assertEquals(Outcome.NOT_COMPLETE, shard.promote(B, 2));
        Membership membership = requireNonNull(c.status().membership());
        assertFalse(membership.isMember(b.member()));
        assertFalse(membership.isMajority(m -> m.equals(b.member()) || m.equals(c.member())));
    }

    @Test
    void aNodeThatLostItsPromiseIsTakenInAgain() {
        a.write("key", "value");
        shard.settle();
        c.restartWithoutPromise();
        shard.settle();

        shard.assertEqual();
        Membership expected = Membership.committed(shard.members(A, B, C));
        for (TestShard.Node node : shard.nodes.values()) {
            assertEquals(expected, node.status().membership());
        }
        assertEquals(
                List.of(new ReplicationEvent.MembersChanged(A, shard.members(A, B, C))),
                shard.events(ReplicationEvent.MembersChanged.class));
        shard.isolate(B); // and counts
        a.write("key", "later");
        long request = request(a, Acknowledgement.MAJORITY);
        shard.settle();
        assertEquals("ACKNOWLEDGED", outcome(request));
    }

    /** Two nodes lost their promises: one list change after the other. */
    @Test
    void changesComeOneAtATime() {
        use(new TestShard(A, B, C, D, new NodeId("e")));
        b.restartWithoutPromise();
        c.restartWithoutPromise();
        shard.settle();

        assertEquals(2, shard.events(ReplicationEvent.MembersChanging.class).size());
        assertEquals(2, shard.events(ReplicationEvent.MembersChanged.class).size());
        assertEquals(
                Membership.committed(shard.members(A, B, C, D, new NodeId("e"))),
                a.status().membership());
    }

    /** A change counts in both lists: the new incarnation and the primary alone do not commit it. */
    @Test
    void aChangeNeedsBothMajorities() {
        shard.isolate(B);
        c.restartWithoutPromise();
        shard.settle();
        assertEquals(1, shard.events(ReplicationEvent.MembersChanging.class).size());
        assertTrue(shard.events(ReplicationEvent.MembersChanged.class).isEmpty());
        assertNotNull(requireNonNull(a.status().membership()).previous());

        shard.heal();
        shard.settle();
        assertEquals(1, shard.events(ReplicationEvent.MembersChanged.class).size());
    }

    @Test
    void aMemberIsReplacedByAnotherNode() {
        a.write("key", "value");
        shard.settle();
        TestShard.Node d = shard.add(D);
        shard.isolate(C);
        assertEquals(Outcome.DONE, a.node.replace(epoch(1), C, D).outcome());
        shard.settle();

        assertEquals(a.end(), d.end());
        assertEquals(Membership.committed(shard.members(A, B, D)), a.status().membership());
        assertEquals(2, a.status().replicas().size());
        shard.elect(D, 2, B, D); // the newcomer counts as any member
        shard.settle();
        assertEquals(NodeRole.PRIMARY, d.status().role());
        shard.heal();
        shard.settle();
        assertEquals(epoch(1), c.status().epoch()); // nobody feeds the node that was replaced
    }

    /** A former primary that nobody knows any more is still told that it is over. */
    @Test
    void aFormerPrimaryThatWasReplacedStops() {
        TestShard.Node d = shard.add(D);
        shard.isolate(A);
        shard.elect(B, 2, B, C);
        shard.settle();
        assertEquals(Outcome.DONE, b.node.replace(epoch(2), A, D).outcome());
        shard.settle();
        assertEquals(Membership.committed(shard.members(B, C, D)), b.status().membership());
        assertEquals(NodeRole.PRIMARY, a.status().role());
        long strays = b.status().strays();
        shard.heal();
        shard.settle();

        assertEquals(NodeRole.REPLICA, a.status().role());
        assertFalse(a.status().writable());
        assertTrue(b.status().strays() > strays);
        assertEquals(d.end(), b.end());
    }

    /** The newcomer counts for nothing before it is in the list. */
    @Test
    void aNewcomerDoesNotAcknowledgeBeforeItIsAMember() {
        shard.add(D);
        a.node.replace(epoch(1), C, D);
        shard.lost = sent -> sent.from().equals(B) || sent.from().equals(C);
        a.write("key", "value");
        long majority = request(a, Acknowledgement.MAJORITY);
        long one = request(a, Acknowledgement.replicas(1));
        shard.step();

        assertEquals(a.end(), shard.node(D).end());
        assertEquals("WAITING", outcome(majority));
        assertEquals(
                0,
                a.status().replicas().stream()
                        .filter(r -> r.node().equals(B))
                        .mapToInt(r -> 0)
                        .sum());
        shard.heal();
        shard.settle();
        assertEquals("ACKNOWLEDGED", outcome(majority));
        assertEquals("ACKNOWLEDGED", outcome(one));
    }

    @Test
    void aReplacementWhoseNewcomerNeverCameGivesWayToAnother() {
        NodeId nobody = new NodeId("nobody");
        assertEquals(Outcome.DONE, a.node.replace(epoch(1), C, nobody).outcome());
        shard.settle();
        shard.add(D);
        assertEquals(Outcome.DONE, a.node.replace(epoch(1), C, D).outcome());
        shard.settle();

        assertEquals(Membership.committed(shard.members(A, B, D)), a.status().membership());
    }

    @Test
    void aReplacementWhoseNewcomerNeverCameIsGivenUpInTime() {
        NodeId nobody = new NodeId("nobody");
        use(new TestShard(TestShard.SETTINGS.withReplaceTimeout(Duration.ofSeconds(3)), 1 << 16, A, B, C));
        assertEquals(Outcome.DONE, a.node.replace(epoch(1), C, nobody).outcome());
        for (int i = 0; i < 29; i++) {
            shard.advance(Duration.ofMillis(100));
        }
        assertEquals(List.of(), shard.events(ReplicationEvent.ReplacementGivenUp.class));
        shard.advance(Duration.ofMillis(100));

        assertEquals(
                List.of(new ReplicationEvent.ReplacementGivenUp(A, C, nobody, "PROBING")),
                shard.events(ReplicationEvent.ReplacementGivenUp.class));
        assertEquals(2, a.status().replicas().size());
        assertEquals(Membership.committed(shard.members(A, B, C)), a.status().membership());
        assertEquals(Outcome.DONE, a.node.replace(epoch(1), C, nobody).outcome()); // begins anew
        assertEquals(3, a.status().replicas().size());
    }

    /** A node that was named when the shard was begun anew, and never comes back. */
    @Test
    void aNodeThatIsToJoinIsReplacedByAnother() {
        shard.fence(2, A, B);
        shard.isolate(C);
        a.node.begin(epoch(2), SENTINEL, shard.members(A), List.of(B, C), true, shard.now);
        shard.collect(a);
        shard.settle();
        shard.add(D);
        assertEquals(Outcome.DONE, a.node.replace(epoch(2), C, D).outcome());
        shard.settle();

        assertEquals(Membership.committed(shard.members(A, B, D)), a.status().membership());
        assertEquals(List.of(), a.status().joining());
        assertEquals(Outcome.DONE, a.node.replace(epoch(2), C, D).outcome()); // repeated
        assertEquals(2, a.status().replicas().size());
    }

    @Test
    void replacementsAreRefusedWhereTheyMakeNoSense() {
        assertEquals(Outcome.NOT_PRIMARY, b.node.replace(epoch(1), C, D).outcome());
        assertEquals(Outcome.STALE_EPOCH, a.node.replace(1, C, D).outcome());
        assertEquals(
                Outcome.NOT_MEMBER, a.node.replace(epoch(1), D, new NodeId("e")).outcome());
        assertEquals(Outcome.NOT_MEMBER, a.node.replace(epoch(1), A, D).outcome());
        assertEquals(Outcome.NOT_MEMBER, a.node.replace(epoch(1), B, C).outcome());
    }

    /** The list changes only after the leadership's own first record is committed. */
    @Test
    void aNewPrimaryChangesNothingBeforeItsFirstCommit() {
        c.restartWithoutPromise();
        shard.lost = sent -> true;
        shard.elect(B, 2, A, B);
        shard.lost = sent -> sent.to().equals(A) || sent.from().equals(A);
        shard.settle();
        assertTrue(c.status().complete());
        assertTrue(shard.events(ReplicationEvent.MembersChanging.class).isEmpty());

        shard.heal();
        shard.settle();
        assertEquals(Membership.committed(shard.members(A, B, C)), b.status().membership());
    }

    /** A change that the old primary began and the new one inherits counts in both lists until it is committed. */
    @Test
    void anInheritedChangeIsCommittedByTheNextPrimary() {
        shard.isolate(B);
        c.restartWithoutPromise();
        shard.settle();
        assertEquals(1, shard.events(ReplicationEvent.MembersChanging.class).size());
        shard.lost = sent -> true;
        shard.elect(A, 2, A, B, C);
        assertEquals(
                shard.members(A, B, C), requireNonNull(a.status().membership()).current());
        shard.isolate(B);
        shard.settle();
        assertTrue(shard.events(ReplicationEvent.MembersChanged.class).isEmpty());
        shard.heal();
        shard.settle();
        assertNull(requireNonNull(a.status().membership()).previous());
        shard.assertEqual();
    }

    /** Nodes forget over a restart that their list is committed; the next primary is told by whoever knows it. */
    @Test
    void aPrimaryThatIsToldThatItsListIsCommittedCountsItAlone() {
        c.restartWithoutPromise();
        shard.settle();
        long at = c.status().membersAt().offset();
        assertTrue(a.status().committed() >= at);
        c.restartWithData();
        b.restartEmpty(); // of the list before, a alone is left
        shard.lost = sent -> true;
        shard.fence(2, A, C);
        assertNotNull(requireNonNull(c.status().membership()).previous());

        assertEquals(Outcome.DONE, shard.promote(C, 2, at));
        assertEquals(Membership.committed(shard.members(A, B, C)), c.status().membership());
        shard.isolate(B);
        shard.settle();
        assertEquals(c.end().offset(), c.status().committed());
    }

    @Test
    void nothingIsCommittedThatTheLogDoesNotHave() {
        shard.fence(2, A, B);

        assertEquals(Outcome.WRONG_POSITION, shard.promote(B, 2, b.end().offset() + 1));
        assertEquals(Outcome.DONE, shard.promote(B, 2, b.end().offset()));
    }

    /** A late answer of the incarnation that was lost must not bring it back into the list. */
    @Test
    void aLateAnswerOfTheLostIncarnationChangesNothing() {
        shard.now += TestShard.REST.toNanos();
        shard.nodes.values().forEach(shard::tick);
        List<TestShard.Sent> toC =
                shard.network.stream().filter(s -> s.to().equals(C)).toList();
        shard.network.removeAll(toC);
        shard.step();
        toC.forEach(shard::deliver);
        List<TestShard.Sent> late = List.copyOf(shard.network);
        shard.network.clear();
        c.restartWithoutPromise();
        shard.settle();
        int changes = shard.events(ReplicationEvent.MembersChanging.class).size();
        late.forEach(shard::deliver);
        shard.settle();

        assertEquals(
                changes, shard.events(ReplicationEvent.MembersChanging.class).size());
        assertEquals(Membership.committed(shard.members(A, B, C)), a.status().membership());
    }

    /**
     * A dead incarnation must not come back by an answer of its own that is late, even if the present one has answered
     * an older message last.
     */
    @Test
    void aDeadIncarnationIsNotHeardAnyMore() {
        List<TestShard.Sent> older = heartbeatsToC();
        heartbeatsToC().forEach(shard::deliver);
        List<TestShard.Sent> late = List.copyOf(shard.network);
        shard.network.clear();
        c.restartWithoutPromise();
        shard.settle();
        assertEquals(Membership.committed(shard.members(A, B, C)), a.status().membership());

        c.restartEmpty();
        older.forEach(shard::deliver); // the new life answers what was said long ago
        List<TestShard.Sent> answers = List.copyOf(shard.network);
        shard.network.clear();
        answers.forEach(shard::deliver);
        assertFalse(a.feeds(C).complete());
        late.forEach(shard::deliver);
        assertFalse(a.feeds(C).complete());

        shard.settle();
        shard.assertEqual();
    }

    /** The same of an earlier life: the data that it acknowledged is gone. */
    @Test
    void anEarlierLifeIsNotHeardAnyMore() {
        List<TestShard.Sent> older = heartbeatsToC();
        heartbeatsToC().forEach(shard::deliver);
        List<TestShard.Sent> late = List.copyOf(shard.network);
        shard.network.clear();
        c.restartEmpty();
        older.forEach(shard::deliver);
        List<TestShard.Sent> answers = List.copyOf(shard.network);
        shard.network.clear();
        answers.forEach(shard::deliver);
        late.forEach(shard::deliver);

        assertFalse(a.feeds(C).complete());
        assertEquals(-1, a.feeds(C).acknowledged());
    }

    /** Of an incarnation that is heard for the first time nobody knows whether it is still there. */
    @Test
    void anIncarnationIsTakenInOnlyIfItAnswersAgain() {
        c.restartWithoutPromise();
        shard.lost = sent -> true;
        shard.elect(B, 2, A, B);
        shard.lost = sent -> sent.to().equals(A) || sent.from().equals(A);
        shard.settle();
        assertTrue(c.status().complete()); // and not taken in: nothing is committed
        shard.lost = sent -> true;
        shard.elect(B, 3, A, B, C);
        shard.network.clear();
        shard.now += Duration.ofMillis(100).toNanos();
        shard.tick(b);
        List<TestShard.Sent> toC =
                shard.network.stream().filter(s -> s.to().equals(C)).toList();
        shard.heal();
        shard.network.removeAll(toC);
        toC.forEach(shard::deliver);
        List<TestShard.Sent> late =
                shard.network.stream().filter(s -> s.from().equals(C)).toList();
        shard.network.removeAll(late);
        shard.isolate(C); // it is gone
        shard.settle();
        assertEquals(b.end().offset(), b.status().committed());
        shard.heal();
        assertEquals(1, late.size());
        late.forEach(shard::deliver);
        shard.isolate(C);
        shard.settle();

        assertEquals(List.of(), shard.events(ReplicationEvent.MembersChanging.class));
    }

    private List<TestShard.Sent> heartbeatsToC() {
        shard.now += TestShard.REST.toNanos();
        shard.nodes.values().forEach(shard::tick);
        List<TestShard.Sent> toC =
                shard.network.stream().filter(s -> s.to().equals(C)).toList();
        shard.network.removeAll(toC);
        shard.step();
        return toC;
    }

    /**
     * A bystander: one node of three takes its full sync while the sentinels fence. The machine's answers let them see.
     */
    @Test
    void anIncompleteMemberIsSeenInTheAnswers() {
        c.restartEmpty();
        ControlAnswer answer = c.node.fence(epoch(2), SENTINEL);
        shard.collect(c);

        assertEquals(Outcome.DONE, answer.outcome());
        assertFalse(answer.status().complete());
        assertTrue(answer.status().begun());
        assertNull(answer.status().membership());
    }
}
