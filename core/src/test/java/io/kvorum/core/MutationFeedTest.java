package io.kvorum.core;

import static io.kvorum.core.Bytes.bytes;
import static io.kvorum.core.Bytes.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.kvorum.core.Replicas.Change;
import io.kvorum.core.SetOptions.Condition;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.RefusedException;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@ParameterizedClass(name = "{0}")
@EnumSource(Tables.class)
final class MutationFeedTest {
    private static final byte[] KEY = bytes("{t}key");
    private static final byte[] OTHER = bytes("{t}other");
    private static final int SLOT = HashSlot.of("t");
    private static final long NOW = 1_000;

    private final Tables engine;
    private final FixedClock clock = new FixedClock(NOW);
    private final List<Change> changes = new ArrayList<>();
    private boolean closed;
    private int closeAfter = Integer.MAX_VALUE;
    private final LocalStore store;

    private void accept(int slot, ByteBuf change) {
        if (closed) {
            throw new RefusedException(
                    RefusedException.Kind.READ_ONLY, "a replica takes no writes", slot, null, null, null, 1);
        }
        changes.add(Change.copyOf(slot, change));
        closed = changes.size() == closeAfter;
    }

    MutationFeedTest(Tables engine) {
        this.engine = engine;
        this.store = new LocalStore(engine.settings(), 7, clock, this::accept);
    }

    @Test
    void carriesEffectsWithAbsoluteDeadlines() {
        store.set(KEY, bytes("1"));
        store.set(KEY, bytes("2"), SetOptions.defaults().withDeadline(NOW + 9));
        store.set(KEY, bytes("3"), SetOptions.defaults().withDeadlineKept());
        store.expireAt(KEY, NOW + 20);
        store.persist(KEY);
        store.delete(KEY);

        assertEquals(
                List.of(
                        put(KEY, "1", -1),
                        put(KEY, "2", NOW + 9),
                        put(KEY, "3", NOW + 9),
                        new Mutation.Expire(KEY, NOW + 20),
                        new Mutation.Expire(KEY, KeyValueStore.NO_DEADLINE),
                        new Mutation.Delete(KEY)),
                mutations());
    }

    @Test
    void isSilentAboutWhatChangesNothing() {
        store.delete(KEY);
        store.persist(KEY);
        store.expireAt(KEY, NOW + 1);
        store.set(KEY, bytes("1"), SetOptions.defaults().withCondition(Condition.IF_PRESENT));
        store.get(KEY);
        store.setAll(List.of());
        store.expire(10);

        assertEquals(List.of(), changes);
    }

    @Test
    void tellsSeveralKeysOfOneOperationInOneChange() {
        store.set(OTHER, bytes("0"));
        changes.clear();
        store.setAll(List.of(new Entry(KEY, bytes("1"), NOW + 1), new Entry(OTHER, bytes("2"), NOW)));

        assertEquals(1, changes.size());
        assertEquals(SLOT, changes.get(0).slot());
        assertEquals(List.of(put(KEY, "1", NOW + 1), new Mutation.Delete(OTHER)), mutations());
    }

    @Test
    void tellsOfExpiryAsOfDeletion() {
        store.set(KEY, bytes("1"), SetOptions.defaults().withDeadline(NOW + 1));
        store.set(OTHER, bytes("2"), SetOptions.defaults().withDeadline(NOW + 2));
        changes.clear();
        clock.set(NOW + 2);

        assertEquals(1, store.expire(2));
        assertEquals(List.of(new Mutation.Delete(KEY)), mutations());
        clock.set(NOW + 3);
        assertEquals(false, store.delete(OTHER));
        assertEquals(List.of(new Mutation.Delete(KEY), new Mutation.Delete(OTHER)), mutations());
    }

    @Test
    void aChangeThatIsRefusedIsNotMade() {
        store.set(KEY, bytes("1"), SetOptions.defaults().withDeadline(NOW + 50));
        store.set(OTHER, bytes("2"), SetOptions.defaults().withDeadline(NOW + 1));
        clock.set(NOW + 2);
        long digest = store.digest();
        changes.clear();
        closed = true;

        assertThrows(RefusedException.class, () -> store.set(KEY, bytes("9")));
        assertThrows(RefusedException.class, () -> store.set(bytes("new"), bytes("9")));
        assertThrows(RefusedException.class, () -> store.delete(KEY));
        assertThrows(RefusedException.class, () -> store.delete(OTHER));
        assertThrows(RefusedException.class, () -> store.persist(KEY));
        assertThrows(RefusedException.class, () -> store.expireAt(KEY, NOW + 99));
        assertThrows(RefusedException.class, () -> store.expireAt(KEY, 0));
        assertThrows(RefusedException.class, () -> store.setAll(List.of(new Entry(KEY, bytes("9")))));
        assertThrows(RefusedException.class, () -> store.dropSlot(SLOT));
        assertEquals(0, store.expire(10));
        assertEquals(digest, store.digest());
        assertEquals("1", text(store.get(KEY)));
        assertNull(store.get(bytes("new")));

        closed = false;
        store.set(KEY, bytes("9"));
        assertEquals(0, store.expire(10)); // the write has done it
        assertEquals(List.of(put(KEY, "9", -1), new Mutation.Delete(OTHER)), mutations());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 63, 64, 65, 99})
    void aSlotOfWhichOnlyAPartMayBeDroppedIsDroppedInPart(int accepted) {
        for (int i = 0; i < 100; i++) {
            store.set(bytes("{t}" + i), bytes("1"));
        }
        changes.clear();
        closeAfter = accepted;

        PartlyClearedException partly = assertThrows(PartlyClearedException.class, () -> store.dropSlot(SLOT));
        assertEquals(accepted, partly.deleted());
        assertEquals(SlotSet.EMPTY, partly.cleared());
        assertEquals(SlotSet.of(SLOT), partly.remaining());
        assertInstanceOf(RefusedException.class, partly.getCause());
        assertEquals(accepted, changes.size());
        assertEquals(100 - accepted, store.countInSlot(SLOT));
        assertThrows(RefusedException.class, () -> store.dropSlot(SLOT)); // it has deleted nothing

        closed = false;
        closeAfter = Integer.MAX_VALUE;
        assertEquals(100 - accepted, store.dropSlot(SLOT));
        assertEquals(0, store.size());
    }

    @ParameterizedTest
    @CsvSource({"1, 0", "2, 1", "3, 1", "4, 2"})
    void clearingThatIsRefusedHalfWayNamesWhatIsLeft(int accepted, int slotsCleared) {
        SlotSet slots = SlotSet.of(HashSlot.of("bar"), HashSlot.of("t"), HashSlot.of("foo")); // in this order
        for (String key : List.of("{bar}1", "{bar}2", "{t}1", "{t}2", "{foo}1", "{foo}2")) {
            store.set(bytes(key), bytes("1"));
        }
        changes.clear();
        closeAfter = accepted;

        PartlyClearedException partly = assertThrows(PartlyClearedException.class, store::clear);
        SlotSet ofKeys = partly.cleared().intersect(slots);
        assertEquals(accepted, partly.deleted());
        assertEquals(slotsCleared, ofKeys.size());
        assertEquals(SlotSet.ALL, partly.cleared().union(partly.remaining()));
        assertEquals(SlotSet.EMPTY, partly.cleared().intersect(partly.remaining()));
        ofKeys.forEach(slot -> assertEquals(0, store.countInSlot(slot)));
        assertEquals(6 - accepted, store.size());

        closed = false;
        closeAfter = Integer.MAX_VALUE;
        assertEquals(6 - accepted, store.clear(partly.remaining()));
        assertEquals(0, store.size());
    }

    @Test
    void clearingThatIsRefusedAtOnceIsARefusal() {
        store.set(KEY, bytes("1"));
        closed = true;

        assertThrows(RefusedException.class, store::clear);
    }

    /** Not only a refusal leaves a slot in part. */
    @Test
    void clearingThatFailsHalfWaySaysWhy() {
        IllegalStateException failure = new IllegalStateException("closed");
        List<Integer> accepted = new ArrayList<>();
        LocalStore failing = new LocalStore(engine.settings(), 7, clock, (slot, change) -> {
            accepted.add(slot);
            if (accepted.size() == 4) {
                throw failure;
            }
        });
        failing.set(KEY, bytes("1"));
        failing.set(OTHER, bytes("2"));

        PartlyClearedException partly = assertThrows(PartlyClearedException.class, failing::clear);
        assertSame(failure, partly.getCause());
        assertEquals(1, partly.deleted());
        assertEquals(
                SLOT + " of 16384 slots were cleared and 1 keys deleted before slot " + SLOT + ": closed",
                partly.getMessage());
        assertEquals(1, failing.clear());
    }

    @Test
    void rebuildsTheStoreHoweverOftenItIsApplied() {
        for (int i = 0; i < 200; i++) {
            store.set(bytes("k" + i % 50), bytes("v" + i), SetOptions.defaults().withDeadline(NOW + i + 1));
            store.delete(bytes("k" + i * 7 % 50));
        }
        LocalStore replica = Replicas.empty(5);
        Replicas.apply(replica, changes);
        assertEquals(store.digest(), replica.digest());
        Replicas.apply(replica, changes);
        assertEquals(store.digest(), replica.digest());
    }

    @Test
    void isNotFedByARecordThatIsApplied() {
        store.set(KEY, bytes("1"));
        Change change = changes.get(0);
        changes.clear();
        store.replicatedState().apply(change.slot(), change.payload());

        assertEquals(List.of(), changes);
    }

    @Test
    void aReplicaHidesByItsClockButDeletesOnlyByARecord() {
        FixedClock replicaClock = new FixedClock(NOW);
        LocalStore replica = new LocalStore(engine.settings(), 8, replicaClock, (slot, change) -> {
            throw new RefusedException(RefusedException.Kind.READ_ONLY, "read only", slot, null, null, null, 1);
        });
        store.set(KEY, bytes("1"), SetOptions.defaults().withDeadline(NOW + 10));
        Replicas.apply(replica, changes);
        changes.clear();

        replicaClock.set(NOW + 3_600_000);
        assertNull(replica.get(KEY));
        assertEquals(0, replica.expire(100));
        assertEquals(1, replica.size());
        assertEquals(store.digest(), replica.digest());

        replicaClock.set(NOW);
        assertEquals("1", text(replica.get(KEY)));

        clock.set(NOW + 11);
        assertEquals(1, store.expire(100));
        Replicas.apply(replica, changes);
        assertEquals(0, replica.size());
        assertEquals(store.digest(), replica.digest());
    }

    @Test
    void anExpiredKeyIsOverwrittenByARecordAsAnyOther() {
        LocalStore replica = new LocalStore(engine.settings(), 8, new FixedClock(NOW + 3_600_000));
        store.set(KEY, bytes("1"), SetOptions.defaults().withDeadline(NOW + 10));
        store.set(KEY, bytes("2"), SetOptions.defaults().withDeadlineKept());
        Replicas.apply(replica, changes);

        assertEquals(store.digest(), replica.digest());
    }

    private static Mutation put(byte[] key, String value, long deadline) {
        return new Mutation.Put(new Entry(key, bytes(value), deadline));
    }

    private List<Mutation> mutations() {
        return changes.stream()
                .flatMap(change -> Mutation.readAll(change.payload()).stream())
                .toList();
    }
}
