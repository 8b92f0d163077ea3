package io.kvorum.testkit;

import io.kvorum.slots.Scheduler;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A thread in virtual time. It runs only when it has its turn, and then while the thread that gave it the turn looks
 * on, until it waits.
 *
 * <p>If it waits for something that virtual time knows nothing of, such as a lock or a queue, it loses its turn too,
 * and gets the next one when something has woken it.
 */
final class Actor extends Thread {
    private static final long POLL_NANOS = 50_000;
    private static final long CHECK_NANOS = 1_000_000;

    private final VirtualTime time;
    /** Throws nothing but that the cluster was closed. */
    private final Runnable body;

    private final Semaphore turn = new Semaphore(0);
    private final Semaphore paused = new Semaphore(0);

    /** What the waiting for a turn is called whose cause virtual time knows nothing of. */
    private final Object woken = new Object();

    /** Whether it lost its turn while it waited for something that virtual time knows nothing of. */
    private volatile boolean astray;

    /** Whether nobody waits for it any more, since it went on for too long. It gets no other turn. */
    private volatile boolean lost;

    /** What it waits for its turn for, or null while it does not. */
    private volatile @Nullable Object pausedFor = this;

    /** Whether it has noticed its turn. Until then it waits for that, and for nothing else. */
    private volatile boolean hasTurn;

    private volatile boolean ended;

    /** Whether it was told to end, and did not. */
    private volatile boolean goesOn;

    Actor(VirtualTime time, String name, Runnable body) {
        super(name);
        this.time = time;
        this.body = body;
        setDaemon(true);
    }

    boolean isOf(VirtualTime some) {
        return time == some;
    }

    // ---- called by the actor itself

    @Override
    public void run() {
        takeNextTurn();
        try {
            body.run();
        } catch (CancellationException e) {
            // the cluster was closed, and nobody asks any more what came of it
        } finally {
            ended = true;
            paused.release();
        }
    }

    /** Waits for its turn, if it has lost that. */
    void takeTurn() {
        if (astray) {
            pause(woken);
        }
    }

    /** Waits until a condition holds or a time has come; returns whether it holds. */
    boolean suspend(@Nullable CompletionStage<?> future, BooleanSupplier condition, long end) {
        while (!condition.getAsBoolean()) {
            long left = end - time.nanoTime();
            if (left <= 0) {
                return false;
            }
            Resumption resumption = new Resumption(future == null ? condition : () -> true, end);
            Scheduler.Cancellable timer =
                    time.schedule(resumption, future == null ? Math.min(left, CHECK_NANOS) : left);
            if (future != null) {
                var unused = future.whenComplete((value, failure) -> time.execute(resumption));
            }
            pause(resumption);
            timer.cancel();
        }
        return true;
    }

    private void pause(Object cause) {
        requireOpen(); // nobody gives turns any more
        hasTurn = false;
        pausedFor = cause;
        paused.release();
        takeNextTurn();
        requireOpen();
    }

    private void requireOpen() {
        if (time.isClosed()) {
            throw new CancellationException("cluster was closed");
        }
    }

    private void takeNextTurn() {
        turn.acquireUninterruptibly();
        hasTurn = true;
    }

    // ---- called by the thread that gives the turns

    void begin() {
        start();
        giveTurn(this);
    }

    /** Lets it run on if this is what it waits for its turn for. */
    private void giveTurn(Object cause) {
        if (pausedFor == cause) {
            pausedFor = null;
            turn.release();
            awaitPause();
        }
    }

    /**
     * Waits until it waits, whatever for. An interrupt, such as that of a time limit of the test, ends this if the
     * actor goes on for long: nothing else would.
     */
    private void awaitPause() {
        int waiting = 0;
        boolean interrupted = false;
        long interruptedAt = 0;
        try {
            while (true) {
                try {
                    if (paused.tryAcquire(POLL_NANOS, TimeUnit.NANOSECONDS)) {
                        return;
                    }
                } catch (InterruptedException e) {
                    interruptedAt = interrupted ? interruptedAt : System.nanoTime();
                    interrupted = true;
                    continue;
                }
                waiting = hasTurn && isWaiting() ? waiting + 1 : 0;
                if (waiting == 2) {
                    astray = true;
                    return;
                }
                if (interrupted && System.nanoTime() - interruptedAt > ClusterTime.PATIENCE.toNanos()) {
                    astray = true;
                    lost = true;
                    throw ClusterTime.at(this, new ActorAtWork(getName()));
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** If it had lost its turn and something has woken it, waits until it waits again, and gives it its turn soon. */
    void lookAfter() {
        if (astray && !lost) {
            astray = false;
            awaitPause();
            if (pausedFor == woken) {
                time.execute(() -> giveTurn(woken));
            }
        }
    }

    private boolean isWaiting() {
        return switch (getState()) {
            case WAITING, TIMED_WAITING, BLOCKED -> true;
            case NEW, RUNNABLE, TERMINATED -> false;
        };
    }

    boolean hasEnded() {
        return ended;
    }

    /** Ends it where it waits. */
    void end(Failures failures) {
        if (this == Thread.currentThread() || goesOn) {
            return;
        }
        interrupt();
        turn.release();
        goesOn = !ClusterTime.hasEnded(this, failures);
    }

    /** The test was interrupted while an actor had its turn, and the actor does not wait for anything. */
    static final class ActorAtWork extends IllegalStateException {
        private static final long serialVersionUID = 1;

        private ActorAtWork(String name) {
            super("interrupted while this actor runs and does not wait for anything: " + name);
        }
    }

    /** Ends one waiting, once it may end. A condition is looked at by the thread that gives the turns. */
    private final class Resumption implements Runnable {
        private final BooleanSupplier condition;
        private final long end;

        Resumption(BooleanSupplier condition, long end) {
            this.condition = condition;
            this.end = end;
        }

        @Override
        public void run() {
            if (pausedFor != this) {
                return;
            }
            long left = end - time.nanoTime();
            if (left <= 0 || mayHold()) {
                giveTurn(this);
            } else {
                time.schedule(this, Math.min(left, CHECK_NANOS));
            }
        }

        private boolean mayHold() {
            try {
                return condition.getAsBoolean();
            } catch (Throwable e) { // the actor looks itself, and it is thrown there
                return true;
            }
        }
    }
}
