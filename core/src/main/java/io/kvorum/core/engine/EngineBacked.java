package io.kvorum.core.engine;

import java.util.List;

/**
 * A store whose data is in engines of this JVM. Only this module reaches them, through {@link Engines}; a user of the
 * store does not see them.
 */
public abstract class EngineBacked {
    final List<Engine> engines;

    /**
     * Takes note of the engines.
     *
     * @param engines none if the data is elsewhere, or one for each range of
     *     {@link io.kvorum.slots.SlotRange#evenSplit}
     */
    protected EngineBacked(List<Engine> engines) {
        this.engines = List.copyOf(engines);
    }

    /**
     * Makes another view of a store.
     *
     * @param viewed the store with the engines
     */
    protected EngineBacked(EngineBacked viewed) {
        this.engines = viewed.engines;
    }
}
