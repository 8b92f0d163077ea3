package io.kvorum.core.typed;

import static io.kvorum.core.Bytes.bytes;
import static io.kvorum.core.Bytes.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.Entry;
import io.kvorum.core.ExpireCondition;
import io.kvorum.core.FixedClock;
import io.kvorum.core.Life;
import io.kvorum.core.LocalStore;
import io.kvorum.core.SetOptions;
import io.kvorum.core.SetOptions.Condition;
import io.kvorum.core.StoreSettings;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.topology.RefusedException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class TypedStoreTest {
    private static final long NOW = 1_000_000;
    private static final String KEY = "{a}1";
    private static final String OTHER = "{a}2";

    private final FixedClock clock = new FixedClock(NOW);
    private final LocalStore binary = new LocalStore(StoreSettings.defaults(), 7, clock);
    private final TypedStore<String, Long> store = TypedStore.of(binary, Codec.text(), Codec.int64());

    private static SetOptions when(Condition condition) {
        return SetOptions.defaults().withCondition(condition);
    }

    @Nested
    final class Values {
        @Test
        void areReadAsTheyWereSet() {
            store.set(KEY, 42L);

            assertEquals(42, store.get(KEY));
            assertTrue(store.exists(KEY));
            assertTrue(store.touch(KEY));
            assertNull(store.get(OTHER));
            assertFalse(store.exists(OTHER));
            assertEquals(Map.of(KEY, 42L), store.getAll(List.of(KEY, OTHER)));
        }

        @Test
        void areKeptAsTheCodecsSay() {
            store.set(KEY, 258L);

            assertEquals("\0\0\0\0\0\0\1\2", text(binary.get(bytes(KEY))));
            assertSame(binary, store.binary());
            assertEquals(HashSlot.of(bytes(KEY)), store.slotOf(KEY));
        }

        @Test
        void areSetOnACondition() {
            assertFalse(store.set(KEY, 1L, when(Condition.IF_PRESENT)));
            assertTrue(store.set(KEY, 1L, when(Condition.IF_ABSENT)));
            assertFalse(store.set(KEY, 2L, when(Condition.IF_ABSENT)));
            assertEquals(1, store.get(KEY));
        }

        @Test
        void areSetIfEqualAndKeepTheirDeadline() {
            assertFalse(store.setIfEqual(KEY, 1L, 2L));
            store.set(KEY, 1L, SetOptions.defaults().withDeadline(NOW + 5));

            assertFalse(store.setIfEqual(KEY, 2L, 3L));
            assertTrue(store.setIfEqual(KEY, 1L, 2L));
            assertEquals(2, store.get(KEY));
            assertEquals(OptionalLong.of(NOW + 5), store.deadlineOf(KEY));
        }

        @Test
        void areReturnedWhenTheyAreReplaced() {
            assertEquals(new TypedSetResult<>(true, null), store.getAndSet(KEY, 1L, SetOptions.defaults()));
            assertEquals(new TypedSetResult<>(false, 1L), store.getAndSet(KEY, 2L, when(Condition.IF_ABSENT)));
            assertEquals(1, store.get(KEY));
        }

        @Test
        void areSetTogether() {
            store.setAll(Map.of(KEY, 1L, OTHER, 2L));

            assertEquals(Map.of(KEY, 1L, OTHER, 2L), store.getAll(List.of(KEY, OTHER)));
            assertFalse(store.setAllIfAbsent(Map.of(KEY, 5L, "{a}3", 6L)));
            assertFalse(store.exists("{a}3"));
            assertTrue(store.setAllIfAbsent(Map.of("{a}3", 6L)));
            assertThrows(RefusedException.class, () -> store.setAll(Map.of("one", 1L, "two", 2L)));
            assertThrows(RefusedException.class, () -> store.getAll(List.of("one", "two")));
        }

        @Test
        void areDeleted() {
            store.setAll(Map.of(KEY, 1L, OTHER, 2L));

            assertTrue(store.delete(KEY));
            assertFalse(store.delete(KEY));
            assertFalse(store.deleteIfEqual(OTHER, 1L));
            assertTrue(store.deleteIfEqual(OTHER, 2L));
            store.set(KEY, 3L);
            assertEquals(3, store.getAndDelete(KEY));
            assertNull(store.getAndDelete(KEY));
        }

        @Test
        void areComputed() {
            assertEquals(1, store.compute(KEY, before -> before == null ? 1L : before + 1));
            assertEquals(2, store.compute(KEY, before -> before == null ? 1L : before + 1));
            assertNull(store.compute(KEY, before -> null));
            assertFalse(store.exists(KEY));
        }

        @Test
        void inDecimalCanBeIncremented() {
            TypedStore<String, Long> counters = TypedStore.of(binary, Codec.text(), Codec.decimal());
            counters.set(KEY, 40L);

            assertEquals(42, counters.increment(KEY, 2));
            assertEquals(42, counters.get(KEY));
        }

        @Test
        void mayBeRecords() {
            TypedStore<Integer, CodecTest.Point> points = TypedStore.of(binary, Codec.int32(), CodecTest.Point.CODEC);
            points.set(1, new CodecTest.Point(2, 3));

            assertEquals(new CodecTest.Point(2, 3), points.get(1));
        }
    }

    @Nested
    final class Lives {
        @Test
        void endAtTheDeadline() {
            store.set(KEY, 1L);

            assertTrue(store.expireAt(KEY, NOW + 10));
            TypedValue<Long> found = lookUp();
            assertEquals(1, found.value());
            assertEquals(NOW + 10, found.deadline());
            assertEquals(Optional.of(Duration.ofMillis(10)), found.remaining());
            assertEquals(Optional.of(Duration.ofMillis(10)), store.timeToLive(KEY));
            clock.set(NOW + 11);
            assertNull(store.get(KEY));
            assertNull(store.lookUp(KEY));
        }

        @Test
        void areChanged() {
            assertFalse(store.expireAfter(KEY, Duration.ofMillis(5)));
            store.set(KEY, 1L);
            assertTrue(store.expireAfter(KEY, Duration.ofMillis(5)));
            assertFalse(store.expire(KEY, Life.until(NOW + 3), ExpireCondition.IF_LATER));
            assertEquals(1, store.getAndExpire(KEY, Life.until(NOW + 20)));
            assertEquals(OptionalLong.of(NOW + 20), store.deadlineOf(KEY));
            assertTrue(store.persist(KEY));
            assertEquals(Optional.empty(), lookUp().remaining());
            assertNull(store.getAndExpire(OTHER, Life.forever()));
        }

        private TypedValue<Long> lookUp() {
            TypedValue<Long> found = store.lookUp(KEY);
            assertNotNull(found);
            return found;
        }
    }

    /** Each of these would return the value, which the codec does not understand. */
    @Nested
    final class WhatTheCodecRefuses {
        private final byte[] bad = {1, 2, 3};

        @ParameterizedTest
        @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7})
        void isThrownBeforeAnythingChanges(int operation) {
            binary.set(bytes(KEY), bad);

            assertThrows(MalformedValueException.class, () -> returning(store, operation));
            assertThrows(
                    MalformedValueException.class,
                    () -> store.transact(store.slotOf(KEY), keys -> returning(keys, operation)));
            assertEquals(new Entry(bytes(KEY), bad), only());
        }

        @Test
        void isNotSet() {
            TypedStore<String, String> texts = TypedStore.of(binary, Codec.text(), Codec.text());
            texts.set(KEY, "before");

            assertThrows(IllegalArgumentException.class, () -> texts.set(KEY, "\ud83d"));
            assertThrows(IllegalArgumentException.class, () -> texts.compute(KEY, before -> "\ud83d"));
            assertThrows(IllegalArgumentException.class, () -> texts.setAll(Map.of(KEY, "after", OTHER, "\ud83d")));
            assertEquals("before", texts.get(KEY));
            assertFalse(texts.exists(OTHER));
        }

        private @Nullable Object returning(TypedOperations<String, Long> keys, int operation) {
            return switch (operation) {
                case 0 -> keys.get(KEY);
                case 1 -> keys.getAndSet(KEY, 1L, SetOptions.defaults());
                case 2 -> keys.getAndDelete(KEY);
                case 3 -> keys.getAndExpire(KEY, Life.until(NOW + 1));
                case 4 -> keys.compute(KEY, before -> 1L);
                case 5 -> keys.lookUp(KEY);
                case 6 -> keys.getAll(List.of(KEY));
                default -> throw new MalformedValueException("thrown by the function");
            };
        }

        private Entry only() {
            Entry[] found = new Entry[1];
            binary.forEachInSlot(HashSlot.of(bytes(KEY)), entry -> found[0] = entry);
            return found[0];
        }
    }

    @Nested
    final class Transactions {
        @Test
        void moveFromOneKeyToAnother() {
            store.set(KEY, 10L);
            long moved = store.transact(store.slotOf(KEY), keys -> {
                Long amount = keys.getAndDelete(KEY);
                keys.set(OTHER, amount == null ? 0 : amount);
                assertFalse(keys.exists(KEY));
                return keys.compute(OTHER, before -> before == null ? 0 : before + 1);
            });

            assertEquals(11, moved);
            assertEquals(Map.of(OTHER, 11L), store.read(store.slotOf(KEY), keys -> keys.getAll(List.of(KEY, OTHER))));
        }

        @Test
        void leaveNothingWhenTheyThrow() {
            assertThrows(
                    IllegalStateException.class,
                    () -> store.transact(store.slotOf(KEY), keys -> {
                        keys.set(KEY, 1L);
                        throw new IllegalStateException("no");
                    }));
            assertFalse(store.exists(KEY));
        }

        @Test
        void mustUseNoStore() {
            store.set(KEY, 1L);

            assertThrows(IllegalStateException.class, () -> store.read(store.slotOf(KEY), keys -> store.lookUp(KEY)));
            assertThrows(
                    RefusedException.class,
                    () -> store.read(store.slotOf(KEY), keys -> keys.exists("of another slot")));
        }
    }

    @Nested
    final class Asynchronous {
        private final AsyncTypedStore<String, Long> async = store.async(Runnable::run);

        @Test
        void operationsDoTheSame() {
            join(async.set(KEY, 1L));
            assertEquals(1, join(async.get(KEY)));
            assertEquals(true, join(async.setIfEqual(KEY, 1L, 2L)));
            assertEquals(3, join(async.compute(KEY, before -> before == null ? 0 : before + 1)));
            assertEquals(false, join(async.transact(store.slotOf(KEY), keys -> keys.deleteIfEqual(KEY, 1L))));
            assertEquals(true, join(async.delete(KEY)));
            assertNull(join(async.get(KEY)));
        }

        @Test
        void failuresAreTheStagesOutcome() {
            binary.set(bytes(KEY), new byte[1]);

            CompletionException thrown = assertThrows(CompletionException.class, () -> join(async.get(KEY)));
            assertInstanceOf(MalformedValueException.class, thrown.getCause());
        }

        @Test
        void anyAsynchronousStoreHasATypedForm() {
            AsyncTypedStore<String, Long> typed =
                    AsyncTypedStore.of(binary.async(Runnable::run), Codec.text(), Codec.int64());
            join(typed.setAll(Map.of(KEY, 1L, OTHER, 2L)));

            assertEquals(Map.of(KEY, 1L, OTHER, 2L), join(typed.getAll(List.of(KEY, OTHER))));
            assertEquals(true, join(typed.read(store.slotOf(KEY), keys -> keys.exists(KEY))));
        }

        private static <T extends @Nullable Object> T join(CompletionStage<T> stage) {
            return stage.toCompletableFuture().join();
        }
    }

    @Test
    void nothingIsNull() {
        assertThrows(NullPointerException.class, () -> store.set(KEY, nothing()));
        assertThrows(NullPointerException.class, () -> store.get(nothing()));
        assertThrows(NullPointerException.class, () -> TypedStore.of(binary, Codec.text(), nothing()));
    }

    @Test
    void textsOfResultsSayNoValues() {
        assertEquals("TypedSetResult[applied true, previous some]", new TypedSetResult<>(true, "secret").toString());
        assertEquals("TypedValue[deadline -1, version 3]", new TypedValue<>("secret", -1, 0, 3).toString());
    }

    @SuppressWarnings({"NullAway", "TypeParameterUnusedInFormals"}) // what a caller without the checker may pass
    private static <T> T nothing() {
        return null;
    }
}
