package io.kvorum.testkit.simulation;

import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The keys of a run: the same number in each shard. Key {@code k} is in shard {@code k % shards}.
 *
 * <p>Immutable.
 */
final class Keys {
    /** How many keys are in the history; the first half of them is never deleted. */
    static final int CHECKED = 24;

    /** How many keys of each shard are after those, written at {@code LOCAL}, which may be lost. */
    static final int UNCHECKED_PER_SHARD = 200;

    private static final int SLOTS = 16_384;
    private static final Map<Integer, Keys> KNOWN = new ConcurrentHashMap<>();

    private final int shards;
    private final List<String> names = new ArrayList<>();

    private Keys(int shards) {
        this.shards = shards;
        for (int key = 0; key < CHECKED + UNCHECKED_PER_SHARD * shards; key++) {
            int tried = 0;
            String name;
            do {
                name = "key-" + key + "-" + tried++;
            } while (!slots(key % shards).contains(HashSlot.of(name)));
            names.add(name);
        }
    }

    /** {@return the keys of so many shards} */
    static Keys of(int shards) {
        return KNOWN.computeIfAbsent(shards, Keys::new);
    }

    /** {@return the slots of a shard} */
    SlotSet slots(int shard) {
        return SlotSet.ofRange(shard * SLOTS / shards, (shard + 1) * SLOTS / shards - 1);
    }

    String name(int key) {
        return names.get(key);
    }

    int slot(int key) {
        return HashSlot.of(names.get(key));
    }

    /** {@return a key of a shard that is written at {@code LOCAL}} */
    int unchecked(int shard, long number) {
        return CHECKED
                + (int) Math.floorMod(number, (long) UNCHECKED_PER_SHARD) * shards
                + Math.floorMod(shard - CHECKED, shards);
    }

    static boolean mayBeDeleted(int key) {
        return key >= CHECKED / 2 && key < CHECKED;
    }
}
