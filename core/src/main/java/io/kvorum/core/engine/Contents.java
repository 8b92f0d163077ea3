package io.kvorum.core.engine;

import io.kvorum.slots.HashSlot;
import io.netty.buffer.ByteBuf;
import java.util.Arrays;
import java.util.random.RandomGenerator;

/** All stripes of a store: what a full sync replaces in one step. */
public final class Contents {
    private static final KeyHash DIGEST_HASH = new KeyHash(0x6b766f72756d2d31L, 0x6469676573742d31L);

    private final Stripe[] stripes;
    private final int mask;

    Contents(EngineSettings settings, KeyHash hash) {
        int count = settings.stripes();
        this.stripes = new Stripe[count];
        this.mask = count - 1;
        int stripeBits = Integer.numberOfTrailingZeros(count);
        for (int i = 0; i < count; i++) {
            int slots = HashSlot.COUNT / count;
            stripes[i] = new Stripe(
                    settings.evicts()
                            ? new CaffeineTable(stripeBits, slots)
                            : new SlabTable(hash::of, stripeBits, slots));
        }
    }

    public int stripes() {
        return stripes.length;
    }

    /** Returns the stripe of the slots {@code index}, {@code index + stripes()}, {@code index + 2 * stripes()} ... */
    public Stripe stripe(int index) {
        return stripes[index];
    }

    public Stripe stripeOf(int slot) {
        return stripes[slot & mask];
    }

    /**
     * Applies a change whatever the time, and tells the watchers of it; for the holder of the stripe's lock, or before
     * the contents are shared.
     */
    static void apply(Stripe stripe, KeyHash hash, int slot, ByteBuf buffer, int from, int to, Watcher... watchers) {
        MutationReader reader = new MutationReader(buffer, from, to);
        Table table = stripe.table();
        while (reader.next()) {
            byte[] key = reader.key();
            long keyHash = hash.of(key);
            boolean changed = true;
            switch (reader.kind()) {
                case PUT -> table.put(slot, keyHash, key, reader.value(), reader.deadline());
                case DEADLINE -> changed = table.setDeadline(keyHash, key, reader.deadline());
                case DELETE -> changed = table.remove(keyHash, key);
            }
            stripe.changing();
            for (Watcher watcher : watchers) {
                if (changed) {
                    watcher.changed(slot, key, reader.kind() == MutationReader.Kind.DELETE ? Cause.DELETED : Cause.SET);
                }
            }
            stripe.changed();
        }
    }

    /** {@return whether a stripe is out of use} */
    boolean isDamaged() {
        return Arrays.stream(stripes).anyMatch(Stripe::isDamaged);
    }

    /** {@return whether a stripe has met the fixed bound of its table, so that it must not grow} */
    boolean isAtBound() {
        return Arrays.stream(stripes).anyMatch(stripe -> !stripe.canGrow());
    }

    public long size() {
        long size = 0;
        for (Stripe stripe : stripes) {
            size += stripe.size();
        }
        return size;
    }

    public long bytes() {
        long bytes = 0;
        for (Stripe stripe : stripes) {
            bytes += stripe.bytes();
        }
        return bytes;
    }

    /** Draws a slot, each as likely as the number of its keys, if nothing changes meanwhile. */
    public int drawSlot(RandomGenerator random) {
        long size = size();
        long drawn = size == 0 ? 0 : random.nextLong(size);
        int index = 0;
        while (index < mask && drawn >= stripes[index].size()) {
            drawn -= stripes[index].size();
            index++;
        }
        int slot = index;
        while (slot + stripes.length < HashSlot.COUNT && drawn >= stripes[index].size(slot)) {
            drawn -= stripes[index].size(slot);
            slot += stripes.length;
        }
        return slot;
    }

    /** Lets the versions go on where those of the replaced contents, which have as many stripes, left off. */
    void countFrom(Contents replaced) {
        for (int i = 0; i < stripes.length; i++) {
            stripes[i].countFrom(replaced.stripes[i]);
        }
    }

    /** Returns the digest of all entries. */
    public long digest() {
        long sum = 0;
        for (int i = 0; i < stripes.length; i++) {
            Stripe stripe = stripes[i];
            stripe.lock();
            try {
                for (int slot = i; slot < HashSlot.COUNT; slot += stripes.length) {
                    if (stripe.table().size(slot) > 0) {
                        sum += digest(stripe, slot);
                    }
                }
            } finally {
                stripe.unlock();
            }
        }
        return sum;
    }

    private static long digest(Stripe stripe, int slot) {
        long sum = 0;
        try (Table.Cursor cursor = stripe.table().cursor(slot)) {
            while (cursor.next()) {
                ByteBuf encoded = stripe.scratch();
                cursor.write(encoded);
                sum += DIGEST_HASH.of(encoded.array(), encoded.arrayOffset(), encoded.writerIndex());
            }
        }
        return sum;
    }

    /** Locks all stripes, those that are damaged too. */
    void lockAll() {
        for (Stripe stripe : stripes) {
            stripe.lockAnyway();
        }
    }

    void unlockAll() {
        for (Stripe stripe : stripes) {
            stripe.unlock();
        }
    }

    void retireAndUnlockAll() {
        for (Stripe stripe : stripes) {
            stripe.retire();
            stripe.unlock();
        }
    }
}
