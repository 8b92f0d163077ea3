package io.kvorum.core;

import static io.kvorum.core.Bytes.bytes;
import static io.kvorum.core.Bytes.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.KeyspaceEvent.Kind;
import io.kvorum.core.engine.MutationWriter;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.topology.ClusterTopology;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

final class KeyspaceSubscriptionTest {
    private static final long NOW = 1_000_000;
    private static final int CAPACITY = 1_000;
    private static final byte[] KEY = bytes("{a}1");
    private static final byte[] OTHER = bytes("{a}2");
    private static final byte[] VALUE = bytes("value");

    /** An executor that a test runs by hand. */
    private static final class Tasks implements Executor {
        private final Queue<Runnable> tasks = new ArrayDeque<>();
        private boolean refuses;

        @Override
        public void execute(Runnable task) {
            if (refuses) {
                throw new RejectedExecutionException("on purpose");
            }
            tasks.add(task);
        }

        int size() {
            return tasks.size();
        }

        void runAll() {
            while (!tasks.isEmpty()) {
                tasks.remove().run();
            }
        }
    }

    private final FixedClock clock = new FixedClock(NOW);
    private final LocalStore store = new LocalStore(StoreSettings.defaults(), 7, clock);
    private final Tasks executor = new Tasks();
    private final List<String> heard = new ArrayList<>();

    private void hear(KeyspaceEvent event) {
        heard.add(event.sequence() + " " + event.kind() + " " + text(event.key()));
    }

    private List<String> delivered() {
        executor.runAll();
        List<String> copy = List.copyOf(heard);
        heard.clear();
        return copy;
    }

    @Nested
    final class EachChangeIsAnEvent {
        private final KeyspaceSubscription subscription =
                store.subscribe(KeyspaceSubscriptionTest.this::hear, executor, CAPACITY);

        @Test
        void ofWhatWasSet() {
            store.set(KEY, VALUE);
            store.append(KEY, VALUE);
            store.set(OTHER, VALUE, SetOptions.defaults().withDeadlineKept());
            store.increment(bytes("n"), 1);
            store.expireAt(KEY, NOW + 5);
            store.persist(KEY);

            assertEquals(
                    List.of("1 SET {a}1", "2 SET {a}1", "3 SET {a}2", "4 SET n", "5 SET {a}1", "6 SET {a}1"),
                    delivered());
        }

        @Test
        void ofWhatWasDeleted() {
            store.setAll(List.of(new Entry(KEY, VALUE), new Entry(OTHER, VALUE), new Entry(bytes("{a}3"), VALUE)));
            delivered();
            store.delete(KEY);
            store.expireAt(OTHER, NOW);
            store.dropSlot(HashSlot.of(KEY));

            assertEquals(List.of("4 DELETED {a}1", "5 DELETED {a}2", "6 DELETED {a}3"), delivered());
        }

        @Test
        void ofWhatHasExpiredOnceItIsDeleted() {
            store.set(KEY, VALUE, SetOptions.defaults().withDeadline(NOW + 5));
            store.set(OTHER, VALUE, SetOptions.defaults().withDeadline(NOW + 5));
            clock.set(NOW + 6);
            assertEquals(List.of("1 SET {a}1", "2 SET {a}2"), delivered());

            store.delete(KEY);
            store.expire(10);
            assertEquals(List.of("3 EXPIRED {a}1", "4 EXPIRED {a}2"), delivered());
        }

        @Test
        void ofWhatATransactionMadeInTheEnd() {
            store.set(OTHER, VALUE);
            store.transact(HashSlot.of(KEY), keys -> {
                keys.set(KEY, VALUE);
                keys.rename(OTHER, bytes("{a}3"));
                keys.delete(KEY);
                return keys.increment(KEY, 1);
            });

            assertEquals(List.of("1 SET {a}2", "2 SET {a}1", "3 SET {a}3", "4 DELETED {a}2"), delivered());
        }

        @Test
        void ofWhatAReplicaApplies() {
            ByteBuf change = Unpooled.buffer();
            MutationWriter.put(change, KEY, VALUE, NOW - 1);
            MutationWriter.delete(change, KEY);
            MutationWriter.delete(change, OTHER);
            store.replicatedState().apply(HashSlot.of(KEY), change);

            assertEquals(List.of("1 SET {a}1", "2 DELETED {a}1"), delivered());
        }

        @Test
        void ofAFullSync() {
            Replicas.load(store, Replicas.chunks(Replicas.of(List.of(new Entry(KEY, VALUE))), 1_000));
            store.delete(KEY);

            assertEquals(List.of("1 REPLACED null", "2 DELETED {a}1"), delivered());
        }

        @Test
        void butNothingElseIs() {
            store.delete(KEY);
            store.get(KEY);
            store.expireAt(KEY, NOW + 1);
            store.set(KEY, VALUE, SetOptions.defaults().withCondition(SetOptions.Condition.IF_PRESENT));
            assertThrows(
                    IllegalStateException.class,
                    () -> store.transact(HashSlot.of(KEY), keys -> {
                        keys.set(KEY, VALUE);
                        throw new IllegalStateException("no");
                    }));

            assertEquals(List.of(), delivered());
            assertEquals(0, executor.size());
            assertEquals(0, subscription.sequence());
        }
    }

    @Test
    void whatHappenedBeforeIsNoEvent() {
        store.set(KEY, VALUE);
        try (KeyspaceSubscription subscription = store.subscribe(this::hear, executor, CAPACITY)) {
            store.set(OTHER, VALUE);

            assertEquals(List.of("1 SET {a}2"), delivered());
            assertEquals(1, subscription.delivered());
        }
    }

    @Test
    void onlyWantedKindsTakeANumber() {
        store.subscribe(this::hear, executor, CAPACITY, EnumSet.of(Kind.DELETED));
        store.set(KEY, VALUE);
        store.delete(KEY);
        store.set(KEY, VALUE);
        store.replicatedState().restore().complete();

        assertEquals(List.of("1 DELETED {a}1", "2 REPLACED null"), delivered());
    }

    @Test
    void whatIsLostLeavesAGap() {
        KeyspaceSubscription subscription = store.subscribe(this::hear, executor, 3);
        for (int i = 1; i <= 5; i++) {
            store.set(KEY, VALUE);
        }
        assertEquals(2, subscription.lost());
        assertEquals(3, subscription.pending());
        assertEquals(5, subscription.sequence());
        assertEquals(List.of("1 SET {a}1", "2 SET {a}1", "3 SET {a}1"), delivered());
        assertEquals(3, subscription.delivered());
        assertEquals(0, subscription.pending());

        store.delete(KEY);
        assertEquals(List.of("6 DELETED {a}1"), delivered());
        assertEquals(2, subscription.lost());
    }

    @Test
    void oneTaskAtATimeDeliversABoundedNumber() {
        store.subscribe(this::hear, executor, 10_000);
        for (int i = 0; i < 1_000; i++) {
            store.set(KEY, VALUE);
            assertEquals(1, executor.size());
        }
        executor.tasks.remove().run();

        assertTrue(heard.size() < 1_000, () -> "a task delivered " + heard.size());
        assertEquals(1, executor.size());
        assertEquals(1_000, delivered().size());
        assertEquals(0, executor.size());
    }

    @Test
    void aListenerThatThrowsHearsTheNextEvent() {
        KeyspaceSubscription subscription = store.subscribe(
                event -> {
                    hear(event);
                    if (event.sequence() == 1) {
                        throw new IllegalStateException("on purpose");
                    }
                    if (event.sequence() == 2) {
                        throw new AssertionError("on purpose");
                    }
                },
                executor,
                CAPACITY);
        for (int i = 0; i < 3; i++) {
            store.set(KEY, VALUE);
        }

        assertEquals(List.of("1 SET {a}1", "2 SET {a}1", "3 SET {a}1"), delivered());
        assertEquals(3, subscription.delivered());
    }

    @Test
    void anExecutorThatRefusesIsAskedAgain() {
        KeyspaceSubscription subscription = store.subscribe(this::hear, executor, 2);
        executor.refuses = true;
        store.set(KEY, VALUE);
        store.set(KEY, VALUE);
        store.set(KEY, VALUE);
        assertEquals(1, subscription.lost());
        assertEquals(List.of(), delivered());

        executor.refuses = false;
        store.set(KEY, VALUE);
        assertEquals(List.of("1 SET {a}1", "2 SET {a}1"), delivered());
        assertEquals(2, subscription.lost());
    }

    @Test
    void aListenerMayUseTheStore() {
        store.subscribe(
                event -> {
                    hear(event);
                    if (event.sequence() < 4) {
                        store.append(KEY, VALUE);
                    }
                },
                Runnable::run, // in the middle of the operation that made the change, but without its lock
                CAPACITY);
        store.set(KEY, VALUE);
        store.transact(HashSlot.of(KEY), keys -> keys.delete(KEY));

        assertEquals(List.of("1 SET {a}1", "2 SET {a}1", "3 SET {a}1", "4 SET {a}1", "5 DELETED {a}1"), delivered());
    }

    @Test
    void severalSubscriptionsCountForThemselves() {
        List<Long> second = new ArrayList<>();
        store.subscribe(this::hear, executor, CAPACITY);
        store.set(KEY, VALUE);
        store.subscribe(event -> second.add(event.sequence()), executor, CAPACITY);
        store.set(KEY, VALUE);

        assertEquals(List.of("1 SET {a}1", "2 SET {a}1"), delivered());
        assertEquals(List.of(1L), second);
    }

    @Nested
    final class AfterItsEnd {
        @Test
        void nothingIsDelivered() {
            KeyspaceSubscription subscription =
                    store.subscribe(KeyspaceSubscriptionTest.this::hear, executor, CAPACITY);
            store.set(KEY, VALUE);
            subscription.close();
            subscription.close();
            store.set(KEY, VALUE);

            assertEquals(List.of(), delivered());
            assertEquals(1, subscription.sequence());
            assertEquals(0, subscription.delivered());
            assertEquals(0, subscription.lost());
        }

        @Test
        void whichTheListenerMayDecide() {
            List<KeyspaceSubscription> subscriptions = new ArrayList<>();
            subscriptions.add(store.subscribe(
                    event -> {
                        hear(event);
                        if (event.sequence() == 2) {
                            subscriptions.get(0).close();
                        }
                    },
                    executor,
                    CAPACITY));
            for (int i = 0; i < 5; i++) {
                store.set(KEY, VALUE);
            }

            assertEquals(List.of("1 SET {a}1", "2 SET {a}1"), delivered());
        }

        @Test
        void othersGoOn() {
            store.subscribe(event -> {}, executor, CAPACITY).close();
            store.subscribe(KeyspaceSubscriptionTest.this::hear, executor, CAPACITY);
            store.set(KEY, VALUE);

            assertEquals(List.of("1 SET {a}1"), delivered());
        }
    }

    @Test
    void aShardedStoreHasOneSequence() {
        ShardedStore sharded = ShardedStore.local(List.of(new LocalStore(), new LocalStore(), new LocalStore()));
        try (KeyspaceSubscription subscription = sharded.subscribe(this::hear, executor, CAPACITY)) {
            List<String> expected = new ArrayList<>();
            for (int i = 1; i <= 20; i++) {
                sharded.set(bytes("key" + i), VALUE);
                expected.add(i + " SET key" + i);
            }

            assertEquals(expected, delivered());
            assertEquals(20, subscription.sequence());
        }
        sharded.set(KEY, VALUE);
        assertEquals(List.of(), delivered());
    }

    @Test
    void badInputIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> store.subscribe(this::hear, executor, 0));
        ShardedStore remote = new ShardedStore(() -> ClusterTopology.EMPTY, node -> null);
        assertThrows(IllegalStateException.class, () -> remote.subscribe(this::hear, executor, 1));
        assertThrows(IllegalArgumentException.class, () -> new KeyspaceEvent(1, Kind.SET, 0, nothing()));
        assertThrows(IllegalArgumentException.class, () -> new KeyspaceEvent(1, Kind.REPLACED, -1, KEY));
    }

    @Test
    void eventsAreEqualByTheirBytesAndSayNoKey() {
        KeyspaceEvent event = new KeyspaceEvent(3, Kind.SET, 5, bytes("secret"));

        assertEquals(event, new KeyspaceEvent(3, Kind.SET, 5, bytes("secret")));
        assertEquals(event.hashCode(), new KeyspaceEvent(3, Kind.SET, 5, bytes("secret")).hashCode());
        assertNotEquals(event, new KeyspaceEvent(3, Kind.SET, 5, bytes("other")));
        assertFalse(event.toString().contains("secret"));
    }

    @SuppressWarnings("NullAway") // what a caller without the checker may pass
    private static byte[] nothing() {
        return null;
    }

    /** The executor runs each batch inside of the one before, as far as it is let. */
    @Test
    void manyEventsOfOneTransactionAreDeliveredByAnExecutorThatRunsTasksAtOnce() {
        int count = 600_000;
        List<Entry> entries = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            entries.add(new Entry(bytes("{t}" + i), bytes("")));
        }
        LocalStore large = new LocalStore();
        AtomicInteger heard = new AtomicInteger();
        try (KeyspaceSubscription subscription =
                large.subscribe(event -> heard.incrementAndGet(), Runnable::run, count)) {
            large.setAll(entries);

            assertEquals(0, subscription.lost());
            assertEquals(count, heard.get());
        }
    }

    /** It is asked under a lock, with the change half made. */
    @Test
    void aFilterThatFailsTakesEveryEventAndDamagesNothing() {
        KeyFilter failing = key -> {
            throw new AssertionError("of the user's");
        };
        try (KeyspaceSubscription subscription = store.subscribe(failing, this::hear, executor, CAPACITY)) {
            store.set(KEY, VALUE);
            store.delete(KEY);

            assertEquals(List.of("1 SET {a}1", "2 DELETED {a}1"), delivered());
            assertEquals(0, subscription.lost());
        }
        assertEquals(StoreHealth.State.OK, store.health().state());
    }
}
