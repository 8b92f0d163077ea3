package io.kvorum.core.engine;

import static io.kvorum.core.Bytes.bytes;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kvorum.core.Bytes;
import io.kvorum.core.LocalStore;
import io.kvorum.slots.HashSlot;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.IntFunction;
import java.util.function.IntToLongFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Keys that a stranger has chosen so that they collide: under the hash of arrays and strings, and in their slot. What
 * they cost is counted in steps, which no other load of the machine changes.
 */
final class CollidingKeysTest {
    private static final int KEYS = 16_384;
    private static final int BITS = 14;

    /** {@code Aa} and {@code BB} have the same hash, so all words of fourteen of them have. */
    private static byte[] colliding(int number) {
        StringBuilder key = new StringBuilder("{t}");
        for (int bit = 0; bit < BITS; bit++) {
            key.append((number >> bit & 1) == 0 ? "Aa" : "BB");
        }
        return bytes(key.toString());
    }

    private static byte[] random(int number) {
        byte[] key = new byte[2 * BITS + 3];
        new SplittableRandom(number).nextBytes(key);
        return key;
    }

    @Test
    void theKeysCollide() {
        Set<Integer> hashes = new HashSet<>();
        Set<String> keys = new HashSet<>();
        for (int i = 0; i < KEYS; i++) {
            hashes.add(Arrays.hashCode(colliding(i)));
            keys.add(Bytes.text(colliding(i)));
        }

        assertEquals(1, hashes.size());
        assertEquals(KEYS, keys.size());
    }

    @ParameterizedTest(name = "seed={0}")
    @ValueSource(longs = {1, 2, 3})
    void areFoundInAsFewStepsAsOthers(long seed) {
        long others = probes(seed, CollidingKeysTest::random);
        long colliding = probes(seed, CollidingKeysTest::colliding);

        assertTrue(colliding < 5 * others, () -> colliding + " steps instead of " + others);
        assertTrue(colliding < 3L * KEYS, () -> colliding + " steps for " + KEYS + " keys");
    }

    private static long probes(long seed, IntFunction<byte[]> key) {
        KeyHash hash = new KeyHash(seed, ~seed);
        return probes(number -> hash.of(key.apply(number)), KEYS);
    }

    /** Adds keys with these hashes and returns how many places must be looked at to find each of them once. */
    private static long probes(IntToLongFunction hash, int keys) {
        long[] entries = RecordIndex.EMPTY;
        for (int i = 0; i < keys; i++) {
            entries = RecordIndex.withRoom(entries, i + 1);
            RecordIndex.add(entries, RecordIndex.tag(hash.applyAsLong(i)), i + 1);
        }
        long probes = 0;
        for (int place = 0; place < entries.length; place++) {
            if (entries[place] != 0) {
                probes += ((place - RecordIndex.tag(entries[place])) & (entries.length - 1)) + 1;
            }
        }
        return probes;
    }

    /** The count itself: keys of one hash, which a stranger cannot choose, cost a step for each one before. */
    @Test
    void keysOfOneHashWouldCost() {
        assertEquals(1_000 * 1_001 / 2, probes(number -> 42L << 32, 1_000));
    }

    @Test
    void areAllServed() {
        LocalStore store = new LocalStore();
        store.transact(HashSlot.of("{t}"), keys -> {
            for (int i = 0; i < KEYS; i++) {
                keys.set(colliding(i), bytes("v" + i));
            }
            return null;
        });

        for (int i = 0; i < KEYS; i++) {
            assertEquals("v" + i, Bytes.text(store.get(colliding(i))));
        }
        assertEquals(
                KEYS, store.keysInSlot(HashSlot.of("{t}"), Integer.MAX_VALUE).size());
        assertEquals(List.of(), store.keysInSlot(0, 1));
    }
}
