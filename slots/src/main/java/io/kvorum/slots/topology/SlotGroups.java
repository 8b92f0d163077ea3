package io.kvorum.slots.topology;

import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiConsumer;

/** Slots grouped by a key, in the order in which the keys first came. Takes room for the slots, not for each key. */
final class SlotGroups<K> {
    /** The slots of one key as a chain: the last one leads to the one before it. */
    private static final class Group {
        private int last = -1;
        private int size;
    }

    private final Map<K, Group> groups = new LinkedHashMap<>();
    private final int[] before = new int[HashSlot.COUNT];

    /** Adds a slot that is in no group yet. */
    void add(K key, int slot) {
        Group group = groups.computeIfAbsent(key, k -> new Group());
        before[slot] = group.last;
        group.last = slot;
        group.size++;
    }

    void forEach(BiConsumer<? super K, SlotSet> action) {
        groups.forEach((key, group) -> {
            int[] slots = new int[group.size];
            int slot = group.last;
            for (int i = 0; i < slots.length; i++) {
                slots[i] = slot;
                slot = before[slot];
            }
            action.accept(key, SlotSet.of(slots));
        });
    }
}
