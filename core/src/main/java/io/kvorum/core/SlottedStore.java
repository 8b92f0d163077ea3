package io.kvorum.core;

import io.kvorum.slots.HashSlot;
import io.kvorum.slots.SlotSet;
import io.kvorum.slots.topology.NodeId;
import io.kvorum.slots.topology.RefusedException;
import io.netty.buffer.ByteBuf;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A store that takes the slot along with the key, so that it is computed once however many stores an operation passes
 * through. The slot that is given is that of the key.
 */
abstract class SlottedStore implements KeyValueStore {
    abstract byte @Nullable [] get(int slot, byte[] key);

    /** As {@link #get(byte[], ByteBuf)}. */
    abstract int get(int slot, byte[] key, ByteBuf target);

    /** As {@link #lend(byte[], ValueReader)}. */
    abstract <T extends @Nullable Object> @Nullable T lend(int slot, byte[] key, ValueReader<T> reader);

    abstract boolean set(int slot, byte[] key, byte[] value, SetOptions options);

    /** Returns a page of the slots up to one, which is that of the cursor or comes after it. */
    abstract ScanPage scan(ScanCursor cursor, int lastSlot, ScanOptions options);

    /** Deletes the keys of some slots, one slot after the other. */
    abstract long clear(int firstSlot, int lastSlot);

    @Override
    public long clear() {
        return clear(0, HashSlot.COUNT - 1);
    }

    @Override
    public final byte @Nullable [] get(byte[] key) {
        return get(HashSlot.of(key), key);
    }

    @Override
    public final int get(byte[] key, ByteBuf target) {
        Objects.requireNonNull(target, "target");
        return get(HashSlot.of(key), key, target);
    }

    @Override
    public final <T extends @Nullable Object> @Nullable T lend(byte[] key, ValueReader<T> reader) {
        Objects.requireNonNull(reader, "reader");
        return lend(HashSlot.of(key), key, reader);
    }

    @Override
    public final boolean exists(byte[] key) {
        return lend(HashSlot.of(key), key, value -> true) != null;
    }

    @Override
    public final int length(byte[] key) {
        Integer length = lend(HashSlot.of(key), key, LentValue::length);
        return length == null ? 0 : length;
    }

    @Override
    public final void set(byte[] key, byte[] value) {
        Objects.requireNonNull(value, "value");
        set(HashSlot.of(key), key, value, SetOptions.defaults());
    }

    @Override
    public final boolean set(byte[] key, byte[] value, SetOptions options) {
        Objects.requireNonNull(value, "value");
        Objects.requireNonNull(options, "options");
        return set(HashSlot.of(key), key, value, options);
    }

    @Override
    public final ScanPage scan(ScanCursor cursor, ScanOptions options) {
        if (cursor.isEnd()) {
            throw new IllegalArgumentException("a cursor at the end has no next page");
        }
        Objects.requireNonNull(options, "options");
        return scan(cursor, HashSlot.COUNT - 1, options);
    }

    /** Drops those slots of a range that hold keys. Returns how many keys were deleted. */
    static long dropSlots(KeyValueStore store, int firstSlot, int lastSlot) {
        long deleted = 0;
        for (int slot = firstSlot; slot <= lastSlot; slot++) {
            if (store.countInSlot(slot) > 0) {
                deleted += store.dropSlot(slot);
            }
        }
        return deleted;
    }

    /** Returns the last of the slots that follow each other in a set, from one of them on and up to a last one. */
    static int lastOfRun(SlotSet slots, int slot, int lastSlot) {
        int gap = slots.complement().next(slot);
        return gap < 0 ? lastSlot : Math.min(lastSlot, Math.max(slot, gap - 1));
    }

    /** Returns the refusal of an operation on a slot of nobody, by a node if one was asked. */
    static RefusedException unowned(int slot, @Nullable NodeId node) {
        return new RefusedException(
                RefusedException.Kind.CLUSTER_DOWN, "no shard owns slot " + slot, slot, null, node, null, -1);
    }
}
