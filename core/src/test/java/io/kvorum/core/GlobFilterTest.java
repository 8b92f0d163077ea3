package io.kvorum.core;

import static io.kvorum.core.Bytes.bytes;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.MalformedTextException;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class GlobFilterTest {
    @ParameterizedTest
    @CsvSource({
        "*, '', true",
        "*, anything, true",
        "'', '', true",
        "'', a, false",
        "a*, a, true",
        "a*, ba, false",
        "*a, ba, true",
        "*a, ab, false",
        "a*b*c, aXbYc, true",
        "a*b*c, abc, true",
        "a*b*c, acb, false",
        "h?llo, hello, true",
        "h?llo, hllo, false",
        "?, é, false",
        "??, é, true",
        "h[ae]llo, hallo, true",
        "h[ae]llo, hillo, false",
        "h[^e]llo, hallo, true",
        "h[^e]llo, hello, false",
        "[a-c]x, bx, true",
        "[a-c]x, dx, false",
        "[a-]x, -x, true",
        "[]x, x, malformed",
        "\\*, *, true",
        "\\*, a, false",
        "[\\]]x, ]x, true",
        "[\\^]x, ^x, true",
        "{tag}*, {tag}1, true",
        "**, a, true",
        "a**b, aXb, true"
    })
    void matches(String glob, String key, String expected) {
        if (expected.equals("malformed")) {
            assertThrows(MalformedTextException.class, () -> KeyFilter.glob(glob));
        } else {
            assertEquals(Boolean.parseBoolean(expected), KeyFilter.glob(glob).accepts(bytes(key)));
        }
    }

    @ParameterizedTest
    @CsvSource({"[a, 0", "x[, 1", "xé[a, 2", "ab\\, 2", "[z-a], 3", "[^], 0", "[\\, 1"})
    void saysWhereItIsMalformed(String glob, int position) {
        MalformedTextException e = assertThrows(MalformedTextException.class, () -> KeyFilter.glob(glob));

        assertEquals(position, e.position());
    }

    @Test
    void hasNoHalfOfASurrogatePair() {
        assertEquals(
                1,
                assertThrows(MalformedTextException.class, () -> KeyFilter.glob("a\ud800b"))
                        .position());
        assertTrue(KeyFilter.glob("a\ud83d\ude00*").accepts(bytes("a\ud83d\ude00b")));
    }

    @Test
    void isLimitedInLength() {
        assertTrue(KeyFilter.glob("a".repeat(1 << 16)).accepts(bytes("a".repeat(1 << 16))));
        assertThrows(MalformedTextException.class, () -> KeyFilter.glob("a".repeat((1 << 16) + 1)));
    }

    @Test
    void aClassOfEveryByteInvertedMatchesNothing() {
        assertEquals(false, KeyFilter.glob("[^\0-\u007f]").accepts(bytes("a")));
        assertEquals(true, KeyFilter.glob("[^\0-\u007f]*").accepts(bytes("é")));
    }

    @Test
    void manyStarsTakeBoundedTime() {
        assertEquals(false, KeyFilter.glob("*a".repeat(30) + "b").accepts(bytes("a".repeat(1_000))));
        assertEquals(false, KeyFilter.glob("*" + "a".repeat(5_000) + "b").accepts(bytes("a".repeat(100_000))));
        assertEquals(true, KeyFilter.glob("*" + "a".repeat(5_000) + "b*").accepts(bytes("a".repeat(100_000) + "bc")));
        assertEquals(false, KeyFilter.glob("*" + "a".repeat(5_000) + "b*").accepts(bytes("a".repeat(100_000))));
    }

    @Test
    void aKeyOfAMillionBytesIsNoObstacle() {
        byte[] key = bytes("a".repeat(1_000_001));

        assertEquals(true, KeyFilter.glob("*").accepts(key));
        assertEquals(true, KeyFilter.glob("a*a").accepts(key));
        assertEquals(true, KeyFilter.glob("?".repeat(60_000) + "*").accepts(key));
        assertEquals(false, KeyFilter.glob("*b*").accepts(key));
        assertEquals(
                false, KeyFilter.glob(("*" + "a".repeat(900) + "b").repeat(70)).accepts(key));
    }

    /** Long parts, which are looked for in parallel, beside a regular expression. */
    @Test
    @Tag("long")
    void longPartsAgreeWithARegularExpression() {
        SplittableRandom random = new SplittableRandom(6);
        for (int i = 0; i < 300; i++) {
            String part = "ab".repeat(40 + random.nextInt(60)) + text(random, "ab?", 40);
            String glob = "*" + part + (random.nextBoolean() ? "*" : "") + (random.nextBoolean() ? part : "");
            String filled = part.replace('?', random.nextBoolean() ? 'a' : 'b');
            String key = "ab".repeat(random.nextInt(2_000))
                    + (random.nextInt(3) == 0 ? "" : filled)
                    + "ab".repeat(random.nextInt(3) * 400)
                    + (random.nextInt(3) == 0 ? filled : "");
            String regex = glob.replace("?", ".").replace("*", ".*");

            assertEquals(
                    java.util.regex.Pattern.matches(regex, key),
                    KeyFilter.glob(glob).accepts(bytes(key)),
                    () -> glob + " and " + key);
        }
    }

    /** Beside a matcher that tries everything. */
    @Test
    @Tag("long")
    void agreesWithAPlainRecursion() {
        SplittableRandom random = new SplittableRandom(5);
        for (int i = 0; i < 50_000; i++) {
            String glob = text(random, "ab*?", 8);
            String key = text(random, "ab", 8);
            assertEquals(
                    plainly(glob, 0, key, 0), KeyFilter.glob(glob).accepts(bytes(key)), () -> glob + " and " + key);
        }
    }

    private static String text(SplittableRandom random, String alphabet, int maxLength) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(maxLength + 1); i > 0; i--) {
            text.append(alphabet.charAt(random.nextInt(alphabet.length())));
        }
        return text.toString();
    }

    private static boolean plainly(String glob, int g, String key, int k) {
        if (g == glob.length()) {
            return k == key.length();
        }
        char c = glob.charAt(g);
        if (c == '*') {
            return plainly(glob, g + 1, key, k) || (k < key.length() && plainly(glob, g, key, k + 1));
        }
        return k < key.length() && (c == '?' || c == key.charAt(k)) && plainly(glob, g + 1, key, k + 1);
    }
}
