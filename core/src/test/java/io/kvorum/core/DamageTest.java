package io.kvorum.core;

import static io.kvorum.core.Bytes.bytes;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
        io.kvorum.core.engine.Engines.only(store).watchers().add(new io.kvorum.core.engine.Watcher() {
            @Override
            public void changed(int slot, byte[] key, io.kvorum.core.engine.Cause cause) {
                throw new OutOfMemoryError("planted");
            }

            @Override
            public void replaced() {}
        });

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
