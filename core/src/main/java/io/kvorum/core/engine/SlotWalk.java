package io.kvorum.core.engine;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Goes through the entries of a slot in batches, with the lock held for one batch at a time. Confined to one thread.
 */
public final class SlotWalk implements AutoCloseable {
    private final Stripe stripe;
    private final int slot;
    private final long first;
    private final long last;
    private Table.@Nullable Cursor cursor;

    public SlotWalk(Stripe stripe, int slot) {
        this(stripe, slot, 0, -1);
    }

    /** Goes through at least the entries whose keys are in a range, as {@link Table#cursor(int, long, long)} does. */
    public SlotWalk(Stripe stripe, int slot, long first, long last) {
        this.stripe = stripe;
        this.slot = slot;
        this.first = first;
        this.last = last;
    }

    /** Shows up to a number of entries, with the lock held. Returns false if these were the last. */
    public boolean next(int count, Consumer<Table.Cursor> action) {
        stripe.lock();
        try {
            if (cursor == null) {
                cursor = stripe.table().cursor(slot, first, last);
            }
            for (int i = 0; i < count; i++) {
                if (!cursor.next()) {
                    return false;
                }
                action.accept(cursor);
            }
            return true;
        } finally {
            stripe.unlock();
        }
    }

    @Override
    public void close() {
        if (cursor == null) {
            return;
        }
        stripe.lock();
        try {
            cursor.close();
        } finally {
            stripe.unlock();
        }
    }
}
