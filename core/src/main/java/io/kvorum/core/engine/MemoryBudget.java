package io.kvorum.core.engine;

import io.kvorum.slots.topology.RefusedException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What a store holds, in the unit of its limit. Each stripe knows what is counted of it, so that what is counted is the
 * sum over all stripes, whatever happened in between. Safe for use by any number of threads, each of which holds the
 * lock of the stripe it names.
 */
public final class MemoryBudget {
    private final EngineSettings settings;
    private final boolean limited;
    private final boolean byEntry;
    private final AtomicLong counted = new AtomicLong();

    MemoryBudget(EngineSettings settings) {
        this.settings = settings;
        this.limited = settings.isLimited();
        this.byEntry = settings.byEntry();
    }

    public boolean isLimited() {
        return limited;
    }

    /** Returns whether something is to be evicted. */
    public boolean isExceeded() {
        return limited && settings.evicts() && counted.get() > settings.most();
    }

    /** Returns whether not even an empty entry would be taken. */
    public boolean isFull() {
        return limited && !settings.evicts() && counted.get() > settings.most() - (byEntry ? 1 : SlabTable.OVERHEAD);
    }

    /** Returns whether the store holds more than its limit, and so much in addition; for tests. */
    public boolean isBeyond(long more) {
        return counted.get() - settings.most() > more;
    }

    /** Returns whether a stripe holds enough for its turn to evict: at least half of an average stripe. */
    boolean isDue(Stripe stripe, int stripes) {
        return holds(stripe.table()) >= counted.get() / stripes / 2;
    }

    private long holds(Table table) {
        return byEntry ? table.size() : table.bytes();
    }

    /** Returns what an entry counts. */
    public long entry(Stripe stripe, int keyLength, int valueLength) {
        return byEntry ? 1 : stripe.table().entryBytes(keyLength, valueLength);
    }

    /** Returns what the entry of a key counts that is held now. */
    public long held(Stripe stripe, long hash, byte[] key) {
        int valueLength = stripe.table().valueLength(hash, key);
        return valueLength == Table.NO_VALUE ? 0 : entry(stripe, key.length, valueLength);
    }

    /**
     * Takes room for a change that is about to be made, or throws if there is none. {@link #settle} gives it back if
     * the change is not made after all.
     *
     * @param comes what the entries count that are put
     * @param goes what the entries count that they replace, and those that are removed
     */
    public void take(Stripe stripe, int slot, long comes, long goes) {
        if (settings.evicts()) {
            if (comes > settings.most()) {
                throw refusal(slot, comes);
            }
            return;
        }
        long needed = comes - goes;
        if (needed <= 0) {
            return;
        }
        long before;
        do {
            before = counted.get();
            if (before > settings.most() - needed) {
                throw refusal(slot, needed);
            }
        } while (!counted.compareAndSet(before, before + needed));
        stripe.counts(stripe.counted() + needed);
    }

    /**
     * Throws if the table of a stripe might meet its own bound with a change, whatever the limit is. A change that
     * makes it no larger is let through.
     *
     * @param share what the entries take of the bound that are put
     * @param replaced what those take that they replace, and those that are removed
     */
    public static void requireTable(Stripe stripe, int slot, long share, long replaced) {
        Table table = stripe.table();
        if (!table.canTake(share, true) && !(share <= replaced && table.canTake(share, false))) {
            throw refusal(
                    slot,
                    "a stripe may hold a fixed number of large values and of parts for others: it holds "
                            + stripe.table().size() + " entries");
        }
    }

    /** {@return what the entry of a key takes of its table's bound, if it is held} */
    public static long shareOf(Stripe stripe, long hash, byte[] key) {
        Table table = stripe.table();
        int valueLength = table.valueLength(hash, key);
        return valueLength == Table.NO_VALUE
                ? 0
                : table.shareOfBound(key.length, valueLength, table.deadline(hash, key) >= 0);
    }

    private RefusedException refusal(int slot, long needed) {
        return refusal(
                slot,
                "the store may hold " + settings.most() + " " + (byEntry ? "entries" : "bytes") + ": it holds "
                        + counted.get() + ", and " + needed + " more are needed");
    }

    private static RefusedException refusal(int slot, String message) {
        return new RefusedException(RefusedException.Kind.OUT_OF_MEMORY, message, slot, null, null, null, -1);
    }

    /** Counts what a stripe holds; for whoever is about to unlock it. */
    void settle(Stripe stripe) {
        if (!limited) {
            return;
        }
        long holds = holds(stripe.table());
        long change = holds - stripe.counted();
        if (change != 0) {
            counted.getAndAdd(change);
            stripe.counts(holds);
        }
    }

    /** Counts the stripes of new contents instead of those of the old ones; all locks of the old ones are held. */
    void recount(Contents replaced, Contents replacement) {
        for (int i = 0; i < replaced.stripes(); i++) {
            counted.getAndAdd(-replaced.stripe(i).counted());
            settle(replacement.stripe(i));
        }
    }
}
