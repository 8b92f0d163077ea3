package io.kvorum.slots.runtime;

import static java.util.Objects.requireNonNull;

import io.kvorum.slots.Scheduler;
import java.lang.System.Logger.Level;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * A task that runs on a scheduler whenever it was woken, never twice at a time.
 *
 * <p>A wake-up before a run, or during one, is followed by a run that sees everything that happened before the wake-up.
 * Wake-ups that come together share a run; a wake-up of a task that was woken already costs one volatile read.
 *
 * <pre>
 * IDLE          -- wake() --> WOKEN           (a turn is handed to the scheduler)
 * WOKEN         -- turn ----> RUNNING
 * WOKEN         -- refused -> IDLE            (the scheduler threw; a timer tries again)
 * RUNNING       -- wake() --> RUNNING_WOKEN
 * RUNNING       -- done ----> IDLE
 * RUNNING_WOKEN -- done ----> RUNNING         (the same thread goes on)
 * RUNNING_WOKEN -- done ----> WOKEN           (after {@link #MAX_RUNS} runs in a row others get the thread)
 * IDLE, WOKEN   -- run() ---> RUNNING         (a timer that came due)
 * </pre>
 *
 * <p>A scheduler that throws, whatever it throws, ends nothing: the task is offered again by the next wake-up and by a
 * timer, whichever comes first; by a timer of the JDK if the scheduler has none.
 *
 * <p>A pending interrupt of the thread is kept away from the task and restored after it: the thread is somebody else's,
 * and the interrupt is not about the task.
 *
 * <p>Safe for use by any number of threads.
 */
public final class SerialTask implements Runnable {
    /** How many runs follow each other before the thread is given back. */
    static final int MAX_RUNS = 16;

    /** How long after a refusal a timer tries again. */
    static final long RETRY_NANOS = 10_000_000;

    private static final OperatorLog logger = OperatorLog.of(SerialTask.class);

    private static final int IDLE = 0;
    private static final int WOKEN = 1;
    private static final int RUNNING = 2;
    private static final int RUNNING_WOKEN = 3;

    private final Scheduler scheduler;
    private final Runnable body;
    private final Consumer<? super Throwable> refusals;
    private final Runnable turn = this::takeTurn;
    private final AtomicInteger state = new AtomicInteger(IDLE);
    private final AtomicBoolean retrying = new AtomicBoolean();
    private final LastResort lastResort;
    /** How often in a row the last resort was taken. */
    private final AtomicInteger tries = new AtomicInteger();

    /**
     * Creates a task, which does not run before it is woken.
     *
     * @param scheduler runs the task
     * @param body the task; it should not throw, and what it throws is logged as a defect
     * @param refusals is told what the scheduler throws, by the thread that woke the task, which may hold locks: it
     *     must only take note
     */
    public SerialTask(Scheduler scheduler, Runnable body, Consumer<? super Throwable> refusals) {
        this(scheduler, body, refusals, LastResort.OF_JDK);
    }

    SerialTask(Scheduler scheduler, Runnable body, Consumer<? super Throwable> refusals, LastResort lastResort) {
        this.scheduler = requireNonNull(scheduler, "scheduler");
        this.body = requireNonNull(body, "body");
        this.refusals = requireNonNull(refusals, "refusals");
        this.lastResort = lastResort;
    }

    /** Has the task run soon. Never throws. */
    public void wake() {
        while (true) {
            switch (state.get()) {
                case IDLE -> {
                    if (state.compareAndSet(IDLE, WOKEN)) {
                        if (!submit() && state.compareAndSet(WOKEN, IDLE)) {
                            retryLater();
                        }
                        return;
                    }
                }
                case RUNNING -> {
                    if (state.compareAndSet(RUNNING, RUNNING_WOKEN)) {
                        return;
                    }
                }
                default -> {
                    return; // a run that sees what the caller did is yet to begin
                }
            }
        }
    }

    /** Runs the task in this thread, or has the run that is under way be followed by another. */
    @Override
    public void run() {
        while (true) {
            int current = state.get();
            if (current == RUNNING_WOKEN) {
                return;
            } else if (current == RUNNING) {
                if (state.compareAndSet(RUNNING, RUNNING_WOKEN)) {
                    return;
                }
            } else if (state.compareAndSet(current, RUNNING)) {
                runWhileWoken();
                return;
            }
        }
    }

    /** A turn that comes when the task was run by a timer meanwhile has nothing left to do. */
    private void takeTurn() {
        if (state.compareAndSet(WOKEN, RUNNING)) {
            runWhileWoken();
        }
    }

    private void runWhileWoken() {
        boolean interrupted = false;
        int runs = 0;
        do {
            interrupted |= Thread.interrupted();
            runBody();
            if (state.compareAndSet(RUNNING, IDLE)) {
                break;
            }
            runs++;
        } while (goesOn(runs));
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Decides who takes the next run of a task that was woken during the last one. */
    private boolean goesOn(int runs) {
        if (runs % MAX_RUNS != 0) {
            state.set(RUNNING);
            return true;
        }
        state.set(WOKEN);
        return !submit() && state.compareAndSet(WOKEN, RUNNING);
    }

    private void runBody() {
        try {
            body.run();
        } catch (Throwable e) {
            logger.log(Level.ERROR, () -> "task failed: " + body, e);
        }
    }

    private boolean submit() {
        try {
            scheduler.execute(turn);
            if (tries.get() != 0) {
                tries.set(0);
            }
            return true;
        } catch (Throwable e) {
            refusals.accept(e);
            return false;
        }
    }

    private void retryLater() {
        if (!retrying.compareAndSet(false, true)) {
            return;
        }
        try {
            scheduler.schedule(this::retry, RETRY_NANOS);
        } catch (Throwable e) {
            refusals.accept(e);
            if (!lastResort.again(this::offerAgain, tries.getAndIncrement())) {
                retrying.set(false); // the next wake-up is all that is left
            }
        }
    }

    private void retry() {
        retrying.set(false);
        run();
    }

    /** As a wake-up, for the thread is not the scheduler's. */
    private void offerAgain() {
        retrying.set(false);
        wake();
    }
}
