package io.kvorum.slots.topology;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Slots on their way from one owner to another, collected into the fewest changes. */
final class SlotRoutes {
    /** The old and the new owner of slots; {@code null} for none. */
    private record Route(@Nullable ShardId from, @Nullable ShardId to) {}

    private final SlotGroups<Route> slots = new SlotGroups<>();

    void add(int slot, @Nullable ShardId from, @Nullable ShardId to) {
        slots.add(new Route(from, to), slot);
    }

    /** Returns one change for each pair of owners, in the order in which they were first added. */
    List<TopologyChange> changes() {
        List<TopologyChange> changes = new ArrayList<>();
        slots.forEach((route, moved) -> {
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
