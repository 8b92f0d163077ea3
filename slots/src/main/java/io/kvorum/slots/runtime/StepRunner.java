package io.kvorum.slots.runtime;

import static java.util.Objects.requireNonNull;

import io.kvorum.slots.Scheduler;
import java.lang.System.Logger.Level;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Runs a state machine on a scheduler: one step after the other, each followed by the delivery of what it wants done.
 *
 * <p>A run is a <em>step</em>, which takes the input, moves the machine on and saves what must be saved, and then a
 * <em>delivery</em>, which calls out: transports, gateways, stages, listeners. Steps and deliveries of one runner never
 * overlap and alternate, so what is delivered is in order. Only a step is under the runner's lock; a delivery is under
 * none, so what it calls may call anything, {@link #close} of this or of any other runner included.
 *
 * <p>Runs happen when they are asked for: {@link #wake} at once, {@link #wakeAt} in time. There is no tick. A scheduler
 * that throws ends nothing: see {@link SerialTask}.
 *
 * <p>After {@link #close} there is no step any more, and a delivery under way hands out no more than what it is handing
 * out at that moment. A step or a delivery that throws is a defect of the driver or of its machine: the runner closes
 * itself, and {@link #defect} tells.
 *
 * <p>Safe for use by any number of threads.
 *
 * @param <T> the output of a step
 */
public final class StepRunner<T> implements AutoCloseable {
    /** A time that never comes, for {@link #wakeAt}. */
    public static final long NEVER = Long.MAX_VALUE;

    private static final OperatorLog logger = OperatorLog.of(StepRunner.class);

    /**
     * The machine with its inbox and its store.
     *
     * @param <T> the output of a step
     */
    public interface Steps<T> {
        /**
         * Takes a step and saves what must be saved. Calls nothing of the user's but the store.
         *
         * @param now the time, in nanoseconds
         * @return what is to be delivered
         */
        T step(long now);

        /**
         * Delivers what a step returned. Looks at {@link #isClosed} before each call of a transport, gateway or
         * listener, and releases what it then keeps back; a stage whose outcome is known completes in any case. Catches
         * what user code throws.
         *
         * @param output the output of the last step
         */
        void deliver(T output);

        /**
         * Takes the last step, in place of any other: the machine lets go of everything. Called once, possibly during a
         * delivery; calls nothing of the user's.
         *
         * @param defect what went wrong, or null after {@link StepRunner#close}
         */
        void end(@Nullable Throwable defect);

        /** Completes, after {@link #end}, what waits in vain. Called once, possibly during a delivery; may call out. */
        void ended();
    }

    private final Steps<T> steps;
    private final Scheduler scheduler;
    private final SerialTask task;
    private final Alarm alarm;
    private final AtomicLong refusals = new AtomicLong();
    private final AtomicReference<@Nullable Throwable> refusal = new AtomicReference<>();
    private final ReentrantLock stepping = new ReentrantLock();
    private volatile boolean closed;
    private volatile @Nullable Throwable defect;

    // Guarded by the lock.
    private boolean ended;
    private boolean closedByStep;

    /**
     * Creates a runner, which takes no step before it is woken.
     *
     * @param steps the machine
     * @param scheduler has the threads and the time
     */
    public StepRunner(Steps<T> steps, Scheduler scheduler) {
        this(steps, scheduler, LastResort.OF_JDK);
    }

    StepRunner(Steps<T> steps, Scheduler scheduler, LastResort lastResort) {
        this.steps = requireNonNull(steps, "steps");
        this.scheduler = requireNonNull(scheduler, "scheduler");
        task = new SerialTask(scheduler, this::runOnce, this::refused, lastResort);
        alarm = new Alarm(scheduler, task, task::wake, this::refused, lastResort);
    }

    private void refused(Throwable cause) {
        refusals.incrementAndGet();
        refusal.set(cause);
    }

    /** Has a step begin soon, after this call. Never throws; costs one volatile read if a step is to begin anyhow. */
    public void wake() {
        if (!closed) {
            task.wake();
        }
    }

    /**
     * Has a step begin after this call, at the latest at about the given time. From within a step it is about the next
     * one.
     *
     * @param at the time, in nanoseconds; {@link #NEVER} asks for nothing
     */
    public void wakeAt(long at) {
        if (at == NEVER || closed) {
            return;
        }
        alarm.set(at);
        if (!stepping.isHeldByCurrentThread()) { // else it is armed after the step
            alarm.arm();
        }
    }

    /** {@return whether this runner takes no more steps, and nothing is to be delivered any more} */
    public boolean isClosed() {
        return closed;
    }

    /** {@return the defect that closed this runner, or null} */
    public @Nullable Throwable defect() {
        return defect;
    }

    /** {@return how often the scheduler has thrown} */
    public long refusals() {
        return refusals.get();
    }

    /** {@return what the scheduler threw last, unless that was returned before; or null} */
    public @Nullable Throwable takeRefusal() {
        return refusal.get() == null ? null : refusal.getAndSet(null);
    }

    private void runOnce() {
        T output = null;
        boolean endedHere = false;
        stepping.lock();
        try {
            if (ended) {
                return;
            }
            alarm.clear(); // what was asked for before is seen by this step
            try {
                output = steps.step(scheduler.nanoTime());
            } catch (Throwable e) {
                endedHere = end(e);
            }
            if (closedByStep) {
                endedHere |= end(null);
            }
        } finally {
            stepping.unlock();
        }
        if (output != null) {
            alarm.arm();
            deliver(output);
        }
        if (endedHere) {
            tellEnd();
        }
    }

    private void deliver(T output) {
        try {
            steps.deliver(output);
        } catch (Throwable e) {
            close(e);
        }
    }

    /**
     * Ends it. It waits for the step under way, so that nothing is changed or saved any more when it returns, but not
     * for user code that a delivery has called. Called from within a step, by the store, it returns at once, and that
     * step is the last. An interrupt does not end the waiting, and stays set. Idempotent.
     */
    @Override
    public void close() {
        close(null);
    }

    private void close(@Nullable Throwable cause) {
        closed = true; // at once, for a delivery under way
        if (stepping.isHeldByCurrentThread()) {
            closedByStep = true;
            return;
        }
        boolean endedHere;
        stepping.lock();
        try {
            endedHere = end(cause);
        } finally {
            stepping.unlock();
        }
        if (endedHere) {
            tellEnd();
        }
    }

    /** Returns whether this was the end. */
    private boolean end(@Nullable Throwable cause) {
        if (ended) {
            return false;
        }
        ended = true;
        defect = cause;
        closed = true;
        try {
            steps.end(cause);
        } catch (Throwable e) {
            logger.log(Level.ERROR, () -> "the end of " + steps + " failed", e);
        }
        return true;
    }

    private void tellEnd() {
        alarm.close();
        try {
            steps.ended();
        } catch (Throwable e) {
            logger.log(Level.ERROR, () -> "telling the end of " + steps + " failed", e);
        }
    }
}
