package io.kvorum.core;

import static io.kvorum.core.Bytes.bytes;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A change of the deadline alone takes a few bytes, and what changes nothing takes none and is told to nobody. */
final class SmallEffectsTest {
    private static final byte[] KEY = bytes("k");
    private static final byte[] LARGE = new byte[500_000];

    private final FixedClock clock = new FixedClock(1_000);
    private final List<Integer> lengths = new ArrayList<>();
    private final List<Replicas.Change> changes = new ArrayList<>();
    private final List<KeyspaceEvent.Kind> events = new ArrayList<>();
    private final LocalStore store = new LocalStore(StoreSettings.defaults(), 7, clock, (slot, change) -> {
        lengths.add(change.readableBytes());
        changes.add(Replicas.Change.copyOf(slot, change));
    });

    /** Operations that leave the value as it is. */
    enum Quiet {
        GET_AND_EXPIRE_FOREVER(keys -> keys.getAndExpire(KEY, Life.forever())),
        GET_AND_EXPIRE_KEPT(keys -> keys.getAndExpire(KEY, Life.kept())),
        PERSIST(keys -> keys.persist(KEY)),
        APPEND_NOTHING(keys -> keys.append(KEY, new byte[0])),
        SET_RANGE_OF_THE_SAME(keys -> keys.setRange(KEY, 7, new byte[5])),
        INCREMENT_BY_NOTHING(keys -> keys.increment(bytes("n"), 0)),
        COMPUTE_THE_SAME(keys -> keys.compute(KEY, value -> value)),
        DELETE_OF_NOTHING(keys -> keys.delete(bytes("none"))),
        RENAME_TO_ITSELF(keys -> keys.rename(KEY, KEY)),
        SET_IF_ABSENT(
                keys -> keys.set(KEY, bytes("x"), SetOptions.defaults().withCondition(SetOptions.Condition.IF_ABSENT)));

        @SuppressWarnings("ImmutableEnumChecker") // a function without state
        private final java.util.function.Consumer<KeyOperations> operation;

        Quiet(java.util.function.Consumer<KeyOperations> operation) {
            this.operation = operation;
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatChangesNothingIsToldToNobody(Quiet quiet) {
        store.set(KEY, LARGE);
        store.set(bytes("n"), bytes("1"));
        lengths.clear();
        try (KeyspaceSubscription subscription =
                store.subscribe(event -> events.add(event.kind()), Runnable::run, 100)) {
            quiet.operation.accept(store);

            assertEquals(0, subscription.sequence());
        }
        assertEquals(List.of(), lengths);
    }

    @Test
    void aDeadlineAloneTakesADozenBytes() {
        store.set(KEY, LARGE);
        lengths.clear();
        store.expireAfter(KEY, Duration.ofSeconds(60));
        store.getAndExpire(KEY, Life.lasting(Duration.ofSeconds(70)));
        store.getAndExpire(KEY, Life.lasting(Duration.ofSeconds(70))); // the same millisecond
        store.persist(KEY);
        store.expireAt(KEY, 50_000);

        assertEquals(4, lengths.size());
        assertTrue(lengths.stream().allMatch(length -> length <= 12), lengths::toString);
        assertEquals(
                List.of(new Mutation.Expire(KEY, 50_000)),
                Mutation.readAll(changes.get(4).payload()));
        LocalStore replica = Replicas.empty(1);
        Replicas.apply(replica, changes);
        assertEquals(store.digest(), replica.digest());
        assertArrayEquals(LARGE, store.get(KEY));
    }

    @Test
    void aDeadlineOfAKeyThatAReplicaDoesNotHaveChangesNothing() {
        store.set(KEY, LARGE);
        store.expireAt(KEY, 50_000);
        LocalStore replica = Replicas.empty(1);
        Replicas.apply(replica, changes.subList(1, 2));

        assertEquals(0, replica.size());
        Replicas.apply(replica, changes);
        Replicas.apply(replica, changes.subList(1, 2));
        assertEquals(store.digest(), replica.digest());
    }

    @Test
    void aValueAndADeadlineOfOneTransactionAreOneWholeEntry() {
        store.set(KEY, bytes("1"));
        changes.clear();
        store.transact(io.kvorum.slots.HashSlot.of(KEY), keys -> {
            keys.expireAt(KEY, 50_000);
            return keys.append(KEY, bytes("2"));
        });
        assertEquals(
                List.of(new Mutation.Put(new Entry(KEY, bytes("12"), 50_000))),
                Mutation.readAll(changes.get(0).payload()));
    }
}
