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
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.topology.RefusedException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@ParameterizedClass(name = "{0}")
@EnumSource(Tables.class)
final class LocalStoreTest {
    private static final byte[] KEY = bytes("key-01");
    private static final byte[] VALUE = bytes("value-01");
    private static final long NOW = 1_000_000;

    private final Tables engine;
    private final FixedClock clock = new FixedClock(NOW);
    private final LocalStore store;

    LocalStoreTest(Tables engine) {
        this.engine = engine;
        this.store = new LocalStore(engine.settings(), 7, clock);
    }

    @Nested
    final class Values {
        @Test
        void anUnknownKeyHasNone() {
            assertNull(store.get(KEY));
            assertFalse(store.exists(KEY));
        }

        @Test
        void whatWasSetIsRead() {
            store.set(KEY, VALUE);

            assertArrayEquals(VALUE, store.get(KEY));
            assertTrue(store.exists(KEY));
        }

        @Test
        void theLastOneCounts() {
            store.set(KEY, VALUE);
            store.set(KEY, bytes("longer than before"));

            assertEquals("longer than before", text(store.get(KEY)));
            assertEquals(1, store.size());
        }

        @Test
        void emptyKeysAndValuesAreLegal() {
            store.set(new byte[0], new byte[0]);

            assertArrayEquals(new byte[0], store.get(new byte[0]));
            assertEquals(1, store.countInSlot(0));
        }

        @Test
        void everyByteIsLegal() {
            byte[] all = new byte[256];
            for (int i = 0; i < all.length; i++) {
                all[i] = (byte) i;
            }
            store.set(all, all);

            assertArrayEquals(all, store.get(all.clone()));
        }

        @Test
        void theCallersArraysStayItsOwn() {
            byte[] key = KEY.clone();
            byte[] value = VALUE.clone();
            store.set(key, value);
            key[0] = 'x';
            value[0] = 'x';
            byte[] read = store.get(KEY);
            Arrays.fill(read, (byte) 0);

            assertArrayEquals(VALUE, store.get(KEY));
        }

        @Test
        void aDeletedKeyIsGone() {
            store.set(KEY, VALUE);

            assertTrue(store.delete(KEY));
            assertFalse(store.delete(KEY));
            assertNull(store.get(KEY));
            assertEquals(0, store.size());
        }

        @Test
        void nullIsRefused() {
            assertThrows(NullPointerException.class, () -> store.set(KEY, nothing()));
            assertThrows(NullPointerException.class, () -> store.get(nothing()));
            assertThrows(NullPointerException.class, () -> store.delete(nothing()));
            assertEquals(0, store.size());
        }

        @SuppressWarnings({"DataFlowIssue", "NullAway"})
        private static byte[] nothing() {
            return null;
        }
    }

    @Nested
    final class Conditions {
        private static final SetOptions IF_ABSENT = SetOptions.defaults().withCondition(Condition.IF_ABSENT);
        private static final SetOptions IF_PRESENT = SetOptions.defaults().withCondition(Condition.IF_PRESENT);

        @Test
        void ifAbsentSetsOnce() {
            assertTrue(store.set(KEY, VALUE, IF_ABSENT));
            assertFalse(store.set(KEY, bytes("other"), IF_ABSENT));
            assertArrayEquals(VALUE, store.get(KEY));
        }

        @Test
        void ifPresentSetsOnlyWhatExists() {
            assertFalse(store.set(KEY, VALUE, IF_PRESENT));
            assertEquals(0, store.size());
            store.set(KEY, VALUE);

            assertTrue(store.set(KEY, bytes("other"), IF_PRESENT));
            assertEquals("other", text(store.get(KEY)));
        }

        @Test
        void anExpiredKeyIsAbsent() {
            store.set(KEY, VALUE, SetOptions.defaults().withDeadline(NOW + 10));
            clock.set(NOW + 11);

            assertFalse(store.set(KEY, bytes("other"), IF_PRESENT));
            assertTrue(store.set(KEY, bytes("other"), IF_ABSENT));
            assertEquals("other", text(store.get(KEY)));
            assertEquals(OptionalLong.empty(), store.deadlineOf(KEY));
        }
    }

    @Nested
    final class Deadlines {
        @ParameterizedTest
        @CsvSource({"999, true", "1000, true", "1001, false"})
        void theKeyExistsUpToTheDeadlineItself(long elapsed, boolean exists) {
            store.set(KEY, VALUE, SetOptions.defaults().withDeadline(NOW + 1000));
            clock.set(NOW + elapsed);

            assertEquals(exists, store.exists(KEY));
            assertEquals(exists, store.get(KEY) != null);
            assertEquals(exists, store.deadlineOf(KEY).isPresent());
            assertEquals(exists, store.getAll(List.of(KEY)).get(0) != null);
            assertEquals(exists, entries(KEY).size() == 1);
            assertEquals(exists, store.persist(KEY));
        }

        @Test
        void anExpiredKeyIsCountedUntilItIsDeleted() {
            store.set(KEY, VALUE, SetOptions.defaults().withDeadline(NOW + 1000));
            clock.set(NOW + 1001);

            assertEquals(1, store.size());
            assertFalse(store.delete(KEY));
            assertEquals(0, store.size());
        }

        @Test
        void aClockThatGoesBackShowsTheKeyAgain() {
            store.set(KEY, VALUE, SetOptions.defaults().withDeadline(NOW + 1000));
            clock.set(NOW + 3_600_000);
            assertNull(store.get(KEY));
            clock.set(NOW);

            assertArrayEquals(VALUE, store.get(KEY));
        }

        @ParameterizedTest
        @ValueSource(longs = {0, NOW - 1, NOW})
        void oneThatIsNotInTheFutureDeletes(long deadline) {
            store.set(KEY, VALUE);
            assertTrue(store.expireAt(KEY, deadline));
            assertEquals(0, store.size());

            store.set(KEY, VALUE);
            assertTrue(store.set(KEY, VALUE, SetOptions.defaults().withDeadline(deadline)));
            assertEquals(0, store.size());

            store.set(KEY, VALUE);
            store.setAll(List.of(new Entry(KEY, VALUE, deadline)));
            assertEquals(0, store.size());
        }

        @Test
        void aNegativeOneIsRefused() {
            store.set(KEY, VALUE);

            assertThrows(IllegalArgumentException.class, () -> store.expireAt(KEY, -1));
            assertThrows(
                    IllegalArgumentException.class, () -> SetOptions.defaults().withDeadline(-1));
            assertThrows(IllegalArgumentException.class, () -> new Entry(KEY, VALUE, -2));
            assertArrayEquals(VALUE, store.get(KEY));
        }

        @Test
        void canBeGivenMovedAndTakenAway() {
            assertFalse(store.expireAt(KEY, NOW + 5));
            assertFalse(store.persist(KEY));
            store.set(KEY, VALUE);
            assertFalse(store.persist(KEY));

            assertTrue(store.expireAt(KEY, NOW + 5));
            assertEquals(OptionalLong.of(NOW + 5), store.deadlineOf(KEY));
            assertTrue(store.expireAt(KEY, NOW + 50));
            assertEquals(OptionalLong.of(NOW + 50), store.deadlineOf(KEY));
            assertTrue(store.persist(KEY));
            assertEquals(OptionalLong.empty(), store.deadlineOf(KEY));
            assertArrayEquals(VALUE, store.get(KEY));
        }

        @Test
        void isLostByAPlainSetAndKeptOnRequest() {
            store.set(KEY, VALUE, SetOptions.defaults().withDeadline(NOW + 5));
            store.set(KEY, VALUE, SetOptions.defaults().withDeadlineKept());
            assertEquals(OptionalLong.of(NOW + 5), store.deadlineOf(KEY));

            store.set(KEY, VALUE);
            assertEquals(OptionalLong.empty(), store.deadlineOf(KEY));
        }

        @Test
        void anExpiredOneIsNotKept() {
            store.set(KEY, VALUE, SetOptions.defaults().withDeadline(NOW + 5));
            clock.set(NOW + 6);
            store.set(KEY, VALUE, SetOptions.defaults().withDeadlineKept());

            assertEquals(OptionalLong.empty(), store.deadlineOf(KEY));
            assertArrayEquals(VALUE, store.get(KEY));
        }
    }

    @Nested
    final class Sweep {
        @Test
        void deletesWhatHasExpiredAndNothingElse() {
            for (int i = 0; i < 1000; i++) {
                store.set(bytes("k" + i), VALUE, SetOptions.defaults().withDeadline(NOW + 1 + i));
                store.set(bytes("for ever" + i), VALUE);
            }
            clock.set(NOW + 500);

            assertEquals(499, store.expire(10_000));
            assertEquals(0, store.expire(10_000));
            assertEquals(1501, store.size());
        }

        @Test
        void keepsToItsBudgetAndComesRoundToEveryStripe() {
            for (int i = 0; i < 1000; i++) {
                store.set(bytes("k" + i), VALUE, SetOptions.defaults().withDeadline(NOW + 1));
            }
            clock.set(NOW + 2);
            int calls = 0;
            while (store.size() > 0) {
                assertTrue(store.expire(7) <= 7);
                calls++;
            }

            assertTrue(calls >= 143 && calls < 143 + 64, () -> "unexpected number of sweeps");
        }

        @Test
        void forgetsTheDeadlinesOfKeysThatWereChanged() {
            store.set(KEY, VALUE, SetOptions.defaults().withDeadline(NOW + 1));
            store.set(KEY, VALUE);
            store.set(bytes("gone"), VALUE, SetOptions.defaults().withDeadline(NOW + 1));
            store.delete(bytes("gone"));
            clock.set(NOW + 100);

            assertEquals(0, store.expire(100));
            assertEquals(1, store.size());
        }

        @Test
        void needsABudget() {
            assertThrows(IllegalArgumentException.class, () -> store.expire(0));
        }
    }

    @Nested
    final class SeveralKeys {
        @Test
        void ofOneSlotAreSetAndReadTogether() {
            store.setAll(List.of(
                    new Entry(bytes("{t}a"), bytes("1")),
                    new Entry(bytes("{t}b"), bytes("2"), NOW + 9),
                    new Entry(bytes("{t}a"), bytes("3"))));

            List<byte[]> values = store.getAll(List.of(bytes("{t}b"), bytes("{t}c"), bytes("{t}a"), bytes("{t}b")));

            assertEquals(
                    Arrays.asList("2", null, "3", "2"),
                    values.stream().map(Bytes::text).toList());
            assertEquals(OptionalLong.of(NOW + 9), store.deadlineOf(bytes("{t}b")));
        }

        @Test
        void ofDifferentSlotsAreRefusedBeforeAnythingChanges() {
            RefusedException refusal = assertThrows(
                    RefusedException.class,
                    () -> store.setAll(List.of(new Entry(bytes("a"), VALUE), new Entry(bytes("b"), VALUE))));

            assertEquals(RefusedException.Kind.CROSS_SLOT, refusal.kind());
            assertEquals(HashSlot.of("a"), refusal.slot());
            assertEquals(0, store.size());
            assertThrows(RefusedException.class, () -> store.getAll(List.of(bytes("a"), bytes("b"))));
        }

        @Test
        void mayBeNone() {
            store.setAll(List.of());

            assertEquals(List.of(), store.getAll(List.of()));
            assertEquals(0, store.size());
        }

        @Test
        void areRefusedTogetherIfOneIsTooLong() {
            LocalStore small =
                    new LocalStore(engine.settings().withMaxKeyLength(4).withMaxValueLength(3), 7, clock);

            assertThrows(
                    IllegalArgumentException.class,
                    () -> small.setAll(List.of(new Entry(bytes("{t}a"), bytes("1")), new Entry(bytes("{t}b"), VALUE))));
            assertThrows(IllegalArgumentException.class, () -> small.set(bytes("12345"), bytes("1")));
            assertEquals(0, small.size());
            small.set(bytes("1234"), bytes("123"));
        }
    }

    @Nested
    final class Slots {
        @Test
        void countAndListTheirOwnKeys() {
            for (int i = 0; i < 500; i++) {
                store.set(bytes("{a}" + i), bytes("a" + i));
                store.set(bytes("{b}" + i), bytes("b" + i));
            }
            store.delete(bytes("{a}17"));

            assertEquals(499, store.countInSlot(HashSlot.of("a")));
            Set<Entry> expected = new HashSet<>();
            for (int i = 0; i < 500; i++) {
                if (i != 17) {
                    expected.add(new Entry(bytes("{a}" + i), bytes("a" + i)));
                }
            }
            List<Entry> listed = entries(bytes("a"));
            assertEquals(499, listed.size());
            assertEquals(expected, new HashSet<>(listed));
        }

        @Test
        void ofOneStripeAreKeptApart() {
            LocalStore oneStripe = new LocalStore(engine.settings().withStripes(1), 7, clock);
            oneStripe.set(bytes("a"), VALUE);
            oneStripe.set(bytes("b"), VALUE);

            assertEquals(1, oneStripe.countInSlot(HashSlot.of("a")));
            assertEquals(1, oneStripe.dropSlot(HashSlot.of("a")));
            assertEquals("value-01", text(oneStripe.get(bytes("b"))));
        }

        @Test
        void canBeListedByAnActionThatChangesThem() {
            for (int i = 0; i < 300; i++) {
                store.set(bytes("{a}" + i), VALUE);
            }
            int slot = HashSlot.of("a");
            List<Entry> seen = new ArrayList<>();
            store.forEachInSlot(slot, entry -> {
                seen.add(entry);
                store.delete(entry.key());
                store.set(bytes("{a}new" + seen.size()), VALUE);
            });

            assertEquals(300, seen.size());
            assertEquals(300, store.countInSlot(slot));
        }

        @Test
        void canBeDropped() {
            for (int i = 0; i < 300; i++) {
                store.set(bytes("{a}" + i), VALUE);
                store.set(bytes("{b}" + i), VALUE);
            }

            assertEquals(300, store.dropSlot(HashSlot.of("a")));
            assertEquals(0, store.countInSlot(HashSlot.of("a")));
            assertEquals(300, store.size());
            assertEquals(0, store.dropSlot(HashSlot.of("a")));
        }

        @ParameterizedTest
        @ValueSource(ints = {-1, 16384})
        void mustExist(int slot) {
            assertThrows(IllegalArgumentException.class, () -> store.countInSlot(slot));
            assertThrows(IllegalArgumentException.class, () -> store.dropSlot(slot));
            assertThrows(IllegalArgumentException.class, () -> store.forEachInSlot(slot, entry -> {}));
        }
    }

    @Test
    void manyKeysOfOneSlotAreFoundByTheirHash() {
        // 16,384 keys that are equal to a slot hash and, being permutations, to every sum of their bytes.
        List<byte[]> keys = new ArrayList<>();
        for (int i = 0; i < 16_384; i++) {
            StringBuilder key = new StringBuilder("{t}");
            for (int bit = 0; bit < 14; bit++) {
                key.append((i >> bit & 1) == 0 ? "Aa" : "BB"); // "Aa" and "BB" have the same String and array hash
            }
            keys.add(bytes(key.toString()));
        }
        for (byte[] key : keys) {
            assertTrue(store.set(key, key, SetOptions.defaults().withCondition(Condition.IF_ABSENT)));
        }

        assertEquals(16_384, store.countInSlot(HashSlot.of("t")));
        for (byte[] key : keys) {
            assertArrayEquals(key, store.get(key));
        }
    }

    @Test
    void theDigestIsOfTheEntriesAlone() {
        LocalStore other = new LocalStore(engine.settings().withStripes(4), 8, new FixedClock(0));
        assertEquals(0, store.digest());
        for (int i = 0; i < 100; i++) {
            store.set(bytes("k" + i), bytes("v" + i));
            other.set(bytes("k" + (99 - i)), bytes("v" + (99 - i)));
        }
        assertEquals(store.digest(), other.digest());
        long before = other.digest();

        other.expireAt(bytes("k1"), NOW + 1);
        assertTrue(before != other.digest());
        other.persist(bytes("k1"));
        assertEquals(before, other.digest());
        other.set(bytes("k1"), bytes("v2"));
        assertTrue(before != other.digest());
        other.delete(bytes("k1"));
        assertTrue(before != other.digest());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 3, 32768, -1})
    void stripesMustBeAPowerOfTwo(int stripes) {
        assertThrows(IllegalArgumentException.class, () -> engine.settings().withStripes(stripes));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1})
    void limitsMustBePositive(int limit) {
        assertThrows(IllegalArgumentException.class, () -> engine.settings().withMaxKeyLength(limit));
        assertThrows(IllegalArgumentException.class, () -> engine.settings().withMaxValueLength(limit));
    }

    private List<Entry> entries(byte[] keyOfTheSlot) {
        List<Entry> entries = new ArrayList<>();
        store.forEachInSlot(HashSlot.of(keyOfTheSlot), entries::add);
        return entries;
    }
}
