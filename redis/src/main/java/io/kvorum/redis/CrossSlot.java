package io.kvorum.redis;

import io.kvorum.slots.topology.RefusedException;

/** The rule that the keys of one operation are in one slot. */
final class CrossSlot {
    private CrossSlot() {}

    static void require(int slot, int other) {
        if (other != slot) {
            throw new RefusedException(
                    RefusedException.Kind.CROSS_SLOT,
                    "the keys of one operation must be in one slot: they are in " + slot + " and " + other,
                    slot,
                    null,
                    null,
                    null,
                    -1);
        }
    }
}
