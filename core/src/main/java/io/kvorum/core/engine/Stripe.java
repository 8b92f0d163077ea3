package io.kvorum.core.engine;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.locks.StampedLock;
import org.jspecify.annotations.Nullable;

/**
 * The part of a store that one lock guards: every slot with the same low bits. Reads of one key take no lock unless a
 * writer is at work.
 */
public final class Stripe {
    /** Made beforehand: it is needed when there may be no memory for it. */
    @SuppressWarnings("StaticAssignmentOfThrowable")
    private static final IllegalStateException HALF_MADE = new IllegalStateException("a change was left half made");

    private static final int SCRATCH_CAPACITY = 256;
    private static final int MAX_SCRATCH_KEPT = 64 << 10;

    private final StampedLock lock = new StampedLock();
    private final Table table;
    private ByteBuf scratch = Unpooled.EMPTY_BUFFER;
    private boolean untidy;
    private long stamp;
    private boolean retired;
    private volatile @Nullable Throwable damage;
    private boolean underway;
    private boolean moreToSweep;
    private long sweptAt;
    private long version;
    private long counted;
    private boolean timed;

    Stripe(Table table) {
        this.table = table;
    }

    byte @Nullable [] get(long hash, byte[] key, InstantSource clock) {
        long read = lock.tryOptimisticRead();
        if (read != 0) {
            byte[] value = table.get(hash, key, clock);
            if (isValid(read)) {
                return value;
            }
        }
        read = lockToRead();
        try {
            return table.get(hash, key, clock);
        } finally {
            lock.unlockRead(read);
        }
    }

    /** As {@link Table#get(long, byte[], InstantSource, ByteBuf)}; a failed attempt leaves nothing in the buffer. */
    int get(long hash, byte[] key, InstantSource clock, ByteBuf target) {
        long read = lock.tryOptimisticRead();
        if (read != 0) {
            int start = target.writerIndex();
            try {
                int length = table.get(hash, key, clock, target);
                if (isValid(read)) {
                    return length;
                }
            } catch (Throwable e) {
                if (isValid(read)) {
                    throw e;
                }
            }
            target.writerIndex(start);
        }
        read = lockToRead();
        try {
            return table.get(hash, key, clock, target);
        } finally {
            lock.unlockRead(read);
        }
    }

    /** As {@link Table#lend}; what the reader returns or throws beside a writer is discarded. */
    <R, T extends @Nullable Object> @Nullable T lend(
            long hash, byte[] key, InstantSource clock, R reader, Lender<R, T> lender) {
        long read = lock.tryOptimisticRead();
        if (read != 0) {
            try {
                T result = table.lend(hash, key, clock, reader, lender);
                if (isValid(read)) {
                    return result;
                }
            } catch (Throwable e) {
                if (isValid(read)) {
                    throw e;
                }
            }
        }
        read = lockToRead();
        SlotFunctions.Mark mark = SlotFunctions.enter();
        try {
            return table.lend(hash, key, clock, reader, lender);
        } finally {
            mark.inside = false;
            lock.unlockRead(read);
        }
    }

    /**
     * Has the processor fetch what a write of a key will look at, so that it does not wait for memory while it holds
     * the lock and others wait for it. A check of what is read keeps the compiler from dropping it.
     */
    public void fetch(long hash, byte[] key) {
        if (!table.gainsByFetching()) {
            return;
        }
        long read = lock.tryOptimisticRead();
        if (table.deadline(hash, key) < Table.ABSENT && lock.validate(read)) {
            throw new AssertionError("an entry has an impossible deadline");
        }
    }

    public int size() {
        long read = lock.tryOptimisticRead();
        int size = table.size();
        if (read != 0 && lock.validate(read)) {
            return size;
        }
        read = readLock();
        try {
            return table.size();
        } finally {
            lock.unlockRead(read);
        }
    }

    public int size(int slot) {
        long read = lock.tryOptimisticRead();
        int size = table.size(slot);
        if (read != 0 && lock.validate(read)) {
            return size;
        }
        read = readLock();
        try {
            return table.size(slot);
        } finally {
            lock.unlockRead(read);
        }
    }

    /** As {@link Table#parts}. */
    public int parts(int slot) {
        long read = readLock();
        try {
            return table.parts(slot);
        } finally {
            lock.unlockRead(read);
        }
    }

    /** Returns whether the table can take an entry more. */
    boolean canGrow() {
        long read = readLock();
        try {
            return table.canTake(1, true);
        } finally {
            lock.unlockRead(read);
        }
    }

    /** As {@link Table#bytes}. */
    long bytes() {
        long read = lock.tryOptimisticRead();
        long bytes = table.bytes();
        if (read != 0 && lock.validate(read)) {
            return bytes;
        }
        read = readLock();
        try {
            return table.bytes();
        } finally {
            lock.unlockRead(read);
        }
    }

    public void lock() {
        if (!lockIfSound()) {
            throw damaged();
        }
    }

    /** Locks the stripe, unless it is out of use. */
    boolean lockIfSound() {
        SlotFunctions.requireOutside();
        stamp = writeLock();
        if (damage != null && !retired) {
            lock.unlockWrite(stamp);
            return false;
        }
        return true;
    }

    /** Locks the stripe even if it is damaged: to replace it. */
    void lockAnyway() {
        SlotFunctions.requireOutside();
        stamp = writeLock();
    }

    /** Takes the lock only if the stack has room for what is done under it, and for giving it up again. */
    private long writeLock() {
        StackReserve.require();
        return lock.writeLock();
    }

    private long readLock() {
        StackReserve.require();
        return lock.readLock();
    }

    /** Locks for reading; what is returned unlocks it. */
    public long lockToRead() {
        SlotFunctions.requireOutside();
        long read = readLock();
        if (damage != null) {
            lock.unlockRead(read);
            throw damaged();
        }
        return read;
    }

    /**
     * Takes the stripe out of use for good, because an error of the JVM has left it half changed or other than its log;
     * for the holder of the lock. Only what replaces the whole stripe, a full sync, ends that.
     */
    void damage(Throwable cause) {
        damage = cause;
    }

    /** Returns whether the stripe is out of use. */
    boolean isDamaged() {
        return damage != null;
    }

    /** Returns whether what was read without a lock since a stamp was taken is good. */
    private boolean isValid(long read) {
        return lock.validate(read) && damage == null;
    }

    /**
     * Takes note that a change is about to be made that cannot be taken back, since somebody has been told of it; for
     * the holder of the lock. If the lock is released before {@link #changed}, the stripe is damaged.
     */
    public void changing() {
        underway = true;
    }

    /** Takes note that the change was made. */
    public void changed() {
        underway = false;
    }

    /** Returns whether entries may be past their deadline that no write has looked for since. */
    boolean isSweepDue(long now) {
        return moreToSweep || now != sweptAt;
    }

    void swept(long now, boolean more) {
        sweptAt = now;
        moreToSweep = more;
    }

    private IllegalStateException damaged() {
        return new IllegalStateException(
                "a stripe of the store is out of use, because an error left a change of it half made", damage);
    }

    public void unlockRead(long readStamp) {
        lock.unlockRead(readStamp);
    }

    /** Returns a number that grows with each change and when the lock is released; for the holder of a lock. */
    public long version() {
        return version;
    }

    /** Tells those who hold the lock a change that is not made yet from the state before it. */
    public void changes() {
        version++;
    }

    /** Goes on counting where the stripe that this one replaces left off; for whoever has not shared it yet. */
    void countFrom(Stripe replaced) {
        version = replaced.version + 1;
    }

    /** Returns what the store counts this stripe for; for the holder of the lock. */
    long counted() {
        return counted;
    }

    void counts(long newCounted) {
        counted = newCounted;
    }

    /** Returns whether the store knows of entries with a deadline; for the holder of the lock. */
    boolean isCountedAsTimed() {
        return timed;
    }

    void countsAsTimed(boolean newTimed) {
        timed = newTimed;
    }

    public void unlock() {
        try {
            version++;
            if (damage == null && (underway || table.isBroken())) {
                damage(HALF_MADE);
            }
            if (untidy) { // as after every change that a sink may have refused
                untidy = false;
                table.forgetPrepared();
                if (scratch.capacity() > MAX_SCRATCH_KEPT) {
                    scratch = Unpooled.EMPTY_BUFFER;
                }
            }
        } finally { // whatever a heap that is full makes of the rest
            lock.unlockWrite(stamp);
        }
    }

    /** The table, for the holder of the lock and for whoever built the stripe and has not shared it yet. */
    public Table table() {
        return table;
    }

    /** As {@link Table#prepare(int, List)}, until the lock is released; for the holder of the lock. */
    public void prepare(int slot, List<? extends Table.Incoming> entries) {
        untidy = true;
        table.prepare(slot, entries);
    }

    /** Returns whether the store has replaced this stripe; for the holder of the lock. */
    boolean isRetired() {
        return retired;
    }

    /** Tells writers that wait for the lock to look for the stripe that has replaced this one. */
    void retire() {
        retired = true;
    }

    /** Returns an empty buffer on the heap, for the holder of the lock until it is unlocked. */
    public ByteBuf scratch() {
        if (scratch.capacity() == 0) {
            scratch = Unpooled.buffer(SCRATCH_CAPACITY);
        }
        untidy = true;
        return scratch.clear();
    }
}
