package io.kvorum.core.engine;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.time.InstantSource;
import java.util.concurrent.locks.StampedLock;
import org.jspecify.annotations.Nullable;

/**
 * The part of a store that one lock guards: every slot with the same low bits. Reads of one key take no lock unless a
 * writer is at work.
 */
public final class Stripe {
    private static final int SCRATCH_CAPACITY = 256;
    private static final int MAX_SCRATCH_KEPT = 64 << 10;

    private final StampedLock lock = new StampedLock();
    private final Table table;
    private ByteBuf scratch = Unpooled.EMPTY_BUFFER;
    private long stamp;
    private boolean retired;
    private long version;
    private long counted;

    Stripe(Table table) {
        this.table = table;
    }

    byte @Nullable [] get(long hash, byte[] key, InstantSource clock) {
        long read = lock.tryOptimisticRead();
        if (read != 0) {
            byte[] value = table.get(hash, key, clock);
            if (lock.validate(read)) {
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
                if (lock.validate(read)) {
                    return length;
                }
            } catch (Throwable e) {
                if (lock.validate(read)) {
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
                if (lock.validate(read)) {
                    return result;
                }
            } catch (Throwable e) {
                if (lock.validate(read)) {
                    throw e;
                }
            }
        }
        read = lockToRead();
        SlotFunctions.enter();
        try {
            return table.lend(hash, key, clock, reader, lender);
        } finally {
            SlotFunctions.leave();
            lock.unlockRead(read);
        }
    }

    public int size() {
        long read = lock.tryOptimisticRead();
        int size = table.size();
        if (read != 0 && lock.validate(read)) {
            return size;
        }
        read = lockToRead();
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
        read = lockToRead();
        try {
            return table.size(slot);
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
        read = lockToRead();
        try {
            return table.bytes();
        } finally {
            lock.unlockRead(read);
        }
    }

    public void lock() {
        SlotFunctions.requireOutside();
        stamp = lock.writeLock();
    }

    /** Locks for reading; what is returned unlocks it. */
    public long lockToRead() {
        SlotFunctions.requireOutside();
        return lock.readLock();
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

    public void unlock() {
        version++;
        if (scratch.capacity() > MAX_SCRATCH_KEPT) {
            scratch = Unpooled.EMPTY_BUFFER;
        }
        lock.unlockWrite(stamp);
    }

    /** The table, for the holder of the lock and for whoever built the stripe and has not shared it yet. */
    public Table table() {
        return table;
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
        return scratch.clear();
    }
}
