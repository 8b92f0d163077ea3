package io.kvorum.testkit.simulation;

import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import java.util.ArrayList;
import java.util.List;

/** The keys of a run: the same number in each shard. */
final class Keys {
    /** The slots of each shard. */
    static final List<SlotSet> SLOTS =
            List.of(SlotSet.ofRange(0, 5500), SlotSet.ofRange(5501, 11_000), SlotSet.ofRange(11_001, 16_383));

    /** How many keys are in the history; the first half of them is never deleted. */
    static final int CHECKED = 24;

    /** How many keys there are: those after {@link #CHECKED} are written at {@code LOCAL}, and may be lost. */
    static final int COUNT = CHECKED + Cluster.SHARDS;

    private static final List<String> NAMES = names();

    private Keys() {}

    private static List<String> names() {
        List<String> names = new ArrayList<>();
        for (int key = 0; key < COUNT; key++) {
            int tried = 0;
            String name;
            do {
                name = "key-" + key + "-" + tried++;
            } while (!SLOTS.get(key % Cluster.SHARDS).contains(HashSlot.of(name)));
            names.add(name);
        }
        return List.copyOf(names);
    }

    static String name(int key) {
        return NAMES.get(key);
    }

    static int slot(int key) {
        return HashSlot.of(NAMES.get(key));
    }

    static boolean mayBeDeleted(int key) {
        return key >= CHECKED / 2 && key < CHECKED;
    }
}
