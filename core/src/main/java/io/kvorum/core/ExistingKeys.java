package io.kvorum.core;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** The keys that a store has now, for scans. */
final class ExistingKeys implements SlotScan.Keys {
    private static final int BATCH = 64;

    private final LocalStore store;

    ExistingKeys(LocalStore store) {
        this.store = store;
    }

    @Override
    public int count(int slot) {
        return store.contents().stripeOf(slot).size(slot);
    }

    @Override
    public void forEach(int slot, Consumer<byte[]> action) {
        List<byte[]> batch = new ArrayList<>(BATCH);
        try (SlotWalk walk = new SlotWalk(store.contents().stripeOf(slot), slot)) {
            boolean more = true;
            while (more) {
                more = walk.next(BATCH, cursor -> store.addVisibleKey(cursor, batch));
                batch.forEach(action);
                batch.clear();
            }
        }
    }
}
