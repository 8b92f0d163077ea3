package io.kvorum.core;

import static io.kvorum.core.Bytes.bytes;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.MemoryLimit.WhenFull;
import io.kvorum.core.StoreHealth.State;
import io.kvorum.slots.topology.RefusedException;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class StoreHealthTest {
    private final FixedClock clock = new FixedClock(1_000);
    private boolean refusing;

    @Test
    void ofAStoreIsFineAtFirst() {
        LocalStore store = store(MemoryLimit.none());
        store.set(bytes("a"), bytes("1"));

        assertEquals(new StoreHealth(State.OK, 1, store.bytes(), MemoryLimit.none(), false), store.health());
    }

    @Test
    void saysThatExpiryIsBehindUntilASweepHasSeenAll() {
        LocalStore store = store(MemoryLimit.none());
        for (int i = 0; i < 200; i++) {
            store.set(bytes("k" + i), bytes("1"), SetOptions.defaults().withDeadline(1_001));
        }
        clock.set(1_002);
        store.expire(10);
        assertEquals(State.EXPIRY_BEHIND, store.health().state());
        assertEquals(190, store.health().entries());
        while (store.expire(10) > 0) {}
        assertEquals(State.OK, store.health().state());
    }

    /** Keys that are only to be filed anew, since they are due soon, are work too. */
    @Test
    void aSweepLooksAtABoundedNumberOfKeys() {
        LocalStore store = store(MemoryLimit.none());
        long hour = 3_600_000;
        for (int i = 0; i < 1_000; i++) {
            store.set(bytes("{t}" + i), bytes("1"), SetOptions.defaults().withDeadline(1_000 + hour));
        }
        clock.set(1_000 + hour - 10);
        int sweeps = 0;
        do {
            assertEquals(0, store.expire(10));
            sweeps++;
        } while (store.health().expiryBehind());

        assertTrue(sweeps >= 1_000 / 90, "one sweep may have looked at a ninth at most: " + sweeps);
        clock.set(1_000 + hour + 1);
        assertEquals(1_000, store.expire(1_000));
    }

    @Test
    void saysThatExpiryIsBehindIfTheSinkRefuses() {
        LocalStore store = store(MemoryLimit.none());
        store.set(bytes("a"), bytes("1"), SetOptions.defaults().withDeadline(1_001));
        clock.set(1_002);
        refusing = true;
        store.expire(10);
        assertEquals(State.EXPIRY_BEHIND, store.health().state());
        refusing = false;
        store.expire(10);
        assertEquals(State.OK, store.health().state());
    }

    @Test
    void isFullOnceNoFurtherKeyFits() {
        LocalStore entries = store(MemoryLimit.entries(2, WhenFull.REFUSE));
        entries.set(bytes("a"), bytes("1"));
        assertEquals(State.OK, entries.health().state());
        entries.set(bytes("b"), bytes("1"));
        assertEquals(State.FULL, entries.health().state());
        entries.delete(bytes("a"));
        assertEquals(State.OK, entries.health().state());

        LocalStore sized = store(MemoryLimit.bytes(2 * MemoryLimit.OVERHEAD + 1, WhenFull.REFUSE));
        sized.set(bytes("a"), new byte[0]);
        assertEquals(State.OK, sized.health().state());
        sized.set(bytes("a"), bytes("1"));
        assertEquals(State.FULL, sized.health().state());
    }

    @Test
    void saysThatAStoreThatEvictsCouldNot() {
        LocalStore store = store(MemoryLimit.entries(2, WhenFull.EVICT));
        Replicas.load(store, Replicas.chunks(Replicas.of(entries(5)), 100));
        assertEquals(State.ABOVE_LIMIT, store.health().state());
        store.set(bytes("k1"), bytes("1"));
        assertEquals(State.OK, store.health().state());
        assertEquals(2, store.health().entries());
    }

    private static List<Entry> entries(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> new Entry(bytes("k" + i), bytes("1")))
                .toList();
    }

    private LocalStore store(MemoryLimit limit) {
        return new LocalStore(StoreSettings.defaults().withStripes(2).withLimit(limit), 7, clock, (slot, change) -> {
            if (refusing) {
                throw new RefusedException(RefusedException.Kind.FENCED, "fenced", slot, null, null, null, -1);
            }
        });
    }
}
