package io.kvorum.core.engine;

import io.kvorum.core.engine.SlowWatch.Operation;
import io.kvorum.replication.ReplicatedState;
import io.kvorum.replication.Restoration;
import io.kvorum.replication.SnapshotScan;
import io.kvorum.slots.HashSlot;
import io.kvorum.slots.topology.RefusedException;
import io.netty.buffer.ByteBuf;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The data of one store: its stripes with their locks, its memory budget and what watches it. The store's API is made
 * of these parts; so are near caches, snapshots and replication, none of which a user reaches through it.
 *
 * <p>As a {@link ReplicatedState} it is changed by {@link #apply} and by a {@link Restoration}, which no sink sees.
 *
 * <p>Safe for use by any number of threads; a {@link SnapshotScan} and a {@link Restoration} are confined to one.
 */
public final class Engine implements ReplicatedState {
    private static final int BATCH = 64;

    private final EngineSettings settings;
    private final KeyHash hash;
    private final InstantSource clock;
    private final MemoryBudget budget;
    private final Expirer expirer;
    private final Evictor evictor;
    private final SlowWatch slow = new SlowWatch();
    private final StoreCounters counters = new StoreCounters();
    private final Watchers watchers = new Watchers();
    private volatile Contents contents;

    /**
     * Makes an empty engine.
     *
     * @param settings its fixed values
     * @param seed the seed of the key hash
     * @param clock decides whether a deadline has passed
     */
    public Engine(EngineSettings settings, long seed, InstantSource clock) {
        this.settings = settings;
        this.clock = clock;
        this.budget = new MemoryBudget(settings);
        SplittableRandom keys = new SplittableRandom(seed);
        this.hash = new KeyHash(keys.nextLong(), keys.nextLong());
        this.contents = new Contents(settings, hash);
        this.expirer = new Expirer(this);
        this.evictor = new Evictor(this);
    }

    // ---- one key, without a lock unless a writer is at work

    /** {@return a copy of a value, or null if the key does not exist} */
    public byte @Nullable [] get(int slot, byte[] key) {
        return slow.isOff() ? getNow(slot, key) : slow.time(Operation.GET, slot, () -> getNow(slot, key));
    }

    private byte @Nullable [] getNow(int slot, byte[] key) {
        byte[] value = contents.stripeOf(slot).get(hash.of(key), key, clock);
        counters.got(value != null);
        return value;
    }

    /** Appends a value to a buffer. Returns its length, or {@link Table#NO_VALUE}. */
    public int get(int slot, byte[] key, ByteBuf target) {
        return slow.isOff()
                ? getNow(slot, key, target)
                : slow.time(Operation.GET, slot, () -> getNow(slot, key, target));
    }

    private int getNow(int slot, byte[] key, ByteBuf target) {
        int length = contents.stripeOf(slot).get(hash.of(key), key, clock, target);
        counters.got(length != Table.NO_VALUE);
        return length;
    }

    /** Returns what a reader makes of a value, or null if the key does not exist. */
    public <R, T extends @Nullable Object> @Nullable T lend(int slot, byte[] key, R reader, Lender<R, T> lender) {
        return slow.isOff()
                ? this.<R, T>lendNow(slot, key, reader, lender)
                : slow.<@Nullable T>time(Operation.GET, slot, () -> this.<R, T>lendNow(slot, key, reader, lender));
    }

    private <R, T extends @Nullable Object> @Nullable T lendNow(int slot, byte[] key, R reader, Lender<R, T> lender) {
        return contents.stripeOf(slot).<R, T>lend(hash.of(key), key, clock, reader, lender);
    }

    // ---- slots

    /**
     * What came of {@link #dropSlot}.
     *
     * @param keys how many keys were deleted
     * @param failure what ended it before all were, or null
     */
    public record Dropped(int keys, @Nullable RuntimeException failure) {}

    /** Deletes what a sink lets it delete of a slot. What the sink throws is thrown only if nothing was deleted. */
    public Dropped dropSlot(ChangeSink sink, int slot) {
        return slow.isOff()
                ? dropSlotNow(sink, slot)
                : slow.time(Operation.DROP_SLOT, slot, () -> dropSlotNow(sink, slot));
    }

    private Dropped dropSlotNow(ChangeSink sink, int slot) {
        int dropped = 0;
        RuntimeException failure = null;
        try (SlotWalk walk = new SlotWalk(contents.stripeOf(slot), slot)) {
            List<byte[]> batch = new ArrayList<>(BATCH);
            boolean more = true;
            while (more && failure == null) {
                more = walk.next(BATCH, cursor -> batch.add(cursor.key()));
                Stripe current = lock(slot);
                try {
                    for (byte[] key : batch) {
                        if (remove(sink, current, slot, hash.of(key), key, Cause.DELETED)) {
                            dropped++;
                        }
                    }
                } catch (RuntimeException e) {
                    if (e instanceof RefusedException refusal) {
                        counters.refused(refusal);
                    }
                    if (dropped == 0) {
                        throw e;
                    }
                    failure = e; // a refusal by itself would say that nothing was changed
                } finally {
                    unlock(current);
                }
                batch.clear();
            }
        }
        counters.deleted(dropped);
        return new Dropped(dropped, failure);
    }

    /** {@return the keys of a slot, expired or not; for the holder of the slot's lock} */
    public List<byte[]> heldKeys(int slot) {
        List<byte[]> keys = new ArrayList<>();
        try (Table.Cursor cursor = contents.stripeOf(slot).table().cursor(slot)) {
            while (cursor.next()) {
                keys.add(cursor.key());
            }
        }
        return keys;
    }

    /** {@return whether a key that is held with this deadline is past it} */
    public boolean isExpired(long deadline) {
        return deadline >= 0 && clock.millis() > deadline;
    }

    /** {@return whether a key with this deadline exists now} */
    public boolean isVisible(long deadline) {
        return deadline < 0 || clock.millis() <= deadline;
    }

    // ---- expiry and eviction

    /** Deletes up to a number of keys whose deadline has passed. */
    public int expire(ChangeSink sink, int most) {
        return slow.isOff()
                ? expirer.expire(sink, most)
                : slow.time(Operation.EXPIRE, -1, () -> expirer.expire(sink, most));
    }

    /** {@return whether the last sweep left off before it had been through every stripe} */
    public boolean isExpiryBehind() {
        return expirer.isBehind();
    }

    /** {@return whether any key, expired or not, has a deadline} */
    public boolean hasDeadlines() {
        return expirer.hasTimed();
    }

    /**
     * Adds a callback for the moment when {@link #hasDeadlines} becomes true. The thread that sets the deadline runs it
     * and holds no lock of the store; the callback must return quickly and must not throw.
     */
    public void addExpiryWakeup(Runnable wakeup) {
        expirer.addWakeup(wakeup);
    }

    /** Removes a callback; a call of it may be under way. */
    public void removeExpiryWakeup(Runnable wakeup) {
        expirer.removeWakeup(wakeup);
    }

    /** {@return whether an error has put a part of the store out of use} */
    public boolean isDamaged() {
        return contents.isDamaged();
    }

    /** {@return whether a stripe has met the fixed bound of its table} */
    public boolean isAtBound() {
        return contents.isAtBound();
    }

    /**
     * Deletes some keys of a stripe whose deadline has passed, if there may be any, for a write that holds its lock: so
     * that a store which is written to does not fill up with them although nobody calls {@link #expire}.
     */
    public void expireSome(ChangeSink sink, Stripe stripe) {
        if (stripe.table().timed() > 0) {
            expirer.expireSome(sink, stripe, clock.millis());
        }
    }

    /**
     * Deletes the coldest keys until the store is within its limit; for a thread that holds no lock.
     *
     * @param kept which keys must stay, since they were just set
     */
    public void evict(ChangeSink sink, Predicate<byte[]> kept) {
        evictor.evict(sink, kept);
    }

    // ---- the replicated state

    @Override
    public void apply(int slot, ByteBuf payload) {
        HashSlot.check(slot);
        if (slow.isOff()) {
            applyNow(slot, payload);
        } else {
            slow.time(Operation.APPLY, slot, () -> applyNow(slot, payload));
        }
    }

    private void applyNow(int slot, ByteBuf payload) {
        Stripe stripe = lock(slot);
        try {
            Contents.apply(stripe, hash, slot, payload, payload.readerIndex(), payload.writerIndex(), watchers);
        } finally {
            unlock(stripe);
        }
    }

    /**
     * Starts a scan, which locks one stripe at a time and no longer than it takes to write what was asked for. Expired
     * keys that have not been deleted are part of it. If a restoration completes meanwhile, the scan goes on over the
     * state that was replaced.
     */
    @Override
    public SnapshotScan snapshot() {
        return new ContentsScan(contents);
    }

    @Override
    public Restoration restore() {
        return new ContentsRestoration(settings, hash, this::replace);
    }

    private void replace(Contents replacement) {
        Contents old = contents;
        old.lockAll();
        replacement.countFrom(old);
        replacement.lockAll(); // nobody reads or changes what is new before the watchers know
        budget.recount(old, replacement);
        boolean firstTimed = expirer.recount(old, replacement);
        contents = replacement;
        try {
            watchers.replaced();
        } finally {
            replacement.unlockAll();
            old.retireAndUnlockAll();
        }
        watchers.unlocked();
        if (firstTimed) {
            expirer.wake();
        }
    }

    // ---- under the lock

    /** Locks the stripe of a slot, the one that is current once the lock is held. */
    public Stripe lock(int slot) {
        while (true) {
            Stripe stripe = contents.stripeOf(slot);
            stripe.lock();
            if (!stripe.isRetired()) {
                return stripe;
            }
            stripe.unlock();
        }
    }

    /** As {@link #lock}; returns null for a stripe that is out of use, which whoever tidies up passes over. */
    @Nullable
    Stripe lockIfSound(int slot) {
        while (true) {
            Stripe stripe = contents.stripeOf(slot);
            if (!stripe.lockIfSound()) {
                return null;
            }
            if (!stripe.isRetired()) {
                return stripe;
            }
            stripe.unlock();
        }
    }

    /** Unlocks a stripe after whatever was done to it. */
    public void unlock(Stripe stripe) {
        boolean firstTimed;
        try {
            budget.settle(stripe);
            firstTimed = expirer.settle(stripe);
        } finally {
            stripe.unlock();
        }
        watchers.unlocked();
        if (firstTimed) {
            expirer.wake();
        }
    }

    /** Puts an entry into the table and tells the watchers. */
    public void put(Stripe stripe, int slot, long keyHash, byte[] key, byte[] value, long deadline) {
        stripe.table().put(slot, keyHash, key, value, deadline);
        stripe.changing();
        watchers.changed(slot, key, Cause.SET);
        stripe.changed();
    }

    /** Tells the watchers that a key was past its deadline which is about to be set. */
    public void expired(int slot, byte[] key) {
        watchers.changed(slot, key, Cause.EXPIRED);
        counters.expired(1);
    }

    /** Gives an entry of the table another deadline, or none, and tells the watchers. */
    public void setDeadline(Stripe stripe, int slot, long keyHash, byte[] key, long deadline) {
        stripe.table().setDeadline(keyHash, key, deadline);
        stripe.changing();
        watchers.changed(slot, key, Cause.SET);
        stripe.changed();
    }

    /** Removes an entry from the table and tells the watchers. Returns whether there was one. */
    public boolean remove(Stripe stripe, int slot, long keyHash, byte[] key, Cause cause) {
        boolean held = stripe.table().remove(keyHash, key);
        if (held) {
            stripe.changing();
            watchers.changed(slot, key, cause);
        }
        stripe.changed();
        return held;
    }

    /** Removes a key if the table holds it, expired or not, after it has shown that to the sink. */
    boolean remove(ChangeSink sink, Stripe stripe, int slot, long keyHash, byte[] key, Cause cause) {
        if (stripe.table().deadline(keyHash, key) == Table.ABSENT) {
            return false;
        }
        if (sink != ChangeSink.NOBODY) {
            ByteBuf change = stripe.scratch();
            MutationWriter.delete(change, key);
            sink.accept(slot, change);
            stripe.changing();
        }
        return remove(stripe, slot, keyHash, key, cause);
    }

    // ---- the parts

    /** {@return all stripes as they are now} */
    public Contents contents() {
        return contents;
    }

    /** {@return the hash of this store's keys} */
    public KeyHash hash() {
        return hash;
    }

    /** {@return the clock that decides whether a deadline has passed} */
    public InstantSource clock() {
        return clock;
    }

    /** {@return the memory budget} */
    public MemoryBudget budget() {
        return budget;
    }

    /** {@return what has been counted} */
    public StoreCounters counters() {
        return counters;
    }

    /** {@return what measures operations} */
    public SlowWatch slow() {
        return slow;
    }

    /** {@return those who are told of each change} */
    public Watchers watchers() {
        return watchers;
    }

    /** {@return its fixed values} */
    public EngineSettings settings() {
        return settings;
    }
}
