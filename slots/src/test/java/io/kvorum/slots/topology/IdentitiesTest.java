package io.kvorum.slots.topology;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.slots.MalformedTextException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class IdentitiesTest {
    @ParameterizedTest
    @ValueSource(strings = {"a", "z", "A", "Z", "0", "9", "a.b_c:d-e", "node-1:7000"})
    void lettersDigitsAndAFewSignsMakeAnId(String value) {
        assertEquals(value, new NodeId(value).toString());
        assertEquals(value, new ShardId(value).toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {" ", "a b", "`", "{", "@", "[", "/", ";", "é", "a\n", "a,b", "a="})
    void otherCharactersAreRefused(String value) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> new NodeId(value));

        assertEquals("node id must have only ASCII letters, digits, '.', '_', ':' and '-': " + value, e.getMessage());
        assertThrows(IllegalArgumentException.class, () -> new ShardId(value));
    }

    @Test
    void idHas1To64Characters() {
        assertEquals(64, new NodeId("n".repeat(64)).value().length());
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> new NodeId("n".repeat(65)));
        assertEquals("node id must have 1 to 64 characters: it has 65", e.getMessage());
        assertThrows(IllegalArgumentException.class, () -> new ShardId(""));
    }

    @Test
    void idsAreOrderedByTheirCharacters() {
        assertTrue(new NodeId("a").compareTo(new NodeId("b")) < 0);
        assertTrue(new ShardId("b").compareTo(new ShardId("a1")) > 0);
        assertEquals(0, new ShardId("a").compareTo(new ShardId("a")));
    }

    @Test
    void positionOfALaterEpochIsFurther() {
        assertTrue(new LogPosition(2, 0).compareTo(new LogPosition(1, 100)) > 0);
        assertTrue(new LogPosition(1, 99).compareTo(new LogPosition(1, 100)) < 0);
        assertEquals(0, LogPosition.START.compareTo(new LogPosition(0, 0)));
    }

    @Test
    void positionIsWrittenAsEpochAndOffset() {
        LogPosition position = new LogPosition(Epoch.of(7, 2), 120);

        assertEquals("7.2:120", position.toString());
        assertEquals(position, LogPosition.parse("7.2:120"));
        assertEquals(new LogPosition(0, Long.MAX_VALUE), LogPosition.parse("0.0:9223372036854775807"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "7.2 | 3 | position must have the form epoch:offset: 7.2",
                "72:5 | 2 | epoch must have the form round.candidate: 72",
                "7.2: | 4 | offset must have at least one digit",
                "7.2:9223372036854775808 | 4 | offset must be at most 9223372036854775807",
                "7.2:5:6 | 5 | offset must have only decimal digits"
            })
    void malformedPositionIsRefused(String text, int position, String rule) {
        MalformedTextException e = assertThrows(MalformedTextException.class, () -> LogPosition.parse(text));

        assertEquals(rule, e.rule());
        assertEquals(position, e.position());
    }

    @ParameterizedTest
    @CsvSource({"-1, 0, epoch must be at least 0: -1", "0, -1, offset must be at least 0: -1"})
    void negativePositionIsRefused(long epoch, long offset, String message) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> new LogPosition(epoch, offset));

        assertEquals(message, e.getMessage());
    }

    @Test
    void refusalCarriesWhatItIsAbout() {
        RefusedException e = new RefusedException(
                RefusedException.Kind.MOVED,
                "slot must be one of this node's: 5",
                5,
                new ShardId("s"),
                new NodeId("a"),
                new NodeId("b"),
                7);

        assertEquals(RefusedException.Kind.MOVED, e.kind());
        assertEquals("slot must be one of this node's: 5", e.getMessage());
        assertEquals(5, e.slot());
        assertEquals(new ShardId("s"), e.shard());
        assertEquals(new NodeId("a"), e.node());
        assertEquals(new NodeId("b"), e.primary());
        assertEquals(7, e.epoch());
        assertEquals(0, e.getStackTrace().length);
    }
}
