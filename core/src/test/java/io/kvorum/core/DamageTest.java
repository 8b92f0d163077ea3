package io.kvorum.core;

import static io.kvorum.core.Bytes.bytes;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An error of the JVM leaves an old or a new value, or a stripe that says that it is out of use. */
final class DamageTest {
    private static final byte[] KEY = bytes("k");

    @ParameterizedTest
    @EnumSource
    void aStackOverflowLeavesAnOldOrANewValueOrDamageThatIsTold(Tables tables) throws InterruptedException {
        int[] seen = new int[3];
        Thread thread = new Thread(
                null,
                () -> {
                    LocalStore store = new LocalStore(tables.settings(), 7, new FixedClock(1_000));
                    for (int i = 0; i < 400; i++) {
                        if (store.health().state() == StoreHealth.State.DAMAGED) {
                            store = new LocalStore(tables.settings(), 7, new FixedClock(1_000));
                        }
                        byte[] old = value(i, 10 + i % 50);
                        byte[] next = value(i + 1, 10 + (i * 7) % 90);
                        store.set(KEY, old);
                        boolean removes = i % 5 == 4;
                        overflow(store, removes ? null : next, i % 37);
                        check(store, old, removes ? null : next, seen);
                    }
                },
                "shallow",
                256 << 10);
        thread.start();
        thread.join();

        assertEquals(400, seen[0] + seen[1] + seen[2], Arrays.toString(seen));
    }

    private static void check(LocalStore store, byte[] old, byte @Nullable [] next, int[] seen) {
        byte[] found;
        try {
            found = store.get(KEY);
        } catch (IllegalStateException e) {
            assertEquals(StoreHealth.State.DAMAGED, store.health().state());
            assertThrows(IllegalStateException.class, () -> store.set(KEY, old));
            seen[2]++;
            return;
        }
        if (Arrays.equals(found, old)) {
            seen[0]++;
        } else if (Arrays.equals(found, next)) {
            seen[1]++;
        }
    }

    /** Goes as deep as the stack lasts and changes the key there, at a different depth each time. */
    private static int overflow(LocalStore store, byte @Nullable [] next, int padding) {
        try {
            return deeper(store, next, padding, 0);
        } catch (StackOverflowError | IllegalStateException e) { // out of stack, or out of use
            return 0;
        }
    }

    @SuppressWarnings("InfiniteRecursion") // until the stack is full
    private static int deeper(LocalStore store, byte @Nullable [] next, int padding, int depth) {
        try {
            return deeper(store, next, padding, depth + 1) + padding;
        } catch (StackOverflowError e) {
            if (next == null) {
                store.delete(KEY);
            } else {
                store.set(KEY, next);
            }
            return depth;
        }
    }

    private static byte[] value(int seed, int length) {
        byte[] value = new byte[length];
        Arrays.fill(value, (byte) (1 + seed % 100));
        return value;
    }

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
