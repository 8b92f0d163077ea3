package io.kvorum.core;

import static io.kvorum.core.Bytes.bytes;
import static io.kvorum.core.Bytes.text;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.SetOptions.Condition;
import io.kvorum.slots.topology.RefusedException;
import java.math.BigInteger;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What every operation does, wherever it is offered. */
abstract class KeyOperationsContract {
    static final long NOW = 1_000;
    private static final byte[] KEY = bytes("{k}1");
    private static final byte[] OTHER = bytes("{k}2");
    private static final byte[] ELSEWHERE = bytes("{x}1");
    private static final byte[] VALUE = bytes("value");

    final FixedClock clock = new FixedClock(NOW);

    abstract KeyOperations keys();

    // ---- set

    @Test
    void setsIfTheValueIsTheExpectedOne() {
        assertFalse(keys().set(KEY, VALUE, SetOptions.defaults().withExpected(VALUE)));
        keys().set(KEY, bytes("old"));

        assertFalse(keys().set(KEY, VALUE, SetOptions.defaults().withExpected(bytes("other"))));
        assertEquals("old", text(keys().get(KEY)));
        assertTrue(keys().set(KEY, VALUE, SetOptions.defaults().withExpected(bytes("old"))));
        assertEquals("value", text(keys().get(KEY)));
    }

    @Test
    void setsForADuration() {
        keys().set(KEY, VALUE, SetOptions.defaults().withDuration(Duration.ofMillis(10)));
        assertEquals(OptionalLong.of(NOW + 10), keys().deadlineOf(KEY));
        assertEquals(Optional.of(Duration.ofMillis(10)), keys().timeToLive(KEY));

        clock.set(NOW + 10);
        assertEquals(Optional.of(Duration.ZERO), keys().timeToLive(KEY));
        clock.set(NOW + 11);
        assertEquals(Optional.empty(), keys().timeToLive(KEY));
        assertNull(keys().get(KEY));
    }

    @Test
    void aDeadlineThatIsNotInTheFutureDeletes() {
        keys().set(KEY, VALUE);

        assertTrue(keys().set(KEY, VALUE, SetOptions.defaults().withDeadline(NOW)));
        assertFalse(keys().exists(KEY));
    }

    @Test
    void aVeryLongDurationIsCut() {
        keys().set(KEY, VALUE, SetOptions.defaults().withDuration(Duration.ofSeconds(Long.MAX_VALUE)));

        assertEquals(OptionalLong.of(Long.MAX_VALUE), keys().deadlineOf(KEY));
    }

    @Test
    void returnsWhatWasThereBefore() {
        SetOptions ifAbsent = SetOptions.defaults().withCondition(Condition.IF_ABSENT);

        assertEquals(new SetResult(true, null), keys().getAndSet(KEY, VALUE, ifAbsent));
        assertEquals(new SetResult(false, VALUE), keys().getAndSet(KEY, bytes("new"), ifAbsent));
        assertEquals(new SetResult(true, VALUE), keys().getAndSet(KEY, bytes("new"), SetOptions.defaults()));
        assertEquals("new", text(keys().get(KEY)));
    }

    @Test
    void looksUpAValueWithItsDeadlineAndVersion() {
        assertNull(keys().lookUp(KEY));
        keys().set(KEY, VALUE, SetOptions.defaults().withDeadline(NOW + 5));

        StoredValue first = required(keys().lookUp(KEY));
        assertArrayEquals(VALUE, first.value());
        assertEquals(NOW + 5, first.deadline());
        assertEquals(Optional.of(Duration.ofMillis(5)), first.remaining());
        assertEquals(first.version(), required(keys().lookUp(KEY)).version());
        keys().set(KEY, VALUE);
        StoredValue second = required(keys().lookUp(KEY));
        assertTrue(second.version() > first.version());
        assertEquals(Optional.empty(), second.remaining());
    }

    private static StoredValue required(@Nullable StoredValue value) {
        if (value == null) {
            throw new AssertionError("the key exists");
        }
        return value;
    }

    // ---- numbers

    @Test
    void incrementsFromZero() {
        assertEquals(5, keys().increment(KEY, 5));
        assertEquals(-2, keys().increment(KEY, -7));
        assertEquals("-2", text(keys().get(KEY)));
    }

    @Test
    void incrementsUpToTheLastNumber() {
        keys().set(KEY, bytes("9223372036854775806"));

        assertEquals(Long.MAX_VALUE, keys().increment(KEY, 1));
        assertThrows(ArithmeticException.class, () -> keys().increment(KEY, 1));
        assertEquals("9223372036854775807", text(keys().get(KEY)));
        keys().set(KEY, bytes("-9223372036854775808"));
        assertThrows(ArithmeticException.class, () -> keys().increment(KEY, -1));
        assertEquals(Long.MIN_VALUE, keys().increment(KEY, 0));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " 1", "1 ", "+1", "01", "-0", "1.0", "9223372036854775808", "x", "١"})
    void incrementsOnlyNumbers(String value) {
        keys().set(KEY, bytes(value));

        assertThrows(NumberFormatException.class, () -> keys().increment(KEY, 1));
        assertEquals(value, text(keys().get(KEY)));
    }

    @Test
    void anIncrementKeepsTheDeadline() {
        keys().set(KEY, bytes("1"), SetOptions.defaults().withDeadline(NOW + 5));
        keys().increment(KEY, 1);

        assertEquals(OptionalLong.of(NOW + 5), keys().deadlineOf(KEY));
    }

    // ---- parts of a value

    @Test
    void appends() {
        assertEquals(2, keys().append(KEY, bytes("ab")));
        keys().expireAt(KEY, NOW + 5);
        assertEquals(5, keys().append(KEY, bytes("cde")));

        assertEquals("abcde", text(keys().get(KEY)));
        assertEquals(OptionalLong.of(NOW + 5), keys().deadlineOf(KEY));
        assertEquals(5, keys().length(KEY));
        assertEquals(0, keys().length(OTHER));
    }

    @Test
    void setsAPart() {
        assertEquals(0, keys().setRange(KEY, 3, new byte[0]));
        assertFalse(keys().exists(KEY));
        assertEquals(4, keys().setRange(KEY, 2, bytes("xy")));
        assertArrayEquals(new byte[] {0, 0, 'x', 'y'}, keys().get(KEY));
        assertEquals(4, keys().setRange(KEY, 0, bytes("ab")));
        assertEquals("abxy", text(keys().get(KEY)));
        assertEquals(4, keys().setRange(KEY, 9, new byte[0]));
        assertThrows(IllegalArgumentException.class, () -> keys().setRange(KEY, -1, bytes("a")));
        assertThrows(IllegalArgumentException.class, () -> keys().setRange(KEY, Integer.MAX_VALUE, bytes("a")));
        assertEquals("abxy", text(keys().get(KEY)));
    }

    @ParameterizedTest
    @CsvSource({
        "0, -1, hello",
        "0, 0, h",
        "1, 3, ell",
        "-3, -1, llo",
        "-100, 1, he",
        "3, 100, lo",
        "3, 2, ''",
        "5, 9, ''",
        "-1, -2, ''",
        "0, -100, ''",
        "-9223372036854775808, 9223372036854775807, hello"
    })
    void readsAPart(long first, long last, String expected) {
        assertNull(keys().getRange(KEY, first, last));
        keys().set(KEY, bytes("hello"));

        assertEquals(expected, text(keys().getRange(KEY, first, last)));
    }

    // ---- delete

    @Test
    void deletesIfTheValueIsTheExpectedOne() {
        assertFalse(keys().deleteIfEqual(KEY, VALUE));
        keys().set(KEY, VALUE);

        assertFalse(keys().deleteIfEqual(KEY, bytes("other")));
        assertTrue(keys().deleteIfEqual(KEY, VALUE));
        assertFalse(keys().exists(KEY));
    }

    @Test
    void returnsWhatItDeletes() {
        assertNull(keys().getAndDelete(KEY));
        keys().set(KEY, VALUE);

        assertEquals("value", text(keys().getAndDelete(KEY)));
        assertFalse(keys().exists(KEY));
    }

    // ---- expiry

    @Test
    void readsAndGivesAnotherLife() {
        assertNull(keys().getAndExpire(KEY, Life.until(NOW + 5)));
        keys().set(KEY, VALUE);

        assertEquals("value", text(keys().getAndExpire(KEY, Life.until(NOW + 5))));
        assertEquals(OptionalLong.of(NOW + 5), keys().deadlineOf(KEY));
        assertEquals("value", text(keys().getAndExpire(KEY, Life.kept())));
        assertEquals(OptionalLong.of(NOW + 5), keys().deadlineOf(KEY));
        assertEquals("value", text(keys().getAndExpire(KEY, Life.forever())));
        assertEquals(OptionalLong.empty(), keys().deadlineOf(KEY));
        assertEquals("value", text(keys().getAndExpire(KEY, Life.until(NOW))));
        assertFalse(keys().exists(KEY));
    }

    @Test
    void expiresAfterADuration() {
        assertFalse(keys().expireAfter(KEY, Duration.ofMillis(5)));
        keys().set(KEY, VALUE);

        assertTrue(keys().expireAfter(KEY, Duration.ofMillis(5)));
        assertEquals(OptionalLong.of(NOW + 5), keys().deadlineOf(KEY));
        assertThrows(IllegalArgumentException.class, () -> keys().expireAfter(KEY, Duration.ZERO));
        assertTrue(keys().persist(KEY));
        assertFalse(keys().persist(KEY));
    }

    /** The conditions as Redis documents them: no deadline is later than any. */
    @ParameterizedTest
    @CsvSource({
        "ALWAYS, -1, true",
        "ALWAYS, 50, true",
        "IF_NONE, -1, true",
        "IF_NONE, 50, false",
        "IF_ANY, -1, false",
        "IF_ANY, 50, true",
        "IF_LATER, -1, false",
        "IF_LATER, 50, true",
        "IF_LATER, 100, false",
        "IF_LATER, 150, false",
        "IF_EARLIER, -1, true",
        "IF_EARLIER, 50, false",
        "IF_EARLIER, 100, false",
        "IF_EARLIER, 150, true"
    })
    void expiresOnACondition(ExpireCondition condition, long present, boolean holds) {
        assertFalse(keys().expire(KEY, Life.until(NOW + 100), condition));
        keys().set(KEY, VALUE);
        if (present >= 0) {
            keys().expireAt(KEY, NOW + present);
        }
        OptionalLong before = keys().deadlineOf(KEY);

        assertEquals(holds, keys().expire(KEY, Life.until(NOW + 100), condition));
        assertEquals(holds ? OptionalLong.of(NOW + 100) : before, keys().deadlineOf(KEY));
    }

    // ---- several keys

    @Test
    void setsAllOrNone() {
        List<Entry> entries = List.of(new Entry(KEY, bytes("1")), new Entry(OTHER, bytes("2"), NOW + 5));

        assertTrue(keys().setAllIfAbsent(entries));
        assertFalse(keys().setAllIfAbsent(List.of(new Entry(bytes("{k}3"), VALUE), new Entry(OTHER, VALUE))));
        assertEquals(
                Arrays.asList("1", "2", null),
                keys().getAll(List.of(KEY, OTHER, bytes("{k}3"))).stream()
                        .map(Bytes::text)
                        .toList());
        assertEquals(OptionalLong.of(NOW + 5), keys().deadlineOf(OTHER));
        assertTrue(keys().setAllIfAbsent(List.of()));
        assertEquals(List.of(), keys().getAll(List.of()));
    }

    @Test
    void renames() {
        assertFalse(keys().rename(KEY, OTHER));
        keys().set(KEY, VALUE, SetOptions.defaults().withDeadline(NOW + 5));
        keys().set(OTHER, bytes("gone"));

        assertFalse(keys().renameIfAbsent(KEY, OTHER));
        assertTrue(keys().rename(KEY, OTHER));
        assertNull(keys().get(KEY));
        assertEquals("value", text(keys().get(OTHER)));
        assertEquals(OptionalLong.of(NOW + 5), keys().deadlineOf(OTHER));
        assertTrue(keys().rename(OTHER, OTHER));
        assertEquals("value", text(keys().get(OTHER)));
        assertTrue(keys().renameIfAbsent(OTHER, KEY));
        assertFalse(keys().renameIfAbsent(OTHER, bytes("{k}3")));
    }

    @Test
    void copies() {
        assertFalse(keys().copy(KEY, OTHER));
        assertFalse(keys().copyIfAbsent(KEY, OTHER));
        keys().set(KEY, VALUE, SetOptions.defaults().withDeadline(NOW + 5));

        assertTrue(keys().copyIfAbsent(KEY, OTHER));
        assertFalse(keys().copyIfAbsent(KEY, OTHER));
        assertTrue(keys().copy(KEY, OTHER));
        assertTrue(keys().copy(KEY, KEY));
        assertEquals("value", text(keys().get(KEY)));
        assertEquals("value", text(keys().get(OTHER)));
        assertEquals(OptionalLong.of(NOW + 5), keys().deadlineOf(OTHER));
    }

    @Test
    void keysOfTwoSlotsAreRefusedBeforeAnythingChanges() {
        keys().set(KEY, VALUE);

        assertCrossSlot(() -> keys().rename(KEY, ELSEWHERE));
        assertCrossSlot(() -> keys().renameIfAbsent(KEY, ELSEWHERE));
        assertCrossSlot(() -> keys().copy(KEY, ELSEWHERE));
        assertCrossSlot(() -> keys().copyIfAbsent(KEY, ELSEWHERE));
        assertCrossSlot(() -> keys().getAll(List.of(KEY, ELSEWHERE)));
        assertCrossSlot(() -> keys().setAll(List.of(new Entry(KEY, bytes("x")), new Entry(ELSEWHERE, VALUE))));
        assertCrossSlot(() -> keys().setAllIfAbsent(List.of(new Entry(OTHER, VALUE), new Entry(ELSEWHERE, VALUE))));
        assertEquals("value", text(keys().get(KEY)));
        assertFalse(keys().exists(OTHER));
    }

    private static void assertCrossSlot(Runnable operation) {
        RefusedException refusal = assertThrows(RefusedException.class, operation::run);
        assertEquals(RefusedException.Kind.CROSS_SLOT, refusal.kind());
    }

    // ---- compute

    @Test
    void computesAValueFromTheOneBefore() {
        assertEquals("1", text(keys().compute(KEY, value -> bytes(value == null ? "1" : "?"))));
        keys().expireAt(KEY, NOW + 5);
        keys().compute(KEY, value -> bytes(text(value) + "2"));

        assertEquals("12", text(keys().get(KEY)));
        assertEquals(OptionalLong.of(NOW + 5), keys().deadlineOf(KEY));
        assertNull(keys().compute(KEY, value -> null));
        assertFalse(keys().exists(KEY));
        assertNull(keys().compute(KEY, value -> null));
    }

    @Test
    void aComputationThatThrowsChangesNothing() {
        keys().set(KEY, VALUE);
        IllegalStateException failure = assertThrows(
                IllegalStateException.class,
                () -> keys().compute(KEY, value -> {
                    Arrays.fill(value, (byte) 0);
                    throw new IllegalStateException("of a test");
                }));

        assertEquals("of a test", failure.getMessage());
        assertEquals("value", text(keys().get(KEY)));
    }

    // ---- what is absent

    @Test
    void anExpiredKeyIsAbsentToEveryOperation() {
        clock.set(NOW - 100);
        keys().set(KEY, bytes("7"), SetOptions.defaults().withDeadline(NOW - 1));
        clock.set(NOW);

        assertNull(keys().get(KEY));
        assertNull(keys().lookUp(KEY));
        assertNull(keys().getRange(KEY, 0, -1));
        assertEquals(0, keys().length(KEY));
        assertFalse(keys().exists(KEY));
        assertFalse(keys().touch(KEY));
        assertEquals(OptionalLong.empty(), keys().deadlineOf(KEY));
        assertFalse(keys().expireAt(KEY, NOW + 5));
        assertFalse(keys().persist(KEY));
        assertFalse(keys().rename(KEY, OTHER));
        assertFalse(keys().copy(KEY, OTHER));
        assertNull(keys().getAndExpire(KEY, Life.forever()));
        assertFalse(keys().deleteIfEqual(KEY, bytes("7")));
        assertEquals(1, keys().increment(KEY, 1));
        assertEquals(OptionalLong.empty(), keys().deadlineOf(KEY));
    }

    /** The millisecond of the deadline itself: a key that keeps it still exists, one that is given it does not. */
    @Test
    void aKeyLivesThroughItsLastMillisecond() {
        SetOptions soon = SetOptions.defaults().withDeadline(NOW + 5);
        keys().set(KEY, bytes("5"), soon);
        clock.set(NOW + 5);

        assertEquals(6, keys().increment(KEY, 1));
        assertEquals(2, keys().append(KEY, bytes("0")));
        assertEquals(3, keys().setRange(KEY, 2, bytes("0")));
        assertEquals("6000", text(keys().compute(KEY, value -> bytes(text(value) + "0"))));
        assertTrue(keys().set(KEY, bytes("7"), SetOptions.defaults().withDeadlineKept()));
        assertTrue(keys().rename(KEY, OTHER));
        assertTrue(keys().copy(OTHER, KEY));
        assertEquals("7", text(keys().get(KEY)));
        assertEquals(OptionalLong.of(NOW + 5), keys().deadlineOf(KEY));
        assertEquals("7", text(keys().getAndExpire(KEY, Life.kept())));
        assertTrue(keys().exists(KEY));
        assertTrue(keys().expireAt(OTHER, NOW + 5));
        assertFalse(keys().exists(OTHER));
        clock.set(NOW + 6);
        assertFalse(keys().exists(KEY));
    }

    @Test
    void touchesWhatExists() {
        assertFalse(keys().touch(KEY));
        keys().set(KEY, VALUE);
        assertTrue(keys().touch(KEY));
    }

    @Test
    void theCallersArraysStayItsOwn() {
        byte[] value = VALUE.clone();
        keys().setAll(List.of(new Entry(KEY, value)));
        value[0] = 'x';
        byte[] computed = bytes("computed");
        keys().compute(OTHER, before -> computed);
        computed[0] = 'x';
        keys().append(bytes("{k}3"), value);

        assertEquals("value", text(keys().get(KEY)));
        assertEquals("computed", text(keys().get(OTHER)));
    }

    @Test
    void aRangeIsWhatLiesBetweenItsBoundsHoweverFarTheyAre() {
        byte[] key = bytes("range");
        byte[] value = bytes("0123456789");
        keys().set(key, value);
        long[] bounds = {
            Long.MIN_VALUE,
            Long.MIN_VALUE + 1,
            Long.MIN_VALUE + 10,
            Integer.MIN_VALUE,
            -12,
            -11,
            -10,
            -9,
            -1,
            0,
            1,
            9,
            10,
            11,
            200,
            Integer.MAX_VALUE,
            Long.MAX_VALUE - 10,
            Long.MAX_VALUE - 1,
            Long.MAX_VALUE
        };
        for (long first : bounds) {
            for (long last : bounds) {
                BigInteger from = place(first).max(BigInteger.ZERO);
                BigInteger to = place(last).min(BigInteger.valueOf(9));
                byte[] expected = from.compareTo(to) > 0
                        ? new byte[0]
                        : Arrays.copyOfRange(value, from.intValueExact(), to.intValueExact() + 1);
                assertArrayEquals(expected, keys().getRange(key, first, last), first + " to " + last);
            }
        }
    }

    private static BigInteger place(long bound) {
        BigInteger place = BigInteger.valueOf(bound);
        return bound < 0 ? place.add(BigInteger.TEN) : place;
    }

    @Test
    void shortFormsDoWhatTheirFullFormsDo() {
        keys().set(KEY, VALUE, Duration.ofMillis(100));
        assertEquals(OptionalLong.of(NOW + 100), keys().deadlineOf(KEY));
        assertFalse(keys().setIfAbsent(KEY, bytes("x")));
        assertTrue(keys().setIfAbsent(OTHER, bytes("x"), Duration.ofMillis(50)));
        assertEquals(OptionalLong.of(NOW + 50), keys().deadlineOf(OTHER));
        assertTrue(keys().compareAndSet(KEY, VALUE, bytes("y")));
        assertFalse(keys().compareAndSet(KEY, VALUE, bytes("z")));
        assertEquals(OptionalLong.of(NOW + 100), keys().deadlineOf(KEY));
        assertEquals("y", text(keys().getAndSet(KEY, bytes("1"))));
        assertEquals(2, keys().increment(KEY));
        assertTrue(keys().contains(KEY));
        assertEquals("2", text(keys().getOrDefault(KEY, bytes("0"))));
        assertTrue(keys().setIfPresent(KEY, bytes("3")));
        assertTrue(keys().expire(KEY, Duration.ofMillis(7)));
        assertEquals(OptionalLong.of(NOW + 7), keys().deadlineOf(KEY));
        assertTrue(keys().remove(KEY));
        assertFalse(keys().setIfPresent(KEY, bytes("3")));
        assertEquals("0", text(keys().getOrDefault(KEY, bytes("0"))));
    }
}
