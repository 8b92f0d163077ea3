package io.kvorum.core.replicated;

import io.kvorum.core.engine.Engine;
import io.kvorum.slots.Scheduler;
import io.kvorum.slots.runtime.OperatorLog;
import io.kvorum.slots.runtime.StepRunner;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Deletes the expired keys of a store periodically, as long as any key has a deadline, until it is cancelled. While
 * none has one it costs nothing. A scheduler that fails delays it; neither that nor an exception of a sweep ends it.
 *
 * <p>Safe for use by any number of threads.
 */
final class BackgroundSweep implements StepRunner.Steps<Boolean>, Scheduler.Cancellable {
    static final Duration PERIOD = Duration.ofMillis(100);

    /** How many keys a sweep deletes at most. */
    private static final int BUDGET = 1_000;

    private static final OperatorLog logger = OperatorLog.of(BackgroundSweep.class);

    private final Engine engine;
    private final IntUnaryOperator expire;
    private final Scheduler scheduler;
    private final StepRunner<Boolean> runner;
    private final Runnable wakeup;

    /**
     * Creates a sweep that has not begun.
     *
     * @param engine holds the keys
     * @param expire deletes up to a number of expired keys
     * @param scheduler has the threads and the time
     */
    BackgroundSweep(Engine engine, IntUnaryOperator expire, Scheduler scheduler) {
        this.engine = engine;
        this.expire = expire;
        this.scheduler = scheduler;
        runner = new StepRunner<>(this, scheduler);
        wakeup = runner::wake;
    }

    void start() {
        engine.addExpiryWakeup(wakeup);
        if (engine.hasDeadlines()) { // since before
            runner.wake();
        }
    }

    @Override
    public void cancel() {
        engine.removeExpiryWakeup(wakeup);
        runner.close();
    }

    @Override
    public Boolean step(long now) {
        return true;
    }

    @Override
    public void deliver(Boolean due) {
        if (runner.isClosed()) {
            return;
        }
        int deleted = 0;
        try {
            deleted = expire.applyAsInt(BUDGET);
        } catch (Throwable e) { // the next sweep may do better
            if (!runner.isClosed()) { // else the log was closed during the sweep
                logger.log(Level.WARNING, () -> "expired keys were not deleted", e);
            }
        }
        if (deleted == BUDGET) { // there may be more
            runner.wake();
        } else if (engine.hasDeadlines()) { // else the next first one wakes it
            runner.wakeAt(scheduler.nanoTime() + PERIOD.toNanos());
        }
    }

    @Override
    public void end(@Nullable Throwable defect) {
        // there is nothing to let go of
    }

    @Override
    public void ended() {
        // nobody waits
    }
}
