package io.kvorum.core;

import io.kvorum.core.StoreEvents.EvictionEvent;
import io.kvorum.core.StoreEvents.ExpirySweepEvent;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.topology.RefusedException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Deletes what has expired, and what must go to keep a store within its limit: a stripe at a time, in turn. Safe for
 * use by any number of threads, none of which holds a lock.
 */
final class Upkeep {
    private static final int BATCH = 64;

    /** How many entries a sweep looks at for each that it may delete: most of them may turn out not to be due yet. */
    private static final int LOOKS = 8;

    private final LocalStore store;
    private final int stripes;
    private final AtomicInteger nextStripeToExpire = new AtomicInteger();
    private final AtomicInteger nextStripeToEvict = new AtomicInteger();
    private volatile boolean behind;

    Upkeep(LocalStore store) {
        this.store = store;
        this.stripes = store.settings().stripes();
    }

    /** Returns whether the last sweep left off before it had been through every stripe. */
    boolean isBehind() {
        return behind;
    }

    // ---- expiry

    int expire(MutationSink target, int budget) {
        ExpirySweepEvent event = new ExpirySweepEvent();
        event.begin();
        Expiry expiry = new Expiry(target, budget);
        int stripe = 0;
        boolean more = false;
        while (!more && !expiry.refused && stripe < stripes) {
            int index = nextStripeToExpire.getAndIncrement() & (stripes - 1);
            do {
                more = expiry.step(index);
            } while (more && expiry.mayGoOn());
            stripe++;
        }
        behind = more || expiry.refused;
        store.counters().expired(expiry.deleted);
        event.end();
        if (event.shouldCommit()) {
            event.deleted = expiry.deleted;
            event.behind = behind;
            event.commit();
        }
        return expiry.deleted;
    }

    /** Deletes what has expired, one step at a time. */
    private final class Expiry {
        private final MutationSink target;
        private final int budget;
        private long looks;
        private int deleted;
        private boolean refused;

        Expiry(MutationSink target, int budget) {
            this.target = target;
            this.budget = budget;
        }

        boolean mayGoOn() {
            return deleted < budget && looks < (long) LOOKS * budget;
        }

        /** Looks at some entries of a stripe, under its lock. Returns whether there may be more to do. */
        boolean step(int index) {
            int entries = Math.min(BATCH, budget - deleted);
            Stripe stripe = store.lock(index);
            try {
                int left = stripe.table().sweep(store.clock().millis(), entries, key -> {
                    store.remove(target, stripe, HashSlot.of(key), store.hash().of(key), key, Cause.EXPIRED);
                    deleted++;
                });
                looks += entries - left;
                return left == 0;
            } catch (RefusedException e) {
                refused = true; // not the primary, or not now: whoever is will do it
                return false;
            } finally {
                store.unlock(stripe);
            }
        }
    }

    // ---- eviction

    /** Deletes the coldest keys until the store holds no more than its limit. */
    void evict(MutationSink target) {
        if (!store.room().isExceeded()) {
            return;
        }
        EvictionEvent event = new EvictionEvent();
        event.begin();
        int evicted = 0;
        int passed = 0;
        while (store.room().isExceeded() && passed < 2 * stripes) {
            boolean made = evictOne(target, nextStripeToEvict.getAndIncrement() & (stripes - 1));
            passed = made ? 0 : passed + 1;
            evicted += made ? 1 : 0;
        }
        store.counters().evicted(evicted);
        event.end();
        if (event.shouldCommit()) {
            event.evicted = evicted;
            event.commit();
        }
    }

    /** Evicts a key of a stripe, unless the stripe is not due or the sink refuses. */
    private boolean evictOne(MutationSink target, int index) {
        Stripe stripe = store.lock(index);
        try {
            byte[] key = store.room().isExceeded() && store.room().isDue(stripe, stripes)
                    ? stripe.table().coldestKey()
                    : null;
            if (key == null) {
                return false;
            }
            store.remove(target, stripe, HashSlot.of(key), store.hash().of(key), key, Cause.EVICTED);
            return true;
        } catch (RuntimeException e) { // the write that brought the store beyond its limit has been made
            return false;
        } finally {
            store.unlock(stripe);
        }
    }
}
