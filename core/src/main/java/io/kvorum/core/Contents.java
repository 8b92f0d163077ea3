package io.kvorum.core;

import io.kvorum.slots.HashSlot;
import io.netty.buffer.ByteBuf;

/** All stripes of a store: what a full sync replaces in one step. */
final class Contents {
    private final Stripe[] stripes;
    private final int mask;

    Contents(int count, KeyHash hash) {
        this.stripes = new Stripe[count];
        this.mask = count - 1;
        int stripeBits = Integer.numberOfTrailingZeros(count);
        for (int i = 0; i < count; i++) {
            stripes[i] = new Stripe(new SlabTable(hash::of, stripeBits, HashSlot.COUNT / count));
        }
    }

    int stripes() {
        return stripes.length;
    }

    /** Returns the stripe of the slots {@code index}, {@code index + stripes()}, {@code index + 2 * stripes()} ... */
    Stripe stripe(int index) {
        return stripes[index];
    }

    Stripe stripeOf(int slot) {
        return stripes[slot & mask];
    }

    /** Applies a change whatever the time; for the holder of the stripe's lock, or before the contents are shared. */
    static void apply(Stripe stripe, KeyHash hash, int slot, ByteBuf buffer, int from, int to) {
        MutationReader reader = new MutationReader(buffer, from, to);
        Table table = stripe.table();
        while (reader.next()) {
            long keyHash = hash.of(reader.key());
            if (reader.isPut()) {
                table.put(slot, keyHash, reader.key(), reader.value(), reader.deadline());
            } else {
                table.remove(keyHash, reader.key());
            }
        }
    }

    void lockAll() {
        for (Stripe stripe : stripes) {
            stripe.lock();
        }
    }

    void retireAndUnlockAll() {
        for (Stripe stripe : stripes) {
            stripe.retire();
            stripe.unlock();
        }
    }
}
