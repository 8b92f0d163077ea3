package io.kvorum.core.engine;

import io.kvorum.core.engine.StoreEvents.EvictionEvent;
import io.kvorum.slots.HashSlot;
import java.util.concurrent.atomic.AtomicInteger;

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

    /** Deletes the coldest keys until the store holds no more than its limit. */
    void evict(ChangeSink sink) {
        if (!engine.budget().isExceeded()) {
            return;
        }
        EvictionEvent event = new EvictionEvent();
        event.begin();
        int evicted = 0;
        int passed = 0;
        while (engine.budget().isExceeded() && passed < 2 * stripes) {
            boolean made = evictOne(sink, nextStripe.getAndIncrement() & (stripes - 1));
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
    private boolean evictOne(ChangeSink sink, int index) {
        Stripe stripe = engine.lock(index);
        try {
            byte[] key = engine.budget().isExceeded() && engine.budget().isDue(stripe, stripes)
                    ? stripe.table().coldestKey()
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
