package io.kvorum.core;

import static io.kvorum.core.Bytes.bytes;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.typed.Codec;
import io.kvorum.core.typed.TypedStore;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A stack that ends anywhere inside a change leaves the old value or the new one, and no lock taken. */
@Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD) // a lock that stays taken
final class StackOverflowTest {
    private static final byte[] KEY = bytes("k");
    private static final int TRIES = 750; // of each change
    private static final int FEWER = 75;
    private static final int MOST_STEPS = 600;
    private static final int SHALLOW = 160 << 10;

    /** What is done at the end of the stack. */
    private enum Change {
        SET {
            @Override
            void make(LocalStore store, byte[] next) {
                store.set(KEY, next);
            }
        },
        REMOVE {
            @Override
            void make(LocalStore store, byte[] next) {
                store.remove(KEY);
            }
        },
        INCREMENT {
            @Override
            void make(LocalStore store, byte[] next) {
                store.increment(KEY, 1_000_000_000_000L);
            }
        },
        GET_AND_SET {
            @Override
            void make(LocalStore store, byte[] next) {
                store.getAndSet(KEY, next, SetOptions.defaults());
            }
        };

        abstract void make(LocalStore store, byte[] next);
    }

    @ParameterizedTest
    @EnumSource
    void atTheEndOfTheStackAChangeIsMadeOrNot(Tables tables) throws InterruptedException {
        int[] seen = tryAll(
                new LocalStore(tables.settings(), 7, new FixedClock(1_000)), tables == Tables.SLAB ? TRIES : FEWER);

        assertTrue(seen[1] > 0, Arrays.toString(seen));
    }

    @Test
    void soItIsWhereASinkAndANearCacheAndAListenerAreTold() throws InterruptedException {
        ByteBuf changes = Unpooled.buffer();
        LocalStore store = new LocalStore(
                StoreSettings.defaults(),
                7,
                new FixedClock(1_000),
                (slot, change) -> changes.clear().writeBytes(change, change.readerIndex(), change.readableBytes()));
        TypedStore<String, String> near = TypedStore.nearCached(store, Codec.text(), Codec.text(), 10);
        store.subscribe(event -> {}, Runnable::run, 10);
        int[] seen = tryAll(store, FEWER);

        assertTrue(seen[1] > 0, Arrays.toString(seen));
        store.set(KEY, bytes("last"));
        assertEquals("last", near.get("k"));
    }

    /** Returns how often the old value was found, and how often the new one. */
    private static int[] tryAll(LocalStore store, int tries) throws InterruptedException {
        for (Change change : Change.values()) {
            change.make(store, bytes("1")); // what is linked at its first call needs more stack than an operation
        }
        int[] seen = new int[2];
        for (int i = 0; i < tries; i++) {
            for (Change change : Change.values()) {
                byte[] old = bytes(Integer.toString(i));
                byte[] next = bytes(Long.toString(1_000_000_000_000L + i));
                int steps = i * 7 % MOST_STEPS;
                store.set(KEY, old);
                Thread thread = new Thread(null, () -> overflow(store, change, next, steps), "shallow", SHALLOW);
                thread.start();
                thread.join();
                byte[] found = store.get(KEY);
                if (Arrays.equals(found, old)) {
                    seen[0]++;
                } else {
                    assertArrayEquals(change == Change.REMOVE ? null : next, found, change + " " + i);
                    seen[1]++;
                }
            }
        }
        assertEquals(StoreHealth.State.OK, store.health().state());
        return seen;
    }

    /** Makes a change so many steps before the end of the stack, or as near to it as there is room to fail. */
    private static void overflow(LocalStore store, Change change, byte[] next, int steps) {
        int[] deepest = {0};
        try {
            deeper(deepest, Integer.MAX_VALUE, () -> {});
        } catch (StackOverflowError e) {
            // so deep is the stack
        }
        try {
            deeper(new int[1], Math.max(1, deepest[0] - steps), () -> change.make(store, next));
        } catch (StackOverflowError e) {
            // the change was too much for what was left
        }
    }

    private static int deeper(int[] depth, int most, Runnable last) {
        if (++depth[0] < most) {
            return deeper(depth, most, last) + 1;
        }
        last.run();
        return 0;
    }
}
