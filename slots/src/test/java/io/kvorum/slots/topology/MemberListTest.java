package io.kvorum.slots.topology;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class MemberListTest {
    private static final Member A = new Member(new NodeId("a"), 0x1a);
    private static final Member A_ANEW = new Member(new NodeId("a"), 0x2a);
    private static final Member B = new Member(new NodeId("b"), 0x1b);
    private static final Member C = new Member(new NodeId("c"), -1);
    private static final MemberList LIST = MemberList.of(C, A, B);

    @Test
    void memberIsWrittenAsNodeAndIncarnation() {
        assertEquals("a#1a", A.toString());
        assertEquals("c#ffffffffffffffff", C.toString());
        assertThrows(IllegalArgumentException.class, () -> new Member(new NodeId("a"), 0));
    }

    @Test
    void membersAreOrderedByNodeThenIncarnation() {
        assertTrue(B.compareTo(A_ANEW) > 0);
        assertTrue(A.compareTo(A_ANEW) < 0);
        assertEquals(0, A.compareTo(new Member(new NodeId("a"), 0x1a)));
    }

    @Test
    void listIsSortedWhateverTheOrderGiven() {
        assertEquals(List.of(A, B, C), LIST.members());
        assertEquals(List.of(A.node(), B.node(), C.node()), LIST.nodes());
        assertEquals("[a#1a, b#1b, c#ffffffffffffffff]", LIST.toString());
        assertEquals(LIST, MemberList.of(B, C, A));
        assertEquals(LIST.hashCode(), MemberList.of(B, C, A).hashCode());
        assertNotEquals(LIST, MemberList.of(A_ANEW, B, C));
    }

    @Test
    void listDoesNotFollowItsSource() {
        List<Member> source = new ArrayList<>(List.of(A, B));
        MemberList list = new MemberList(source);
        source.add(C);

        assertEquals(2, list.size());
        assertThrows(UnsupportedOperationException.class, () -> list.members().add(C));
    }

    @Test
    void listHas1To64Members() {
        List<Member> members = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            members.add(new Member(new NodeId("n" + i), 1));
        }
        assertEquals(64, new MemberList(members).size());
        members.add(A);

        assertRefused("member list must have 1 to 64 members: it has 65", () -> new MemberList(members));
        assertRefused("member list must have 1 to 64 members: it has 0", MemberList::of);
    }

    @Test
    void nodeIsListedOnce() {
        assertRefused("node must be listed once: a#1a and a#2a", () -> MemberList.of(B, A_ANEW, A));
    }

    @Test
    void memberIsFoundByItsNode() {
        assertEquals(B, LIST.member(B.node()));
        assertNull(LIST.member(new NodeId("d")));
    }

    @Test
    void otherIncarnationIsNotContained() {
        assertTrue(LIST.contains(A));
        assertFalse(LIST.contains(A_ANEW));
        assertFalse(LIST.contains(new Member(new NodeId("d"), 1)));
    }

    @Test
    void newIncarnationReplacesTheFormerOne() {
        assertEquals(MemberList.of(A_ANEW, B, C), LIST.withIncarnation(A_ANEW));
        assertRefused(
                "node must be in the list [b#1b]: a", () -> MemberList.of(B).withIncarnation(A));
    }

    @Test
    void nodeIsReplaced() {
        Member d = new Member(new NodeId("d"), 4);

        assertEquals(MemberList.of(A, C, d), LIST.replacing(B.node(), d));
        assertRefused(
                "node must be in the list [a#1a]: b", () -> MemberList.of(A).replacing(B.node(), d));
        assertRefused("node must be listed once: a#1a and a#2a", () -> LIST.replacing(B.node(), A_ANEW));
    }

    @Test
    void membersComeAndGo() {
        assertEquals(LIST, MemberList.of(A, C).with(B));
        assertEquals(MemberList.of(A, C), LIST.without(B.node()));
        assertRefused("node must be listed once: a#1a and a#2a", () -> LIST.with(A_ANEW));
        assertRefused(
                "node must be in the list [a#1a]: b", () -> MemberList.of(A).without(B.node()));
        assertRefused(
                "member list must have 1 to 64 members: it has 0",
                () -> MemberList.of(A).without(A.node()));
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "2, 2", "3, 2", "4, 3", "5, 3", "6, 4", "7, 4", "63, 32", "64, 33"})
    void majorityIsMoreThanHalf(int size, int majority) {
        List<Member> members = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            members.add(new Member(new NodeId("n" + i), 1));
        }

        assertEquals(majority, new MemberList(members).majority());
    }

    private static void assertRefused(String message, Executable call) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, call);

        assertEquals(message, e.getMessage());
    }
}
