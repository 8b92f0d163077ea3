package io.kvorum.slots.topology;

import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Collects which slots go from which owner to which, and says it in the fewest changes. */
final class SlotRoutes {
    /** Two owners, of which one may be nobody. */
    private record Route(@Nullable ShardId from, @Nullable ShardId to) {}

    private final Map<Route, long[]> slots = new LinkedHashMap<>();

    void add(int slot, @Nullable ShardId from, @Nullable ShardId to) {
        slots.computeIfAbsent(new Route(from, to), route -> new long[HashSlot.COUNT / Long.SIZE])[slot >>> 6] |=
                1L << slot;
    }

    /** Returns one change for each pair of owners, in the order in which they were first added. */
    List<TopologyChange> changes() {
        List<TopologyChange> changes = new ArrayList<>();
        slots.forEach((route, bits) -> {
            SlotSet moved = SlotSet.ofBits(bits);
            ShardId from = route.from();
            ShardId to = route.to();
            if (from != null && to != null) {
                changes.add(new TopologyChange.MoveSlots(moved, from, to));
            } else if (to != null) {
                changes.add(new TopologyChange.AssignSlots(moved, to));
            } else if (from != null) {
                changes.add(new TopologyChange.UnassignSlots(moved, from));
            }
        });
        return changes;
    }
}
