package io.kvorum.replication;

import java.util.ArrayDeque;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * The queue of writers that wait for room in a log.
 *
 * <p>Writers are admitted in the order of their arrival, no more of them at a time than the room is estimated to take:
 * each is assumed to append a record of average size. While one waits, newcomers queue up behind it. An estimate that
 * is wrong is made up for when room comes free next, or at the latest after {@link #RECHECK_NANOS}.
 *
 * <p>Safe for use by any number of threads.
 */
final class Admission {
    /** How long a writer sleeps at a time before it looks at the room itself. */
    static final long RECHECK_NANOS = 10_000_000;

    private final Parking parking;
    private final BooleanSupplier gateIsOpen;
    private final LongSupplier end;
    private final LongSupplier records;

    // all that follows is guarded by this

    private final ArrayDeque<Waiter> waiters = new ArrayDeque<>();
    private long endBefore;
    private long recordsBefore;
    private long typical = 1;

    private long limit = Long.MAX_VALUE;

    /** The limit, or {@link Long#MIN_VALUE} while a writer waits. */
    private volatile long openTo = Long.MAX_VALUE;

    private static final class Waiter {
        final Thread thread = Thread.currentThread();
        volatile boolean admitted;
    }

    /**
     * Makes an admission without a limit.
     *
     * @param parking where writers wait
     * @param gateIsOpen whether the log takes records at all; if not, nobody waits
     * @param end the offset at which the log ends
     * @param records how many records were ever appended to it
     */
    Admission(Parking parking, BooleanSupplier gateIsOpen, LongSupplier end, LongSupplier records) {
        this.parking = parking;
        this.gateIsOpen = gateIsOpen;
        this.end = end;
        this.records = records;
    }

    /** Sets the end of the log up to which writers are admitted. To be followed by {@link #release}. */
    synchronized void limitTo(long newLimit) {
        limit = newLimit;
        update();
    }

    /** {@return the end of the log up to which a writer need not wait} */
    long openTo() {
        return openTo;
    }

    /**
     * Waits to be admitted.
     *
     * @return false if that took longer than the timeout
     * @throws CancellationException if the thread was interrupted
     */
    boolean await(long timeoutNanos) {
        Waiter self = new Waiter();
        synchronized (this) {
            waiters.add(self);
            update();
        }
        release();
        long start = parking.nanoTime();
        while (!self.admitted) {
            long left = timeoutNanos - (parking.nanoTime() - start);
            boolean interrupted = Thread.currentThread().isInterrupted();
            if (left <= 0 || interrupted) {
                if (!leave(self)) {
                    return true;
                }
                if (interrupted) {
                    throw new CancellationException(
                            "interrupted while waiting for room in the log; nothing was changed");
                }
                return false;
            }
            parking.park(this, Math.min(left, RECHECK_NANOS));
            if (!self.admitted) {
                release();
            }
        }
        return true;
    }

    /** Admits as many writers as there is room for, at least one if there is any, and all if the gate is closed. */
    void release() {
        if (openTo != Long.MIN_VALUE) {
            return;
        }
        synchronized (this) {
            boolean all = !gateIsOpen.getAsBoolean() || limit == Long.MAX_VALUE;
            long at = end.getAsLong();
            estimate(at);
            long room = limit - at;
            while (!waiters.isEmpty() && (all || room >= 0)) {
                Waiter next = waiters.remove();
                next.admitted = true;
                room -= typical;
                parking.unpark(next.thread);
            }
            update();
        }
    }

    /** Returns whether the writer was still waiting. */
    private synchronized boolean leave(Waiter waiter) {
        boolean left = !waiter.admitted && waiters.remove(waiter);
        update();
        return left;
    }

    private void update() {
        openTo = waiters.isEmpty() ? limit : Long.MIN_VALUE;
    }

    private void estimate(long at) {
        long count = records.getAsLong();
        if (count > recordsBefore && at > endBefore) {
            typical = Math.max(1, (at - endBefore) / (count - recordsBefore));
        }
        endBefore = at;
        recordsBefore = count;
    }
}
