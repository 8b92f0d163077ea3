package io.kvorum.core;

import static io.kvorum.core.Bytes.bytes;
import static io.kvorum.core.Bytes.text;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.engine.Cause;
import io.kvorum.core.engine.Engines;
import io.kvorum.core.engine.Watcher;
import io.kvorum.slots.HashSlot;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** An error of the JVM leaves an old or a new value, or a stripe that says that it is out of use. */
final class DamageTest {
    private static final byte[] KEY = bytes("k");

    @Test
    void aSinkThatKnowsOfAChangeWhichWasNotMadeIsDamageToo() {
        LocalStore source = Replicas.empty(2);
        source.set(KEY, bytes("theirs"));
        LocalStore store = new LocalStore(StoreSettings.defaults(), 7, new FixedClock(1_000), (slot, change) -> {});
        store.set(KEY, bytes("old"));
        failOn(store, Cause.SET);

        assertThrows(OutOfMemoryError.class, () -> store.set(KEY, bytes("new")));
        assertEquals(StoreHealth.State.DAMAGED, store.health().state());
        assertThrows(IllegalStateException.class, () -> store.get(KEY));
        assertThrows(IllegalStateException.class, () -> store.lend(KEY, LentValue::length));
        assertThrows(IllegalStateException.class, () -> store.increment(KEY, 1));
        assertEquals(1, store.size());

        Replicas.load(store, Replicas.chunks(source, 100));
        assertEquals(StoreHealth.State.OK, store.health().state());
        assertArrayEquals(bytes("theirs"), store.get(KEY));
    }

    /**
     * The sink has all of it, the table its first key: nobody may read from there, or replicate it as if it were whole.
     */
    @Test
    void aTransactionThatStopsAfterTheSinkTookItIsDamage() {
        List<Integer> taken = new ArrayList<>();
        LocalStore store = new LocalStore(
                StoreSettings.defaults(),
                7,
                new FixedClock(1_000),
                (slot, change) -> taken.addAll(
                        Mutation.readAll(change).stream().map(mutation -> slot).toList()));
        List<byte[]> set = new ArrayList<>();
        Engines.only(store).watchers().add(new Watcher() {
            @Override
            public void changed(int slot, byte[] key, Cause cause) {
                set.add(key);
                if (set.size() == 2) {
                    throw new OutOfMemoryError("planted");
                }
            }

            @Override
            public void replaced() {}
        });
        List<Entry> entries = List.of(new Entry(KEY, bytes("1")), new Entry(bytes("{k}2"), bytes("2")));

        assertThrows(OutOfMemoryError.class, () -> store.setAll(entries));
        assertEquals(2, taken.size());
        assertEquals(StoreHealth.State.DAMAGED, store.health().state());
        assertThrows(IllegalStateException.class, () -> store.get(KEY));
        assertThrows(IllegalStateException.class, () -> store.set(KEY, bytes("3")));
        assertEquals(2, taken.size());
    }

    private static void failOn(LocalStore store, Cause failing) {
        Engines.only(store).watchers().add(new Watcher() {
            @Override
            public void changed(int slot, byte[] key, Cause cause) {
                if (cause == failing) {
                    throw new OutOfMemoryError("planted");
                }
            }

            @Override
            public void replaced() {}
        });
    }

    /** Nobody was told of the change, but whoever reads one key and then the other would see half of it. */
    @Test
    void aTransactionThatStopsHalfWayIsDamageWithoutASinkToo() {
        FixedClock clock = new FixedClock(1_000);
        LocalStore store = new LocalStore(StoreSettings.defaults(), 7, clock);
        byte[] expired = bytes("{k}expired");
        store.set(expired, bytes("old"), SetOptions.defaults().withDeadline(1_001));
        clock.set(1_002);
        failOn(store, Cause.EXPIRED);

        List<Entry> entries = List.of(new Entry(KEY, bytes("new")), new Entry(expired, bytes("new")));
        assertThrows(OutOfMemoryError.class, () -> store.setAll(entries));
        assertEquals(StoreHealth.State.DAMAGED, store.health().state());
        assertThrows(IllegalStateException.class, () -> store.get(KEY));
    }

    @Test
    void aTransactionThatStopsBeforeItsFirstChangeIsNoDamage() {
        FixedClock clock = new FixedClock(1_000);
        LocalStore store = new LocalStore(StoreSettings.defaults(), 7, clock);
        store.set(KEY, bytes("old"), SetOptions.defaults().withDeadline(1_001));
        clock.set(1_002);
        failOn(store, Cause.EXPIRED);

        List<Entry> entries = List.of(new Entry(KEY, bytes("new")), new Entry(bytes("{k}other"), bytes("new")));
        assertThrows(OutOfMemoryError.class, () -> store.setAll(entries));
        assertEquals(StoreHealth.State.OK, store.health().state());
        assertFalse(store.exists(bytes("{k}other")));
    }

    @Test
    void expiryGoesOnBesideAStripeThatIsOutOfUse() {
        FixedClock clock = new FixedClock(1_000);
        LocalStore store = new LocalStore(StoreSettings.defaults().withStripes(2), 7, clock);
        byte[] other = keyBeside(KEY);
        SetOptions timed = SetOptions.defaults().withDeadline(1_001);
        store.set(bytes("{k}timed"), bytes("v"), timed);
        store.set(other, bytes("v"), timed);
        damage(store, KEY);
        clock.set(1_002);

        assertEquals(1, store.expire(10));
        assertEquals(0, store.countInSlot(HashSlot.of(other)));
        assertEquals(0, store.expire(10));
    }

    @Test
    void evictionGoesOnBesideAStripeThatIsOutOfUse() {
        MemoryLimit limit = MemoryLimit.entries(10, MemoryLimit.WhenFull.EVICT);
        LocalStore store =
                new LocalStore(StoreSettings.defaults().withStripes(2).withLimit(limit), 7, new FixedClock(1_000));
        byte[] other = keyBeside(KEY);
        damage(store, KEY);
        for (int i = 0; i < 40; i++) {
            store.set(bytes("{" + text(other) + "}" + i), bytes("v"));
        }

        assertEquals(10, store.size());
        assertEquals(StoreHealth.State.DAMAGED, store.health().state());
    }

    /** Leaves the stripe of a key out of use; the others are not. */
    private static void damage(LocalStore store, byte[] key) {
        Watcher failing = new Watcher() {
            @Override
            public void changed(int slot, byte[] changed, Cause cause) {
                throw new OutOfMemoryError("planted");
            }

            @Override
            public void replaced() {}
        };
        Engines.only(store).watchers().add(failing);
        assertThrows(OutOfMemoryError.class, () -> store.set(key, bytes("v")));
        Engines.only(store).watchers().remove(failing);
    }

    /** Returns a key of the other one of two stripes. */
    private static byte[] keyBeside(byte[] key) {
        return IntStream.iterate(0, i -> i + 1)
                .mapToObj(i -> bytes("o" + i))
                .filter(each -> (HashSlot.of(each) & 1) != (HashSlot.of(key) & 1))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void aRefusalIsNoDamage() {
        LocalStore store = new LocalStore(StoreSettings.defaults(), 7, new FixedClock(1_000), (slot, change) -> {
            throw new OutOfMemoryError("planted");
        });
        assertThrows(OutOfMemoryError.class, () -> store.set(KEY, bytes("v")));
        assertThrows(OutOfMemoryError.class, () -> store.append(KEY, bytes("v")));

        assertEquals(StoreHealth.State.OK, store.health().state());
        assertFalse(store.exists(KEY));
        assertTrue(store.size() == 0);
    }
}
