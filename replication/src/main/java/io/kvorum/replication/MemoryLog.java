package io.kvorum.replication;

import io.kvorum.slots.HashSlot;
import io.kvorum.slots.topology.LogPosition;
import io.kvorum.slots.topology.RefusedException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A log in one ring of bytes on the heap.
 *
 * <p><b>Writers.</b> {@code tail} is the end of the log and the writers' lock in one word: a writer takes the lock by
 * setting the sign bit, and releases it by the very store that publishes the new end. An uncontended append so costs
 * one atomic operation and two copies of a few words. A contended one spins, yields and then sleeps for short times;
 * nobody needs to wake it, since the lock is never held for longer than it takes to copy one record, except when the
 * ring doubles.
 *
 * <p><b>Readers</b> take no lock. A reader takes the end first and the ring after it, copies, and then looks at
 * {@code first} again: the writer moves {@code first} before it overwrites anything, so the copy is whole if
 * {@code first} is still not after it. When the ring doubles, a longer array takes over and the old one is never
 * written again, so a copy from the old one is whole, too. A reset is noticed by its count.
 *
 * <p><b>Control.</b> All that changes seldom (epoch, history, members, gate) is changed under the lock and between two
 * increments of {@code changes}. A {@link #snapshot} reads everything between two equal, even values of it.
 */
final class MemoryLog extends MachineLog {
    private static final int INITIAL_CAPACITY = 16 << 10;

    private static final long LOCKED = Long.MIN_VALUE;
    private static final int SPINS = 50;
    private static final int YIELDS = 10;
    private static final long NAP_NANOS = 50_000;

    private static final VarHandle TAIL;
    private static final VarHandle FIRST;

    static {
        try {
            TAIL = MethodHandles.lookup().findVarHandle(MemoryLog.class, "tail", long.class);
            FIRST = MethodHandles.lookup().findVarHandle(MemoryLog.class, "first", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final int capacity;
    private final Admission admission;

    @SuppressWarnings("UnusedVariable") // through TAIL
    private volatile long tail;

    // all that follows is changed under the lock

    private byte[] ring;

    private ChunkStarts chunks = ChunkStarts.NONE;

    /** The end up to which an append needs no more room. */
    private long roomTo;

    private volatile long first;
    private long records;

    private long wakeAt = Long.MAX_VALUE;
    private @Nullable Runnable wakeup;

    private volatile int resets;
    private volatile int changes;
    private volatile @Nullable Refusal gate = Refusal.AT_FIRST;
    private volatile LogHead head = LogHead.EMPTY;
    private volatile boolean closed;

    /** The last reason of a closed gate: it names the node and the shard. */
    private Refusal identity = Refusal.AT_FIRST;

    private final LogCursors cursors = new LogCursors();

    MemoryLog(int capacity, Parking parking) {
        if (Integer.bitCount(capacity) != 1 || capacity < MIN_CAPACITY || capacity > MAX_CAPACITY) {
            throw new IllegalArgumentException(
                    "capacity must be a power of two from " + MIN_CAPACITY + " to " + MAX_CAPACITY + ": " + capacity);
        }
        this.capacity = capacity;
        this.ring = new byte[Math.min(capacity, INITIAL_CAPACITY)];
        this.roomTo = ring.length;
        this.admission = new Admission(parking, this::isWritable, this::endOffset, () -> records);
    }

    // ---- writers

    @Override
    public long append(int slot, ByteBuf payload) {
        HashSlot.check(slot);
        int length = payload.readableBytes();
        if (length > maxPayload()) {
            throw new RecordTooLongException(length, maxPayload());
        }
        @Nullable Runnable due = null;
        long dueAt = 0;
        long end = lock();
        long after = end + Records.HEADER + length;
        try {
            Refusal reason = gate;
            if (reason != null) {
                throw refusal(reason, slot);
            }
            if (after > roomTo) {
                makeRoom(end, after, slot);
            }
            Ring.putLong(ring, end, Records.header(length, Records.DATA, slot));
            Ring.put(ring, end + Records.HEADER, payload, payload.readerIndex(), length);
            chunks.note(end, after);
            records++;
            end = after;
            if (after > wakeAt) {
                dueAt = wakeAt;
                due = takeWakeup();
            }
        } finally {
            unlock(end);
        }
        if (due != null) {
            wake(due, dueAt);
        }
        return after;
    }

    /**
     * Runs a wake-up. The record is in, so that the writer must not hear that it fails; the next append runs it again.
     */
    private void wake(Runnable due, long dueAt) {
        try {
            due.run();
        } catch (Throwable e) { // whoever set it tells of it
            long end = lock();
            if (wakeup == null && !closed) {
                wakeAt = dueAt;
                wakeup = due;
            }
            unlock(end);
        }
    }

    @Override
    public void awaitRoom(int slot, long timeoutNanos) {
        if (endOffset() > admission.openTo() && !admission.await(timeoutNanos)) {
            throw overloaded(slot);
        }
    }

    private RuntimeException refusal(Refusal reason, int slot) {
        if (reason.end() == null) { // a node that was closed has closed its log too, and says so
            requireOpen();
        }
        return reason.exception(slot);
    }

    private RefusedException overloaded(int slot) {
        return identity.overloaded(head.epoch()).exception(slot);
    }

    // ---- readers

    @Override
    public int read(long from, ByteBuf target, int maxBytes) {
        int resetsBefore = resets;
        long end = (long) TAIL.getAcquire(this) & ~LOCKED;
        byte[] bytes = ring;
        requireOpen(); // the ring is gone only after that was set
        if (from > end) {
            throw new IllegalArgumentException("offset " + from + " is after the log, which ends at " + end);
        }
        if (from < first) {
            return -1;
        }
        int length = (int) (end - from);
        if (length > bytes.length) { // of a ring that was begun anew in between
            return -1;
        }
        if (length > maxBytes) {
            length = wholeRecords(bytes, from, end, maxBytes, resetsBefore);
            if (length < 0) {
                return -1;
            }
        }
        int writerIndex = target.writerIndex();
        target.ensureWritable(length);
        Ring.get(bytes, from, target, length);
        VarHandle.loadLoadFence();
        if (from < first || resets != resetsBefore) {
            target.writerIndex(writerIndex);
            return -1;
        }
        return length;
    }

    /** Returns the size of the records that fit, or -1 if they are being overwritten. */
    private int wholeRecords(byte[] bytes, long from, long end, int maxBytes, int resetsBefore) {
        long at = from;
        do {
            int size = Records.HEADER + Ring.getInt(bytes, at);
            if (size < Records.HEADER || size > end - at) { // of a record that is gone
                VarHandle.loadLoadFence();
                if (from < first || resets != resetsBefore) {
                    return -1;
                }
                throw new AssertionError("record of " + size + " bytes at " + at + " in a log that ends at " + end);
            }
            if (at > from && at + size - from > maxBytes) {
                break;
            }
            at += size;
        } while (at < end);
        return (int) (at - from);
    }

    @Override
    public int maxPayload() {
        return capacity / 2 - Records.HEADER;
    }

    private long endOffset() {
        return tail & ~LOCKED;
    }

    @Override
    public LogPosition end() {
        while (true) {
            int before = changes;
            long epoch = head.epoch();
            long end = endOffset();
            if (before == changes && (before & 1) == 0) {
                return new LogPosition(epoch, end);
            }
            Thread.onSpinWait();
        }
    }

    @Override
    Snapshot snapshot() {
        while (true) {
            int before = changes;
            long retained = first;
            LogHead now = head;
            Snapshot snapshot = new Snapshot(
                    new LogPosition(now.epoch(), endOffset()), retained, now.history(), now.members(), isWritable());
            if (before == changes && (before & 1) == 0) {
                return snapshot;
            }
            Thread.onSpinWait();
        }
    }

    @Override
    public long firstOffset() {
        return first;
    }

    @Override
    public LogHistory history() {
        return head.history();
    }

    @Override
    LogMembers members() {
        return head.members();
    }

    @Override
    public boolean isWritable() {
        return gate == null && !closed;
    }

    @Override
    public long durableOffset() {
        return endOffset();
    }

    // ---- the node

    @Override
    long begin(long epoch, @Nullable Roster first, @Nullable Refusal reason) {
        byte[] payload = Records.payload(epoch, first);
        long end = lockForChange();
        try {
            LogHead begun = head.begun(epoch, first, end, end + Records.HEADER + payload.length);
            end = appendControl(end, Records.BEGIN, payload);
            head = begun;
            gate = reason;
            identity = reason == null ? identity : reason;
        } finally {
            unlockAfterChange(end);
        }
        return end;
    }

    @Override
    long appendMembers(Roster roster) {
        byte[] payload = Records.payload(roster);
        long end = lockForChange();
        try {
            end = appendControl(end, Records.MEMBERS, payload);
            head = head.listed(roster, end);
        } finally {
            unlockAfterChange(end);
        }
        return end;
    }

    /** Appends a record at the end, under the lock; returns the new end. */
    private long appendControl(long end, int kind, byte[] payload) {
        if (payload.length > maxPayload()) {
            throw new IllegalArgumentException(
                    "a member list may have " + maxPayload() + " bytes: it has " + payload.length);
        }
        long after = end + Records.HEADER + payload.length;
        makeRoom(end, after, -1);
        Ring.putLong(ring, end, Records.header(payload.length, kind, 0));
        Ring.put(ring, end + Records.HEADER, Unpooled.wrappedBuffer(payload), 0, payload.length);
        chunks.note(end, after);
        records++;
        return after;
    }

    @Override
    void take(ByteBuf batch) {
        int start = batch.readerIndex();
        int length = batch.readableBytes();
        long end = lockForChange();
        try {
            LogHead newer = head.after(batch, end);
            if (length <= capacity) {
                makeRoom(end, end + length, -1);
                Ring.put(ring, end, batch, start, length);
            } else {
                dropAll(end + length);
            }
            for (int index = start; index < start + length; records++) {
                int size = Records.size(batch, index);
                chunks.note(end, end + size);
                index += size;
                end += size;
            }
            head = newer;
        } finally {
            unlockAfterChange(end);
        }
    }

    @Override
    void reset(LogPosition position, LogHistory ofPrimary, LogMembers membersOfPrimary) {
        long end = lockForChange();
        try {
            cursors.loseAll();
            limitAdmission();
            end = position.offset();
            restart(end);
            head = new LogHead(position.epoch(), ofPrimary, membersOfPrimary);
        } finally {
            unlockAfterChange(end);
        }
        admission.release();
    }

    @Override
    void refuse(Refusal reason) {
        long end = lockForChange();
        gate = reason;
        identity = reason;
        unlockAfterChange(end);
        admission.release();
    }

    @Override
    void admit() {
        long end = lockForChange();
        gate = null;
        unlockAfterChange(end);
    }

    @Override
    public void close() {
        long end = lock();
        beginChange();
        if (!closed) {
            closed = true;
            gate = identity;
            cursors.loseAll();
            limitAdmission();
            ring = new byte[0];
            wakeup = null;
        }
        unlockAfterChange(end);
        admission.release();
    }

    @Override
    LogCursor openCursor(long from) {
        long end = lockOpen();
        try {
            if (from > end) {
                throw new IllegalArgumentException("offset " + from + " is after the log, which ends at " + end);
            }
            LogCursor cursor = new LogCursor(this, from, from < first);
            cursors.add(cursor);
            limitAdmission();
            return cursor;
        } finally {
            unlock(end);
        }
    }

    @Override
    void hold(LogCursor cursor, long offset) {
        long end = lock();
        cursors.hold(cursor, offset);
        limitAdmission();
        unlock(end);
        admission.release();
    }

    @Override
    void forget(LogCursor cursor) {
        long end = lock();
        cursors.remove(cursor);
        limitAdmission();
        unlock(end);
        admission.release();
    }

    @Override
    long countFrom(long offset) {
        long end = lockOpen();
        try {
            long count = 0;
            for (long at = first; at < end; at += Records.HEADER + Ring.getInt(ring, at)) {
                if (at >= offset) {
                    count++;
                }
            }
            return count;
        } finally {
            unlock(end);
        }
    }

    @Override
    void wakeWhen(long offset, Runnable task) {
        long end = lock();
        boolean due = end > offset && !closed;
        wakeAt = due ? Long.MAX_VALUE : offset;
        wakeup = due ? null : task;
        unlock(end);
        if (due) {
            task.run();
        }
    }

    private @Nullable Runnable takeWakeup() {
        @Nullable Runnable due = wakeup;
        wakeAt = Long.MAX_VALUE;
        wakeup = null;
        return due;
    }

    // ---- room

    private void limitAdmission() {
        long held = cursors.held();
        admission.limitTo(held == Long.MAX_VALUE ? held : held + capacity - capacity / 4);
    }

    /** Makes the ring longer, or drops records, until all before {@code after} fit. */
    private void makeRoom(long end, long after, int slot) {
        if (after - first > ring.length && ring.length < capacity) {
            grow(end, after - first);
        }
        long need = after - capacity;
        if (need > first) {
            if (need > cursors.held()) {
                throw overloaded(slot);
            }
            FIRST.setOpaque(this, firstAfterDrop(need));
            VarHandle.storeStoreFence();
        }
        roomTo = first + ring.length;
    }

    /** Returns the boundary of a record from which on records are kept, so that all before {@code need} are dropped. */
    private long firstAfterDrop(long need) {
        long start = chunks.startAfter(need);
        if (start >= need && start <= cursors.held()) { // else it is of a lap before: the chunk is in a batch to come
            return start;
        }
        long at = first;
        while (at < need) {
            at += Records.HEADER + Ring.getInt(ring, at);
        }
        return at;
    }

    private void grow(long end, long size) {
        int length = ring.length;
        while (length < capacity && length < size) {
            length *= 2;
        }
        ring = Ring.longer(ring, length, first, end);
        if (length == capacity) {
            chunks = new ChunkStarts(capacity);
            for (long at = first; at < end; ) {
                long next = at + Records.HEADER + Ring.getInt(ring, at);
                chunks.note(at, next);
                at = next;
            }
        }
    }

    private void dropAll(long newEnd) {
        if (cursors.held() < newEnd) {
            throw overloaded(-1);
        }
        restart(newEnd);
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // under the lock
    private void restart(long offset) {
        resets++;
        VarHandle.storeStoreFence();
        ring = new byte[Math.min(capacity, INITIAL_CAPACITY)];
        chunks = ChunkStarts.NONE;
        first = offset;
        roomTo = offset + ring.length;
    }

    // ---- the lock

    /** Takes the lock and returns the end. */
    private long lock() {
        long end = (long) TAIL.getOpaque(this);
        return end >= 0 && TAIL.weakCompareAndSetAcquire(this, end, end | LOCKED) ? end : lockContended();
    }

    @SuppressWarnings("ThreadPriorityCheck") // with few cores the holder may wait for this one
    private long lockContended() {
        for (int tries = 0; ; tries++) {
            long end = (long) TAIL.getOpaque(this);
            if (end >= 0 && TAIL.weakCompareAndSetAcquire(this, end, end | LOCKED)) {
                return end;
            }
            if (tries < SPINS) {
                Thread.onSpinWait();
            } else if (tries < SPINS + YIELDS) {
                Thread.yield();
            } else {
                LockSupport.parkNanos(this, NAP_NANOS);
            }
        }
    }

    private void unlock(long end) {
        TAIL.setRelease(this, end);
    }

    private long lockOpen() {
        long end = lock();
        if (closed) {
            unlock(end);
            requireOpen();
        }
        return end;
    }

    private long lockForChange() {
        long end = lockOpen();
        beginChange();
        return end;
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // under the lock
    private void beginChange() {
        changes++;
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // under the lock
    private void unlockAfterChange(long end) {
        TAIL.setRelease(this, end | LOCKED);
        changes++;
        unlock(end);
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the log is closed");
        }
    }
}
