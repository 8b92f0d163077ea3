package io.kvorum.slots.topology;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Members are written as letters here: a letter is a node, and its case the incarnation. */
final class MembershipTest {
    @ParameterizedTest
    @CsvSource({
        "a, '', false",
        "a, a, true",
        "a, A, false",
        "ab, a, false",
        "ab, ab, true",
        "abc, a, false",
        "abc, ac, true",
        "abc, aB, false",
        "abc, axyz, false",
        "abcd, ab, false",
        "abcd, abd, true",
        "abcde, ab, false",
        "abcde, ace, true",
        "abcdef, abc, false",
        "abcdef, acdf, true",
        "abcdefg, abc, false",
        "abcdefg, adfg, true"
    })
    void majorityIsMoreThanHalfOfTheList(String list, String has, boolean expected) {
        assertEquals(expected, committed(list).isMajority(member -> has.contains(letter(member))));
    }

    @ParameterizedTest
    @CsvSource({
        // a new incarnation
        "abC, abc, ab, true",
        "abC, abc, aC, false",
        "abC, abc, ac, false",
        "abC, abc, bcC, true",
        // a node more
        "abcd, abc, ab, false",
        "abcd, abc, abd, true",
        "abcd, abc, ad, false",
        // a node less
        "abc, abcd, ab, false",
        "abc, abcd, abd, true",
        "abc, abcd, acd, true",
        "abc, abcd, abc, true",
        // from one to two and back
        "ab, a, a, false",
        "ab, a, b, false",
        "ab, a, ab, true",
        "a, ab, a, false",
        "a, ab, b, false",
        "a, ab, ab, true",
        // nothing in common
        "de, abc, ab, false",
        "de, abc, de, false",
        "de, abc, abde, true"
    })
    void majorityIsOneOfBothLists(String current, String previous, String has, boolean expected) {
        assertEquals(expected, joint(current, previous).isMajority(member -> has.contains(letter(member))));
    }

    @ParameterizedTest
    @CsvSource({
        "a, 5, 5",
        "ab, 57, 5",
        "abc, 579, 7",
        "abc, 995, 9",
        "abcd, 1357, 3",
        "abcd, 7531, 3",
        "abcde, 13579, 5",
        "abcdef, 123456, 3",
        "abcdefg, 7654321, 4"
    })
    void majorityValueIsReachedByAMajority(String list, String values, long expected) {
        Membership membership = committed(list);

        assertEquals(expected, membership.majorityValue(values(list, values)::get));
    }

    @ParameterizedTest
    @CsvSource({
        "abC, abc, abcC, 9900, 9",
        "abC, abc, abcC, 9077, 7",
        "abC, abc, abcC, 9007, 0",
        "abcd, abc, abcd, 9940, 4",
        "a, abc, abc, 901, 1",
        "abc, a, abc, 199, 1",
        "de, abc, abcde, 13579, 3",
        "de, abc, abcde, 79513, 1"
    })
    void majorityValueIsTheLowerOneOfBothLists(
            String current, String previous, String all, String values, long expected) {
        assertEquals(expected, joint(current, previous).majorityValue(values(all, values)::get));
    }

    /** The definitions, on all lists of up to five of five nodes, each with each, and all subsets of the nodes. */
    @Test
    void majoritiesAreAsDefined() {
        List<String> lists = new ArrayList<>();
        for (int bits = 1; bits < 32; bits++) {
            lists.add(letters(bits));
        }
        for (String current : lists) {
            for (String previous : lists) {
                Membership joint = joint(current, previous);
                for (int bits = 0; bits < 32; bits++) {
                    String has = letters(bits);
                    boolean expected = isMajority(current, has) && isMajority(previous, has);

                    assertEquals(expected, joint.isMajority(member -> has.contains(letter(member))), () -> joint + has);
                    assertEquals(
                            isMajority(current, has),
                            committed(current).isMajority(member -> has.contains(letter(member))),
                            () -> current + has);
                }
            }
        }
    }

    @Test
    void majorityValueIsTheGreatestThatAMajorityReaches() {
        String nodes = "abcde";
        for (int combination = 0; combination < 243; combination++) { // 3 values for each of 5 nodes
            Map<Member, Long> values = new TreeMap<>();
            for (int i = 0, rest = combination; i < nodes.length(); i++, rest /= 3) {
                values.put(member(nodes.charAt(i)), (long) (rest % 3));
            }
            for (int bits = 1; bits < 32; bits++) {
                Membership joint = joint("abc", letters(bits));
                long value = joint.majorityValue(values::get);

                assertTrue(joint.isMajority(member -> values.getOrDefault(member, -1L) >= value), joint + " " + values);
                assertFalse(joint.isMajority(member -> values.getOrDefault(member, -1L) > value), joint + " " + values);
            }
        }
    }

    @Test
    void twoMajoritiesOfNeighbouringListsMeet() {
        Membership before = joint("abcd", "abc");
        Membership after = joint("bcd", "abcd");
        for (int one = 0; one < 16; one++) {
            for (int other = 0; other < 16; other++) {
                String has = letters(one);
                String hasToo = letters(other);
                if (before.isMajority(m -> has.contains(letter(m)))
                        && after.isMajority(m -> hasToo.contains(letter(m)))) {
                    assertTrue((one & other) != 0, has + " " + hasToo);
                }
            }
        }
    }

    @Test
    void memberOfEitherListCounts() {
        Membership joint = joint("abC", "abc");

        assertTrue(joint.isMember(member('C')));
        assertTrue(joint.isMember(member('c')));
        assertFalse(joint.isMember(member('A')));
        assertFalse(committed("abC").isMember(member('c')));
    }

    @Test
    void nodeIsKnownInAnyIncarnation() {
        Membership joint = joint("abD", "abc");

        assertTrue(joint.knows(new NodeId("d")));
        assertTrue(joint.knows(new NodeId("c")));
        assertFalse(joint.knows(new NodeId("e")));
        assertFalse(committed("abD").knows(new NodeId("c")));
        assertEquals("[a, b, c, d]", joint.nodes().toString());
        assertEquals("[a, b, c]", joint("abC", "abc").nodes().toString());
        assertEquals("[a, b, d]", committed("abD").nodes().toString());
    }

    @Test
    void membershipIsWrittenWithTheListThatStillCounts() {
        assertEquals("[a#1, b#2]", committed("aB").toString());
        assertEquals("[a#1, b#2] (and [a#1, b#1])", joint("aB", "ab").toString());
    }

    private static boolean isMajority(String list, String has) {
        return 2 * list.chars().filter(c -> has.indexOf(c) >= 0).count() > list.length();
    }

    private static Map<Member, Long> values(String letters, String digits) {
        Map<Member, Long> values = new TreeMap<>();
        for (int i = 0; i < letters.length(); i++) {
            values.put(member(letters.charAt(i)), (long) Character.digit(digits.charAt(i), 10));
        }
        return values;
    }

    private static String letters(int bits) {
        StringBuilder letters = new StringBuilder();
        for (int i = 0; i < 5; i++) {
            if ((bits >>> i & 1) != 0) {
                letters.append((char) ('a' + i));
            }
        }
        return letters.toString();
    }

    private static Membership committed(String list) {
        return Membership.committed(list(list));
    }

    private static Membership joint(String current, String previous) {
        return new Membership(list(current), list(previous));
    }

    private static MemberList list(String letters) {
        return new MemberList(letters.chars().mapToObj(c -> member((char) c)).toList());
    }

    private static Member member(char letter) {
        return new Member(
                new NodeId(String.valueOf(Character.toLowerCase(letter))), Character.isUpperCase(letter) ? 2 : 1);
    }

    private static String letter(Member member) {
        String letter = member.node().value();
        return member.incarnation() == 1 ? letter : letter.toUpperCase(Locale.ROOT);
    }
}
