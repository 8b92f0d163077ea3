package io.kvorum.core;

import io.kvorum.core.engine.Engine;
import io.kvorum.core.engine.SlotWalk;
import io.kvorum.core.engine.Stripe;
import io.kvorum.core.engine.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The keys that a store has now, for scans. */
final class ExistingKeys implements SlotScan.Keys {
    private static final int BATCH = 64;

    private final Engine engine;

    ExistingKeys(Engine engine) {
        this.engine = engine;
    }

    @Override
    public int count(int slot) {
        return engine.contents().stripeOf(slot).size(slot);
    }

    @Override
    public byte @Nullable [] draw(int slot) {
        Stripe stripe = engine.contents().stripeOf(slot);
        stripe.lock();
        try {
            int size = stripe.table().size(slot);
            byte[] key = size == 0
                    ? null
                    : stripe.table().keyAt(slot, ThreadLocalRandom.current().nextInt(size));
            return key != null
                            && engine.isVisible(
                                    stripe.table().deadline(engine.hash().of(key), key))
                    ? key
                    : null;
        } finally {
            stripe.unlock();
        }
    }

    @Override
    public int parts(int slot) {
        return engine.contents().stripeOf(slot).parts(slot);
    }

    @Override
    public void forEach(int slot, long first, long last, Consumer<byte[]> action) {
        List<byte[]> batch = new ArrayList<>(BATCH);
        try (SlotWalk walk = new SlotWalk(engine.contents().stripeOf(slot), slot, first, last)) {
            boolean more = true;
            while (more) {
                more = walk.next(BATCH, cursor -> addVisible(cursor, batch));
                batch.forEach(action);
                batch.clear();
            }
        }
    }

    private void addVisible(Table.Cursor cursor, List<byte[]> keys) {
        if (engine.isVisible(cursor.deadline())) {
            keys.add(cursor.key());
        }
    }
}
