package io.kvorum.core.engine;

import io.kvorum.core.engine.StoreEvents.ExpirySweepEvent;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.topology.RefusedException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Deletes keys whose deadline has passed, a stripe at a time, in turn. Safe for use by any number of threads, none of
 * which holds a lock.
 */
final class Expirer {
    private static final int BATCH = 64;

    /** How many entries a write looks at: more than it can add, and than may have to be filed anew meanwhile. */
    private static final int STEPS_OF_A_WRITE = 8;

    /** How many entries a sweep looks at for each that it may delete: most of them may turn out not to be due yet. */
    private static final int LOOKS = 8;

    private final Engine engine;
    private final int stripes;
    private final AtomicInteger nextStripe = new AtomicInteger();

    /** How many stripes have an entry with a deadline: without any, there is nothing to look for. */
    private final AtomicInteger timedStripes = new AtomicInteger();

    /** The callbacks for the first deadline. */
    private final List<Runnable> wakeups = new CopyOnWriteArrayList<>();

    private volatile boolean behind;

    Expirer(Engine engine) {
        this.engine = engine;
        this.stripes = engine.settings().stripes();
    }

    /** Returns whether the last sweep left off before it had been through every stripe. */
    boolean isBehind() {
        return behind;
    }

    /** Returns whether any entry has a deadline. */
    boolean hasTimed() {
        return timedStripes.get() > 0;
    }

    /**
     * Adds a callback for the moment when the first of all entries gets a deadline. The thread that sets the deadline
     * runs it and holds no lock of the store.
     */
    void addWakeup(Runnable wakeup) {
        wakeups.add(wakeup);
    }

    void removeWakeup(Runnable wakeup) {
        wakeups.remove(wakeup);
    }

    /** Runs the callbacks for the first deadline, after {@link #settle} or {@link #recount} has returned true. */
    void wake() {
        wakeups.forEach(Runnable::run);
    }

    /**
     * Notes whether a stripe has entries with a deadline; called before the stripe is unlocked.
     *
     * @return whether it is the first that has: then {@link #wake} is to follow
     */
    boolean settle(Stripe stripe) {
        boolean timed = stripe.table().timed() > 0;
        if (timed == stripe.isCountedAsTimed()) {
            return false;
        }
        stripe.countsAsTimed(timed);
        return timedStripes.getAndAdd(timed ? 1 : -1) == 0;
    }

    /**
     * Counts the stripes of new contents instead of those of the old ones; all locks of both are held.
     *
     * @return whether these are the first that have entries with a deadline: then {@link #wake} is to follow
     */
    boolean recount(Contents replaced, Contents replacement) {
        int more = 0;
        for (int i = 0; i < stripes; i++) {
            boolean timed = replacement.stripe(i).table().timed() > 0;
            replacement.stripe(i).countsAsTimed(timed);
            more += (timed ? 1 : 0) - (replaced.stripe(i).isCountedAsTimed() ? 1 : 0);
        }
        return timedStripes.getAndAdd(more) == 0 && more > 0; // in one step: no reader may see 0 halfway
    }

    int expire(ChangeSink sink, int budget) {
        if (!hasTimed()) {
            behind = false;
            return 0;
        }
        ExpirySweepEvent event = new ExpirySweepEvent();
        event.begin();
        Expiry expiry = new Expiry(sink, budget);
        int stripe = 0;
        boolean more = false;
        while (!more && !expiry.refused && stripe < stripes) {
            int index = nextStripe.getAndIncrement() & (stripes - 1);
            do {
                more = expiry.step(index);
            } while (more && expiry.mayGoOn());
            stripe++;
        }
        behind = more || expiry.refused;
        engine.counters().expired(expiry.deleted);
        event.end();
        if (event.shouldCommit()) {
            event.deleted = expiry.deleted;
            event.behind = behind;
            event.commit();
        }
        return expiry.deleted;
    }

    /** Looks at a few entries of a stripe, for a write that holds its lock. What goes wrong must not fail the write. */
    void expireSome(ChangeSink sink, Stripe stripe, long now) {
        if (!stripe.isSweepDue(now)) {
            return;
        }
        int[] deleted = {0};
        boolean more = false;
        try {
            int left = stripe.table().sweep(now, STEPS_OF_A_WRITE, key -> {
                engine.remove(sink, stripe, HashSlot.of(key), engine.hash().of(key), key, Cause.EXPIRED);
                deleted[0]++;
            });
            more = left == 0;
        } catch (RuntimeException e) {
            more = true; // the sink refused: a later write tries again
        } finally {
            stripe.swept(now, more);
            engine.counters().expired(deleted[0]);
        }
    }

    /** Deletes what has expired, one step at a time. */
    private final class Expiry {
        private final ChangeSink sink;
        private final int budget;
        private long looks;
        private int deleted;
        private boolean refused;

        Expiry(ChangeSink sink, int budget) {
            this.sink = sink;
            this.budget = budget;
        }

        boolean mayGoOn() {
            return deleted < budget && looks < (long) LOOKS * budget;
        }

        /** Looks at some entries of a stripe, under its lock. Returns whether there may be more to do. */
        boolean step(int index) {
            int entries = Math.min(BATCH, budget - deleted);
            Stripe stripe = engine.lockIfSound(index);
            if (stripe == null) {
                looks += entries;
                return false;
            }
            try {
                int left = stripe.table().sweep(engine.clock().millis(), entries, key -> {
                    engine.remove(sink, stripe, HashSlot.of(key), engine.hash().of(key), key, Cause.EXPIRED);
                    deleted++;
                });
                looks += entries - left;
                return left == 0;
            } catch (RefusedException e) {
                refused = true; // not the primary, or not now: whoever is will do it
                return false;
            } finally {
                engine.unlock(stripe);
            }
        }
    }
}
