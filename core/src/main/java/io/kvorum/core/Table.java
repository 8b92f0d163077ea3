package io.kvorum.core;

import io.netty.buffer.ByteBuf;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;

/**
 * The entries of the slots of one stripe: the seam behind which the engines differ. A table knows deadlines, but
 * deletes nothing by itself: what exists at a time is the store's business, except in {@link #get}, which is the hot
 * path.
 *
 * <p>Arrays that are passed in are borrowed: a table copies what it keeps.
 *
 * <p>Guarded by the stripe's lock, with one exception: {@link #get}, {@link #deadline} and the sizes may run beside a
 * writer, and the caller then discards what they return. Whatever they see of a half-done change, they must end and
 * must not throw.
 */
interface Table {
    /** What {@link #deadline} returns for a key that is not held. */
    long ABSENT = -2;

    /** Returns a copy of the value, or null if the key is absent or, by the clock, past its deadline. */
    byte @Nullable [] get(long hash, byte[] key, InstantSource clock);

    /**
     * Returns the deadline of a key, {@link KeyValueStore#NO_DEADLINE} or {@link #ABSENT}. Does not look at the time.
     */
    long deadline(long hash, byte[] key);

    /** Adds or replaces an entry. */
    void put(int slot, long hash, byte[] key, byte[] value, long deadline);

    /** Removes an entry. Returns whether there was one. */
    boolean remove(long hash, byte[] key);

    /** Returns the key with the earliest deadline before now, or null if no deadline is before now. */
    byte @Nullable [] expiredKey(long now);

    /** Returns how many entries are held. */
    int size();

    /** Returns how many entries of a slot are held. */
    int size(int slot);

    /** Opens a cursor before the first entry of a slot. It costs every removal a little until it is closed. */
    Cursor cursor(int slot);

    /**
     * A walk over the entries of one slot, which holds its place while entries come and go: it meets each entry that is
     * there throughout exactly once, and each other at most once. Guarded by the stripe's lock. What it says of the
     * current entry holds until the lock is released.
     */
    interface Cursor extends AutoCloseable {
        /** Moves to the next entry, or returns false at the end. */
        boolean next();

        /** Returns a copy of the current key. */
        byte[] key();

        /** Returns a copy of the current entry. */
        Entry entry();

        /** Returns the deadline of the current entry, or {@link KeyValueStore#NO_DEADLINE}. */
        long deadline();

        /** Writes the current entry as {@link MutationWriter#put} does. */
        void write(ByteBuf target);

        @Override
        void close();
    }
}
