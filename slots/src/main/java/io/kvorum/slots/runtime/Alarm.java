package io.kvorum.slots.runtime;

import io.kvorum.slots.Scheduler;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Rings at the earliest of the times that it was set to, over the timers of a scheduler.
 *
 * <p>A timer that is armed for an earlier time than the one wanted stays armed and looks again when it fires. So a
 * deadline that moves back with each step, as a heartbeat does, costs no timer for each step; and one that comes in
 * front of others is one timer more, at most {@link #MAX_TIMERS} in all.
 *
 * <p>The scheduler is never called under the lock. Safe for use by any number of threads.
 */
final class Alarm {
    static final int MAX_TIMERS = 8;

    private final class Timer implements Runnable {
        private final long at;
        /** Null until the scheduler has returned it. */
        private Scheduler.@Nullable Cancellable handle;

        private Timer(long at) {
            this.at = at;
        }

        @Override
        public void run() {
            fired(this);
        }
    }

    private final Scheduler scheduler;
    private final Runnable ring;
    private final Runnable unarmed;
    private final Consumer<? super Throwable> refusals;
    private final LastResort lastResort;

    private final Object lock = new Object();
    /** The timers that are armed: the earliest first, each earlier than all behind it. */
    private final Deque<Timer> timers = new ArrayDeque<>();

    private boolean set;
    private long due;
    /** How often in a row no timer could be armed. */
    private int failures;

    private boolean closed;

    /**
     * Creates an alarm that is not set.
     *
     * @param scheduler has the timers
     * @param ring is run when the time has come, by the timer's thread
     * @param unarmed is run if a timer cannot be armed, so that it calls {@link #arm} again soon; if that fails too,
     *     the last resort does
     * @param refusals takes note of what the scheduler throws
     * @param lastResort is a timer that does not depend on the scheduler
     */
    Alarm(
            Scheduler scheduler,
            Runnable ring,
            Runnable unarmed,
            Consumer<? super Throwable> refusals,
            LastResort lastResort) {
        this.scheduler = scheduler;
        this.ring = ring;
        this.unarmed = unarmed;
        this.refusals = refusals;
        this.lastResort = lastResort;
    }

    /** Sets the alarm to a time, unless it is set to an earlier one. {@link #arm} is to follow. */
    void set(long at) {
        synchronized (lock) {
            if (!set || at - due < 0) {
                set = true;
                due = at;
            }
        }
    }

    /** Forgets the time that the alarm is set to. */
    void clear() {
        synchronized (lock) {
            set = false;
        }
    }

    /** Arms a timer for the time that the alarm is set to, if none is in time. Never throws. */
    void arm() {
        Timer timer;
        Timer superfluous = null;
        synchronized (lock) {
            if (closed || !set || isArmedFor(due)) {
                return;
            }
            if (timers.size() == MAX_TIMERS) {
                superfluous = timers.removeLast();
            }
            timer = new Timer(due);
            timers.addFirst(timer);
        }
        if (superfluous != null) {
            cancel(superfluous);
        }
        arm(timer);
    }

    private boolean isArmedFor(long at) {
        Timer earliest = timers.peekFirst();
        return earliest != null && earliest.at - at <= 0;
    }

    private void arm(Timer timer) {
        Scheduler.Cancellable handle;
        try {
            handle = scheduler.schedule(timer, Math.max(0, timer.at - scheduler.nanoTime()));
        } catch (Throwable e) {
            failed(timer, e);
            return;
        }
        boolean over;
        synchronized (lock) {
            failures = 0;
            timer.handle = handle;
            over = closed;
        }
        if (over) {
            cancel(timer);
        }
    }

    private void failed(Timer timer, Throwable cause) {
        int before;
        synchronized (lock) {
            timers.remove(timer);
            if (closed) {
                return;
            }
            before = failures++;
        }
        refusals.accept(cause);
        if (before == 0) {
            unarmed.run();
        } else {
            lastResort.again(this::arm, before - 1);
        }
    }

    private void fired(Timer timer) {
        long at;
        synchronized (lock) {
            timers.remove(timer);
            if (closed || !set) {
                return;
            }
            at = due;
        }
        if (at - scheduler.nanoTime() <= 0) {
            ring.run();
        } else {
            arm();
        }
    }

    /** Ends it: it rings no more. */
    void close() {
        List<Timer> armed;
        synchronized (lock) {
            closed = true;
            armed = new ArrayList<>(timers);
            timers.clear();
        }
        armed.forEach(this::cancel);
    }

    private void cancel(Timer timer) {
        Scheduler.Cancellable handle;
        synchronized (lock) {
            handle = timer.handle;
        }
        if (handle != null) {
            try {
                handle.cancel();
            } catch (Throwable e) { // a timer that fires in vain harms nobody
                refusals.accept(e);
            }
        }
    }
}
