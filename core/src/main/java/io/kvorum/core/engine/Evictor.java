package io.kvorum.core.engine;

import io.kvorum.core.engine.StoreEvents.EvictionEvent;
import io.kvorum.slots.HashSlot;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;

/**
 * Deletes keys to keep an engine within its limit, a stripe at a time, in turn. Safe for use by any number of threads,
 * none of which holds a lock.
 */
final class Evictor {
    private final Engine engine;
    private final int stripes;
    private final AtomicInteger nextStripe = new AtomicInteger();

    Evictor(Engine engine) {
        this.engine = engine;
        this.stripes = engine.settings().stripes();
    }

    /** Deletes the coldest keys but some until the store holds no more than its limit. */
    void evict(ChangeSink sink, Predicate<byte[]> kept) {
        if (!engine.budget().isExceeded()) {
            return;
        }
        EvictionEvent event = new EvictionEvent();
        event.begin();
        int evicted = 0;
        int passed = 0;
        while (engine.budget().isExceeded() && passed < 2 * stripes) {
            boolean made = evictOne(sink, kept, nextStripe.getAndIncrement() & (stripes - 1));
            passed = made ? 0 : passed + 1;
            evicted += made ? 1 : 0;
        }
        engine.counters().evicted(evicted);
        event.end();
        if (event.shouldCommit()) {
            event.evicted = evicted;
            event.commit();
        }
    }

    /** Evicts a key of a stripe, unless the stripe is not due or the sink refuses. */
    private boolean evictOne(ChangeSink sink, Predicate<byte[]> kept, int index) {
        Stripe stripe = engine.lockIfSound(index);
        if (stripe == null) {
            return false;
        }
        try {
            byte[] key = engine.budget().isExceeded() && engine.budget().isDue(stripe, stripes)
                    ? stripe.table().coldestKey(kept)
                    : null;
            if (key == null) {
                return false;
            }
            engine.remove(sink, stripe, HashSlot.of(key), engine.hash().of(key), key, Cause.EVICTED);
            return true;
        } catch (RuntimeException e) { // the write that brought the store beyond its limit has been made
            return false;
        } finally {
            engine.unlock(stripe);
        }
    }
}
