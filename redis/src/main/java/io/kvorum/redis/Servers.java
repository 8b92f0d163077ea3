package io.kvorum.redis;

import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Which server has which slots. Safe for use by any number of threads. */
interface Servers extends AutoCloseable {
    /**
     * Returns where the primary of a slot is by all that is known.
     *
     * @throws io.kvorum.slots.topology.RefusedException if no server has the slot
     */
    Place placeOf(int slot);

    /** Returns where the primaries are by all that is known. */
    List<Place> primaries();

    /** Returns whether the servers know the keys of a slot. */
    boolean knowSlots();

    /** Asks again where the slots are, unless that is under way; the stage never fails. */
    CompletionStage<@Nullable Void> refresh();

    /** Returns whether another primary may be found by asking again. */
    boolean mayChange();

    @Override
    void close();
}
