package io.kvorum.testkit.contract;

import static io.kvorum.testkit.contract.Bytes.bytes;
import static io.kvorum.testkit.contract.Bytes.text;
import static io.kvorum.testkit.contract.Bytes.texts;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.kvorum.core.Entry;
import io.kvorum.core.ExpireCondition;
import io.kvorum.core.KeyOperations;
import io.kvorum.core.Life;
import io.kvorum.core.SetOptions;
import io.kvorum.core.SetOptions.Condition;
import io.kvorum.core.SetResult;
import io.kvorum.core.StoredValue;
import io.kvorum.slots.topology.RefusedException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/**
 * What every operation on keys does, wherever it is offered: by a store, or within a transaction.
 *
 * <p>{@link KeyValueStoreContract} contains it, for whole stores. Who offers {@link KeyOperations} alone extends this
 * one. A test that an implementation cannot meet is overridden there, with the reason.
 */
public abstract class KeyOperationsContract extends ValueOperationsContract {
    private static final byte[] KEY = bytes("{k}1");
    private static final byte[] OTHER = bytes("{k}2");
    private static final byte[] THIRD = bytes("{k}3");
    private static final byte[] ELSEWHERE = bytes("{x}1");
    private static final byte[] VALUE = bytes("value");

    /** For use by subclasses. */
    protected KeyOperationsContract() {}

    /** {@return the operations; during one test those of the same store, which was empty when the test began} */
    @Override
    protected abstract KeyOperations keys();

    /** {@return the clock by which the store's keys expire, or one that goes with it} */
    protected abstract InstantSource clock();

    /**
     * Lets time pass by the store's clock. A fixed clock is set forward; with a real one this sleeps.
     *
     * @param time how much
     */
    protected abstract void pass(Duration time);

    /**
     * {@return how far the store's clock may be from {@link #clock} when an operation reads it} Zero, the default, is
     * for a clock that stands still during a test; the tests of the very millisecond are for such clocks only.
     */
    protected Duration precision() {
        return Duration.ZERO;
    }

    /** {@return for how long keys live that are seen to expire; much longer than {@link #precision}} */
    protected Duration life() {
        return precision().multipliedBy(5).plusMillis(100);
    }

    /**
     * Asserts that a key has about a deadline.
     *
     * @param expected the deadline, in milliseconds since 1970
     * @param actual the deadline that was found
     */
    protected final void assertDeadline(long expected, OptionalLong actual) {
        assertTrue(actual.isPresent(), "key must have a deadline");
        assertTrue(
                Math.abs(actual.getAsLong() - expected) <= precision().toMillis(),
                () -> "deadline must be " + expected + ": " + actual.getAsLong());
    }

    private void assumeFixedClock() {
        assumeTrue(precision().isZero(), "the clock goes on during an operation");
    }

    private long now() {
        return clock().millis();
    }

    private long later() {
        return now() + life().toMillis();
    }

    private void passALife() {
        pass(life().plus(precision()).plusMillis(1));
    }

    // ---- get and set

    @Test
    protected void whatIsSetIsThere() {
        assertNull(keys().get(KEY));
        assertFalse(keys().exists(KEY));
        assertEquals(0, keys().length(KEY));
        keys().set(KEY, VALUE);

        assertEquals("value", text(keys().get(KEY)));
        assertTrue(keys().exists(KEY));
        assertTrue(keys().contains(KEY));
        assertEquals(5, keys().length(KEY));
        assertNull(keys().get(OTHER));
        keys().set(KEY, bytes("new"));
        assertEquals("new", text(keys().get(KEY)));
        assertEquals("new", text(keys().getOrDefault(KEY, VALUE)));
        assertEquals("value", text(keys().getOrDefault(OTHER, VALUE)));
    }

    @Test
    protected void anEmptyValueIsNotAnAbsentOne() {
        keys().set(KEY, new byte[0]);

        assertArrayEquals(new byte[0], keys().get(KEY));
        assertTrue(keys().exists(KEY));
        assertEquals(0, keys().length(KEY));
        assertFalse(keys().setIfAbsent(KEY, VALUE));
        assertEquals("", text(keys().getAndDelete(KEY)));
        assertFalse(keys().exists(KEY));
    }

    @Test
    protected void everyByteIsKeptInKeysAndValues() {
        byte[] all = new byte[256];
        for (int i = 0; i < all.length; i++) {
            all[i] = (byte) i;
        }
        byte[] key = Bytes.concat(bytes("{k}"), all);
        keys().set(key, all);

        assertArrayEquals(all, keys().get(key));
        assertNull(keys().get(Arrays.copyOf(key, key.length - 1)));
    }

    @Test
    protected void aConditionDecidesWhetherAValueIsSet() {
        assertFalse(keys().setIfPresent(KEY, VALUE));
        assertFalse(keys().exists(KEY));
        assertTrue(keys().setIfAbsent(KEY, VALUE));
        assertFalse(keys().setIfAbsent(KEY, bytes("new")));
        assertEquals("value", text(keys().get(KEY)));
        assertTrue(keys().setIfPresent(KEY, bytes("new")));
        assertEquals("new", text(keys().get(KEY)));
        assertTrue(keys().set(KEY, VALUE, SetOptions.defaults().withCondition(Condition.ALWAYS)));
        assertEquals("value", text(keys().get(KEY)));
    }

    @Test
    protected void aValueIsReplacedIfItIsTheExpectedOne() {
        assertFalse(keys().set(KEY, VALUE, SetOptions.defaults().withExpected(VALUE)));
        assertFalse(keys().exists(KEY));
        keys().set(KEY, bytes("old"));

        assertFalse(keys().set(KEY, VALUE, SetOptions.defaults().withExpected(bytes("other"))));
        assertEquals("old", text(keys().get(KEY)));
        assertTrue(keys().set(KEY, VALUE, SetOptions.defaults().withExpected(bytes("old"))));
        assertEquals("value", text(keys().get(KEY)));
        assertFalse(keys().compareAndSet(KEY, bytes("old"), bytes("new")));
        assertTrue(keys().compareAndSet(KEY, VALUE, bytes("new")));
        assertEquals("new", text(keys().get(KEY)));
    }

    @Test
    protected void whatWasThereBeforeIsReturned() {
        SetOptions ifAbsent = SetOptions.defaults().withCondition(Condition.IF_ABSENT);

        assertEquals(new SetResult(true, null), keys().getAndSet(KEY, VALUE, ifAbsent));
        assertEquals(new SetResult(false, VALUE), keys().getAndSet(KEY, bytes("new"), ifAbsent));
        assertEquals(new SetResult(true, VALUE), keys().getAndSet(KEY, bytes("new"), SetOptions.defaults()));
        assertEquals("new", text(keys().getAndSet(KEY, VALUE)));
        assertNull(keys().getAndSet(OTHER, VALUE));
        assertEquals("value", text(keys().get(OTHER)));
    }

    @Test
    protected void aValueIsLookedUpWithItsDeadlineAndVersion() {
        assertNull(keys().lookUp(KEY));
        long deadline = later();
        keys().set(KEY, VALUE, SetOptions.defaults().withDeadline(deadline));

        StoredValue first = found(KEY);
        assertArrayEquals(VALUE, first.value());
        assertEquals(deadline, first.deadline());
        assertDeadline(now(), OptionalLong.of(first.readAt()));
        assertEquals(Optional.of(Duration.ofMillis(deadline - first.readAt())), first.remaining());
        keys().set(KEY, VALUE);
        StoredValue second = found(KEY);
        assertNotEquals(first.version(), second.version());
        assertEquals(Optional.empty(), second.remaining());
    }

    private StoredValue found(byte[] key) {
        StoredValue value = keys().lookUp(key);
        assertNotNull(value, "the key exists");
        return value;
    }

    @Test
    protected void theCallersArraysStayItsOwn() {
        byte[] key = KEY.clone();
        byte[] value = VALUE.clone();
        keys().setAll(List.of(new Entry(key, value)));
        value[0] = 'x';
        key[0] = 'x';
        byte[] computed = bytes("computed");
        keys().compute(OTHER, before -> computed);
        computed[0] = 'x';
        byte[] read = keys().get(KEY);

        assertEquals("value", text(read));
        assertEquals("computed", text(keys().get(OTHER)));
        Arrays.fill(read, (byte) 0);
        assertEquals("value", text(keys().get(KEY)));
    }

    // ---- delete

    @Test
    protected void aDeletedKeyIsGone() {
        assertFalse(keys().delete(KEY));
        keys().set(KEY, VALUE);

        assertTrue(keys().delete(KEY));
        assertFalse(keys().exists(KEY));
        assertFalse(keys().remove(KEY));
    }

    @Test
    protected void aKeyIsDeletedIfItsValueIsTheExpectedOne() {
        assertFalse(keys().deleteIfEqual(KEY, VALUE));
        keys().set(KEY, VALUE);

        assertFalse(keys().deleteIfEqual(KEY, bytes("other")));
        assertTrue(keys().exists(KEY));
        assertTrue(keys().deleteIfEqual(KEY, VALUE));
        assertFalse(keys().exists(KEY));
    }

    @Test
    protected void whatIsDeletedIsReturned() {
        assertNull(keys().getAndDelete(KEY));
        keys().set(KEY, VALUE);

        assertEquals("value", text(keys().getAndDelete(KEY)));
        assertFalse(keys().exists(KEY));
    }

    // ---- expiry

    @Test
    protected void aKeyLivesForADuration() {
        keys().set(KEY, VALUE, life());
        assertTrue(keys().setIfAbsent(OTHER, VALUE, life()));
        keys().set(THIRD, VALUE);
        assertTrue(keys().expire(THIRD, life()));
        for (byte[] key : List.of(KEY, OTHER, THIRD)) {
            assertDeadline(later(), keys().deadlineOf(key));
            Duration left = keys().timeToLive(key).orElseThrow();
            assertDeadline(life().toMillis(), OptionalLong.of(left.toMillis()));
        }

        passALife();
        for (byte[] key : List.of(KEY, OTHER, THIRD)) {
            assertEquals(Optional.empty(), keys().timeToLive(key));
            assertNull(keys().get(key));
        }
    }

    @Test
    protected void aNewValueHasNoDeadlineUnlessItIsKept() {
        long deadline = later();
        SetOptions untilThen = SetOptions.defaults().withDeadline(deadline);
        keys().set(KEY, VALUE, untilThen);
        assertTrue(keys().set(KEY, bytes("new"), SetOptions.defaults().withDeadlineKept()));
        assertEquals(OptionalLong.of(deadline), keys().deadlineOf(KEY));
        assertTrue(keys().compareAndSet(KEY, bytes("new"), VALUE));
        assertEquals(OptionalLong.of(deadline), keys().deadlineOf(KEY));
        keys().set(KEY, VALUE);
        assertEquals(OptionalLong.empty(), keys().deadlineOf(KEY));
        keys().set(KEY, VALUE, untilThen);
        assertTrue(keys().setIfPresent(KEY, VALUE));
        assertEquals(OptionalLong.empty(), keys().deadlineOf(KEY));
        keys().set(KEY, VALUE, untilThen);
        keys().getAndSet(KEY, VALUE);
        assertEquals(OptionalLong.empty(), keys().deadlineOf(KEY));
    }

    @Test
    protected void aChangedValueKeepsItsDeadline() {
        long deadline = later();
        keys().set(KEY, bytes("1"), SetOptions.defaults().withDeadline(deadline));
        keys().increment(KEY, 1);
        assertEquals(OptionalLong.of(deadline), keys().deadlineOf(KEY));
        keys().append(KEY, bytes("0"));
        assertEquals(OptionalLong.of(deadline), keys().deadlineOf(KEY));
        keys().setRange(KEY, 0, bytes("3"));
        assertEquals(OptionalLong.of(deadline), keys().deadlineOf(KEY));
        keys().compute(KEY, value -> bytes(text(value) + "1"));
        assertEquals(OptionalLong.of(deadline), keys().deadlineOf(KEY));
        assertEquals("301", text(keys().get(KEY)));
    }

    @Test
    protected void aDeadlineThatIsNotInTheFutureDeletes() {
        long past = now() - precision().toMillis();
        keys().set(KEY, VALUE);
        assertTrue(keys().set(KEY, VALUE, SetOptions.defaults().withDeadline(past)));
        assertFalse(keys().exists(KEY));
        keys().set(KEY, VALUE);
        assertTrue(keys().expireAt(KEY, past));
        assertFalse(keys().exists(KEY));
        assertThrows(IllegalArgumentException.class, () -> keys().expireAt(KEY, -1));
        assertThrows(IllegalArgumentException.class, () -> keys().expireAfter(KEY, Duration.ZERO));
    }

    @Test
    protected void aVeryLongDurationIsCut() {
        keys().set(KEY, VALUE, SetOptions.defaults().withDuration(Duration.ofSeconds(Long.MAX_VALUE)));

        assertEquals(OptionalLong.of(Long.MAX_VALUE), keys().deadlineOf(KEY));
    }

    @Test
    protected void aKeyIsReadAndGivenAnotherLife() {
        long deadline = later();
        assertNull(keys().getAndExpire(KEY, Life.until(deadline)));
        keys().set(KEY, VALUE);

        assertEquals("value", text(keys().getAndExpire(KEY, Life.until(deadline))));
        assertEquals(OptionalLong.of(deadline), keys().deadlineOf(KEY));
        assertEquals("value", text(keys().getAndExpire(KEY, Life.kept())));
        assertEquals(OptionalLong.of(deadline), keys().deadlineOf(KEY));
        assertEquals("value", text(keys().getAndExpire(KEY, Life.forever())));
        assertEquals(OptionalLong.empty(), keys().deadlineOf(KEY));
        assertEquals("value", text(keys().getAndExpire(KEY, Life.until(0))));
        assertFalse(keys().exists(KEY));
    }

    @Test
    protected void aDeadlineCanBeTakenAway() {
        assertFalse(keys().persist(KEY));
        keys().set(KEY, VALUE, life());

        assertTrue(keys().persist(KEY));
        assertFalse(keys().persist(KEY));
        passALife();
        assertTrue(keys().exists(KEY));
    }

    /** The conditions as Redis documents them: no deadline is later than any. */
    @Test
    protected void aConditionDecidesWhetherAKeyGetsAnotherLife() {
        long now = later();
        long none = -1;
        assertExpires(ExpireCondition.ALWAYS, now, none, true);
        assertExpires(ExpireCondition.ALWAYS, now, now + 50, true);
        assertExpires(ExpireCondition.IF_NONE, now, none, true);
        assertExpires(ExpireCondition.IF_NONE, now, now + 50, false);
        assertExpires(ExpireCondition.IF_ANY, now, none, false);
        assertExpires(ExpireCondition.IF_ANY, now, now + 50, true);
        assertExpires(ExpireCondition.IF_LATER, now, none, false);
        assertExpires(ExpireCondition.IF_LATER, now, now + 50, true);
        assertExpires(ExpireCondition.IF_LATER, now, now + 100, false);
        assertExpires(ExpireCondition.IF_LATER, now, now + 150, false);
        assertExpires(ExpireCondition.IF_EARLIER, now, none, true);
        assertExpires(ExpireCondition.IF_EARLIER, now, now + 50, false);
        assertExpires(ExpireCondition.IF_EARLIER, now, now + 100, false);
        assertExpires(ExpireCondition.IF_EARLIER, now, now + 150, true);
    }

    private void assertExpires(ExpireCondition condition, long now, long present, boolean holds) {
        keys().delete(KEY);
        assertFalse(keys().expire(KEY, Life.until(now + 100), condition));
        keys().set(KEY, VALUE);
        if (present >= 0) {
            keys().expireAt(KEY, present);
        }
        OptionalLong before = keys().deadlineOf(KEY);

        assertEquals(holds, keys().expire(KEY, Life.until(now + 100), condition), condition + " at " + before);
        assertEquals(holds ? OptionalLong.of(now + 100) : before, keys().deadlineOf(KEY), condition + " at " + before);
    }

    @Test
    protected void anExpiredKeyIsAbsentToEveryOperation() {
        keys().set(KEY, bytes("7"), life());
        passALife();

        assertNull(keys().get(KEY));
        assertNull(keys().lookUp(KEY));
        assertNull(keys().getRange(KEY, 0, -1));
        assertEquals(Arrays.asList(null, null), keys().getAll(List.of(KEY, OTHER)));
        assertEquals(0, keys().length(KEY));
        assertFalse(keys().exists(KEY));
        assertFalse(keys().touch(KEY));
        assertEquals(OptionalLong.empty(), keys().deadlineOf(KEY));
        assertFalse(keys().expireAt(KEY, later()));
        assertFalse(keys().persist(KEY));
        assertFalse(keys().rename(KEY, OTHER));
        assertFalse(keys().copy(KEY, OTHER));
        assertFalse(keys().setIfPresent(KEY, VALUE));
        assertNull(keys().getAndExpire(KEY, Life.forever()));
        assertFalse(keys().deleteIfEqual(KEY, bytes("7")));
        assertFalse(keys().delete(KEY));
        assertEquals(1, keys().increment(KEY, 1));
        assertEquals(OptionalLong.empty(), keys().deadlineOf(KEY));
    }

    /** The millisecond of the deadline itself: a key that keeps it still exists, one that is given it does not. */
    @Test
    protected void aKeyLivesThroughItsLastMillisecond() {
        assumeFixedClock();
        long deadline = later();
        keys().set(KEY, bytes("5"), SetOptions.defaults().withDeadline(deadline));
        pass(life());

        assertEquals(Optional.of(Duration.ZERO), keys().timeToLive(KEY));
        assertEquals(6, keys().increment(KEY, 1));
        assertEquals(2, keys().append(KEY, bytes("0")));
        assertTrue(keys().set(KEY, bytes("7"), SetOptions.defaults().withDeadlineKept()));
        assertTrue(keys().rename(KEY, OTHER));
        assertTrue(keys().copy(OTHER, KEY));
        assertEquals("7", text(keys().get(KEY)));
        assertEquals(OptionalLong.of(deadline), keys().deadlineOf(KEY));
        assertEquals("7", text(keys().getAndExpire(KEY, Life.kept())));
        assertTrue(keys().exists(KEY));
        assertTrue(keys().expireAt(OTHER, deadline));
        assertFalse(keys().exists(OTHER));
        pass(Duration.ofMillis(1));
        assertFalse(keys().exists(KEY));
    }

    @Test
    protected void whatExistsCanBeTouched() {
        assertFalse(keys().touch(KEY));
        keys().set(KEY, VALUE);
        assertTrue(keys().touch(KEY));
    }

    // ---- several keys

    @Test
    protected void severalKeysAreSetAndReadTogether() {
        long deadline = later();
        keys().set(KEY, bytes("0"), life());
        keys().setAll(List.of(
                new Entry(KEY, bytes("1")), new Entry(OTHER, bytes("x")), new Entry(OTHER, bytes("2"), deadline)));

        assertEquals(Arrays.asList("2", null, "1"), texts(keys().getAll(List.of(OTHER, THIRD, KEY))));
        assertEquals(OptionalLong.empty(), keys().deadlineOf(KEY));
        assertEquals(OptionalLong.of(deadline), keys().deadlineOf(OTHER));
        keys().setAll(List.of());
        assertEquals(List.of(), keys().getAll(List.of()));
    }

    @Test
    protected void severalKeysAreSetIfNoneExists() {
        assertTrue(keys().setAllIfAbsent(List.of(new Entry(KEY, bytes("1")), new Entry(OTHER, bytes("2"), later()))));
        assertFalse(keys().setAllIfAbsent(List.of(new Entry(THIRD, VALUE), new Entry(OTHER, VALUE))));

        assertEquals(Arrays.asList("1", "2", null), texts(keys().getAll(List.of(KEY, OTHER, THIRD))));
        assertTrue(keys().setAllIfAbsent(List.of()));
    }

    @Test
    protected void aKeyIsRenamedWithItsDeadline() {
        long deadline = later();
        assertFalse(keys().rename(KEY, OTHER));
        assertFalse(keys().renameIfAbsent(KEY, OTHER));
        keys().set(KEY, VALUE, SetOptions.defaults().withDeadline(deadline));
        keys().set(OTHER, bytes("gone"));

        assertFalse(keys().renameIfAbsent(KEY, OTHER));
        assertTrue(keys().rename(KEY, OTHER));
        assertNull(keys().get(KEY));
        assertEquals("value", text(keys().get(OTHER)));
        assertEquals(OptionalLong.of(deadline), keys().deadlineOf(OTHER));
        assertTrue(keys().rename(OTHER, OTHER));
        assertEquals("value", text(keys().get(OTHER)));
        assertTrue(keys().renameIfAbsent(OTHER, KEY));
        assertFalse(keys().renameIfAbsent(OTHER, THIRD));
        assertEquals("value", text(keys().get(KEY)));
    }

    @Test
    protected void aKeyIsCopiedWithItsDeadline() {
        long deadline = later();
        assertFalse(keys().copy(KEY, OTHER));
        assertFalse(keys().copyIfAbsent(KEY, OTHER));
        keys().set(KEY, VALUE, SetOptions.defaults().withDeadline(deadline));

        assertTrue(keys().copyIfAbsent(KEY, OTHER));
        assertFalse(keys().copyIfAbsent(KEY, OTHER));
        assertTrue(keys().copy(KEY, OTHER));
        assertTrue(keys().copy(KEY, KEY));
        assertEquals("value", text(keys().get(KEY)));
        assertEquals("value", text(keys().get(OTHER)));
        assertEquals(OptionalLong.of(deadline), keys().deadlineOf(OTHER));
    }

    @Test
    protected void keysOfTwoSlotsAreRefusedBeforeAnythingChanges() {
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

    static void assertCrossSlot(Executable operation) {
        RefusedException refusal = assertThrows(RefusedException.class, operation);
        assertEquals(RefusedException.Kind.CROSS_SLOT, refusal.kind());
    }

    // ---- compute

    @Test
    protected void aValueIsComputedFromTheOneBefore() {
        assertEquals("1", text(keys().compute(KEY, value -> bytes(value == null ? "1" : "?"))));
        assertEquals("12", text(keys().compute(KEY, value -> bytes(text(value) + "2"))));

        assertEquals("12", text(keys().get(KEY)));
        assertNull(keys().compute(KEY, value -> null));
        assertFalse(keys().exists(KEY));
        assertNull(keys().compute(KEY, value -> null));
    }

    @Test
    protected void aComputationThatThrowsChangesNothing() {
        keys().set(KEY, VALUE);
        IllegalStateException failure = assertThrows(
                IllegalStateException.class,
                () -> keys().compute(KEY, value -> {
                    if (value != null) {
                        Arrays.fill(value, (byte) 0);
                    }
                    throw new IllegalStateException("of a test");
                }));

        assertEquals("of a test", failure.getMessage());
        assertEquals("value", text(keys().get(KEY)));
    }
}
