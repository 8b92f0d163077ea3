package io.kvorum.core.engine;

import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotRange;
import java.util.Arrays;
import java.util.List;

/** The way from a store to its engines, for the packages of this module. */
public final class Engines {
    private Engines() {}

    /** {@return the engines that hold all data of a store, in the order of their slots, or none} */
    public static List<Engine> of(Object store) {
        return store instanceof EngineBacked backed ? backed.engines : List.of();
    }

    /** {@return the engine of a store that has only one} */
    public static Engine only(EngineBacked store) {
        return store.engines.get(0);
    }

    /** {@return the engine of each slot} */
    public static Engine[] bySlot(List<Engine> engines) {
        Engine[] bySlot = new Engine[HashSlot.COUNT];
        List<SlotRange> ranges = SlotRange.evenSplit(engines.size());
        for (int i = 0; i < ranges.size(); i++) {
            Arrays.fill(bySlot, ranges.get(i).first(), ranges.get(i).last() + 1, engines.get(i));
        }
        return bySlot;
    }
}
