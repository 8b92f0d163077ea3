package io.kvorum.core.engine;

import io.netty.buffer.ByteBuf;
import java.time.InstantSource;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The entries of the slots of one stripe: the seam behind which the engines differ. A table knows deadlines, but
 * deletes nothing by itself: what exists at a time is the store's business, except in {@link #get} and {@link #lend},
 * which are the hot path.
 *
 * <p>Arrays that are passed in are borrowed: a table copies what it keeps.
 *
 * <p>Guarded by the stripe's lock, with one exception: {@link #get}, {@link #lend}, {@link #deadline} and the sizes may
 * run beside a writer, and the caller then discards what they return. Whatever they see of a half-done change, they
 * must end, and must not throw, except what a reader or a buffer throws.
 */
public interface Table {
    /** Stands for a deadline where there is none. */
    long NO_DEADLINE = -1;

    /** What {@link #deadline} returns for a key that is not held. */
    long ABSENT = -2;

    /** What {@link #get(long, byte[], InstantSource, ByteBuf)} returns for a key that does not exist. */
    int NO_VALUE = -1;

    /** Returns a copy of the value, or null if the key is absent or, by the clock, past its deadline. */
    byte @Nullable [] get(long hash, byte[] key, InstantSource clock);

    /**
     * Appends the value to a buffer and returns its length; or returns {@link #NO_VALUE} if the key is absent or, by
     * the clock, past its deadline.
     */
    int get(long hash, byte[] key, InstantSource clock, ByteBuf target);

    /**
     * Returns what a reader makes of the value, which is not copied; or null, without calling it, if the key is absent
     * or, by the clock, past its deadline.
     */
    <R, T extends @Nullable Object> @Nullable T lend(
            long hash, byte[] key, InstantSource clock, R reader, Lender<R, T> lender);

    /** Returns the deadline of a key, {@link Table#NO_DEADLINE} or {@link #ABSENT}. Does not look at the time. */
    long deadline(long hash, byte[] key);

    /** Returns the length of a key's value, or {@link #NO_VALUE} if it is not held. Does not look at the time. */
    int valueLength(long hash, byte[] key);

    /**
     * Returns how much of the table's fixed bound an entry takes at the most, in units of its own: what
     * {@link #canTake} takes a sum of.
     */
    long shareOfBound(int keyLength, int valueLength, boolean timed);

    /**
     * Returns whether entries can be added or replaced, one after the other, before a fixed bound of the table is met.
     *
     * @param share the sum of their {@link #shareOfBound}
     * @param grows whether they make the table larger; what does not may use a reserve
     */
    boolean canTake(long share, boolean grows);

    /** Returns whether what a write looks at lies in arrays so large that reading it beforehand pays. */
    default boolean gainsByFetching() {
        return false;
    }

    /** An entry that is to be set. */
    interface Incoming {
        byte[] key();

        long keyHash();

        int valueLength();

        boolean isTimed();
    }

    /** Allocates all that {@link #put} needs for such an entry, so that it allocates nothing if it is called next. */
    void prepare(int slot, long hash, byte[] key, int valueLength, boolean timed);

    /**
     * Allocates all that {@link #put} and {@link #setDeadline} need for several entries with different keys of a slot,
     * so that they allocate nothing until {@link #forgetPrepared}; {@link #remove} may come in between.
     */
    void prepare(int slot, List<? extends Incoming> entries);

    /** Lets go of what was prepared and has not been used, because the change was refused or took less. */
    default void forgetPrepared() {}

    /**
     * Returns whether the last change failed on the way, by an error of the JVM such as a stack overflow, so that the
     * table is neither as it was before nor as it should be.
     */
    boolean isBroken();

    /** Returns how many entries have a deadline. */
    int timed();

    /** Adds or replaces an entry. */
    void put(int slot, long hash, byte[] key, byte[] value, long deadline);

    /**
     * Gives a key another deadline, or {@link Table#NO_DEADLINE}, and leaves its value. Returns whether the key is
     * held.
     */
    boolean setDeadline(long hash, byte[] key, long deadline);

    /** Removes an entry. Returns whether there was one. */
    boolean remove(long hash, byte[] key);

    /**
     * Hands over the keys whose deadline is before now, in no particular order, each to be removed at once. One that is
     * not removed, because that fails or because whoever receives it leaves it, ends the sweep and is the first of the
     * next. A clock that is set back is taken as it is.
     *
     * @param now the current time, in milliseconds since 1970
     * @param steps the most entries to look at, those among them that turn out not to be due yet
     * @param expired receives the keys
     * @return how many of the steps are left over; if none, there may be more to do
     */
    int sweep(long now, int steps, Consumer<byte[]> expired);

    /**
     * Returns the key of the entry that is of the least use, by what has been read and written; or null if there is
     * none, or this table keeps no count. The key is borrowed.
     *
     * @param except which keys do not count
     */
    byte @Nullable [] coldestKey(Predicate<byte[]> except);

    /** Returns how many entries are held. */
    int size();

    /** Returns how many entries of a slot are held. */
    int size(int slot);

    /** Returns what all entries held weigh: the sum of their {@link #entryBytes}. */
    long bytes();

    /**
     * Returns what an entry weighs: the bytes of key and value, and for what the table keeps beside them a fixed
     * number, the same for every entry and close to the memory that it takes on the average.
     */
    long entryBytes(int keyLength, int valueLength);

    /** Returns a copy of one of the keys of a slot, counted from 0 in an order that each change may change. */
    byte[] keyAt(int slot, int index);

    /** Opens a cursor before the first entry of a slot. It costs every removal a little until it is closed. */
    Cursor cursor(int slot);

    /**
     * As {@link #cursor(int)}, of at least the entries whose keys are in a range of {@link KeyHash#ORDER}. In a slot
     * that holds very many it meets few others.
     *
     * @param first the least, unsigned
     * @param last the greatest, unsigned; it is among the range
     */
    Cursor cursor(int slot, long first, long last);

    /** Returns into how many parts of the order a slot is divided, one of which a cursor of a range meets at least. */
    int parts(int slot);

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

        /** Returns a copy of the current value. */
        byte[] value();

        /** Returns the deadline of the current entry, or {@link Table#NO_DEADLINE}. */
        long deadline();

        /** Writes the current entry as {@link MutationWriter#put} does. */
        void write(ByteBuf target);

        @Override
        void close();
    }
}
