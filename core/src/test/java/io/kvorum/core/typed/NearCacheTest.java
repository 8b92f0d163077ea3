package io.kvorum.core.typed;

import static io.kvorum.core.Bytes.bytes;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.Entry;
import io.kvorum.core.FixedClock;
import io.kvorum.core.KeyValueStore;
import io.kvorum.core.LocalStore;
import io.kvorum.core.PlainStore;
import io.kvorum.core.Replicas;
import io.kvorum.core.SetOptions;
import io.kvorum.core.ShardedStore;
import io.kvorum.core.StoreSettings;
import io.kvorum.core.engine.Cause;
import io.kvorum.core.engine.Engines;
import io.kvorum.core.engine.MutationWriter;
import io.kvorum.core.engine.Watcher;
import io.kvorum.replication.Restoration;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.topology.ClusterTopology;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class NearCacheTest {
    private static final long NOW = 1_000_000;
    private static final int MAX_ENTRIES = 100;
    private static final String KEY = "{a}1";
    private static final byte[] BINARY = bytes(KEY);
    private static final Codec<String> TEXT = Codec.text();

    private final FixedClock clock = new FixedClock(NOW);
    private final LocalStore binary = new LocalStore(StoreSettings.defaults(), 7, clock);

    /** What happens the next time that a value is decoded, before it is kept. */
    private Runnable meanwhile = () -> {};

    private final Codec<String> values = Codec.of(TEXT::encode, encoded -> {
        String value = TEXT.decode(encoded);
        Runnable now = meanwhile;
        meanwhile = () -> {};
        now.run();
        return value;
    });
    private final TypedStore<String, String> store = TypedStore.nearCached(binary, TEXT, values, MAX_ENTRIES);

    @AfterEach
    void close() {
        store.close();
    }

    /** Returns how often the store itself has been asked for a value. */
    private static long reads(LocalStore asked) {
        return Engines.only(asked).counters().hits()
                + Engines.only(asked).counters().misses();
    }

    @Test
    void countsFromTheFirstQuestion() {
        store.set(KEY, "1");
        store.get(KEY);
        assertEquals(new NearCacheStats(0, 0, 0, 0, 1), store.nearCacheStats());
        store.get(KEY);
        store.get(KEY);
        store.set(KEY, "2");
        store.get(KEY);
        store.get("none");
        assertEquals(new NearCacheStats(2, 2, 0, 1, 1), store.nearCacheStats());
        for (int i = 0; i < 2 * MAX_ENTRIES; i++) {
            store.set("k" + i, "1");
            store.get("k" + i);
        }
        NearCacheStats full = store.nearCacheStats();
        assertEquals(MAX_ENTRIES, full.size());
        assertEquals(MAX_ENTRIES + 1, full.evictions());
        Replicas.load(binary, Replicas.chunks(Replicas.of(List.of()), 1_000));
        assertEquals(1 + MAX_ENTRIES, store.nearCacheStats().invalidations());
        assertEquals(0, store.nearCacheStats().size());

        TypedStore<String, String> without = TypedStore.of(binary, TEXT, TEXT);
        assertThrows(IllegalStateException.class, without::nearCacheStats);
    }

    /** Whatever changes a value behind the back of the typed store. */
    @SuppressWarnings("ImmutableEnumChecker") // the actions have no state
    enum Write {
        TYPED((store, binary) -> store.set(KEY, "after")),
        IN_BYTES((store, binary) -> binary.set(BINARY, bytes("after"))),
        IN_A_TRANSACTION((store, binary) -> binary.transact(HashSlot.of(BINARY), keys -> {
            keys.delete(BINARY);
            keys.set(bytes("{a}2"), bytes("after"));
            return keys.rename(bytes("{a}2"), BINARY);
        })),
        COMPUTED((store, binary) -> store.compute(KEY, before -> "after")),
        APPENDED((store, binary) -> {
            binary.append(BINARY, bytes("!"));
            binary.setRange(BINARY, 0, bytes("after"));
            binary.compute(BINARY, before -> bytes("after"));
        }),
        WITH_OTHERS((store, binary) -> store.setAll(Map.of("{a}2", "other", KEY, "after"))),
        REPLICATED((store, binary) -> {
            ByteBuf change = Unpooled.buffer();
            MutationWriter.put(change, BINARY, bytes("after"), KeyValueStore.NO_DEADLINE);
            binary.replicatedState().apply(HashSlot.of(BINARY), change);
        }),
        FULL_SYNC((store, binary) -> {
            LocalStore other = Replicas.of(List.of(new Entry(BINARY, bytes("after"))));
            Replicas.load(binary, Replicas.chunks(other, 1_000));
        }),
        DELETED_AND_SET((store, binary) -> {
            binary.delete(BINARY);
            binary.set(BINARY, bytes("after"));
        });

        final Action action;

        Write(Action action) {
            this.action = action;
        }

        interface Action {
            void run(TypedStore<String, String> store, LocalStore binary);
        }
    }

    /** Whatever takes a value away. */
    @SuppressWarnings("ImmutableEnumChecker") // the actions have no state
    enum End {
        DELETED(binary -> binary.delete(BINARY)),
        DROPPED(binary -> binary.dropSlot(HashSlot.of(BINARY))),
        CLEARED(LocalStore::clear),
        RENAMED(binary -> binary.rename(BINARY, bytes("{a}2"))),
        EXPIRED_AT_ONCE(binary -> binary.expireAt(BINARY, NOW - 1)),
        REPLICATED(binary -> {
            ByteBuf change = Unpooled.buffer();
            MutationWriter.delete(change, BINARY);
            binary.replicatedState().apply(HashSlot.of(BINARY), change);
        }),
        FULL_SYNC(binary -> binary.replicatedState().restore().complete());

        final Consumer<LocalStore> action;

        End(Consumer<LocalStore> action) {
            this.action = action;
        }
    }

    @Test
    void aHitDoesNotTouchTheStore() {
        store.set(KEY, "value");
        String first = store.get(KEY);
        long before = reads(binary);

        for (int i = 0; i < 10; i++) {
            assertSame(first, store.get(KEY));
        }
        assertEquals("value", first);
        assertEquals(before, reads(binary));
    }

    @Test
    void keysAreKeptApart() {
        for (int i = 0; i < 50; i++) {
            store.set("key" + i, "value" + i);
        }
        for (int i = 0; i < 100; i++) {
            assertEquals("value" + i % 50, store.get("key" + i % 50));
        }
    }

    @Test
    void anAbsentKeyTakesNoRoom() {
        NearCache<String> cache = new NearCache<>(binary, TEXT, MAX_ENTRIES);

        assertNull(cache.get(BINARY));
        assertEquals(0, cache.size());
        binary.set(BINARY, bytes("value"));
        assertEquals("value", cache.get(BINARY));
        assertEquals(1, cache.size());
    }

    @Test
    void isToldOfAChangeBeforeAnybodyElse() {
        List<Long> sizes = new ArrayList<>();
        LocalStore watched = new LocalStore();
        AtomicReference<@Nullable NearCache<String>> made = new AtomicReference<>();
        Engines.only(watched).watchers().add(new Watcher() {
            @Override
            public void changed(int slot, byte[] key, Cause cause) {
                sizes.add(sizeOf(made.get()));
            }

            @Override
            public void replaced() {
                sizes.add(sizeOf(made.get()));
            }
        });
        NearCache<String> cache = new NearCache<>(watched, TEXT, MAX_ENTRIES);
        made.set(cache);
        watched.set(BINARY, bytes("before"));
        cache.get(BINARY);
        assertEquals(1, cache.size());
        watched.set(BINARY, bytes("after"));
        cache.get(BINARY);
        watched.replicatedState().restore().complete();

        assertEquals(List.of(0L, 0L, 0L), sizes);
    }

    private static long sizeOf(@Nullable NearCache<String> cache) {
        return cache == null ? -1 : cache.size();
    }

    @Test
    void holdsNoMoreThanItMay() {
        NearCache<String> cache = new NearCache<>(binary, TEXT, 10);
        for (int i = 0; i < 1_000; i++) {
            binary.set(bytes("key" + i), bytes("value" + i));
            assertEquals("value" + i, cache.get(bytes("key" + i)));
        }

        assertTrue(cache.size() <= 10, () -> "it holds " + cache.size());
    }

    @ParameterizedTest
    @EnumSource
    void aWriteIsSeenAtOnce(Write write) {
        store.set(KEY, "before");
        assertEquals("before", store.get(KEY));

        write.action.run(store, binary);
        assertEquals("after", store.get(KEY));
    }

    @ParameterizedTest
    @EnumSource
    void anEndIsSeenAtOnce(End end) {
        store.set(KEY, "before");
        assertEquals("before", store.get(KEY));

        end.action.accept(binary);
        assertNull(store.get(KEY));
    }

    @ParameterizedTest
    @EnumSource
    void aWriteInTheMiddleOfAReadIsSeenByTheNextOne(Write write) {
        store.set(KEY, "before");
        meanwhile = () -> write.action.run(store, binary);

        assertEquals("before", store.get(KEY));
        assertEquals("after", store.get(KEY));
    }

    @ParameterizedTest
    @EnumSource
    void anEndInTheMiddleOfAReadIsSeenByTheNextOne(End end) {
        store.set(KEY, "before");
        meanwhile = () -> end.action.accept(binary);

        assertEquals("before", store.get(KEY));
        assertNull(store.get(KEY));
    }

    /** The first reader read an old value, the second a new one: the first must not put its own in its place. */
    @Test
    void aReadInTheMiddleOfAReadHasTheLastWord() {
        store.set(KEY, "before");
        List<@Nullable String> inner = new ArrayList<>();
        meanwhile = () -> {
            binary.set(BINARY, bytes("after"));
            inner.add(store.get(KEY));
        };

        assertEquals("before", store.get(KEY));
        assertEquals(List.of("after"), inner);
        long before = reads(binary);
        assertEquals("after", store.get(KEY));
        assertEquals(before, reads(binary));
    }

    @Test
    void whoMeetsAReservationReadsTheStore() {
        store.set(KEY, "value");
        List<@Nullable String> inner = new ArrayList<>();
        meanwhile = () -> inner.add(store.get(KEY));

        assertEquals("value", store.get(KEY));
        assertEquals(List.of("value"), inner);
        long before = reads(binary);
        assertEquals("value", store.get(KEY));
        assertEquals(before, reads(binary));
    }

    @Test
    void aFailedReadLeavesNoReservation() {
        store.set(KEY, "value");
        meanwhile = () -> {
            throw new MalformedValueException("once");
        };

        assertThrows(MalformedValueException.class, () -> store.get(KEY));
        assertEquals("value", store.get(KEY));
        long before = reads(binary);
        assertEquals("value", store.get(KEY));
        assertEquals(before, reads(binary));
    }

    @Nested
    final class Deadlines {
        @Test
        void areKeptToTheMillisecond() {
            store.set(KEY, "value", SetOptions.defaults().withDeadline(NOW + 10));
            assertEquals("value", store.get(KEY));

            clock.set(NOW + 10);
            assertEquals("value", store.get(KEY));
            clock.set(NOW + 11);
            assertNull(store.get(KEY));
        }

        @Test
        void thatPassWhileTheValueIsDecodedCount() {
            store.set(KEY, "value", SetOptions.defaults().withDeadline(NOW + 10));
            meanwhile = () -> clock.set(NOW + 11);

            assertEquals("value", store.get(KEY));
            assertNull(store.get(KEY));
        }

        @Test
        void thatAreGivenLaterCount() {
            store.set(KEY, "value");
            assertEquals("value", store.get(KEY));
            store.expireAfter(KEY, Duration.ofMillis(10));
            assertEquals("value", store.get(KEY));

            clock.set(NOW + 11);
            assertNull(store.get(KEY));
        }

        @Test
        void thatAreTakenAwayCountNoMore() {
            store.set(KEY, "value", SetOptions.defaults().withDeadline(NOW + 10));
            assertEquals("value", store.get(KEY));
            store.persist(KEY);

            clock.set(NOW + 11);
            assertEquals("value", store.get(KEY));
        }

        @Test
        void areFollowedByWhatTheStoreDeletes() {
            store.set(KEY, "value", SetOptions.defaults().withDeadline(NOW + 10));
            assertEquals("value", store.get(KEY));
            clock.set(NOW + 11);
            assertEquals(1, binary.expire(10));

            clock.set(NOW); // back again: the store has deleted it
            assertNull(store.get(KEY));
        }

        @Test
        void areThoseOfTheStoreThatHasTheKey() {
            FixedClock late = new FixedClock(NOW);
            List<LocalStore> stores = List.of(
                    new LocalStore(StoreSettings.defaults(), 1, late),
                    new LocalStore(StoreSettings.defaults(), 2, clock));
            ShardedStore sharded = ShardedStore.local(stores);
            try (TypedStore<String, String> cached = TypedStore.nearCached(sharded, TEXT, TEXT, MAX_ENTRIES)) {
                String inSecond = "b";
                String inFirst = "b";
                for (int i = 0; HashSlot.of(bytes(inSecond)) < HashSlot.COUNT / 2; i++) {
                    inSecond = "b" + i;
                }
                for (int i = 0; HashSlot.of(bytes(inFirst)) >= HashSlot.COUNT / 2; i++) {
                    inFirst = "b" + i;
                }
                for (String key : List.of(inFirst, inSecond)) {
                    cached.set(key, "value", SetOptions.defaults().withDeadline(NOW + 10));
                    assertEquals("value", cached.get(key));
                }
                clock.set(NOW + 11);

                assertEquals("value", cached.get(inFirst));
                assertNull(cached.get(inSecond));
            }
        }
    }

    @Test
    void overALocalShardedStoreEveryShardIsWatched() {
        List<LocalStore> stores = List.of(new LocalStore(), new LocalStore(), new LocalStore());
        ShardedStore sharded = ShardedStore.local(stores);
        try (TypedStore<String, String> cached = TypedStore.nearCached(sharded, TEXT, TEXT, MAX_ENTRIES)) {
            for (int i = 0; i < 50; i++) {
                cached.set("key" + i, "before");
                assertEquals("before", cached.get("key" + i));
                sharded.set(bytes("key" + i), bytes("after"));
                assertEquals("after", cached.get("key" + i));
            }
            long before = stores.stream().mapToLong(NearCacheTest::reads).sum();
            assertEquals("after", cached.get("key7"));
            assertEquals(before, stores.stream().mapToLong(NearCacheTest::reads).sum());
            for (LocalStore each : stores) {
                Restoration restoration = each.replicatedState().restore();
                restoration.complete();
            }
            assertNull(cached.get("key7"));
        }
    }

    @Test
    void aStoreThatTellsOfNothingIsRefused() {
        assertThrows(
                IllegalArgumentException.class,
                () -> TypedStore.nearCached(new PlainStore(binary), TEXT, TEXT, MAX_ENTRIES));
        ShardedStore remote = new ShardedStore(() -> ClusterTopology.EMPTY, node -> null);
        assertThrows(IllegalArgumentException.class, () -> TypedStore.nearCached(remote, TEXT, TEXT, MAX_ENTRIES));
        assertThrows(IllegalArgumentException.class, () -> TypedStore.nearCached(binary, TEXT, TEXT, 0));
    }

    @Test
    void afterItsEndTheStoreIsRead() {
        store.set(KEY, "before");
        assertEquals("before", store.get(KEY));
        store.close();
        store.close();
        Engines.only(binary).counters().start();
        binary.set(BINARY, bytes("after"));

        long before = reads(binary);
        assertEquals("after", store.get(KEY));
        assertEquals("after", store.get(KEY));
        assertEquals(before + 2, reads(binary));
    }

    @Test
    void endedInTheMiddleOfAReadItKeepsNothing() {
        store.set(KEY, "before");
        meanwhile = () -> {
            store.close();
            binary.set(BINARY, bytes("after"));
        };

        assertEquals("before", store.get(KEY));
        assertEquals("after", store.get(KEY));
    }

    @Test
    void inAsynchronousFormItIsUsedToo() {
        AsyncTypedStore<String, String> async = store.async(Runnable::run);
        store.set(KEY, "value");
        String first = store.get(KEY);

        assertSame(first, async.get(KEY).toCompletableFuture().join());
    }
}
